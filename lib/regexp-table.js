// @ts-check
'use strict';

/**
 * Whether a very short text matches, or what a longer one begins with decides, without a call of native code, which
 * takes longer than the walk through some twenty characters. The automaton is the one that native code runs for short
 * texts; it knows characters up to U+00FF.
 */

/** Longest text that is walked through. */
const WALKED = 28;

/** Characters of a longer text that are tried, for many patterns with `^` need no more. */
const TRIED = 12;

/** Tries that may fail, and what one that succeeds is worth: it saves twice what one that fails costs. */
const MAX_CREDIT = 16;
const WORTH = 2;

/** State 0 cannot match any more, state 1 has matched: both, and only these, are at most this, shifted. */
const MATCHED = 1;

class Table {
  #bits;
  #start;
  #classes;
  #accepts;
  #next;
  #last;
  #credit = MAX_CREDIT;

  /** @param {Int32Array} places As `table` in src/regexp.rs writes them. */
  constructor(places) {
    const [bits, states, start] = places;
    const width = 1 << bits;
    this.#bits = bits;
    this.#start = start;
    this.#classes = Uint8Array.from(places.subarray(3, 259));
    this.#accepts = Uint8Array.from(places.subarray(259, 259 + states));
    this.#next = Uint16Array.from(places.subarray(259 + states, 259 + states + states * width));
    this.#last = MATCHED << bits;
  }

  /**
   * Undefined when there is a character over U+00FF.
   *
   * @param {string} text At most WALKED long.
   */
  test(text) {
    const classes = this.#classes;
    const next = this.#next;
    const last = this.#last;
    let state = this.#start;
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (unit > 0xff) return undefined;
      state = next[state | classes[unit]];
      if (state <= last) return state === last;
    }
    return this.#accepts[state >> this.#bits] === 1;
  }

  /**
   * What the first characters of a longer text decide, whatever comes after them. Undefined when they do not, or mostly
   * did not in other texts.
   *
   * @param {string} text More than WALKED long.
   */
  testStart(text) {
    if (this.#credit <= 0) return undefined;
    const classes = this.#classes;
    const next = this.#next;
    const last = this.#last;
    let state = this.#start;
    for (let at = 0; at < TRIED; at++) {
      const unit = text.charCodeAt(at);
      if (unit > 0xff) break;
      state = next[state | classes[unit]];
      if (state <= last) {
        this.#credit = Math.min(this.#credit + WORTH, MAX_CREDIT);
        return state === last;
      }
    }
    this.#credit--;
    return undefined;
  }
}

module.exports = { Table, WALKED };
