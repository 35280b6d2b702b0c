// @ts-check
'use strict';

/**
 * The one way options are read: own properties only, unknown names rejected by name, every value checked, the result
 * without a prototype. A polluted `Object.prototype` can therefore not set an option.
 */

const { outOfRange, wrongType, wrongValue } = require('./errors.js');

/**
 * Checks one value and returns what to use; `undefined` stands for "not given".
 *
 * @template T
 * @typedef {(value: unknown, name: string) => T} Reader
 */

/**
 * Reads `options` by a table of readers, one for each name.
 *
 * @template {Record<string, Reader<any>>} R
 * @param {unknown} options
 * @param {R} readers Made by `table`.
 * @param {string} [name]
 * @returns {{ [K in keyof R]: ReturnType<R[K]> }}
 */
function readOptions(options, readers, name = 'options') {
  const given = Object.create(null);
  if (options !== undefined) {
    if (typeof options !== 'object' || options === null || Array.isArray(options)) {
      throw wrongType(name, 'an object');
    }
    for (const key of Reflect.ownKeys(options)) {
      if (typeof key !== 'string' || readers[key] === undefined) {
        throw wrongValue(name, `an object with the known names ${Object.keys(readers).join(', ')}; ${quote(key)} is none`);
      }
      given[key] = /** @type {any} */ (options)[key];
    }
  }
  const read = Object.create(null);
  for (const key in readers) read[key] = readers[key](given[key], `${name}.${key}`);
  return read;
}

/**
 * A table of readers, without a prototype.
 *
 * @template {Record<string, Reader<any>>} R
 * @param {R} readers
 * @returns {R}
 */
function table(readers) {
  return Object.assign(Object.create(null), readers);
}

/**
 * @param {number} low
 * @param {number} high
 * @param {number} fallback
 * @returns {Reader<number>}
 */
function integer(low, high, fallback) {
  return (value, name) => {
    if (value === undefined) return fallback;
    if (typeof value !== 'number') throw wrongType(name, 'a number');
    if (!Number.isInteger(value) || value < low || value > high) {
      throw outOfRange(name, `an integer from ${low} to ${high}`);
    }
    return value;
  };
}

/**
 * One of `values`, the first of which is the default.
 *
 * @template {string} T
 * @param {readonly [T, ...T[]]} values
 * @returns {Reader<T>}
 */
function oneOf(values) {
  return (value, name) => {
    if (value === undefined) return values[0];
    const found = values.find((known) => known === value);
    if (found === undefined) throw wrongValue(name, `one of ${values.map((known) => `'${known}'`).join(', ')}`);
    return found;
  };
}

/**
 * An object of options inside the options.
 *
 * @template {Record<string, Reader<any>>} R
 * @param {R} readers
 * @returns {Reader<{ [K in keyof R]: ReturnType<R[K]> }>}
 */
function nested(readers) {
  const inner = table(readers);
  return (value, name) => readOptions(value, inner, name);
}

/** Takes the value as it is, for the caller to check. @type {Reader<unknown>} */
function unchecked(value) {
  return value;
}

/**
 * A name that the programmer wrote, shortened.
 *
 * @param {string | symbol} name
 */
function quote(name) {
  return `'${String(name).slice(0, 40)}'`;
}

module.exports = { integer, nested, oneOf, readOptions, table, unchecked };
