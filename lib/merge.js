// @ts-check
'use strict';

/**
 * merge: plain objects into one new object, later sources winning. In JavaScript, because property access from native
 * code is several times slower. Iterative, so that no depth overflows the stack; bounded, so that shared parts of the
 * arguments cannot multiply without end.
 */

const { createError, wrongType } = require('./errors.js');
const { hasPrototype } = require('./json.js');

/** Members looked at in one call; a plain tree of this size takes about five seconds. */
const MAX_MEMBERS = 10_000_000;

/**
 * @param {object} target
 * @param {...object} sources
 */
function merge(target, ...sources) {
  const budget = { left: MAX_MEMBERS };
  const result = {};
  [target, ...sources].forEach((source, place) => {
    if (!isPlainObject(source)) throw wrongType(place === 0 ? 'target' : `source ${place}`, 'a plain object');
    mergeInto(result, source, budget);
  });
  return result;
}

/**
 * @param {any} result
 * @param {any} source
 * @param {{ left: number }} budget
 */
function mergeInto(result, source, budget) {
  /** Source objects that are being merged, with where to: meeting one again means a cycle. */
  const active = new Map([[source, result]]);
  const open = [{ to: result, from: source, keys: ownKeys(source), next: 0 }];
  while (open.length > 0) {
    const frame = open[open.length - 1];
    if (frame.next === frame.keys.length) {
      active.delete(frame.from);
      open.pop();
      continue;
    }
    const key = frame.keys[frame.next++];
    spend(budget);
    const member = Object.getOwnPropertyDescriptor(frame.from, key);
    // Accessors are not invoked, and what cannot be seen by enumeration is not copied.
    if (member === undefined || !member.enumerable || !Object.hasOwn(member, 'value')) continue;
    const { value } = member;
    if (value === undefined) continue;
    refuseUnsafe(key, value);
    if (Array.isArray(value)) checkArray(value, budget);
    if (!isPlainObject(value)) {
      assign(frame.to, key, value);
    } else if (active.has(value)) {
      assign(frame.to, key, active.get(value));
    } else {
      const existing = Object.hasOwn(frame.to, key) ? frame.to[key] : undefined;
      const to = isPlainObject(existing) ? existing : {};
      if (to !== existing) assign(frame.to, key, to);
      active.set(value, to);
      open.push({ to, from: value, keys: ownKeys(value), next: 0 });
    }
  }
}

/**
 * An array is taken over as it is, so what it holds must be safe already.
 *
 * @param {unknown[]} array
 * @param {{ left: number }} budget
 */
function checkArray(array, budget) {
  const seen = new Set([/** @type {object} */ (array)]);
  const open = [/** @type {any} */ (array)];
  while (open.length > 0) {
    const container = open.pop();
    for (const key of ownKeys(container)) {
      spend(budget);
      const member = Object.getOwnPropertyDescriptor(container, key);
      const value = member !== undefined && Object.hasOwn(member, 'value') ? member.value : undefined;
      if (!Array.isArray(container)) refuseUnsafe(key, value);
      if ((Array.isArray(value) || isPlainObject(value)) && !seen.has(value)) {
        seen.add(value);
        open.push(value);
      }
    }
  }
}

/**
 * @param {string | symbol} key
 * @param {unknown} value
 */
function refuseUnsafe(key, value) {
  if (key === '__proto__') {
    throw refusal('ERR_JSON_PROTO_KEY', 'an argument has an own key that sets a prototype when it is copied or merged');
  }
  if (key === 'constructor' && hasPrototype(value)) {
    throw refusal('ERR_JSON_CONSTRUCTOR_KEY', 'an argument has a constructor with a prototype, which pollutes when merged');
  }
}

/**
 * @param {string} code
 * @param {string} what
 */
function refusal(code, what) {
  return createError(code, `${what}: parse untrusted JSON with parseJson first`);
}

/** @param {{ left: number }} budget */
function spend(budget) {
  if (--budget.left < 0) throw createError('ERR_JSON_LIMIT', `the arguments have more than ${MAX_MEMBERS} members`);
}

/**
 * @param {any} object
 * @param {string | symbol} key
 * @param {unknown} value
 */
function assign(object, key, value) {
  if (key in object && !Object.hasOwn(object, key)) {
    // An inherited name: assigning would call a setter, or fail where Object.prototype is frozen.
    const member = { __proto__: null, value, configurable: true, enumerable: true, writable: true };
    Object.defineProperty(object, key, member);
  } else {
    object[key] = value;
  }
}

/** @param {object} object */
function ownKeys(object) {
  return Reflect.ownKeys(object);
}

/**
 * An object literal's kind of object, of this realm or another.
 *
 * @param {unknown} value
 */
function isPlainObject(value) {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

module.exports = { merge };
