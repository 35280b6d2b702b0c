// @ts-check
'use strict';

/**
 * SafeJsonPipe: JSON in one parameter of a handler. Text and bytes are parsed by JsonGuard; a value that something
 * else has parsed is copied by sanitize, with the same checks. For a parameter, `@Body(new SafeJsonPipe())`, and not
 * for all: it would take every text for JSON.
 */

const { isBytes } = require('../content.js');
const { JsonGuard } = require('../json.js');
const { readJsonOptions } = require('../json-options.js');
const { cleanValue } = require('../sanitize.js');

class SafeJsonPipe {
  #guard;
  #settings;

  /** @param {unknown} [options] */
  constructor(options) {
    this.#guard = new JsonGuard(options);
    this.#settings = readJsonOptions(options);
  }

  /**
   * @param {unknown} value
   * @returns {unknown}
   */
  transform(value) {
    if (value === undefined) return undefined; // there is no such parameter
    if (typeof value === 'string' || isBytes(value)) return this.#guard.parse(value);
    return cleanValue(value, this.#settings);
  }
}

module.exports = { SafeJsonPipe };
