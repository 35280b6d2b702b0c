// @ts-check
'use strict';

/**
 * SafeRegExp: a RegExp whose `exec` and `test` run on the native linear-time engine. V8 validates the pattern and owns
 * `source`, `flags` and `lastIndex`; `match`, `matchAll`, `replace`, `search` and `split` are the inherited ones and go
 * through `exec`, as the language's protocol has it.
 */

const native = require('./native.js');

const { get: getSource } = /** @type {PropertyDescriptor} */ (
  Object.getOwnPropertyDescriptor(RegExp.prototype, 'source')
);
const { get: getFlags } = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(RegExp.prototype, 'flags'));

/**
 * Where native code writes the offsets of a match; read before anything else can run. Grows to the largest pattern.
 */
let offsets = new Int32Array(64);

/**
 * From this length on, the text that a global or sticky pattern works on is copied once and not at every match. Below,
 * copying it again costs less than asking whether it is the same.
 */
const KEPT_LENGTH = 256;

class SafeRegExp extends RegExp {
  #test = /** @type {(text: string) => boolean} */ (/** @type {unknown} */ (undefined)); // until #compile
  #exec = /** @type {(text: string, from: number, offsets: Int32Array) => boolean} */ (/** @type {unknown} */ (undefined));
  #keep = /** @type {(text: string) => void} */ (/** @type {unknown} */ (undefined));
  #execKept = /** @type {(from: number, offsets: Int32Array) => boolean} */ (/** @type {unknown} */ (undefined));
  /** The text of which native code has a copy. */
  #kept = '';
  #groups = 0;
  /** @type {string[]} */
  #names = [];
  /** @type {number[]} */
  #named = [];
  #isStateful = false;
  #isSticky = false;
  #isLiteral = false;
  #hasIndices = false;

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
    if (this.#isLiteral && this.#isStateful && isInsidePair(subject, lastIndex)) {
      // With u, V8 goes back to the start of the pair, but not for some plain strings, and which is its own affair.
      // Any engine finds a plain string in linear time, so V8 may decide.
      return super.exec(subject);
    }
    if (!this.#find(subject, this.#isStateful ? lastIndex : 0)) {
      if (this.#isStateful) this.lastIndex = 0;
      return null;
    }
    if (this.#isStateful) this.lastIndex = offsets[1];
    return this.#result(subject);
  }

  /** @param {string} text */
  test(text) {
    // A subclass may have its own exec, and the language says that test asks it.
    if (this.exec !== SafeRegExp.prototype.exec) return super.test(text);
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
    super.compile(/** @type {string} */ (pattern), flags);
    this.#compile();
    return this;
  }

  get engine() {
    return 'automaton';
  }

  #compile() {
    const source = Reflect.apply(/** @type {() => string} */ (getSource), this, []);
    const flags = Reflect.apply(/** @type {() => string} */ (getFlags), this, []);
    const compiled = native.regexpCompile(source, flags);
    this.#test = compiled.test;
    this.#exec = compiled.exec;
    this.#keep = compiled.keep;
    this.#execKept = compiled.execKept;
    this.#kept = '';
    this.#groups = compiled.groups;
    this.#named = compiled.named;
    this.#names = compiled.named.length === 0 ? [] : groupNames(source, flags);
    this.#isStateful = flags.includes('g') || flags.includes('y');
    this.#isSticky = flags.includes('y');
    this.#isLiteral = compiled.isLiteral && flags.includes('u');
    this.#hasIndices = flags.includes('d');
    if (offsets.length < 2 * (compiled.groups + 1)) offsets = new Int32Array(2 * (compiled.groups + 1));
  }

  /**
   * Puts the first match at or after `from` into `offsets`. A series of calls that goes through a long text costs one
   * copy of it, and one walk.
   *
   * @param {string} subject
   * @param {number} from
   */
  #find(subject, from) {
    if (!this.#isStateful || subject.length < KEPT_LENGTH) return this.#exec(subject, from, offsets);
    if (this.#kept !== subject) {
      this.#keep(subject);
      this.#kept = subject;
    }
    const found = this.#execKept(from, offsets);
    // A global search that finds nothing more has ended. A sticky one may go on at the next place, as split does.
    if (!found && !this.#isSticky) {
      this.#kept = '';
      this.#keep('');
    }
    return found;
  }

  /**
   * The match in `offsets` as `exec` returns it. ECMA-262, §22.2.7.2, from step 26.
   *
   * @param {string} subject
   */
  #result(subject) {
    const result = /** @type {any} */ ([]);
    for (let place = 0; place <= 2 * this.#groups; place += 2) {
      const start = offsets[place];
      result.push(start < 0 ? undefined : subject.slice(start, offsets[place + 1]));
    }
    result.index = offsets[0];
    result.input = subject;
    result.groups = this.#byName((group) => result[group]);
    if (this.#hasIndices) {
      const indices = /** @type {any} */ ([]);
      for (let place = 0; place <= 2 * this.#groups; place += 2) {
        indices.push(offsets[place] < 0 ? undefined : [offsets[place], offsets[place + 1]]);
      }
      indices.groups = this.#byName((group) => indices[group]);
      result.indices = indices;
    }
    return result;
  }

  /** @param {(group: number) => unknown} valueOf */
  #byName(valueOf) {
    if (this.#names.length === 0) return undefined;
    const groups = Object.create(null);
    for (let place = 0; place < this.#names.length; place++) groups[this.#names[place]] = valueOf(this.#named[place]);
    return groups;
  }
}

/**
 * The names of a pattern's groups in their order, escapes resolved, as V8 reads them. The empty first alternative
 * matches at once, so the pattern itself is never run.
 *
 * @param {string} source
 * @param {string} flags
 */
function groupNames(source, flags) {
  const match = /** @type {RegExpExecArray} */ (new RegExp(`|${source}`, flags).exec(''));
  return Object.keys(/** @type {object} */ (match.groups));
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
  const number = Math.trunc(Number(value));
  return number > 0 ? Math.min(number, Number.MAX_SAFE_INTEGER) : 0;
}

module.exports = { SafeRegExp };
