// @ts-check
'use strict';

/**
 * SafeRegExp: a RegExp that runs on the native linear-time engine. V8 validates the pattern and owns `source`, `flags`
 * and `lastIndex`. `exec` and `test` are native. `match`, `replace`, `search` and `split` cross to the native side
 * once, `matchAll` once for many matches, where nobody can tell; where something was overridden they are the inherited
 * ones, which take the language's own steps through `exec`.
 */

const { requireBytes } = require('./content.js');
const { outOfRange, wrongType } = require('./errors.js');
const { escape } = require('./regexp-escape.js');
const { flagsOf, isFlagsOwn, readFlags, sourceOf } = require('./regexp-flags.js');
const { iterate } = require('./regexp-iterator.js');
const { Loop, isInsidePair } = require('./regexp-loop.js');
const { DEFAULTS, limitsOf } = require('./regexp-options.js');
const { LONG, matches, programOf } = require('./regexp-program.js');
const { resultOf, spansOf } = require('./regexp-result.js');
const { WALKED } = require('./regexp-table.js');
const whole = require('./regexp-whole.js');

/** @typedef {import('./regexp-program.js').Program} Program */

const { apply } = Reflect;
const { getPrototypeOf, hasOwn } = Object;

class SafeRegExp extends RegExp {
  #program = /** @type {Program} */ (/** @type {unknown} */ (undefined)); // until #compile
  #limits = DEFAULTS;
  /** @type {undefined | Loop} */
  #loop;

  /**
   * @param {string | RegExp} pattern
   * @param {string} [flags]
   * @param {import('..').SafeRegExpOptions} [options]
   */
  constructor(pattern, flags, options = undefined) {
    super(pattern, flags);
    const isSafe = isObject(pattern) && #program in pattern;
    if (options !== undefined) this.#limits = limitsOf(options);
    else if (isSafe) this.#limits = pattern.#limits;
    this.#compile(isSafe ? pattern.#program : undefined);
  }

  /** @param {string} text */
  static escape(text) {
    return escape(text);
  }

  /** @param {string} text */
  exec(text) {
    const subject = typeof text === 'string' ? text : this.#toText(text);
    const lastIndex = toLength(this.lastIndex); // It has no effect without g and y, but the language reads it.
    const program = this.#program;
    if (program.isStateful) return this.#execFrom(subject, lastIndex);
    const found = subject.length < LONG ? program.exec(subject) : program.find(subject, 0);
    return found ? resultOf(program, subject, matches.offsets, 0) : null;
  }

  /** @param {string} text */
  test(text) {
    if (!isObject(this) || !(#program in this)) return super.test(text);
    const subject = typeof text === 'string' ? text : `${text}`;
    const { exec } = this;
    if (exec !== ownExec) return testBy(this, exec, subject);
    const lastIndex = toLength(this.lastIndex);
    const program = this.#program;
    if (program.isStateful) return this.#advance(subject, lastIndex);
    if (subject.length <= WALKED && program.table !== undefined) {
      const answer = program.table.test(subject);
      if (answer !== undefined) return answer;
    }
    return program.testAny(subject);
  }

  /** @param {string} text */
  [Symbol.match](text) {
    if (!SafeRegExp.#isPlain(this)) return super[Symbol.match](text);
    const subject = typeof text === 'string' ? text : `${text}`;
    const program = this.#program;
    if (this.exec !== ownExec || !whole.readsAsCompiled(this, program, 'match')) return super[Symbol.match](subject);
    if (!program.isGlobal) return this.exec(subject);
    this.lastIndex = 0;
    return whole.match(program, subject);
  }

  /** @param {string} text */
  [Symbol.matchAll](text) {
    if (!SafeRegExp.#isPlain(this)) return super[Symbol.matchAll](text);
    const subject = typeof text === 'string' ? text : `${text}`;
    const program = this.#program;
    if (!program.isGlobal || !this.#isSpecies() || !whole.readsAsCompiled(this, program, 'matchAll')) {
      return super[Symbol.matchAll](subject);
    }
    const matcher = new SafeRegExp(this, program.flags);
    matcher.lastIndex = toLength(this.lastIndex);
    return iterate(matcher, program, subject, ownExec);
  }

  /**
   * @param {string} text
   * @param {string | ((substring: string, ...args: any[]) => string)} replacement
   */
  [Symbol.replace](text, replacement) {
    if (!SafeRegExp.#isPlain(this)) return super[Symbol.replace](text, /** @type {string} */ (replacement));
    const subject = typeof text === 'string' ? text : `${text}`;
    const value = typeof replacement === 'string' || typeof replacement === 'function' ? replacement : `${replacement}`;
    const program = this.#program;
    if (this.exec !== ownExec || !whole.readsAsCompiled(this, program, 'replace')) {
      return super[Symbol.replace](subject, /** @type {string} */ (value));
    }
    if (program.isGlobal) {
      this.lastIndex = 0;
      return typeof value === 'string'
        ? whole.replace(program, subject, value)
        : whole.replaceBy(program, subject, value);
    }
    if (typeof value === 'function' || program.isSticky) {
      const lastIndex = toLength(this.lastIndex);
      if (program.isUnicodeLiteral && isInsidePair(subject, lastIndex)) {
        return super[Symbol.replace](subject, /** @type {string} */ (value));
      }
      if (!(program.isSticky ? this.#advance(subject, lastIndex) : program.find(subject, 0))) return subject;
      return whole.replaceFirst(program, subject, value, this.#spans(), this.#base());
    }
    toLength(this.lastIndex);
    return whole.replace(program, subject, value);
  }

  /** @param {string} text */
  [Symbol.search](text) {
    if (!SafeRegExp.#isPlain(this)) return super[Symbol.search](text);
    const subject = typeof text === 'string' ? text : `${text}`;
    if (this.exec !== ownExec) return super[Symbol.search](subject);
    const previous = this.lastIndex;
    if (!Object.is(previous, 0)) this.lastIndex = 0;
    const program = this.#program;
    const found = program.find(subject, 0);
    const index = found ? matches.offsets[0] : -1;
    if (program.isStateful) this.lastIndex = found ? matches.offsets[1] : 0;
    if (!Object.is(this.lastIndex, previous)) this.lastIndex = previous;
    return index;
  }

  /**
   * @param {string} text
   * @param {number} [limit]
   */
  [Symbol.split](text, limit) {
    if (!SafeRegExp.#isPlain(this)) return super[Symbol.split](text, limit);
    const subject = typeof text === 'string' ? text : `${text}`;
    if (
      !this.#isSpecies() ||
      this.exec !== ownExec ||
      !whole.readsAsCompiled(this, this.#program, 'split')
    ) {
      return super[Symbol.split](subject, limit);
    }
    void this[Symbol.match]; // as the language does, which makes a RegExp of this one here
    return whole.split(this.#program, subject, limit);
  }

  /**
   * Annex B's way to change a RegExp in place.
   *
   * @param {string} [pattern]
   * @param {string} [flags]
   */
  compile(pattern, flags) {
    const made = new RegExp(/** @type {string} */ (pattern), flags);
    programOf(sourceOf(made), flagsOf(made), this.#limits); // refused before anything changes
    super.compile(/** @type {string} */ (pattern), flags);
    this.#compile();
    return this;
  }

  /**
   * As `test`, on UTF-8. Bytes that are not UTF-8 are no character. `lastIndex`, which counts UTF-16, takes no part.
   *
   * @param {Uint8Array} utf8
   */
  testBytes(utf8) {
    const program = this.#program;
    return program.others.testBytes(requireBytes(utf8, 'utf8'));
  }

  /**
   * The first match at or after `from`, with offsets in bytes.
   *
   * @param {Uint8Array} utf8
   * @param {number} [from]
   */
  execBytes(utf8, from = 0) {
    const program = this.#program;
    const { length } = requireBytes(utf8, 'utf8');
    if (typeof from !== 'number') throw wrongType('from', 'a number');
    if (!Number.isInteger(from) || from < 0 || from > length) {
      throw outOfRange('from', "an integer up to the bytes' length");
    }
    return program.others.execBytes(utf8, from) ? spansOf(program, matches.offsets) : null;
  }

  /** @returns {string} */
  get flags() {
    return isFlagsOwn() && isObject(this) ? readFlags(this) : super.flags;
  }

  get engine() {
    return this.#program.engine;
  }

  /** @param {Program} [model] Of the RegExp that this one is made from. */
  #compile(model) {
    const source = sourceOf(this);
    const flags = flagsOf(this);
    this.#program =
      model !== undefined && model.source === source && model.flags === flags && model.limits === this.#limits
        ? model
        : programOf(source, flags, this.#limits);
    this.#loop = undefined;
  }

  /**
   * A private method, so that what is none of ours fails before the text is looked at.
   *
   * @param {unknown} text
   */
  #toText(text) {
    return `${text}`;
  }

  /**
   * With g or y. ECMA-262, §22.2.7.2.
   *
   * @param {string} subject
   * @param {number} lastIndex
   */
  #execFrom(subject, lastIndex) {
    const program = this.#program;
    if (program.isUnicodeLiteral && isInsidePair(subject, lastIndex)) {
      // With u, V8 goes back to the start of the pair, but not for some plain strings, and which is its own affair.
      // Any engine finds a plain string in linear time, so V8 may decide.
      return super.exec(subject);
    }
    return this.#advance(subject, lastIndex) ? resultOf(program, subject, this.#spans(), this.#base()) : null;
  }

  /**
   * Finds the next match and sets `lastIndex`.
   *
   * @param {string} subject
   * @param {number} lastIndex
   */
  #advance(subject, lastIndex) {
    if (this.#program.isUnicodeLiteral && isInsidePair(subject, lastIndex)) return super.exec(subject) !== null;
    const loop = (this.#loop ??= new Loop(this.#program));
    const found = lastIndex <= subject.length && loop.find(subject, lastIndex);
    this.lastIndex = found ? loop.spans[loop.base + 1] : 0;
    return found;
  }

  /** Whether the language would make a SafeRegExp of this one. */
  #isSpecies() {
    const own = /** @type {any} */ (this.constructor);
    return own === SafeRegExp && own[Symbol.species] === SafeRegExp;
  }

  #spans() {
    return this.#program.isStateful ? /** @type {Loop} */ (this.#loop).spans : matches.offsets;
  }

  #base() {
    return this.#program.isStateful ? /** @type {Loop} */ (this.#loop).base : 0;
  }

  /**
   * Whether `re` is a SafeRegExp that no subclass has a say in, and has no `exec` of its own.
   *
   * @param {unknown} re
   */
  static #isPlain(re) {
    return isObject(re) && #program in re && getPrototypeOf(re) === SafeRegExp.prototype && !hasOwn(re, 'exec');
  }
}

const { exec: ownExec } = SafeRegExp.prototype;

/**
 * The language's `test`, with an `exec` that is not ours. ECMA-262, §22.2.7.1.
 *
 * @param {SafeRegExp} re
 * @param {unknown} exec
 * @param {string} subject
 */
function testBy(re, exec, subject) {
  const match = apply(typeof exec === 'function' ? exec : ownExec, re, [subject]);
  if (match !== null && !isObject(match)) {
    throw new TypeError('RegExp exec method returned something other than an Object or null');
  }
  return match !== null;
}

/**
 * @param {unknown} value
 * @returns {value is object}
 */
function isObject(value) {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/**
 * ECMA-262, §7.1.20.
 *
 * @param {unknown} value
 */
function toLength(value) {
  if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return Math.trunc(value);
  const number = Math.trunc(/** @type {any} */ (value)); // not Number(value), which takes a BigInt
  return number > 0 ? Math.min(number, Number.MAX_SAFE_INTEGER) : 0;
}

module.exports = { SafeRegExp };
