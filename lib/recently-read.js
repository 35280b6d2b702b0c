// @ts-check
'use strict';

/**
 * Options that are written at the call, `f(x, { limits: { depth: 20 } })`, are a new object each time with the same
 * content. Checking them again would cost more than the call itself. A few results are kept, found by content.
 */

/** Places in a program that call with options of their own, most often one. */
const KEPT = 8;

/** Longer arrays are taken for what they are, not for what is in them. */
const LONGEST_ARRAY = 1000;

/**
 * `make`, which reads options and depends on nothing but their content, with its latest results kept. Every option is
 * read once, own properties only.
 *
 * @template T
 * @param {(options: unknown) => T} make
 * @returns {(options: unknown) => T}
 */
function recentlyRead(make) {
  const byDefault = make(undefined);
  /** @type {{ content: unknown[], result: T }[]} */
  const kept = [];
  return (options) => {
    if (options === undefined) return byDefault;
    // Taken, so that a getter among the options that comes back here finds another one.
    const spelling = spare ?? [];
    spare = undefined;
    const length = spell(options, spelling, 0, 0);
    spare = spelling;
    for (let index = kept.length - 1; index >= 0; index--) {
      if (isSpelt(kept[index].content, spelling, length)) return kept[index].result;
    }
    const content = spelling.slice(0, length);
    const result = make(rebuild(content, { next: 0 }));
    if (kept.length === KEPT) kept.shift();
    kept.push({ content, result });
    return result;
  };
}

/**
 * What was spelt last: memory that is used again, because a list that grows costs more than the rest.
 *
 * @type {unknown[] | undefined}
 */
let spare = Array(64).fill(undefined);

/** What an object or an array starts with, in the list that it is spelt into. */
const BRACE = Symbol('{');
const BRACKET = Symbol('[');

/**
 * Writes what `value` is made of to `spelling`, from `place` on: two levels of objects and arrays, and whatever is in
 * them. Returns the place behind.
 *
 * @param {any} value
 * @param {unknown[]} spelling
 * @param {number} place
 * @param {number} depth
 * @returns {number}
 */
function spell(value, spelling, place, depth) {
  if (typeof value !== 'object' || value === null || depth === 2) {
    spelling[place] = value;
    return place + 1;
  }
  if (Array.isArray(value)) {
    const { length } = value;
    if (depth === 0 || length > LONGEST_ARRAY) {
      spelling[place] = value;
      return place + 1;
    }
    spelling[place++] = BRACKET;
    spelling[place++] = length;
    for (let index = 0; index < length; index++) spelling[place++] = value[index];
    return place;
  }
  const keys = ownKeys(value);
  spelling[place++] = BRACE;
  spelling[place++] = keys.length;
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index];
    spelling[place++] = key;
    const member = value[key];
    if (typeof member === 'object') place = spell(member, spelling, place, depth + 1);
    else spelling[place++] = member;
  }
  return place;
}

/**
 * As Reflect.ownKeys, which takes four times as long.
 *
 * @param {object} object
 * @returns {(string | symbol)[]}
 */
function ownKeys(object) {
  const names = Object.getOwnPropertyNames(object);
  const symbols = Object.getOwnPropertySymbols(object);
  return symbols.length === 0 ? names : [...names, ...symbols];
}

/**
 * The value that was spelt, without a prototype.
 *
 * @param {unknown[]} content
 * @param {{ next: number }} place
 * @returns {unknown}
 */
function rebuild(content, place) {
  const first = content[place.next++];
  if (first !== BRACE && first !== BRACKET) return first;
  const length = Number(content[place.next++]);
  if (first === BRACKET) return Array.from({ length }, () => content[place.next++]);
  const object = Object.create(null);
  for (let member = 0; member < length; member++) {
    const key = /** @type {string} */ (content[place.next++]);
    object[key] = rebuild(content, place);
  }
  return object;
}

/**
 * @param {unknown[]} content
 * @param {unknown[]} spelling
 * @param {number} length
 */
function isSpelt(content, spelling, length) {
  if (content.length !== length) return false;
  for (let index = 0; index < length; index++) {
    if (content[index] !== spelling[index] && !Object.is(content[index], spelling[index])) return false;
  }
  return true;
}

module.exports = { recentlyRead };
