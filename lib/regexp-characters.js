// @ts-check
'use strict';

/**
 * What the running V8 says about characters, asked when the first pattern needs it: the members of `\p{…}`, and which
 * characters are equal under the flag i. Native code has no tables of its own, so it always agrees with RegExp.
 *
 * Every answer is V8's. What is guessed here, to have something to ask about, V8 confirms or it is dropped. Intrinsics
 * are taken when this file is loaded: patching them later changes nothing.
 */

const { apply } = Reflect;
const { fromCharCode, fromCodePoint } = String;
const { charCodeAt, codePointAt, slice, toLowerCase, toUpperCase } = String.prototype;
const { exec } = RegExp.prototype;
const PlainRegExp = RegExp;
const unicodeVersion = Number.parseInt(process.versions.unicode ?? '', 10);

/** @typedef {{ regexpNeeds(source: string, flags: string): string[],
 *   regexpProvide(name: string, pairs: Int32Array, strings: string[]): void,
 *   regexpAskAboutClasses(): void }} Native */

const MAY_NEED = /[^\0-\x7f]|\\[1-9kpPux]/;
const IS_PROPERTY = /\\[pP]/;
const SWITCHES_CASE = /\(\?[ms]*i/;
const HAS_FLAG_I = /i/;
const HAS_FLAG_V = /v/;
const IS_CLASS = /\[/;

/** V8 11 (Node 20) crashes when it runs a pattern with `[a--[\P{Any}]]`: such a class is as the standard has it. */
const CRASHES = /\\P\{Any\}/;

const IS_CLASS_NAME = /^i?v\[/;

/**
 * Gives native code the data about characters that a pattern needs and that it does not have yet. Call it before a
 * pattern is compiled.
 *
 * @param {Native} native
 * @param {string} source of a RegExp
 * @param {string} flags of the same
 */
function provide(native, source, flags) {
  const asksAboutClasses = test(HAS_FLAG_V, flags) && test(IS_CLASS, source);
  const mayFold = test(HAS_FLAG_I, flags) || test(SWITCHES_CASE, source);
  if (asksAboutClasses) native.regexpAskAboutClasses();
  else if (!test(MAY_NEED, source) || (!mayFold && !test(IS_PROPERTY, source))) return;
  const names = native.regexpNeeds(source, flags);
  for (let place = 0; place < names.length; place++) {
    const name = names[place];
    if (name === 'i') native.regexpProvide(name, equalByUpperCase(), []);
    else if (name === 'iu') native.regexpProvide(name, equalBySimpleFolding(), []);
    else if (test(IS_CLASS_NAME, name)) native.regexpProvide(name, answersAbout(name), []);
    else provideProperty(native, name);
  }
}

/**
 * A property is asked for by what stands in its braces, and under the flags i and v as `p{…}` or `P{…}`: what
 * it matches there is no matter of folding alone, and differs between versions of V8.
 *
 * @param {Native} native
 * @param {string} name
 */
function provideProperty(native, name) {
  const isFolded = name[name.length - 1] === '}';
  const escape = isFolded ? `\\${name}` : `\\p{${name}}`;
  if (isPropertyOfStrings(escape)) {
    native.regexpProvide(name, rangesOf(`[${escape}&&\\p{Any}]`, isFolded ? 'iv' : 'v'), stringsOf(escape));
  } else {
    native.regexpProvide(name, rangesOf(escape, isFolded ? 'iv' : 'u'), []);
  }
}

/** @type {number[] | undefined} */
let cased;

/**
 * Which characters a class of the flag v matches, of those about which V8 may be of its own opinion: the ones that have
 * case, and those that the class names. V8 11 (Node 20) loses characters of `\q{…}` in set operations, 12 does not fold
 * some, and up to now 14 does not where strings stand beside them.
 *
 * @param {string} name flags and class
 */
function answersAbout(name) {
  if (cased === undefined) {
    /** @type {number[]} */
    const codes = [];
    forCasedCharacters(0x1ffff, (code) => {
      if (code > 0x7f) codes[codes.length] = code;
    });
    cased = codes;
  }
  const flags = name[0] === 'i' ? 'iv' : 'v';
  const source = apply(slice, name, [flags.length]);
  if (test(CRASHES, source)) return int32Array([]);
  const pattern = new PlainRegExp(`^${source}$`, flags);
  /** @type {number[]} */
  const answers = [];
  /** @type {(code: number) => void} */
  const ask = (code) => {
    answers[answers.length] = code;
    answers[answers.length] = test(pattern, fromCodePoint(code)) ? 1 : 0;
  };
  for (let code = 0; code <= 0x7f; code++) ask(code);
  for (let place = 0; place < cased.length; place++) ask(cased[place]);
  const named = /\\[ux]\{?([0-9a-fA-F]+)(?:\\u([dD][c-fC-F][0-9a-fA-F]{2}))?|[^\0-\x7f]/gu;
  for (let match; (match = apply(exec, named, [source])) !== null; ) {
    const first = match[1] === undefined ? codePoint(match[0], 0) : parseInt(match[1], 16);
    if (match[2] === undefined) ask(first);
    else ask(0x10000 + ((first & 0x3ff) << 10) + (parseInt(match[2], 16) & 0x3ff));
  }
  return int32Array(answers);
}

/** @type {string[] | undefined} */
let emoji;

/**
 * The strings of several characters that a property has.
 *
 * @param {string} escape
 */
function stringsOf(escape) {
  emoji ??= require('./regexp-emoji.js').candidates(test, fromCodePoint);
  const all = /** @type {string[]} */ (emoji);
  const pattern = new PlainRegExp(`^${escape}$`, 'v');
  /** @type {string[]} */
  const strings = [];
  for (let place = 0; place < all.length; place++) {
    if (test(pattern, all[place])) strings[strings.length] = all[place];
  }
  return strings;
}

/**
 * V8 has accepted the escape in a pattern; without v it does so for properties of characters only.
 *
 * @param {string} escape
 */
function isPropertyOfStrings(escape) {
  try {
    return new PlainRegExp(escape, 'u') === undefined;
  } catch {
    return true;
  }
}

/**
 * Where stretches of code points start that no property tells apart: the ideographs of planes 2 and 3, and planes that
 * are empty or private. A test compares them with V8. Known for Unicode 15 to 17; in a later version all are read.
 */
const STRETCHES = [
  ...[0x20000, 0x2a6e0, 0x2a700, 0x2b73a, 0x2b740, 0x2b81e, 0x2b820, 0x2cea2, 0x2ceae, 0x2ceb0, 0x2ebe1, 0x2ebf0],
  ...[0x2ee5e, 0x2f800, 0x2fa1e, 0x2fffe, 0x30000, 0x3134b, 0x31350, 0x323b0, 0x3347a, 0x3fffe, 0x40000, 0x4fffe],
  ...[0x50000, 0x5fffe, 0x60000, 0x6fffe, 0x70000, 0x7fffe, 0x80000, 0x8fffe, 0x90000, 0x9fffe, 0xa0000, 0xafffe],
  ...[0xb0000, 0xbfffe, 0xc0000, 0xcfffe, 0xd0000, 0xdfffe, 0xe0000, 0xe1000, 0xefffe, 0xf0000, 0xffffe, 0x100000],
  ...[0x10fffe, 0x110000],
];
/** The one stretch of these that is read as a whole: tags, and variation selectors. */
const DENSE_STRETCH = 0xe0000;

/**
 * A text of all code points, and what lies where in it.
 *
 * @typedef {{ text: string, segments: { start: number, end: number, low: number, high: number }[] }} Alphabet
 * @type {Alphabet | undefined}
 */
let alphabet;

/** @returns {Alphabet} */
function allCodePoints() {
  /** @type {Alphabet} */
  const all = { text: '', segments: [] };
  // No high surrogate stands before a low one.
  append(all, 0, 0xd7ff);
  append(all, 0xdc00, 0xdfff);
  append(all, 0xd800, 0xdbff);
  append(all, 0xe000, 0xffff);
  append(all, 0x10000, 0x1ffff);
  const isKnown = unicodeVersion >= 15 && unicodeVersion <= 17;
  if (!isKnown) append(all, 0x20000, 0x10ffff);
  for (let place = 0; isKnown && place + 1 < STRETCHES.length; place++) {
    const low = STRETCHES[place];
    append(all, low, STRETCHES[place + 1] - 1, low !== DENSE_STRETCH);
  }
  return all;
}

/**
 * @param {Alphabet} all
 * @param {number} low
 * @param {number} high
 * @param {boolean} [isUniform] whether the first code point stands for the rest
 */
function append(all, low, high, isUniform = false) {
  const start = all.text.length;
  const last = isUniform ? low : high;
  const CHUNK = 4096;
  const units = [];
  for (let first = low; first <= last; first += CHUNK) {
    units.length = 0;
    for (let code = first; code <= last && code < first + CHUNK; code++) {
      if (code < 0x10000) units[units.length] = code;
      else {
        units[units.length] = 0xd800 + ((code - 0x10000) >> 10);
        units[units.length] = 0xdc00 + (code & 0x3ff);
      }
    }
    all.text += apply(fromCharCode, undefined, units);
  }
  all.segments[all.segments.length] = { start, end: all.text.length, low, high };
}

/**
 * First and last code point of every range that a class matches.
 *
 * @param {string} source of a pattern that matches single code points
 * @param {string} flags
 */
function rangesOf(source, flags) {
  alphabet ??= allCodePoints();
  const { text, segments } = alphabet;
  const pattern = new PlainRegExp(`${source}+`, `g${flags}`);
  /** @type {number[]} */
  const pairs = [];
  let place = 0;
  for (let match; (match = apply(exec, pattern, [text])) !== null; ) {
    const start = match.index;
    const end = pattern.lastIndex;
    while (segments[place].end <= start) place++;
    for (let other = place; other < segments.length && segments[other].start < end; other++) {
      const segment = segments[other];
      pairs[pairs.length] = start <= segment.start ? segment.low : codePoint(text, start);
      pairs[pairs.length] = end >= segment.end ? segment.high : lastCodePoint(text, end);
    }
  }
  return int32Array(pairs);
}

/**
 * @param {string} text
 * @param {number} end
 */
function lastCodePoint(text, end) {
  const unit = apply(charCodeAt, text, [end - 1]);
  // In this text a low surrogate that follows a high one is the second half of a pair.
  return (unit & 0xfc00) === 0xdc00 && (apply(charCodeAt, text, [end - 2]) & 0xfc00) === 0xd800
    ? codePoint(text, end - 2)
    : unit;
}

/** Every character with its Canonicalize, where that is another: ECMA-262, §22.2.2.7.3, without u and v. */
function equalByUpperCase() {
  /** @type {number[]} */
  const pairs = [];
  forCasedCharacters(0xffff, (code, character) => {
    const upper = apply(toUpperCase, character, []);
    const canonical = apply(charCodeAt, upper, [0]);
    if (upper.length !== 1 || canonical === code || (code >= 128 && canonical < 128)) return;
    pairs[pairs.length] = code;
    pairs[pairs.length] = canonical;
  });
  return int32Array(pairs);
}

/**
 * Pairs of characters that are equal by simple case folding. Upper and lower case, and the same upper case of both, say
 * which may be; V8 says which are.
 */
function equalBySimpleFolding() {
  /** @type {string[]} */
  const left = [];
  /** @type {string[]} */
  const right = [];
  const guessed = new Set();
  /** @type {Map<string, string>} */
  const byUpper = new Map();
  /** @type {(one: string, other: string) => void} */
  const guess = (one, other) => {
    const key = one < other ? one + other : other + one;
    if (one === other || !isOneCharacter(other) || guessed.has(key)) return;
    guessed.add(key);
    left[left.length] = one;
    right[right.length] = other;
  };
  forCasedCharacters(0x1ffff, (_, character) => {
    const lower = apply(toLowerCase, character, []);
    const upper = apply(toUpperCase, character, []);
    guess(character, lower);
    guess(character, upper);
    guess(character, apply(toLowerCase, upper, []));
    const known = byUpper.get(upper);
    if (known === undefined) byUpper.set(upper, character);
    else guess(character, known);
  });
  /** @type {number[]} */
  const pairs = [];
  confirm(left, right, 0, left.length, pairs);
  return int32Array(pairs);
}

/**
 * Puts those pairs from `first` to before `end` into `pairs` that V8 finds equal.
 *
 * @param {string[]} left
 * @param {string[]} right
 * @param {number} first
 * @param {number} end
 * @param {number[]} pairs
 */
function confirm(left, right, first, end, pairs) {
  if (first === end) return;
  let source = '^';
  let text = '';
  for (let place = first; place < end; place++) {
    source += left[place];
    text += right[place];
  }
  if (end - first <= 256 && test(new PlainRegExp(`${source}$`, 'iu'), text)) {
    for (let place = first; place < end; place++) {
      pairs[pairs.length] = codePoint(left[place], 0);
      pairs[pairs.length] = codePoint(right[place], 0);
    }
  } else if (end - first > 1) {
    const middle = (first + end) >> 1;
    confirm(left, right, first, middle, pairs);
    confirm(left, right, middle, end, pairs);
  }
}

/**
 * Calls `visit` with every character up to `last` whose upper or lower case is another.
 *
 * @param {number} last
 * @param {(code: number, character: string) => void} visit
 */
function forCasedCharacters(last, visit) {
  const BLOCK = 64;
  const codes = [];
  for (let first = 0; first <= last; first += BLOCK) {
    if (first >= 0xd800 && first <= 0xdfff) continue;
    for (let place = 0; place < BLOCK; place++) codes[place] = first + place;
    const block = apply(fromCodePoint, undefined, codes);
    if (apply(toLowerCase, block, []) === block && apply(toUpperCase, block, []) === block) continue;
    for (let code = first; code < first + BLOCK; code++) {
      const character = fromCodePoint(code);
      if (apply(toLowerCase, character, []) !== character || apply(toUpperCase, character, []) !== character) {
        visit(code, character);
      }
    }
  }
}

/** @param {number[]} values */
function int32Array(values) {
  const array = new Int32Array(values.length); // from the array itself it would be by the array's iterator
  for (let place = 0; place < values.length; place++) array[place] = values[place];
  return array;
}

/**
 * @param {string} text
 * @param {number} index of a character in it
 */
function codePoint(text, index) {
  return /** @type {number} */ (apply(codePointAt, text, [index]));
}

/** @param {string} text */
function isOneCharacter(text) {
  return text.length === 1 || (text.length === 2 && codePoint(text, 0) > 0xffff);
}

/**
 * @param {RegExp} pattern
 * @param {string} text
 */
function test(pattern, text) {
  return apply(exec, pattern, [text]) !== null;
}

module.exports = { provide };
