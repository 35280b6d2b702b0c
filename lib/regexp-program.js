// @ts-check
'use strict';

/**
 * Compiled patterns, which SafeRegExps with the same source, flags and options share. The last ones are remembered:
 * `split` and `matchAll` make a new RegExp at every call, and so does code that writes `new SafeRegExp(…)` in a
 * function.
 */

const native = require('./native.js');
const { provide } = require('./regexp-characters.js');
const { operationsOf } = require('./regexp-replacement.js');
const { Table, WALKED } = require('./regexp-table.js');

const { exec } = RegExp.prototype;
const { apply } = Reflect;

/** Programs remembered. One holds 20 to 30 KiB, and at most some megabytes when many texts were searched. */
const REMEMBERED = 32;

/** From this length on it pays to ask V8 whether a text is Latin-1, and to copy it once for many searches. */
const LONG = 256;

/** Places in the buffer for offsets, at first. */
const PLACES = 16_384;

/** More matches than fit into the buffer. */
const ALL = 2 ** 30;

/**
 * Where native code writes the offsets of matches; read before anything else can run. It stays in lib/: native code
 * holds its address.
 */
const matches = {
  offsets: new Int32Array(native.regexpOffsets(PLACES)),

  /** @param {number} places */
  reserve(places) {
    if (this.offsets.length < places) this.offsets = new Int32Array(native.regexpOffsets(places));
  },
};

/** V8 knows at once that a one-byte string has no such character, and stops at the first one in another. */
const WIDE = /[^\0-\xff]/;

/** Tests of short texts until the pattern gets a table: it takes some KiB, and up to 0.1 ms to make. */
const TESTS_BEFORE_TABLE = 200;

/** Which matches of a text, and what of them; as in src/regexp_series.rs. */
const BOUNDS = 0;
const CAPTURES = 1;
const SEPARATORS = 2;
const WHOLE_SEPARATORS = 3;

/** The longest replacement that stays prepared, in UTF-16 code units. */
const REPLACEMENT_KEPT = 1024;

/** @typedef {{ memoryLimit: number, budget: number | undefined }} Limits */

/** @type {Map<string, Program>} In the order of their last use. */
const programs = new Map();

class Program {
  /** @type {undefined | Others} */
  #others;
  #newOthers;
  #tests = 0;
  /** What native code replaces by. @type {undefined | string} */
  #replacement;
  /** One that nothing uses. @type {undefined | Session} */
  #session;

  /**
   * @param {string} source
   * @param {string} flags In the order in which RegExp's `flags` has them.
   * @param {Limits} limits
   */
  constructor(source, flags, limits) {
    provide(native, source, flags);
    const compiled = native.regexpCompile(source, flags, limits.memoryLimit, limits.budget);
    this.#newOthers = compiled.others;
    this.source = source;
    this.flags = flags;
    this.limits = limits;
    /** Whether a text has a match. @type {(text: string) => boolean} */
    this.test = compiled.test;
    /** Walks through the shortest texts faster than native code is called. @type {undefined | Table} */
    this.table = undefined;
    /** Puts the first match into `matches.offsets`. @type {(text: string) => boolean} */
    this.exec = compiled.exec;
    /** @type {number} Capturing groups, the whole match not counted. */
    this.groups = compiled.groups;
    /** Places that the offsets of one match take. */
    this.width = 2 * (this.groups + 1);
    /** Names of groups, each with the groups that have it. @type {{ name: string, numbers: number[] }[]} */
    this.names = compiled.names;
    this.isSticky = flags.includes('y');
    this.isGlobal = flags.includes('g');
    this.isStateful = this.isSticky || this.isGlobal;
    this.isUnicode = flags.includes('u') || flags.includes('v');
    this.hasIndices = flags.includes('d');
    /** @type {string} */
    this.engine = compiled.engine;
    /** A plain string, of which V8 decides where it starts inside a surrogate pair. @type {boolean} */
    this.isUnicodeLiteral = compiled.isLiteral && this.isUnicode;
    matches.reserve(this.width);
  }

  /** The functions that not every pattern needs. */
  get others() {
    return (this.#others ??= namedFunctions(this.#newOthers()));
  }

  /**
   * Puts the first match at or after `from` into `matches.offsets`.
   *
   * @param {string} text
   * @param {number} from
   */
  find(text, from) {
    if (text.length < LONG) return from === 0 ? this.exec(text) : this.others.execFrom(text, from, undefined);
    return this.others.execFrom(text, from, isLatin1(text));
  }

  /** A session of one's own. */
  takeSession() {
    const session = this.#session ?? this.others.session();
    this.#session = undefined;
    return session;
  }

  /**
   * The native side forgets the session's text.
   *
   * @param {Session} session
   */
  returnSession(session) {
    session[0]('', undefined);
    this.#session = session;
  }

  /**
   * A text with all matches replaced, or without g the first one; undefined when there is none, false when no string is
   * long enough for it.
   *
   * @param {string} text
   * @param {string} replacement
   */
  replace(text, replacement) {
    if (this.#replacement !== replacement) {
      this.others.prepare(replacement, this.#writeOperations(replacement));
      this.#replacement = replacement;
    }
    try {
      return text.length < LONG ? this.others.replaceShort(text) : this.others.replace(text, isLatin1(text));
    } finally {
      // A long replacement is not kept alive, here and in native code, for another call that may never come.
      if (replacement.length > REPLACEMENT_KEPT) {
        this.others.prepare('', 0);
        this.#replacement = '';
      }
    }
  }

  /**
   * Puts the replacement's operations where native code reads them, and returns how many.
   *
   * @param {string} replacement
   */
  #writeOperations(replacement) {
    if (!replacement.includes('$')) return 0;
    const operations = operationsOf(replacement, this);
    matches.reserve(operations.length);
    for (let place = 0; place < operations.length; place++) matches.offsets[place] = operations[place];
    return operations.length / 2;
  }

  /**
   * As `test`, for all lengths.
   *
   * @param {string} text
   */
  testAny(text) {
    if (this.table !== undefined && text.length > WALKED) {
      const answer = this.table.testStart(text);
      if (answer !== undefined) return answer;
    }
    if (text.length >= LONG) return this.others.testLong(text, isLatin1(text));
    if (++this.#tests === TESTS_BEFORE_TABLE && this.others.table()) this.table = new Table(matches.offsets);
    return this.test(text);
  }

  /**
   * Puts as many of a text's matches into `matches.offsets` as fit, and returns their number; or its complement, when
   * these were the last. Until then `others.more` gives the next ones.
   *
   * @param {string} text
   * @param {number} which
   * @param {number} max
   */
  all(text, which, max = ALL) {
    if (text.length < LONG && max === ALL) return this.others.allOf[which](text);
    return this.others.all(text, text.length < LONG ? undefined : isLatin1(text), which, max);
  }
}

/**
 * A text of which native code keeps a copy, to search in it from anywhere: a pair of functions.
 *
 * @typedef {[(text: string, isLatin1: boolean | undefined) => void, (from: number, max: number) => number]} Session
 */

/**
 * @typedef {{
 *   testLong: (text: string, isLatin1: boolean) => boolean,
 *   execFrom: (text: string, from: number, isLatin1: boolean | undefined) => boolean,
 *   all: (text: string, isLatin1: boolean | undefined, which: number, max: number) => number,
 *   more: (max: number) => number,
 *   batch: (text: string, from: number, max: number) => number,
 *   replace: (text: string, isLatin1: boolean) => string | undefined | false,
 *   session: () => Session,
 *   table: () => boolean,
 *   testBytes: (utf8: Uint8Array) => boolean,
 *   execBytes: (utf8: Uint8Array, from: number) => boolean,
 *   prepare: (replacement: string, operations: number) => void,
 *   replaceShort: (text: string) => string | undefined | false,
 *   allOf: ((text: string) => number)[],
 * }} Others As src/regexp.rs lists them.
 */

/**
 * @param {any[]} functions
 * @returns {Others}
 */
function namedFunctions(functions) {
  const [testLong, execFrom, all, more, batch, replace, session, table, testBytes, execBytes] = functions;
  const [prepare, replaceShort, ...allOf] = functions.slice(10);
  const others = { testLong, execFrom, all, more, batch, replace, session, table, testBytes, execBytes };
  return { ...others, prepare, replaceShort, allOf };
}

/**
 * Whether no character is over U+00FF.
 *
 * @param {string} text
 */
function isLatin1(text) {
  return apply(exec, WIDE, [text]) === null;
}

/**
 * The program of a pattern that V8 has accepted.
 *
 * @param {string} source
 * @param {string} flags
 * @param {Limits} limits
 */
function programOf(source, flags, limits) {
  const key = `${flags}/${limits.memoryLimit}/${limits.budget}/${source}`;
  const program = programs.get(key) ?? new Program(source, flags, limits);
  programs.delete(key);
  programs.set(key, program);
  if (programs.size > REMEMBERED) programs.delete(/** @type {string} */ (programs.keys().next().value));
  return program;
}

module.exports = { ALL, BOUNDS, CAPTURES, LONG, Program, SEPARATORS, WHOLE_SEPARATORS, isLatin1, matches, programOf };
