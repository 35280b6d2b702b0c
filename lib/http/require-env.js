// @ts-check
'use strict';

/**
 * The environment, read once and validated by a schema of any library that speaks Standard Schema. All that is wrong
 * comes in one error, by name: a value never does, as it may be a secret, and the error is printed. Secrets are
 * looked at by themselves: with what is short, made of words, or in every tutorial a server does not start.
 */

const { createError, wrongType, wrongValue } = require('../errors.js');
const { integer, readOptions, table } = require('../options.js');
const { estimateBits } = require('./entropy.js');
const { describeIssue, tellProblems } = require('./env-issues.js');
const { standardOf, validate } = require('./standard-schema.js');

const OPTIONS = table({
  env: readEnvironment,
  secrets: readNames,
  minBits: integer(1, 1024, 128),
});

/**
 * @typedef {Record<string, string | undefined>} Environment
 * @typedef {import('./env-issues.js').Problem} Problem
 * @typedef {{ values?: any, problems: Problem[] }} Validated
 */

/**
 * @param {unknown} schema
 * @param {unknown} [options]
 * @returns {any}
 */
function requireEnv(schema, options) {
  const { env, secrets, minBits } = readOptions(options, OPTIONS);
  const whole = standardOf(schema);
  const { values, problems } =
    whole === undefined ? validateEach(readSchemas(schema, secrets), env) : validateWhole(whole, env, secrets);
  for (const name of secrets) {
    const secret = read(env, name) ?? (values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined);
    const text = secret === undefined ? undefined : weaknessOf(secret, minBits);
    if (text !== undefined) problems.push({ name, text, isWeak: true });
  }
  if (problems.length > 0) throw createError('ERR_ENVIRONMENT', tellProblems(problems));
  return Object.freeze(values);
}

/**
 * A schema for each name: of the environment nothing else is looked at.
 *
 * @param {Map<string, import('./standard-schema.js').Standard>} schemas
 * @param {Environment} env
 * @returns {Validated}
 */
function validateEach(schemas, env) {
  const values = Object.create(null);
  /** @type {Problem[]} */
  const problems = [];
  for (const [name, standard] of schemas) {
    const { value, issues } = validate(standard, `schema.${name}`, read(env, name));
    if (issues === undefined) values[name] = value;
    else problems.push(...issues.map((issue) => describeIssue({ message: issue.message, name }, env)));
  }
  return { values, problems };
}

/**
 * One schema for all. Which names it knows cannot be asked, so that a secret whose name is misspelt would not be
 * missed: each has to be there.
 *
 * @param {import('./standard-schema.js').Standard} standard
 * @param {Environment} env
 * @param {readonly string[]} secrets
 * @returns {Validated}
 */
function validateWhole(standard, env, secrets) {
  const { value, issues } = validate(standard, 'schema', copyOf(env));
  const problems = (issues ?? []).map((issue) => describeIssue(issue, env));
  const values = issues === undefined ? toRecord(value) : undefined;
  for (const name of secrets) {
    const isThere = read(env, name) !== undefined || (values !== undefined && Object.hasOwn(values, name));
    if (!isThere && !problems.some((problem) => problem.name === name)) {
      problems.push({ name, text: 'is not set, and is one of options.secrets', isWeak: false });
    }
  }
  return { values, problems };
}

/** @param {unknown} value */
function toRecord(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongValue('schema', 'a schema whose output is an object, or an object with a schema for each name');
  }
  const prototype = Object.getPrototypeOf(value);
  // What a schema made by a class of its own stays what it is.
  return prototype === null || prototype === Object.prototype ? { __proto__: null, ...value } : value;
}

/**
 * @param {unknown} schema
 * @param {readonly string[]} secrets
 */
function readSchemas(schema, secrets) {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    throw wrongType('schema', 'a Standard Schema (zod, valibot, arktype), or an object with one for each name');
  }
  const schemas = new Map();
  for (const name of Object.keys(schema)) {
    const standard = standardOf(/** @type {any} */ (schema)[name]);
    if (standard === undefined) throw wrongType(`schema.${name}`, 'a Standard Schema (zod, valibot, arktype)');
    schemas.set(name, standard);
  }
  const unknown = secrets.find((name) => !schemas.has(name));
  if (unknown !== undefined) throw wrongValue('options.secrets', `names of the schema, which ${unknown} is not`);
  return schemas;
}

/**
 * @param {unknown} secret
 * @param {number} minBits
 * @returns {string | undefined}
 */
function weaknessOf(secret, minBits) {
  if (typeof secret !== 'string') return 'is a secret, and has a default that is no text';
  const bits = estimateBits(secret);
  if (bits >= minBits) return undefined;
  if (bits === 0) return 'is a secret, and has a word of examples in it, or is known from one';
  return `is a secret of about ${bits} bits, by estimate, and has to have ${minBits}`;
}

/**
 * An empty variable counts as absent, as shells and compose files make them. From the environment itself and not a
 * copy: on Windows it knows names in whatever case.
 *
 * @param {Environment} env
 * @param {string} name
 */
function read(env, name) {
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  return value === '' ? undefined : value;
}

/**
 * Without a prototype, and without what is empty.
 *
 * @param {Environment} env
 */
function copyOf(env) {
  const copy = Object.create(null);
  for (const name of Object.keys(env)) {
    const value = read(env, name);
    if (value !== undefined) copy[name] = value;
  }
  return copy;
}

/** @type {import('../options.js').Reader<Environment>} */
function readEnvironment(value, name) {
  if (value === undefined) return process.env;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(name, 'an object of strings');
  }
  const env = Object.create(null);
  for (const key of Object.keys(value)) {
    const text = /** @type {any} */ (value)[key];
    if (text !== undefined && typeof text !== 'string') throw wrongType(`${name}.${key}`, 'a string');
    env[key] = text;
  }
  return env;
}

/** @type {import('../options.js').Reader<readonly string[]>} */
function readNames(value, name) {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw wrongType(name, 'an array of names');
  const names = [...value];
  if (!names.every((entry) => typeof entry === 'string' && entry !== '')) throw wrongType(name, 'an array of names');
  return [...new Set(names)];
}

module.exports = { requireEnv };
