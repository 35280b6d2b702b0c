// @ts-check
'use strict';

/**
 * SafeRegExp: a RegExp whose `exec` and `test` run on the native linear-time engine. V8 validates the pattern and owns
 * `source`, `flags` and `lastIndex`; `match`, `matchAll`, `replace`, `search` and `split` are the inherited ones and go
 * through `exec`, as the language's protocol has it.
 */

const { Keeper, programOf } = require('./regexp-program.js');

/** RegExp's own accessors, which a subclass may hide and other code may replace. */
const getSource = getter('source');
const FLAGS = Object.entries({
  d: getter('hasIndices'),
  g: getter('global'),
  i: getter('ignoreCase'),
  m: getter('multiline'),
  s: getter('dotAll'),
  u: getter('unicode'),
  v: getter('unicodeSets'),
  y: getter('sticky'),
});

/**
 * Where native code writes the offsets of a match; read before anything else can run. Grows to the largest pattern.
 */
let offsets = new Int32Array(64);

class SafeRegExp extends RegExp {
  #program = /** @type {ReturnType<typeof programOf>} */ (/** @type {unknown} */ (undefined)); // until #compile
  #test = /** @type {(text: string) => boolean} */ (/** @type {unknown} */ (undefined));
  #isStateful = false;
  #keeper = new Keeper();

  /**
   * @param {string | RegExp} pattern
   * @param {string} [flags]
   */
  constructor(pattern, flags) {
    super(pattern, flags);
    this.#compile();
  }

  /** @param {string} text */
  exec(text) {
    const subject = typeof text === 'string' ? text : `${text}`;
    const lastIndex = toLength(this.lastIndex);
    if (this.#isStateful && lastIndex > subject.length) {
      this.lastIndex = 0;
      return null;
    }
    if (this.#isStateful && this.#program.isUnicodeLiteral && isInsidePair(subject, lastIndex)) {
      // With u, V8 goes back to the start of the pair, but not for some plain strings, and which is its own affair.
      // Any engine finds a plain string in linear time, so V8 may decide.
      return super.exec(subject);
    }
    if (!this.#program.find(subject, this.#isStateful ? lastIndex : 0, offsets, this.#keeper)) {
      if (this.#isStateful) this.lastIndex = 0;
      return null;
    }
    if (this.#isStateful) this.lastIndex = offsets[1];
    return this.#result(subject);
  }

  /** @param {string} text */
  test(text) {
    // A subclass may have its own exec, and the language says that test asks it.
    if (this.exec !== ownExec) return super.test(text);
    const subject = typeof text === 'string' ? text : `${text}`;
    if (this.#isStateful) return this.exec(subject) !== null;
    toLength(this.lastIndex); // It has no effect, but the language reads it, and reading it may throw.
    return this.#test(subject);
  }

  /**
   * Annex B's way to change a RegExp in place.
   *
   * @param {string} [pattern]
   * @param {string} [flags]
   */
  compile(pattern, flags) {
    programOf(...sourceAndFlags(new RegExp(/** @type {string} */ (pattern), flags))); // refused before anything changes
    super.compile(/** @type {string} */ (pattern), flags);
    this.#compile();
    return this;
  }

  get engine() {
    return 'automaton';
  }

  #compile() {
    this.#program = programOf(...sourceAndFlags(this));
    this.#test = this.#program.test;
    this.#isStateful = this.#program.isStateful;
    this.#keeper = new Keeper();
    const needed = 2 * (this.#program.groups + 1);
    if (offsets.length < needed) offsets = new Int32Array(needed);
  }

  /**
   * The match in `offsets` as `exec` returns it. ECMA-262, §22.2.7.2, from step 26.
   *
   * @param {string} subject
   */
  #result(subject) {
    const { groups, hasIndices, names, named } = this.#program;
    const result = /** @type {any} */ ([]);
    for (let place = 0; place <= 2 * groups; place += 2) {
      const start = offsets[place];
      result.push(start < 0 ? undefined : subject.slice(start, offsets[place + 1]));
    }
    result.index = offsets[0];
    result.input = subject;
    result.groups = byName(result, names, named);
    if (hasIndices) {
      const indices = /** @type {any} */ ([]);
      for (let place = 0; place <= 2 * groups; place += 2) {
        indices.push(offsets[place] < 0 ? undefined : [offsets[place], offsets[place + 1]]);
      }
      indices.groups = byName(indices, names, named);
      result.indices = indices;
    }
    return result;
  }
}

const { exec: ownExec } = SafeRegExp.prototype;

/**
 * @param {RegExp} re
 * @returns {[string, string]}
 */
function sourceAndFlags(re) {
  const flags = FLAGS.map(([flag, get]) => (Reflect.apply(get, re, []) ? flag : ''));
  return [Reflect.apply(getSource, re, []), flags.join('')];
}

/**
 * @param {string} name
 * @returns {() => any}
 */
function getter(name) {
  return /** @type {any} */ (Object.getOwnPropertyDescriptor(RegExp.prototype, name)).get;
}

/**
 * The values of the named groups, or nothing when there are none.
 *
 * @param {unknown[]} values
 * @param {string[]} names
 * @param {number[]} numbers
 */
function byName(values, names, numbers) {
  if (names.length === 0) return undefined;
  const groups = Object.create(null);
  for (let place = 0; place < names.length; place++) groups[names[place]] = values[numbers[place]];
  return groups;
}

/**
 * Whether `index` lies between the halves of a surrogate pair.
 *
 * @param {string} text
 * @param {number} index
 */
function isInsidePair(text, index) {
  return (text.charCodeAt(index) & 0xfc00) === 0xdc00 && (text.charCodeAt(index - 1) & 0xfc00) === 0xd800;
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
