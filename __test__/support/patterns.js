'use strict';

/** Random regular expressions over (nearly) the whole grammar, and texts that they have a chance to match. */

const CHARACTERS = [
  'a',
  'b',
  'c',
  'A',
  'B',
  'k',
  's',
  '0',
  '1',
  '_',
  ' ',
  '-',
  '\n',
  '\r',
  '\u2028',
  'é',
  'É',
  'ß',
  'ſ',
  'K',
  '中',
  'ا',
  '😀',
  '\ud83d',
  '\ude00',
  '\u00a0',
  '\ufeff',
];
const ESCAPES = [
  '\\d',
  '\\D',
  '\\w',
  '\\W',
  '\\s',
  '\\S',
  '\\n',
  '\\x61',
  '\\u0062',
  '\\0',
  '\\cA',
  '\\t',
  '\\/',
  '\\.',
  '\\-',
];
const CLASS_ITEMS = [
  'a',
  'b',
  'a-c',
  'A-Z',
  '0-9',
  '_',
  '\\d',
  '\\w',
  '\\s',
  '\\W',
  '\\S',
  '\\D',
  'é',
  '中',
  '\\u4e00-\\u9fff',
  ' ',
  '.',
  '^',
  '\\b',
  '\\]',
  '\\-',
  '\\ud83d',
  '\\u{1f600}',
  '\\u2028',
  'k',
  's',
];
const FLAGS = ['', '', '', 'i', 'u', 'g', 'y', 's', 'm', 'd', 'iu', 'gi', 'gu', 'dg', 'sy', 'gy', 'su', 'dgimsuy'];

class PatternGenerator {
  #groups = 0;

  /** @param {import('./random.js').Random} random */
  constructor(random) {
    this.random = random;
  }

  pattern() {
    this.#groups = 0;
    return { source: this.#disjunction(3), flags: this.random.pick(FLAGS) };
  }

  text() {
    return this.random.list(12, () => this.random.pick(CHARACTERS)).join('');
  }

  #disjunction(depth) {
    const branches = 1 + (this.random.below(4) === 0 ? this.random.below(3) : 0);
    return Array.from({ length: branches }, () => this.#alternative(depth)).join('|');
  }

  #alternative(depth) {
    return this.random.list(4, () => this.#term(depth)).join('');
  }

  #term(depth) {
    const choice = this.random.below(20);
    if (choice === 0) return this.random.pick(['^', '$', '\\b', '\\B']);
    if (choice === 1 && depth > 0 && this.random.below(8) === 0) {
      return `(${this.random.pick(['?=', '?!', '?<=', '?<!'])}${this.#disjunction(depth - 1)})`;
    }
    return this.#atom(depth) + this.#quantifier();
  }

  #quantifier() {
    if (this.random.below(3) > 0) return '';
    const body = this.random.pick(['*', '+', '?', '{2}', '{1,}', '{0,2}', '{1,3}', '{0}', '{1}']);
    return body + (this.random.below(3) === 0 ? '?' : '');
  }

  #atom(depth) {
    const choice = this.random.below(10);
    if (depth > 0 && choice < 3) {
      const body = this.#disjunction(depth - 1);
      if (choice === 0) return `(?:${body})`;
      this.#groups++;
      return choice === 1 ? `(${body})` : `(?<g${this.#groups}>${body})`;
    }
    if (choice === 3) return '.';
    if (choice === 4) return this.random.pick(ESCAPES);
    if (choice < 7) {
      const items = this.random.list(4, () => this.random.pick(CLASS_ITEMS)).join('');
      return `[${this.random.below(3) === 0 ? '^' : ''}${items}]`;
    }
    const character = this.random.pick(CHARACTERS);
    return '\n\r\u2028'.includes(character) ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : character;
  }
}

module.exports = { PatternGenerator };
