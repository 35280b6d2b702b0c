// @ts-check
'use strict';

/**
 * `exec` in a loop, with the flag `g` or `y`: as long as each call goes on where the last one ended, in the same text,
 * matches are fetched ahead, 1, 2, 4 … at a time, so that a loop that stops early has looked for at most as many in
 * vain. A long text is copied to the native side once, when it comes for the second time.
 */

const { LONG, isLatin1, matches } = require('./regexp-program.js');

/** Matches fetched at once, at most. */
const MAX_BATCH = 1024;

class Loop {
  /** The match that `find` found is in `spans`, from `base` on. */
  spans = matches.offsets;
  base = 0;
  /** Where the last match says that the next call starts; -1 when there is none. */
  next = -1;

  #program;
  /** The text of the last call. */
  #text = '';
  /** Matches fetched ahead: how many, how many of them are used, and whether there are no more. */
  #own = new Int32Array(0);
  #count = 0;
  #used = 0;
  #ended = false;
  /** The size of the next batch. */
  #size = 1;
  /** @type {undefined | import('./regexp-program.js').Session} */
  #session;
  /** Whether the session holds `#text`. */
  #isOpen = false;

  /** @param {import('./regexp-program.js').Program} program */
  constructor(program) {
    this.#program = program;
  }

  /**
   * The first match at or after `from`, which is at most the text's length.
   *
   * @param {string} text
   * @param {number} from
   */
  find(text, from) {
    const isSame = text === this.#text;
    if (isSame && from === this.next) {
      if (this.#used < this.#count) return this.#serve();
      if (this.#ended) return this.#end();
    } else {
      this.#size = 1;
    }
    this.#count = this.#used = 0;
    this.#ended = false;
    if (!isSame || (this.#size === 1 && text.length < LONG)) {
      if (!isSame) this.#change(text);
      if (!this.#program.find(text, from)) return this.#end();
      this.spans = matches.offsets;
      this.base = 0;
      this.#advance();
      return true;
    }
    return this.#fetch(from);
  }

  /** @param {number} from */
  #fetch(from) {
    const { others, width } = this.#program;
    const max = Math.min(this.#size, MAX_BATCH, Math.floor(matches.offsets.length / width));
    const count = this.#text.length < LONG ? others.batch(this.#text, from, max) : this.#more(from, max);
    this.#ended = count < 0;
    this.#count = count < 0 ? ~count : count;
    if (this.#count === 0) return this.#end();
    const places = this.#count * width;
    if (this.#own.length < places) this.#own = new Int32Array(places);
    for (let place = 0; place < places; place++) this.#own[place] = matches.offsets[place];
    return this.#serve();
  }

  /**
   * @param {number} from
   * @param {number} max
   */
  #more(from, max) {
    const session = (this.#session ??= this.#program.others.session());
    if (!this.#isOpen) {
      session[0](this.#text, isLatin1(this.#text));
      this.#isOpen = true;
    }
    return session[1](from, max);
  }

  #serve() {
    this.spans = this.#own;
    this.base = this.#used++ * this.#program.width;
    this.#advance();
    return true;
  }

  /** ECMA-262, §22.2.7.3: after an empty match the next call starts one character later. */
  #advance() {
    const end = this.spans[this.base + 1];
    this.next = end > this.spans[this.base] ? end : end + 1;
    if (end < this.next && this.#program.isUnicode && startsPair(this.#text, end)) this.next++;
    if (this.#used === this.#count) this.#size *= 2;
  }

  /** @returns {false} */
  #end() {
    this.next = -1;
    this.#count = this.#used = 0;
    this.#size = 1;
    // A global search that finds nothing more has ended. A sticky one may go on at the next place.
    if (!this.#program.isSticky) this.#change('');
    return false;
  }

  /** @param {string} text */
  #change(text) {
    if (this.#isOpen) this.#session?.[0]('', undefined);
    this.#isOpen = false;
    this.#text = text;
    this.next = -1;
    this.#size = 1;
  }
}

/**
 * Whether there is a surrogate pair at `index`.
 *
 * @param {string} text
 * @param {number} index
 */
function startsPair(text, index) {
  return (text.charCodeAt(index) & 0xfc00) === 0xd800 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00;
}

/**
 * Whether `index` lies between the halves of a surrogate pair.
 *
 * @param {string} text
 * @param {number} index
 */
function isInsidePair(text, index) {
  return startsPair(text, index - 1);
}

module.exports = { Loop, isInsidePair, startsPair };
