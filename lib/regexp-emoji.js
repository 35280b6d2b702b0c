// @ts-check
'use strict';

/**
 * Sequences that may be members of the properties of strings, such as `\p{RGI_Emoji}`. Loaded when a pattern with the
 * flag v names such a property; V8 then says of each sequence whether it is one.
 *
 * This file is loaded late, so it uses nothing that can have been patched: what it needs of that kind it is given.
 */

const { JOINED, TAGGED } = require('./emoji-sequences.js');

const FIRST_TONE = 0x1f3fb;
const LAST_TONE = 0x1f3ff;
const REGIONAL_INDICATOR_A = 0x1f1e6;
const TAG = 0xe0000;

const EMOJI = /^\p{Emoji}$/u;
const EMOJI_PRESENTATION = /^\p{Emoji_Presentation}$/u;
const EMOJI_MODIFIER_BASE = /^\p{Emoji_Modifier_Base}$/u;

/**
 * Every sequence of several characters that may be an emoji.
 *
 * @param {(pattern: RegExp, text: string) => boolean} test
 * @param {(code: number) => string} character
 */
function candidates(test, character) {
  /** @type {string[]} */
  const strings = [];
  for (let key = 0; key < 12; key++) strings[strings.length] = `${'0123456789#*'[key]}\ufe0f\u20e3`;
  for (let flag = 0; flag < 26 * 26; flag++) {
    const first = (flag - (flag % 26)) / 26;
    strings[strings.length] =
      character(REGIONAL_INDICATOR_A + first) + character(REGIONAL_INDICATOR_A + (flag % 26));
  }
  for (let place = 0; place < TAGGED.length; place++) {
    let tags = '';
    for (let at = 0; at < TAGGED[place].length; at++) tags += character(TAG + TAGGED[place][at]);
    strings[strings.length] = `\u{1f3f4}${tags}\u{e007f}`;
  }
  for (let code = 0; code < 0x20000; code++) {
    const single = character(code);
    if (!test(EMOJI, single)) continue;
    strings[strings.length] = `${single}\ufe0f`;
    for (let tone = FIRST_TONE; test(EMOJI_MODIFIER_BASE, single) && tone <= LAST_TONE; tone++) {
      strings[strings.length] = single + character(tone);
    }
  }
  for (let place = 0; place < JOINED.length; place++) {
    const members = JOINED[place];
    join(members, 0, '', false, strings, test, character);
    const isBase = (/** @type {number} */ at) => test(EMOJI_MODIFIER_BASE, character(members[at]));
    if (isBase(0) || isBase(members.length - 1)) join(members, 0, '', true, strings, test, character);
  }
  return strings;
}

/**
 * Puts the forms of a joined sequence from its member `at` on, with `start` before it, into `strings`: with skin
 * tones for the first and the last member, where they can have one, or with none. What else needs U+FE0F to be shown as
 * an emoji has it.
 *
 * @param {readonly number[]} members
 * @param {number} at
 * @param {string} start
 * @param {boolean} isToned
 * @param {string[]} strings
 * @param {(pattern: RegExp, text: string) => boolean} test
 * @param {(code: number) => string} character
 */
function join(members, at, start, isToned, strings, test, character) {
  if (at === members.length) {
    strings[strings.length] = start;
    return;
  }
  const single = character(members[at]);
  const joined = at === 0 ? single : `${start}\u200d${single}`;
  if (isToned && (at === 0 || at === members.length - 1) && test(EMOJI_MODIFIER_BASE, single)) {
    for (let tone = FIRST_TONE; tone <= LAST_TONE; tone++) {
      join(members, at + 1, joined + character(tone), isToned, strings, test, character);
    }
  } else {
    const shown = test(EMOJI_PRESENTATION, single) ? joined : `${joined}\ufe0f`;
    join(members, at + 1, shown, isToned, strings, test, character);
  }
}

module.exports = { candidates };
