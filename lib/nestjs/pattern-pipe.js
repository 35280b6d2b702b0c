// @ts-check
'use strict';

/**
 * PatternPipe: a parameter of a handler is text that matches a pattern, in time linear in its length (SafeRegExp),
 * whatever the pattern. What does not match is refused with ERR_PATTERN, and is nowhere in the error.
 */

const { createError, wrongValue } = require('../errors.js');
const { publish } = require('../http/events.js');
const { SafeRegExp } = require('../regexp.js');

/** Known here only: the constructor is private. */
const OWN = Symbol('PatternPipe.of');

class PatternPipe {
  #pattern;

  /**
   * @param {unknown} own
   * @param {SafeRegExp} pattern
   */
  constructor(own, pattern) {
    if (own !== OWN) throw wrongValue('a PatternPipe', 'made by PatternPipe.of(pattern)');
    this.#pattern = pattern;
  }

  /**
   * @param {string | RegExp} pattern
   * @param {string} [flags]
   */
  static of(pattern, flags) {
    const safe = new SafeRegExp(pattern, flags);
    // With these a pattern goes on where it ended the last time.
    if (safe.global || safe.sticky) throw wrongValue('flags', 'without g and y');
    return new PatternPipe(OWN, safe);
  }

  /**
   * @param {unknown} value
   * @param {{ type?: unknown, data?: unknown }} [metadata] Where Nest took it from: 'param', and the name.
   * @returns {string}
   */
  transform(value, metadata) {
    if (typeof value === 'string' && this.#pattern.test(value)) return value;
    const source = textIn(metadata?.type);
    const parameter = textIn(metadata?.data);
    publish('pattern.refused', undefined, { code: 'ERR_PATTERN', source, parameter });
    const name = parameter === undefined ? 'the value' : `'${parameter}'`;
    throw createError('ERR_PATTERN', `${name} must be a text that matches its pattern`);
  }
}

/** @param {unknown} value */
function textIn(value) {
  return typeof value === 'string' ? value : undefined;
}

module.exports = { PatternPipe };
