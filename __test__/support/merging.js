'use strict';

/**
 * For the tests of merge: a naive recursive merge with every policy, to compare with; random arguments with shared
 * parts, cycles, symbols, accessors and parts of another realm; and the comparison, down to the identity of each part.
 */

const assert = require('node:assert/strict');
const vm = require('node:vm');

const TAG = Symbol('tag');
const KEYS = ['a', 'b', 'c', 'toString', 'constructor', 'prototype', 'length', '0', '7', '', TAG];
const foreign = vm.runInNewContext('({ object: () => ({}), array: () => [] })');

const isPlain = (value) => {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || prototype === Object.getPrototypeOf(foreign.object());
};
const isContainer = (value) => Array.isArray(value) || isPlain(value);
const ARRAYS = [Array.prototype, Object.getPrototypeOf(foreign.array())];
const isList = (value) => Array.isArray(value) && ARRAYS.includes(Object.getPrototypeOf(value));

/** What may be copied: own, enumerable, a value. */
function entries(container) {
  return Reflect.ownKeys(container).flatMap((key) => {
    const member = Object.getOwnPropertyDescriptor(container, key);
    return member.enumerable && 'value' in member ? [[key, member.value]] : [];
  });
}

const elements = (array) => entries(array).filter(([key]) => typeof key === 'string' && /^(0|[1-9]\d*)$/.test(key));

const isUnsafe = (key, value) =>
  key === '__proto__' ||
  (key === 'constructor' &&
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.hasOwn(value, 'prototype'));

function put(object, key, value) {
  Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
}

/** The naive merge. Objects are gone into after the other members and from the last, which only aliases can tell. */
function oracle({ arrays = 'replace', undefined: policy = 'skip', unsafeKeys = 'error' }, ...sources) {
  const copies = new Map();
  const result = {};
  for (const source of sources) into(result, source, [[source, result]]);
  return result;

  function into(to, from, way) {
    const members = Array.isArray(from) ? elements(from) : entries(from);
    const later = [];
    for (const [key, value] of members) {
      const isKept = Array.isArray(from) ? !Object.hasOwn(to, key) : false;
      if (value === undefined && policy === 'skip' && !isKept) continue;
      if (!Array.isArray(from) && refused(key, value)) continue;
      if (typeof value === 'object' && value !== null) {
        if (!Object.hasOwn(to, key)) put(to, key, undefined);
        later.unshift([key, value]);
      } else {
        put(to, key, value);
      }
    }
    if (Array.isArray(from)) to.length = Math.max(to.length, from.length);
    for (const [key, value] of later) {
      const existing = to[key];
      const next = combined(existing, value, way);
      // What was merged in place stays where it is; through an alias, the merge may just have put something else here.
      if (next !== existing) put(to, key, next);
    }
  }

  function combined(existing, value, way) {
    if (Array.isArray(value) && (arrays === 'replace' || !isList(value))) return clean(value);
    if (Array.isArray(value) && arrays !== 'index') return joined(existing, clean(value));
    if (!isContainer(value)) return value;
    const met = way.find(([source]) => source === value);
    if (met !== undefined) return met[1];
    const fits = Array.isArray(value) ? isList(existing) : isPlain(existing);
    const to = fits ? existing : Array.isArray(value) ? [] : {};
    into(to, value, [...way, [value, to]]);
    return to;
  }

  function joined(existing, value) {
    const later = elements(value).map(([, element]) => element);
    if (arrays === 'concat') return isList(existing) ? [...elements(existing).map(([, e]) => e), ...later] : value;
    if (!isList(existing)) return new Set(later).size === later.length ? value : firsts(later);
    return firsts([...elements(existing).map(([, e]) => e), ...later]);
  }

  function refused(key, value) {
    if (!isUnsafe(key, value)) return false;
    if (unsafeKeys === 'remove') return true;
    throw Object.assign(new Error('unsafe'), { code: 'unsafe' });
  }

  function clean(value) {
    if (!isContainer(value) || !reachesUnsafe(value)) return value;
    if (unsafeKeys === 'error') refused('__proto__');
    if (copies.has(value)) return copies.get(value);
    const copy = Array.isArray(value) ? new Array(value.length) : {};
    copies.set(value, copy);
    for (const [key, member] of entries(value)) {
      if (Array.isArray(value) || !isUnsafe(key, member)) put(copy, key, clean(member));
    }
    return copy;
  }
}

/** Without repeats, as Set compares; Set itself would make 0 of -0. */
function firsts(list) {
  const seen = new Set();
  return list.filter((element) => !seen.has(element) && seen.add(element));
}

/** Whether there is an unsafe member anywhere in the value. */
function reachesUnsafe(value, seen = new Set()) {
  if (!isContainer(value) || seen.has(value)) return false;
  seen.add(value);
  return entries(value).some(
    ([key, member]) => (!Array.isArray(value) && isUnsafe(key, member)) || reachesUnsafe(member, seen),
  );
}

/** Random arguments of one call. `touched` gets what an accessor is called for: nothing, if all is well. */
class Arguments {
  /**
   * @param {import('./random.js').Random} random
   * @param {{ unsafe?: boolean, opaque: unknown[], touched: unknown[] }} how
   */
  constructor(random, { unsafe = false, opaque, touched }) {
    Object.assign(this, { random, unsafe, opaque, touched });
    this.containers = [];
  }

  /** @param {number} depth */
  object(depth) {
    const { random } = this;
    const object = [() => ({}), () => ({}), () => Object.create(null), foreign.object][random.below(4)]();
    this.containers.push(object);
    for (let left = random.below(5); left > 0; left--) this.member(object, random.pick(KEYS), depth);
    if (this.unsafe && random.below(5) === 0) put(object, '__proto__', this.value(depth - 1));
    if (this.unsafe && random.below(6) === 0) put(object, 'constructor', { prototype: this.value(depth - 1) });
    return object;
  }

  array(depth) {
    const { random } = this;
    const array = random.below(5) === 0 ? foreign.array() : [];
    this.containers.push(array);
    const length = random.below(4);
    for (let index = 0; index < length; index++) if (random.below(8) > 0) this.member(array, String(index), depth);
    array.length = length;
    if (random.below(8) === 0) this.member(array, random.pick(['name', TAG]), depth);
    return array;
  }

  member(holder, key, depth) {
    const { random, touched } = this;
    const kind = random.below(14);
    const accessor = { enumerable: true, configurable: true };
    if (kind === 0) Object.defineProperty(holder, key, { ...accessor, get: () => touched.push(key) });
    else if (kind === 1) Object.defineProperty(holder, key, { ...accessor, set: () => touched.push(key) });
    else if (kind === 2) Object.defineProperty(holder, key, { ...accessor, get: undefined });
    else if (kind === 3) Object.defineProperty(holder, key, { value: 1, enumerable: false, configurable: true });
    else {
      const value = this.value(depth - 1);
      // A constructor with a prototype only where it is asked for.
      if (this.unsafe || !isUnsafe(key, value)) put(holder, key, value);
    }
  }

  value(depth) {
    const { random, containers } = this;
    const kind = random.below(12);
    if (depth > 0 && containers.length < 25 && kind < 3) return this.object(depth);
    if (depth > 0 && containers.length < 25 && kind < 6) return this.array(depth);
    if (kind === 6) return undefined;
    if (kind === 7) return random.pick(this.opaque);
    // Met again: a shared part, or a cycle.
    if (kind === 8) return random.pick(containers);
    return random.pick([0, -0, NaN, 1, 1, 1n, '', 'text', true, null]);
  }
}

/** Every container that can be reached, with its members as they are. */
function snapshot(roots) {
  const seen = new Map();
  const open = [...roots];
  while (open.length > 0) {
    const container = open.pop();
    if (!isContainer(container) || seen.has(container)) continue;
    const members = Reflect.ownKeys(container).map((key) => [key, Object.getOwnPropertyDescriptor(container, key)]);
    seen.set(container, members);
    for (const [, { value }] of members) open.push(value);
  }
  return seen;
}

function assertUnchanged(before) {
  for (const [container, members] of before) {
    assert.deepEqual(Reflect.ownKeys(container), members.map(([key]) => key));
    for (const [key, old] of members) {
      const now = Object.getOwnPropertyDescriptor(container, key);
      for (const name of Object.keys(old)) assert.ok(Object.is(now[name], old[name]), String(key));
    }
  }
}

/** The same graph: keys in order, ordinary prototypes, and by reference what the oracle has by reference. */
function assertSameGraph(actual, expected, given, label) {
  const pairs = new Map();
  const partners = new Map();
  const open = [[actual, expected, label]];
  while (open.length > 0) {
    const [is, should, at] = open.pop();
    if (!isContainer(should) || given.has(should)) {
      assert.ok(Object.is(is, should), `${at}: taken over by reference`);
      continue;
    }
    if (pairs.has(is) || partners.has(should)) {
      assert.ok(pairs.get(is) === should && partners.get(should) === is, `${at}: shared as it should be`);
      continue;
    }
    pairs.set(is, should);
    partners.set(should, is);
    assert.ok(!given.has(is), `${at}: not part of an argument`);
    assert.equal(Array.isArray(is), Array.isArray(should), at);
    assert.equal(Object.getPrototypeOf(is), Array.isArray(should) ? Array.prototype : Object.prototype, at);
    assert.deepEqual(Reflect.ownKeys(is), Reflect.ownKeys(should), at);
    for (const key of Reflect.ownKeys(should)) {
      const member = Object.getOwnPropertyDescriptor(is, key);
      assert.ok(Object.hasOwn(member, 'value'), `${at}.${String(key)}`);
      open.push([member.value, Object.getOwnPropertyDescriptor(should, key).value, `${at}.${String(key)}`]);
    }
  }
}

module.exports = { Arguments, TAG, assertSameGraph, assertUnchanged, oracle, reachesUnsafe, snapshot };
