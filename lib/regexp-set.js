// @ts-check
'use strict';

/**
 * SafeRegExpSet: many patterns asked at once which of them match somewhere in a text. V8 validates each pattern, the
 * native engine runs them all; result `i` is what `new RegExp(patterns[i], flags).test(text)` gives.
 */

const { isRegExp } = require('node:util').types;
const { isBytes } = require('./content.js');
const { outOfRange, wrongType } = require('./errors.js');
const native = require('./native.js');
const { provide } = require('./regexp-characters.js');
const { flagsOf, sourceOf } = require('./regexp-flags.js');
const { limitsOf } = require('./regexp-options.js');
const { LONG, isLatin1 } = require('./regexp-program.js');

/** Bounds of a set: the number of its patterns, and the length of their sources together. */
const MAX_PATTERNS = 65_536;
const MAX_SOURCE_LENGTH = 1 << 24;

/** RegExp's own, which other code may replace. */
const Expression = RegExp;

class SafeRegExpSet {
  #native;
  /** @type {readonly string[]} */
  #sources;

  /**
   * @param {(string | RegExp)[]} patterns
   * @param {string} [flags]
   * @param {unknown} [options]
   */
  constructor(patterns, flags, options) {
    if (!Array.isArray(patterns)) throw wrongType('patterns', 'an array of strings and RegExps');
    if (flags !== undefined && typeof flags !== 'string') throw wrongType('flags', 'a string');
    const { memoryLimit, budget } = limitsOf(options);
    if (patterns.length > MAX_PATTERNS) throw outOfRange('patterns.length', `at most ${MAX_PATTERNS}`);
    /** @type {string[]} */
    const sources = [];
    /** @type {string[]} */
    const allFlags = [];
    let length = 0;
    for (let index = 0; index < patterns.length; index++) {
      const pattern = patterns[index];
      if (typeof pattern !== 'string' && !isRegExp(pattern)) {
        throw wrongType(`patterns[${index}]`, 'a string or a RegExp');
      }
      const validated = new Expression(pattern, flags);
      sources.push(sourceOf(validated));
      allFlags.push(flagsOf(validated));
      length += sources[index].length;
      if (length > MAX_SOURCE_LENGTH) throw outOfRange('the length of all patterns', `at most ${MAX_SOURCE_LENGTH}`);
    }
    provideAll(sources, allFlags);
    this.#native = native.regexpSetCompile(sources, allFlags, memoryLimit, budget);
    this.#sources = Object.freeze(sources);
  }

  /**
   * Whether any pattern matches.
   *
   * @param {string | Uint8Array} input
   * @returns {boolean}
   */
  test(input) {
    if (typeof input === 'string') return this.#native.test(input, hintOf(input));
    if (isBytes(input)) return this.#native.testBytes(input);
    throw wrongType('input', 'a string or a Uint8Array');
  }

  /**
   * Which patterns match: their indices, ascending.
   *
   * @param {string | Uint8Array} input
   * @returns {number[]}
   */
  match(input) {
    if (typeof input === 'string') return this.#native.match(input, hintOf(input));
    if (isBytes(input)) return this.#native.matchBytes(input);
    throw wrongType('input', 'a string or a Uint8Array');
  }

  get size() {
    return this.#sources.length;
  }

  get sources() {
    return this.#sources;
  }
}

/**
 * What V8 knows of characters, for all patterns: classes that were asked about for others may be forgotten before the
 * first of them, and not in between.
 *
 * @param {string[]} sources
 * @param {string[]} flags
 */
function provideAll(sources, flags) {
  if (flags.some((each) => each.includes('v'))) native.regexpAskAboutClasses();
  const { regexpNeeds, regexpProvide } = native;
  const asked = { regexpNeeds, regexpProvide, regexpAskAboutClasses() {} };
  for (let index = 0; index < sources.length; index++) {
    try {
      provide(asked, sources[index], flags[index]);
    } catch {
      // It fails again when it is compiled, and there the error says which pattern it is.
    }
  }
}

/**
 * Whether a text is Latin-1, where that is worth asking.
 *
 * @param {string} text
 */
function hintOf(text) {
  return text.length < LONG ? undefined : isLatin1(text);
}

module.exports = { SafeRegExpSet };
