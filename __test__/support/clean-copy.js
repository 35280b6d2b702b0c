'use strict';

/**
 * Random values for sanitize, and a naive recursive account of them: what is wrong with a value, and what a clean
 * copy of it looks like.
 */

const assert = require('node:assert/strict');

class Account {
  constructor() {
    this.__proto_ = { deep: [] };
  }
  get balance() {
    throw new Error('an accessor was invoked');
  }
}
function Legacy() {}
Legacy.prototype = { greet() {} };

/** What is taken over by reference. */
const OPAQUE = [
  new Date(0),
  new Map([['__proto__', 1]]),
  new Set([1]),
  Buffer.from('x'),
  new Float64Array(2),
  new ArrayBuffer(2),
  /x/g,
  new Account(),
  new Legacy(),
  () => 1,
  class {},
  Promise.resolve(),
  new Error('x'),
  new (class extends Array {})(),
  new (class extends Map {})(),
  new WeakMap(),
  [].values(),
  (function* () {})(),
  new URL('https://example.org'),
  Object(1),
  Object('x'),
];
const SCALARS = [
  0,
  -0,
  1.5,
  2 ** 53,
  -(2 ** 53),
  2 ** 53 - 1,
  NaN,
  Infinity,
  1e300,
  1n,
  '',
  'text',
  'a longer text',
  true,
];
const TAG = Symbol('tag');
const KEYS = [
  '',
  '0',
  '7',
  '01',
  'toString',
  'constructor',
  'constructor',
  'prototype',
  '__proto__',
  '$where',
  '$',
  'a$',
  'long key',
];
const MISSING = Symbol('missing');

const never = () => assert.fail('an accessor was invoked');
const isArray = (value) => Array.isArray(value) && Object.getPrototypeOf(value) === Array.prototype;
const isContainer = (value) =>
  typeof value === 'object' &&
  value !== null &&
  (isArray(value) || Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null);

/** A random value: `tangled` ones have parts in several places, and cycles. */
class ValueGenerator {
  #made = [];

  constructor(random, tangled) {
    this.random = random;
    this.tangled = tangled;
  }

  value(depth) {
    const { random } = this;
    const choice = random.below(12);
    if (this.tangled && choice === 0 && this.#made.length > 0) return random.pick(this.#made);
    if (choice < 5 && depth > 0) return this.#object(depth - 1);
    if (choice < 7 && depth > 0) return this.#array(depth - 1);
    if (choice === 7) return random.pick(OPAQUE);
    if (choice === 8) return random.pick([undefined, null, Symbol.iterator]);
    return random.pick(SCALARS);
  }

  #object(depth) {
    const { random } = this;
    const object = random.below(6) === 0 ? Object.create(null) : {};
    this.#made.push(object);
    for (const key of random.list(5, () =>
      random.below(3) > 0 ? random.pick(['a', 'b', 'c', 'd']) : random.pick(KEYS),
    )) {
      this.#define(object, key, depth);
    }
    if (random.below(12) === 0) object[TAG] = this.value(depth);
    return object;
  }

  #array(depth) {
    const { random } = this;
    const array = random.list(4, () => 0);
    this.#made.push(array);
    for (let at = 0; at < array.length; at++) this.#define(array, at, depth);
    if (random.below(8) === 0) array.length += random.below(5);
    if (random.below(12) === 0) delete array[random.below(array.length + 1)];
    if (random.below(20) === 0) array[1000 + random.below(1_000_000)] = this.value(depth);
    if (random.below(12) === 0) array.named = this.value(depth);
    return array;
  }

  #member(key, depth) {
    const value = this.value(depth);
    return key === 'constructor' && this.random.below(2) === 0 ? { prototype: value } : value;
  }

  #define(object, key, depth) {
    const choice = this.random.below(24);
    const kind =
      choice === 0
        ? { get: never, set: never }
        : choice === 1
          ? { set: never }
          : { value: this.#member(key, depth), writable: choice !== 2 };
    Object.defineProperty(object, key, { ...kind, enumerable: choice !== 3, configurable: true });
  }
}

/** The members that a clean copy is about: own values with string keys; of objects those that can be enumerated. */
function membersOf(container) {
  const members = [];
  for (const key of Object.getOwnPropertyNames(container)) {
    const member = Object.getOwnPropertyDescriptor(container, key);
    const isMember = isArray(container) ? /^[0-9]+$/.test(key) : member.enumerable;
    if (isMember) members.push([key, 'value' in member ? member.value : MISSING]);
  }
  return members;
}

/** What one member, or one container, has wrong by itself. */
function faultsOf(container, options) {
  const faults = [];
  const { limits = {}, protoKey = 'error', constructorKey = 'error', operatorKeys = 'ignore' } = options;
  const fault = (code, key) => faults.push({ container, code, key });
  if (isArray(container)) {
    if (container.length > limits.arrayLength) fault('ERR_JSON_LIMIT');
  }
  for (const [key, value] of membersOf(container)) {
    if (!isArray(container)) {
      if (key === '__proto__' && protoKey === 'error') fault('ERR_JSON_PROTO_KEY', key);
      if (key === '__proto__' && protoKey === 'remove') continue;
      if (isPoisonousConstructor(key, value) && constructorKey === 'error') fault('ERR_JSON_CONSTRUCTOR_KEY', key);
      if (options.forbiddenKeys?.includes(key)) fault('ERR_JSON_FORBIDDEN_KEY', key);
      if (key[0] === '$' && operatorKeys === 'error') fault('ERR_JSON_FORBIDDEN_KEY', key);
      if (key[0] === '$' && operatorKeys === 'remove') continue;
      if (key.length > limits.keyLength) fault('ERR_JSON_LIMIT');
    }
    for (const code of scalarFaults(value, options)) fault(code, key);
  }
  return faults;
}

function scalarFaults(value, { numbers, limits = {} }) {
  const isTooLong = typeof value === 'string' && value.length > limits.stringLength;
  // 2^53 is the first integer that others round to.
  const isInexact = typeof value === 'number' && !(Math.abs(value) < 2 ** 53) && numbers === 'error';
  return [...(isTooLong ? ['ERR_JSON_LIMIT'] : []), ...(isInexact ? ['ERR_JSON_NUMBER'] : [])];
}

function isPoisonousConstructor(key, value) {
  return (
    key === 'constructor' &&
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.hasOwn(value, 'prototype')
  );
}

/** The members that a clean copy has. */
function kept(container, { protoKey, constructorKey, operatorKeys }) {
  return membersOf(container).filter(([key, value]) => {
    if (value === MISSING) return false;
    if (isArray(container)) return true;
    if (key === '__proto__' && protoKey === 'remove') return false;
    if (isPoisonousConstructor(key, value) && constructorKey === 'remove') return false;
    return !(key[0] === '$' && operatorKeys === 'remove');
  });
}

/** Every container in the copy's reach, each once. */
function containersOf(root, options, found = new Set()) {
  if (!isContainer(root) || found.has(root)) return found;
  found.add(root);
  for (const [, value] of kept(root, options)) containersOf(value, options, found);
  return found;
}

/** The longest way down; only for values without cycles. */
function heightOf(value, options) {
  if (!isContainer(value)) return 0;
  return 1 + Math.max(0, ...kept(value, options).map(([, member]) => heightOf(member, options)));
}

/** Whether it comes back to itself. */
function isCyclic(value, options, way = []) {
  if (!isContainer(value)) return false;
  if (way.includes(value)) return true;
  return kept(value, options).some(([, member]) => isCyclic(member, options, [...way, value]));
}

/** `copy` is to `value` what a clean copy is: the same shape, part for part, and what is shared is one. */
function assertCopy(value, copy, options, label, copies = new Map()) {
  if (!isContainer(value)) return assert.ok(Object.is(copy, value), `${label}: taken over`);
  if (copies.has(value)) return assert.equal(copy, copies.get(value), `${label}: shared`);
  copies.set(value, copy);
  assert.notEqual(copy, value, `${label}: a copy`);
  assert.equal(Object.getPrototypeOf(copy), isArray(value) ? Array.prototype : Object.prototype, label);
  if (isArray(value)) assert.equal(copy.length, value.length, label);
  const members = kept(value, options);
  const keys = Reflect.ownKeys(copy).filter((key) => !(isArray(value) && key === 'length'));
  assert.deepEqual(keys, members.map(([key]) => key), label); // prettier-ignore
  for (const [key, member] of members) {
    const { value: copied, ...how } = Object.getOwnPropertyDescriptor(copy, key);
    assert.deepEqual(how, { writable: true, enumerable: true, configurable: true }, label);
    assertCopy(member, copied, options, `${label}/${key}`, copies);
  }
}

/** Whether a path leads to the fault: to the container, or to its member. */
function isThere({ container, key }, value, path) {
  if (container === undefined) return path.length === 0;
  if (key === undefined) return at(value, path) === container;
  return path.length > 0 && String(path.at(-1)) === key && at(value, path.slice(0, -1)) === container;
}

/** What stands at a path of the original, without invoking anything. */
function at(value, path) {
  return path.reduce((container, key) => Object.getOwnPropertyDescriptor(container, key).value, value);
}

module.exports = {
  Account,
  Legacy,
  OPAQUE,
  SCALARS,
  TAG,
  ValueGenerator,
  assertCopy,
  at,
  containersOf,
  faultsOf,
  heightOf,
  isArray,
  isCyclic,
  isThere,
  never,
  scalarFaults,
};
