// @ts-check
'use strict';

/**
 * Options that are written at the call, `f(x, { limits: { depth: 20 } })`, are a new object each time with the same content.
 * Checking them again would cost more than the call itself. A few results are kept, found by content.
 */

/** Places in a program that call with options of their own, most often one. */
const KEPT = 8;

/** Longer arrays are taken for what they are, not for what is in them. */
const LONGEST_ARRAY = 1000;

/**
 * `make`, which reads options and depends on nothing but their content, with its latest results kept. Every option is read
 * once, own properties only.
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
    /** @type {unknown[]} */
    const content = [];
    spell(options, content, 0);
    for (let index = 0; index < kept.length; index++) {
      if (isSame(kept[index].content, content)) return kept[index].result;
    }
    const result = make(rebuild(content, { next: 0 }));
    if (kept.length === KEPT) kept.shift();
    kept.push({ content, result });
    return result;
  };
}

/** What an object or an array starts with, in the list that it is spelt into. */
const BRACE = Symbol('{');
const BRACKET = Symbol('[');

/**
 * Adds what `value` is made of to `content`: two levels of objects and arrays, and whatever is in them.
 *
 * @param {any} value
 * @param {unknown[]} content
 * @param {number} depth
 */
function spell(value, content, depth) {
  if (typeof value !== 'object' || value === null || depth === 2) {
    content.push(value);
  } else if (Array.isArray(value)) {
    const { length } = value;
    if (depth === 0 || length > LONGEST_ARRAY) return void content.push(value);
    content.push(BRACKET, length);
    for (let index = 0; index < length; index++) spell(value[index], content, 2);
  } else {
    const keys = Reflect.ownKeys(value);
    content.push(BRACE, keys.length);
    for (let index = 0; index < keys.length; index++) {
      content.push(keys[index]);
      spell(value[keys[index]], content, depth + 1);
    }
  }
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
 * @param {unknown[]} left
 * @param {unknown[]} right
 */
function isSame(left, right) {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) {
    if (!Object.is(left[index], right[index])) return false;
  }
  return true;
}

module.exports = { recentlyRead };
