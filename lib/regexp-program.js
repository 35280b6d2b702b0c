// @ts-check
'use strict';

/**
 * Compiled patterns, which SafeRegExps with the same source and flags share. The last ones are remembered: `split` and
 * `matchAll` make a new RegExp at every call, and so does code that writes `new SafeRegExp(…)` inside a function.
 */

const native = require('./native.js');

/** Programs remembered. One holds 20 to 30 KiB, and at most some megabytes when many texts were searched. */
const REMEMBERED = 32;

/**
 * From this length on, the text that a global or sticky pattern works on is copied once and not at every match. Below,
 * copying it again costs less than asking whether it is the same.
 */
const KEPT_LENGTH = 256;

/** @type {Map<string, Program>} In the order of their last use. */
const programs = new Map();

class Program {
  /** Names of the groups that have one, in their order. @type {string[]} */
  names;
  #exec;
  #newKeeper;

  /**
   * @param {string} source
   * @param {string} flags
   */
  constructor(source, flags) {
    const compiled = native.regexpCompile(source, flags);
    this.#exec = compiled.exec;
    this.#newKeeper = compiled.keeper;
    /** Whether a text has a match. @type {(text: string) => boolean} */
    this.test = compiled.test;
    /** @type {number} Capturing groups, the whole match not counted. */
    this.groups = compiled.groups;
    /** @type {number[]} The numbers of the named groups. */
    this.named = compiled.named;
    this.names = compiled.named.length === 0 ? [] : groupNames(source, flags);
    this.isSticky = flags.includes('y');
    this.isStateful = this.isSticky || flags.includes('g');
    this.hasIndices = flags.includes('d');
    /** A plain string, of which V8 decides where it starts inside a surrogate pair. @type {boolean} */
    this.isUnicodeLiteral = compiled.isLiteral && flags.includes('u');
  }

  /**
   * Puts the first match at or after `from` into `offsets`. With the same keeper, a series of calls that goes through a
   * long text costs one copy of it, and one walk.
   *
   * @param {string} text
   * @param {number} from
   * @param {Int32Array} offsets
   * @param {Keeper} keeper
   */
  find(text, from, offsets, keeper) {
    if (!this.isStateful || text.length < KEPT_LENGTH) return this.#exec(text, from, offsets);
    const found = keeper.find(text, from, offsets, this.#newKeeper);
    // A global search that finds nothing more has ended. A sticky one may go on at the next place, as split does.
    if (!found && !this.isSticky) keeper.forget();
    return found;
  }
}

/** The copy of a text that one RegExp goes through. */
class Keeper {
  #text = '';
  /** @type {undefined | [(text: string) => void, (from: number, offsets: Int32Array) => boolean]} */
  #functions;

  /**
   * @param {string} text
   * @param {number} from
   * @param {Int32Array} offsets
   * @param {() => [(text: string) => void, (from: number, offsets: Int32Array) => boolean]} create
   */
  find(text, from, offsets, create) {
    const [keep, execKept] = (this.#functions ??= create());
    if (this.#text !== text) {
      keep(text);
      this.#text = text;
    }
    return execKept(from, offsets);
  }

  forget() {
    this.#text = '';
    this.#functions?.[0]('');
  }
}

/**
 * The program of a pattern that V8 has accepted.
 *
 * @param {string} source
 * @param {string} flags
 */
function programOf(source, flags) {
  const key = `${flags}/${source}`;
  const program = programs.get(key) ?? new Program(source, flags);
  programs.delete(key);
  programs.set(key, program);
  if (programs.size > REMEMBERED) programs.delete(/** @type {string} */ (programs.keys().next().value));
  return program;
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

module.exports = { Keeper, programOf };
