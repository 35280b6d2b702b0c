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
  isIndex,
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
  const safe = (walk.safe ??= new Set());
  const depths = new Map().set(array, depth);
  let found = false;
  // A Map's iteration goes on with what is added to it.
  for (const [container, here] of depths) {
    checkDepth(walk, here);
    if (walk.cleaned !== undefined && walk.cleaned.has(container)) {
      found = true;
      continue;
    }
    const isList = isArray(container);
    const keys = keysIn(container);
    spend(walk, keys.length);
    const dense = isList && isDense(container, keys);
    for (let at = 0; at < keys.length; at++) {
      const value = dense ? elementOf(walk, container, at) : valueOf(walk, container, keys[at]);
      if (!isList && isUnsafe(walk, keys[at], value)) found = true;
      else if (isContainer(value) && !depths.has(value) && !safe.has(value)) depths.set(value, here + 1);
    }
  }
  if (!found) for (const container of depths.keys()) safe.add(container);
  return found;
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
  /** What the array leads to, with the members to keep. @type {Map<object, Map<PropertyKey, unknown>>} */
  const found = new Map().set(array, new Map());
  /** Who holds it. @type {Map<object, Set<object>>} */
  const holders = new Map();
  /** What cannot stay as it is. @type {Set<object>} */
  const unclean = new Set();
  for (const [container, kept] of found) {
    const keys = keysIn(container);
    spend(walk, keys.length);
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at];
      const value = valueOf(walk, container, key);
      if (!isArray(container) && isUnsafe(walk, key, value)) {
        unclean.add(container);
      } else if (value !== ABSENT) {
        kept.set(key, value);
        if (!isContainer(value) || safe.has(value)) continue;
        if (cleaned.has(value)) unclean.add(container);
        else if (holders.has(value)) holders.get(value)?.add(container);
        else holders.set(value, new Set().add(container));
        if (!cleaned.has(value) && !found.has(value)) found.set(value, new Map());
      }
    }
  }
  for (const container of unclean) {
    cleaned.set(container, emptyLike(container));
    for (const holder of holders.get(container) ?? []) unclean.add(holder);
  }
  for (const [container, kept] of found) {
    if (!unclean.has(container)) {
      safe.add(container);
      continue;
    }
    const copy = cleaned.get(container);
    for (const [key, value] of kept) setOwn(copy, key, cleaned.has(value) ? cleaned.get(value) : value);
  }
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
  spend(walk, elements.length);
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
    if (!dense && !isIndex(keys[at])) continue;
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
