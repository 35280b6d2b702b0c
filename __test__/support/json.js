'use strict';

/** Random JSON texts, and damage to them. Every text of `text()` is valid; what `damaged()` returns may be anything. */

const KEYS = [
  'a',
  'b',
  'key',
  '',
  '0',
  '1',
  'toString',
  'constructor',
  'prototype',
  '__proto__',
  'hasOwnProperty',
  'é',
  '中',
  '😀',
  '/',
  '~',
];
const CHARACTERS = [
  'a',
  'b',
  '0',
  ' ',
  '/',
  'é',
  'ß',
  '中',
  '\u2028',
  '\u00a0',
  '\ufeff',
  '\u007f',
  '\u0080',
  '\uffff',
  '😀',
  '𝒳',
];
const ESCAPES = [
  '\\"',
  '\\\\',
  '\\/',
  '\\b',
  '\\f',
  '\\n',
  '\\r',
  '\\t',
  '\\u0000',
  '\\u0041',
  '\\u00e9',
  '\\u2028',
  '\\uD83D\\uDE00',
  '\\ud83d',
  '\\uDe00',
  '\\ufeff',
  '\\u005F',
];
const NUMBERS = [
  '0',
  '-0',
  '1',
  '-1',
  '10',
  '1.5',
  '-1.5e3',
  '1E5',
  '1e+5',
  '1e-5',
  '0.0',
  '0e0',
  '123456789012345678901234567890',
  '1e400',
  '-1e400',
  '5e-324',
  '9007199254740993',
  '0.1',
  '4.35',
];
const SPACES = ['', '', '', ' ', '\n', '\r', '\r\n', '\t', '  \n '];
const DAMAGE = [
  '',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\\u',
  '\\x',
  '\u0000',
  '\u001f',
  '\n',
  '\u00a0',
  '\ufeff',
  '\u2028',
  'é',
  '😀',
  '0',
  '1',
  '-',
  '+',
  '.',
  'e',
  'E',
  'n',
  'null',
  'true',
  'NaN',
  '/',
  "'",
  ' ',
];
const BYTES = [
  0x00, 0x20, 0x20, 0x22, 0x2c, 0x30, 0x31, 0x31, 0x5c, 0x61, 0x61, 0x7f, 0x80, 0xbf, 0xc3, 0xe2, 0xed, 0xf0, 0xf4,
  0xff,
];

class JsonGenerator {
  /** @param {import('./random.js').Random} random */
  constructor(random) {
    this.random = random;
  }

  text() {
    return this.#space() + this.#value(1 + this.random.below(5)) + this.#space();
  }

  /** A text with one to three places changed. */
  damaged() {
    let text = this.text();
    for (let round = this.random.below(3); round >= 0; round--) {
      const start = this.random.below(text.length + 1);
      const end = Math.min(text.length, start + this.random.below(3));
      text = text.slice(0, start) + this.random.pick(DAMAGE) + text.slice(end);
    }
    return this.random.below(8) === 0 ? text.slice(0, this.random.below(text.length + 1)) : text;
  }

  /** The UTF-8 of a text, with a byte or two changed. */
  damagedBytes() {
    const bytes = Buffer.from(this.text());
    for (let round = this.random.below(2); round >= 0 && bytes.length > 0; round--) {
      bytes[this.random.below(bytes.length)] = this.random.pick(BYTES);
    }
    return this.random.below(4) === 0 ? bytes.subarray(0, this.random.below(bytes.length + 1)) : bytes;
  }

  #value(depth) {
    const choice = this.random.below(depth > 0 ? 8 : 5);
    if (choice < 2) return this.#string();
    if (choice === 2) return this.random.pick(NUMBERS);
    if (choice < 5) return this.random.pick(['true', 'false', 'null', '[]', '{}', '[ ]', '{\n}', '""']);
    const items = this.random.list(
      4,
      () => `${this.#space()}${choice === 5 ? '' : this.#member()}${this.#value(depth - 1)}${this.#space()}`,
    );
    return choice === 5 ? `[${items.join(',')}]` : `{${items.join(',')}}`;
  }

  #member() {
    const key =
      this.random.below(3) === 0 ? this.#string() : spell(this.random.pick(KEYS), (most) => this.random.below(most));
    return `${key}${this.#space()}:${this.#space()}`;
  }

  #string() {
    const parts = this.random.list(6, () => this.random.pick(this.random.below(2) === 0 ? CHARACTERS : ESCAPES));
    return `"${parts.join('')}"`;
  }

  #space() {
    return this.random.pick(SPACES);
  }
}

/**
 * A JSON string for `text` in which each character is written as `choose` says: as it is, or one of two escapes.
 *
 * @param {string} text
 * @param {(most: number) => number} choose
 */
function spell(text, choose) {
  const units = Array.from({ length: text.length }, (_, at) => {
    const hex = text.charCodeAt(at).toString(16).padStart(4, '0');
    return [text[at], text[at], text[at], `\\u${hex}`, `\\u${hex.toUpperCase()}`][choose(5)];
  });
  return `"${units.join('')}"`;
}

module.exports = { JsonGenerator, spell };
