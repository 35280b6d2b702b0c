// @ts-check
'use strict';

/**
 * What `matchAll` of a SafeRegExp returns: the language's own iterator over a SafeRegExp made for it, with a `next`
 * that takes matches fetched ahead and makes the results itself. The position is that RegExp's `lastIndex`, for this
 * `next` as for the inherited one, so either can be called at any time; where anything was patched it is the inherited
 * one.
 */

const { isInsidePair, startsPair } = require('./regexp-loop.js');
const { LONG, isLatin1, matches } = require('./regexp-program.js');
const { resultOf } = require('./regexp-result.js');

/** @typedef {import('./regexp-program.js').Program} Program */

/**
 * Matches fetched at once: at first in a short text, and at most. In a long text the first one comes alone; so it does
 * with a budget, which looking ahead may use up.
 */
const SHORT_BATCH = 8;
const MAX_BATCH = 1024;

const { apply } = Reflect;
const { defineProperty } = Object;
const { [Symbol.matchAll]: matchAll } = RegExp.prototype;
const { next: inherited } = apply(matchAll, /(?:)/, ['']);

/** A `this` for the language's `matchAll`, which makes the iterator of what the species makes. */
const origin = {
  __proto__: null,
  flags: '',
  lastIndex: 0,
  constructor: {
    __proto__: null,
    [Symbol.species]: function Matcher() {
      return made;
    },
  },
};

/** @type {undefined | RegExp} */
let made;

/** @type {PropertyDescriptor & { __proto__: null }} */
const OWN_NEXT = { __proto__: null, configurable: true, enumerable: false, writable: true, value: undefined };

/**
 * Matches fetched ahead.
 *
 * @typedef {object} Ahead
 * @property {Int32Array} spans Those not yet used are here, from `base` to `end`.
 * @property {number} base
 * @property {number} end
 * @property {number} size Of the next batch. It doubles: who stops early has looked for at most as many in vain.
 * @property {boolean} isLast
 * @property {undefined | import('./regexp-program.js').Session} session Has a long text.
 */

/** @type {Int32Array} */
const NONE = new Int32Array(0);

/** The memory of an iterator that has ended, for the next one. */
let spare = NONE;

/**
 * The matches of a text from the `lastIndex` of `matcher` on.
 *
 * @param {RegExp} matcher a SafeRegExp with the flag g that nothing else uses
 * @param {Program} program of the same
 * @param {string} text
 * @param {Function} exec SafeRegExp's own.
 * @returns {RegExpStringIterator<RegExpMatchArray>}
 */
function iterate(matcher, program, text, exec) {
  const start = matcher.lastIndex;
  made = matcher;
  origin.flags = program.flags;
  origin.lastIndex = start;
  const iterator = apply(matchAll, origin, [text]);
  made = undefined;
  if (iterator.next !== inherited || (program.isUnicodeLiteral && isInsidePair(text, start))) return iterator;
  // -1 is another 0, and so not the one that a search to the end leaves.
  let expected = start === 0 ? -1 : start;
  matcher.lastIndex = expected;
  const { width } = program;
  const size = text.length < LONG && program.limits.budget === undefined ? SHORT_BATCH : 1;
  /** @type {Ahead} */
  const ahead = { spans: spare, base: 0, end: 0, size, isLast: false, session: undefined };
  spare = NONE;
  OWN_NEXT.value = {
    /** @this {unknown} */
    next() {
      if (this !== iterator || matcher.lastIndex !== expected || matcher.exec !== exec) {
        return apply(inherited, this, []);
      }
      if (ahead.base === ahead.end && !fetch(ahead, program, text, expected < 0 ? 0 : expected)) {
        matcher.lastIndex = expected = text.length + 1; // where nothing is found, neither here nor by the inherited
        return { value: undefined, done: true };
      }
      const { spans, base } = ahead;
      ahead.base = base + width;
      const end = spans[base + 1];
      matcher.lastIndex = expected = end > spans[base] ? end : after(program, text, end);
      return { value: resultOf(program, text, spans, base), done: false };
    },
  }.next;
  defineProperty(iterator, 'next', OWN_NEXT);
  OWN_NEXT.value = undefined; // It would keep the text.
  return iterator;
}

/**
 * Fetches the next matches, if there are any, when all are used.
 *
 * @param {Ahead} ahead
 * @param {Program} program
 * @param {string} text
 * @param {number} from Where the last one ended.
 */
function fetch(ahead, program, text, from) {
  if (ahead.isLast || from > text.length) return close(ahead, program);
  const max = Math.min(ahead.size, Math.floor(matches.offsets.length / program.width));
  const count = search(ahead, program, text, from, max);
  ahead.isLast = count < 0;
  ahead.size = Math.min(2 * ahead.size, MAX_BATCH);
  const places = program.width * (count < 0 ? ~count : count);
  if (places === 0) return close(ahead, program);
  if (ahead.spans.length < places) ahead.spans = new Int32Array(Math.max(places, 64));
  const { spans } = ahead;
  const { offsets } = matches;
  for (let place = 0; place < places; place++) spans[place] = offsets[place];
  ahead.base = 0;
  ahead.end = places;
  return true;
}

/**
 * Puts up to `max` matches into `matches.offsets`, and returns their number; or its complement, when these are the
 * last.
 *
 * @param {Ahead} ahead
 * @param {Program} program
 * @param {string} text
 * @param {number} from
 * @param {number} max
 */
function search(ahead, program, text, from, max) {
  if (text.length < LONG) return program.others.batch(text, from, max);
  // Who takes only the first match does not pay for a copy that the garbage collector has to find.
  if (max === 1 && ahead.session === undefined) return program.find(text, from) ? 1 : -1;
  if (ahead.session === undefined) {
    ahead.session = program.takeSession();
    ahead.session[0](text, isLatin1(text));
  }
  return ahead.session[1](from, max);
}

/**
 * Gives back what the next iterator may use; the native side forgets the text.
 *
 * @param {Ahead} ahead
 * @param {Program} program
 */
function close(ahead, program) {
  if (ahead.session !== undefined) program.returnSession(ahead.session);
  ahead.session = undefined;
  spare = ahead.spans;
  ahead.spans = NONE;
  ahead.base = ahead.end = 0;
  return false;
}

/**
 * Where the search goes on after an empty match. ECMA-262, §22.2.7.3.
 *
 * @param {Program} program
 * @param {string} text
 * @param {number} index
 */
function after(program, text, index) {
  return program.isUnicode && startsPair(text, index) ? index + 2 : index + 1;
}

module.exports = { iterate };
