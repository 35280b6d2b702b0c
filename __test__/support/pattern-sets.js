'use strict';

/**
 * Random sets of patterns for SafeRegExpSet: words, and around them what decides how far a match can reach; and texts
 * in which the words stand alone, side by side, and far apart.
 */

const WORDS = ['ab', 'abc', 'ba', 'key', 'kEy', 'AB', 'ss', 'sk', 'aa', 'a-b', '-----', 'token'];
const CLASSES = [
  '[ab]', '[a-z]', '\\w', '\\W', '\\s', '\\S', '.', '[^a]', '[\\d\\D]', '\\d', '[_\\-]', '[a-c1]', 'é',
  '[à-ÿ]', '中', 'a', ' ',
];
const COUNTS = ['', '', '', '?', '{2}', '{0,2}', '{1,3}', '??', '{1,3}?'];
/** Few of these in one pattern, or V8 never ends. */
const LONG_COUNTS = ['*', '+', '{3,}', '{0,20}', '*?', '+?', '{2,}?', '{0,70}'];
const ASSERTIONS = ['\\b', '\\B', '^', '$', '\\b', '$'];
const LOOKS = ['?=', '?!', '?<=', '?<!'];
const FLAGS = ['', '', '', 'i', 'i', 'u', 'iu', 's', 'm', 'im', 'y', 'g', 'v', 'iv'];
const NARROW = [
  'ab', 'abc', 'aB', 'ba', 'key', 'KEY', 'token', '-----', '-', ' ', 'a', 'b', 'k', '\n', '1', '_', 'é',
  '\u00a0', 'ss', 'sk',
];
const WIDE = ['ſ', '\u212a', '中', '😀', '\ud83d', '\ude00', '\u2028'];

class PatternSetGenerator {
  #long = 0;

  /** @param {import('./random.js').Random} random */
  constructor(random) {
    this.random = random;
  }

  pattern() {
    this.#long = 2;
    return { source: this.#sequence(2), flags: this.random.pick(FLAGS) };
  }

  text() {
    const { random } = this;
    const units = random.below(3) === 0 ? [...NARROW, ...WIDE] : NARROW;
    return random
      .list(random.pick([5, 20, 80]), () =>
        random.below(8) === 0 ? random.pick(['x', ' ', 'a', '1']).repeat(random.below(60)) : random.pick(units),
      )
      .join('');
  }

  #sequence(depth) {
    return [this.#piece(depth), ...this.random.list(3, () => this.#piece(depth))].join('');
  }

  #piece(depth) {
    const { random } = this;
    switch (random.below(10)) {
      case 0:
        return random.pick(ASSERTIONS);
      case 1:
      case 2:
      case 3:
        return random.pick(WORDS);
      case 4:
        if (depth > 0 && random.below(2) === 0) return `(${random.pick(LOOKS)}${this.#sequence(depth - 1)})`;
        return random.pick(WORDS);
      case 5:
      case 6:
        if (depth > 0) {
          const before = this.#long;
          const branches = Array.from({ length: 1 + random.below(3) }, () => this.#sequence(depth - 1));
          const count = this.#long < before ? '' : random.pick(COUNTS);
          return `(${random.pick(['?:', ''])}${branches.join('|')})${count}`;
        }
        return `(?:${random.pick(WORDS)})${this.#count()}`;
      default:
        return random.pick(CLASSES) + this.#count();
    }
  }

  #count() {
    if (this.#long === 0 || this.random.below(3) > 0) return this.random.pick(COUNTS);
    this.#long -= 1;
    return this.random.pick(LONG_COUNTS);
  }
}

module.exports = { PatternSetGenerator };
