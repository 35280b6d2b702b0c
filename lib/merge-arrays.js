// @ts-check
'use strict';

/**
 * Arrays in merge. An array is taken over as it is, so what it holds must be safe already, at any depth; where unsafe
 * members are removed, it is replaced by a copy without them. Iterative, linear in what the arrays hold, however often
 * they are met in one call.
 */

const {
  ABSENT,
  checkDepth,
  elementOf,
  isDense,
  isPlainArray,
  isPlainObject,
  isUnsafe,
  setOwn,
  spend,
  valueOf,
} = require('./merge-members.js');

const { getOwnPropertyNames, getOwnPropertySymbols, keys: enumerableKeys } = Object;
const { isArray } = Array;

/**
 * What these functions know of a call.
 *
 * @typedef {import('./merge-members.js').Rules & {
 *   arrays: string,
 *   safe: Set<object> | undefined,
 *   cleaned: Map<object, any> | undefined,
 *   joined: Map<unknown[], Set<unknown>> | undefined,
 * }} Walk
 */

/**
 * The array, or a copy of it without unsafe members.
 *
 * @param {Walk} walk
 * @param {unknown[]} array
 * @param {number} depth
 * @returns {unknown[]}
 */
function adopted(walk, array, depth) {
  checkDepth(walk, depth);
  if (walk.safe !== undefined && walk.safe.has(array)) return array;
  if (holdsNoObjects(walk, array)) return array;
  if (walk.cleaned !== undefined && walk.cleaned.has(array)) return walk.cleaned.get(array);
  return findUnsafe(walk, array, depth) ? withoutUnsafe(walk, array) : array;
}

/**
 * Whether there is nothing in the array to look into. Most arrays are of numbers or texts.
 *
 * @param {Walk} walk
 * @param {unknown[]} array
 */
function holdsNoObjects(walk, array) {
  const keys = enumerableKeys(array);
  if (!isDense(array, keys) || getOwnPropertySymbols(array).length > 0) return false;
  for (let index = 0; index < keys.length; index++) {
    const value = elementOf(walk, array, index);
    if (typeof value === 'object' && value !== null) return false;
  }
  spend(walk, keys.length);
  return true;
}

/**
 * Looks at everything that the array holds, in arrays and plain objects.
 *
 * @param {Walk} walk
 * @param {unknown[]} array
 * @param {number} depth
 * @returns {boolean} Whether there is something to remove.
 */
function findUnsafe(walk, array, depth) {
  walk.safe ??= new Set();
  /** @type {object[]} */
  const open = [array];
  const depths = [depth];
  const seen = new Set(open);
  for (let at = 0; at < open.length; at++) {
    const container = open[at];
    checkDepth(walk, depths[at]);
    if (walk.cleaned !== undefined && walk.cleaned.has(container)) return true;
    const isList = isArray(container);
    const keys = keysIn(container);
    spend(walk, keys.length);
    const dense = isList && isDense(container, /** @type {string[]} */ (keys));
    for (let index = 0; index < keys.length; index++) {
      const value = dense ? elementOf(walk, container, index) : valueOf(walk, container, keys[index]);
      if (!isList && isUnsafe(walk, keys[index], value)) return true;
      if (!isContainer(value) || seen.has(value) || walk.safe.has(value)) continue;
      seen.add(value);
      open.push(value);
      depths.push(depths[at] + 1);
    }
  }
  for (const container of open) walk.safe.add(container);
  return false;
}

/**
 * Copies the array and whatever leads from it to an unsafe member, and takes the rest by reference.
 *
 * @param {Walk} walk
 * @param {unknown[]} array
 */
function withoutUnsafe(walk, array) {
  const safe = (walk.safe ??= new Set());
  const cleaned = (walk.cleaned ??= new Map());
  /** @type {Map<object, { key: PropertyKey, value: unknown }[]>} */
  const members = new Map([[array, []]]);
  /** Who holds it. @type {Map<object, object[]>} */
  const holders = new Map();
  /** @type {object[]} */
  const unclean = [];
  // A Map's iteration goes on with what is added to it.
  for (const [container, kept] of members) {
    const keys = keysIn(container);
    spend(walk, keys.length);
    let isUnclean = false;
    for (const key of keys) {
      const value = valueOf(walk, container, key);
      if (!isArray(container) && isUnsafe(walk, key, value)) {
        isUnclean = true;
        continue;
      }
      if (value === ABSENT) continue;
      kept.push({ key, value });
      if (!isContainer(value) || safe.has(value)) continue;
      if (cleaned.has(value)) {
        isUnclean = true;
        continue;
      }
      const others = holders.get(value);
      if (others === undefined) holders.set(value, [container]);
      else others.push(container);
      if (!members.has(value)) members.set(value, []);
    }
    if (isUnclean) unclean.push(container);
  }
  for (const container of unclean) cleaned.set(container, emptyLike(container));
  for (let at = 0; at < unclean.length; at++) {
    for (const holder of holders.get(unclean[at]) ?? []) {
      if (cleaned.has(holder)) continue;
      cleaned.set(holder, emptyLike(holder));
      unclean.push(holder);
    }
  }
  for (const container of unclean) {
    const copy = cleaned.get(container);
    for (const { key, value } of members.get(container) ?? []) {
      setOwn(copy, key, cleaned.has(/** @type {object} */ (value)) ? cleaned.get(/** @type {object} */ (value)) : value);
    }
  }
  for (const container of members.keys()) if (!cleaned.has(container)) safe.add(container);
  return cleaned.get(array) ?? array;
}

/** @param {object} container */
function emptyLike(container) {
  if (!isArray(container)) return {};
  /** @type {unknown[]} */
  const list = [];
  list.length = container.length;
  return list;
}

/**
 * `concat` and `unique`: what is there already, then the elements of `array`. An array that this call has made grows
 * where it is, so that many sources are linear work too.
 *
 * @param {Walk} walk
 * @param {unknown} existing
 * @param {unknown[]} array
 */
function appended(walk, existing, array) {
  const isUnique = walk.arrays === 'unique';
  if (!isPlainArray(existing)) {
    if (!isUnique || !repeats(walk, array)) return array;
    existing = [];
  }
  const joined = (walk.joined ??= new Map());
  let list = /** @type {unknown[]} */ (existing);
  let held = joined.get(list);
  if (held === undefined) {
    list = [];
    held = new Set();
    joined.set(list, held);
    append(walk, list, isUnique ? held : undefined, /** @type {unknown[]} */ (existing));
  }
  append(walk, list, isUnique ? held : undefined, array);
  return list;
}

/**
 * @param {Walk} walk
 * @param {unknown[]} list
 * @param {Set<unknown> | undefined} held
 * @param {unknown[]} array
 */
function append(walk, list, held, array) {
  const elements = elementsOf(walk, array);
  spend(walk, elements.length);
  for (let at = 0; at < elements.length; at++) {
    const value = elements[at];
    if (held !== undefined) {
      if (held.has(value)) continue;
      held.add(value);
    }
    setOwn(list, list.length, value);
  }
}

/**
 * @param {Walk} walk
 * @param {unknown[]} array
 */
function repeats(walk, array) {
  const elements = elementsOf(walk, array);
  return new Set(elements).size < elements.length;
}

/**
 * The elements, without holes and accessors.
 *
 * @param {Walk} walk
 * @param {unknown[]} array
 */
function elementsOf(walk, array) {
  const keys = enumerableKeys(array);
  const dense = isDense(array, keys);
  /** @type {unknown[]} */
  const elements = [];
  for (let at = 0; at < keys.length; at++) {
    if (!dense && `${Number(keys[at]) >>> 0}` !== keys[at]) break; // After the indices come names.
    const value = dense ? elementOf(walk, array, at) : valueOf(walk, array, keys[at]);
    if (value !== ABSENT) setOwn(elements, elements.length, value);
  }
  return elements;
}

/**
 * What is looked at: of an array what can be enumerated, of an object every key, as others may copy it.
 *
 * @param {object} container
 * @returns {PropertyKey[]}
 */
function keysIn(container) {
  if (getOwnPropertySymbols(container).length > 0) return Reflect.ownKeys(container);
  return isArray(container) ? enumerableKeys(container) : getOwnPropertyNames(container);
}

/**
 * @param {unknown} value
 * @returns {value is object}
 */
function isContainer(value) {
  return typeof value === 'object' && value !== null && (isArray(value) || isPlainObject(value));
}

module.exports = { adopted, appended };
