// @ts-check
'use strict';

/**
 * Standard Schema, version 1 (https://standardschema.dev): what zod, valibot, arktype and others have in common. Only
 * what validates at once is taken. What a polluted Object.prototype has is nobody's.
 */

const { wrongType, wrongValue } = require('../errors.js');

/** Prototypes that are looked through. */
const MOST_PROTOTYPES = 20;

/** Of one schema. */
const MOST_ISSUES = 100;

/**
 * @typedef {{ validate(value: unknown): unknown }} Standard
 * @typedef {{ message: unknown, name: string | undefined }} Issue Of its path the first name.
 * @typedef {{ __proto__: null, value?: unknown, issues?: Issue[] }} Result
 */

/**
 * What `schema['~standard']` is, or undefined if there is none.
 *
 * @param {unknown} schema
 * @returns {Standard | undefined}
 */
function standardOf(schema) {
  const standard = member(schema, '~standard');
  if (standard === undefined) return undefined;
  if (member(standard, 'version') !== 1 || typeof member(standard, 'validate') !== 'function') {
    throw wrongType('schema', 'a Standard Schema of version 1');
  }
  return /** @type {any} */ (standard);
}

/**
 * @param {Standard} standard
 * @param {string} label What the schema is called in messages.
 * @param {unknown} value
 * @returns {Result}
 */
function validate(standard, label, value) {
  let result;
  try {
    result = standard.validate(value);
  } catch {
    // Its message may have the value in it, and so may its stack.
    return { __proto__: null, issues: [{ message: 'its validator threw an error', name: undefined }] };
  }
  if (typeof result !== 'object' || result === null) throw wrongValue(label, 'a schema whose result is an object');
  if (typeof member(result, 'then') === 'function') {
    Promise.resolve(result).then(ignore, ignore);
    throw wrongValue(label, 'a schema that validates at once, and not by a promise');
  }
  const issues = member(result, 'issues');
  if (issues === undefined) return { __proto__: null, value: member(result, 'value') };
  return { __proto__: null, issues: readIssues(issues) };
}

/**
 * @param {any} issues
 * @returns {Issue[]} At least one.
 */
function readIssues(issues) {
  const read = [];
  for (const issue of issues) {
    if (read.length === MOST_ISSUES) break;
    read.push({ message: member(issue, 'message'), name: nameIn(member(issue, 'path')) });
  }
  return read.length === 0 ? [{ message: undefined, name: undefined }] : read;
}

/**
 * @param {unknown} path
 * @returns {string | undefined}
 */
function nameIn(path) {
  if (!Array.isArray(path) || path.length === 0) return undefined;
  const [first] = path;
  const name = typeof first === 'object' ? member(first, 'key') : first;
  return typeof name === 'string' ? name : undefined;
}

/**
 * Of its own or of its class.
 *
 * @param {any} object
 * @param {string} name
 * @returns {unknown}
 */
function member(object, name) {
  if ((typeof object !== 'object' || object === null) && typeof object !== 'function') return undefined;
  let holder = object;
  for (let steps = 0; steps < MOST_PROTOTYPES && holder !== null && holder !== Object.prototype; steps++) {
    if (Object.hasOwn(holder, name)) return object[name];
    holder = Object.getPrototypeOf(holder);
  }
  return undefined;
}

function ignore() {}

module.exports = { standardOf, validate };
