// @ts-check
'use strict';

/**
 * How merge looks at its arguments: which members an object or an array has, and which of them are unsafe, without
 * invoking an accessor. An object is copied whole only when each of its members has just been seen to be a value, and
 * no foreign code can have run since. Called by merge.js and merge-arrays.js.
 */

const { isProxy } = require('node:util').types;
const { createError } = require('./errors.js');
const { hasPrototype } = require('./unsafe-key.js');

const { getOwnPropertyDescriptor, getOwnPropertySymbols, getPrototypeOf, hasOwn, keys } = Object;
const { isArray } = Array;
const OBJECT_PROTOTYPE = Object.prototype;
const ARRAY_PROTOTYPE = Array.prototype;
/** @type {(object: object, key: PropertyKey) => unknown} Finds the getter that reading would invoke, and does not. */
const getterOf = Function.prototype.call.bind(/** @type {any} */ (OBJECT_PROTOTYPE).__lookupGetter__);

/** In place of a value: there is no such member, or it is an accessor, or it is not enumerable. */
const ABSENT = Symbol('absent');

/** Members looked at in one call; that many take two to five seconds. */
const MAX_MEMBERS = 10_000_000;

/**
 * What one call goes by.
 *
 * @typedef {object} Rules
 * @property {boolean} assignsUndefined
 * @property {boolean} removes Whether unsafe members are left out, or refused.
 * @property {number} maxDepth
 * @property {number} left How many members may still be looked at.
 * @property {boolean} isPolluted Whether an accessor's descriptor inherits a `value`.
 * @property {Pending | undefined} pending Members that hold objects and have still to be merged, the innermost first.
 *
 * A list of links, as all that merge puts aside: on an array, a setter in a polluted prototype could step in.
 * @typedef {{ key: PropertyKey, value: object, next: Pending | undefined }} Pending
 */

/**
 * How many keys an object has, if a spread copies it just as merge should: no symbols, no accessors, nothing to leave
 * out. Its members that hold objects become pending then. Otherwise -1, for: go member by member.
 *
 * @param {Rules} rules
 * @param {any} source
 */
function countSpreadable(rules, source) {
  // A Proxy may answer otherwise the next time.
  if (rules.isPolluted || isProxy(source) || getOwnPropertySymbols(source).length > 0) return -1;
  const own = keys(source);
  let { pending } = rules;
  for (let at = 0; at < own.length; at++) {
    const key = own[at];
    const member = /** @type {PropertyDescriptor} */ (getOwnPropertyDescriptor(source, key));
    const { value } = member;
    if (key === '__proto__') return -1;
    if (typeof value === 'object' && value !== null) {
      if (key === 'constructor') return -1;
      pending = { key, value, next: pending };
    } else if (value === undefined && !(rules.assignsUndefined && hasOwn(member, 'value'))) {
      return -1;
    }
  }
  spend(rules, own.length);
  rules.pending = pending;
  return own.length;
}

/**
 * A new object with the members of one that has `count` spreadable keys. V8 remembers only a few shapes for each
 * spread in the source, and takes several times as long for others; so there is one for each usual number of keys.
 *
 * @param {any} source
 * @param {number} count
 */
function spread(source, count) {
  switch (count) {
    case 1:
      return { ...source };
    case 2:
      return { ...source };
    case 3:
      return { ...source };
    case 4:
      return { ...source };
    case 5:
      return { ...source };
    case 6:
      return { ...source };
    case 7:
      return { ...source };
    case 8:
      return { ...source };
    default:
      return { ...source };
  }
}

/**
 * The value of an own enumerable member, or ABSENT.
 *
 * @param {Rules} rules
 * @param {object} object
 * @param {PropertyKey} key
 */
function valueOf(rules, object, key) {
  const member = getOwnPropertyDescriptor(object, key);
  if (member === undefined || !member.enumerable) return ABSENT;
  const { value } = member;
  return (value !== undefined && !rules.isPolluted) || hasOwn(member, 'value') ? value : ABSENT;
}

/**
 * Whether the array has exactly the enumerable members 0 up to its length, and can be read by index.
 *
 * @param {unknown[]} array
 * @param {PropertyKey[]} keysInIt Its enumerable keys: the indices come first, in order.
 */
function isDense(array, keysInIt) {
  const { length } = keysInIt;
  return !isProxy(array) && length === array.length && (length === 0 || keysInIt[length - 1] === `${length - 1}`);
}

/**
 * Whether the key of an array's member is an element's, and no name.
 *
 * @param {string} key
 */
function isIndex(key) {
  const index = Number(key) >>> 0;
  return `${index}` === key && index !== 2 ** 32 - 1;
}

/**
 * The element of a dense array, or ABSENT.
 *
 * @param {Rules} rules
 * @param {unknown[]} array
 * @param {number} index
 */
function elementOf(rules, array, index) {
  if (getterOf(array, index) !== undefined) return ABSENT;
  // Without a getter, reading invokes nothing; what reads as undefined may still be an accessor.
  const value = array[index];
  return value === undefined ? valueOf(rules, array, index) : value;
}

/**
 * Whether the member is to be left out; where unsafe members are refused, throws.
 *
 * @param {Rules} rules
 * @param {PropertyKey} key
 * @param {unknown} value
 */
function isUnsafe(rules, key, value) {
  if (key === '__proto__') {
    if (rules.removes) return true;
    throw refusal('ERR_JSON_PROTO_KEY', 'an argument has an own key that sets a prototype when it is copied or merged');
  }
  if (key === 'constructor' && hasPrototype(value)) {
    if (rules.removes) return true;
    throw refusal('ERR_JSON_CONSTRUCTOR_KEY', 'an argument has a constructor that has a prototype, and pollutes');
  }
  return false;
}

/**
 * @param {string} code
 * @param {string} what
 */
function refusal(code, what) {
  return createError(code, `${what}: parse untrusted JSON with parseJson first, or merge with unsafeKeys: 'remove'`);
}

/**
 * @param {Rules} rules
 * @param {number} members
 */
function spend(rules, members) {
  rules.left -= members;
  if (rules.left < 0) throw createError('ERR_JSON_LIMIT', `the arguments have more than ${MAX_MEMBERS} members`);
}

/**
 * @param {Rules} rules
 * @param {number} depth
 */
function checkDepth(rules, depth) {
  if (depth > rules.maxDepth) throw createError('ERR_JSON_LIMIT', 'an argument nests deeper than maxDepth allows');
}

/**
 * Sets an own member, whatever is inherited under that name: assigning would call an inherited setter, or fail where
 * Object.prototype is frozen.
 *
 * @param {any} object
 * @param {PropertyKey} key
 * @param {unknown} value
 */
function setOwn(object, key, value) {
  if (!(key in object) || hasOwn(object, key)) {
    object[key] = value;
  } else {
    const member = { __proto__: null, value, configurable: true, enumerable: true, writable: true };
    Object.defineProperty(object, key, member);
  }
}

/**
 * The keys of what can be enumerated, and possibly others.
 *
 * @param {object} container
 * @returns {PropertyKey[]}
 */
function keysOf(container) {
  return getOwnPropertySymbols(container).length > 0 ? Reflect.ownKeys(container) : keys(container);
}

/**
 * An object literal's kind of object, of this realm or another.
 *
 * @param {unknown} value
 * @returns {value is object}
 */
function isPlainObject(value) {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = getPrototypeOf(value);
  if (prototype === OBJECT_PROTOTYPE || prototype === null) return true;
  return getPrototypeOf(prototype) === null && hasOwn(prototype, 'isPrototypeOf');
}

/**
 * An array literal's kind of array, of this realm or another; an instance of a subclass is none.
 *
 * @param {unknown} value
 * @returns {value is unknown[]}
 */
function isPlainArray(value) {
  if (!isArray(value)) return false;
  const prototype = getPrototypeOf(value);
  return prototype === ARRAY_PROTOTYPE || (isArray(prototype) && hasOwn(prototype, 'concat'));
}

module.exports = {
  ABSENT,
  MAX_MEMBERS,
  checkDepth,
  countSpreadable,
  elementOf,
  isDense,
  isIndex,
  isPlainArray,
  isPlainObject,
  isUnsafe,
  keysOf,
  setOwn,
  spend,
  spread,
  valueOf,
};
