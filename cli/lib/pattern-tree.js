// @ts-check
'use strict';

/**
 * A pattern's text as a tree, for rewrite.js, and back to text. It reads the part of the syntax that it is sure of, and
 * returns null for everything else: the flags u and v, back-references, octal escapes, braces and brackets that stand
 * for themselves, quantified lookarounds, groups with flags.
 */

/** Text and depth beyond which no one reads a rewritten pattern anyway. Recursion is bounded by the second. */
const MAX_LENGTH = 2000;
const MAX_DEPTH = 40;

/**
 * @typedef {{ min: number, max: number, lazy: boolean }} Quantifier
 * @typedef {{ type: 'set', items: string[], negated: boolean, raw: string }} Set_ One unit: a character, a class, an
 *   escape or a dot. `items`: as they are written inside a class; empty for the dot.
 * @typedef {{ type: 'assertion', raw: string }} Assertion
 * @typedef {{ type: 'group', open: string, capturing: boolean, looks: boolean, body: Alternatives }} Group
 * @typedef {{ atom: Set_ | Assertion | Group, quantifier: Quantifier | null }} Term
 * @typedef {Term[][]} Alternatives
 */

/** The text is outside of what is read here. */
class Unsure extends Error {}

const ESCAPED_CLASS = /^\\[dDwWsS]$/;
const QUANTIFIER = /(?:[*+?]|\{(\d{1,5})(?:(,)(\d{1,5})?)?\})\??/y;
const ESCAPE = /\\(?:[dDwWsSbBtnrvf]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[^a-zA-Z0-9])/y;
const OPEN = /\((?:\?(?:[:=!]|<[=!]|<[a-zA-Z_$][\w$]*>))?/y;

/**
 * @param {string} source
 * @param {string} flags
 * @returns {Alternatives | null}
 */
function parsePattern(source, flags) {
  if (source.length > MAX_LENGTH || /[uv]/.test(flags)) return null;
  try {
    const reader = new Reader(source);
    const tree = reader.alternatives(0);
    return reader.place === source.length ? tree : null;
  } catch (error) {
    if (error instanceof Unsure) return null;
    throw error;
  }
}

class Reader {
  /** @param {string} source */
  constructor(source) {
    this.source = source;
    this.place = 0;
  }

  /**
   * @param {number} depth
   * @returns {Alternatives}
   */
  alternatives(depth) {
    if (depth > MAX_DEPTH) throw new Unsure();
    /** @type {Alternatives} */
    const all = [[]];
    while (this.place < this.source.length && this.source[this.place] !== ')') {
      if (this.source[this.place] === '|') {
        this.place += 1;
        all.push([]);
      } else {
        all[all.length - 1].push(this.term(depth));
      }
    }
    return all;
  }

  /**
   * @param {number} depth
   * @returns {Term}
   */
  term(depth) {
    const atom = this.atom(depth);
    const quantifier = this.quantifier();
    const isFixed = atom.type === 'assertion' || (atom.type === 'group' && atom.looks);
    if (quantifier !== null && isFixed) throw new Unsure();
    return { atom, quantifier };
  }

  /**
   * @param {number} depth
   * @returns {Term['atom']}
   */
  atom(depth) {
    const unit = this.source[this.place];
    switch (unit) {
      case '^':
      case '$':
        this.place += 1;
        return { type: 'assertion', raw: unit };
      case '.':
        this.place += 1;
        return { type: 'set', items: [], negated: false, raw: unit };
      case '(':
        return this.group(depth);
      case '[':
        return this.class();
      case '\\': {
        const raw = this.take(ESCAPE);
        if (raw === '\\b' || raw === '\\B') return { type: 'assertion', raw };
        return { type: 'set', items: [raw], negated: false, raw };
      }
      case '*':
      case '+':
      case '?':
      case '{':
      case '}':
      case ']':
        throw new Unsure();
      default:
        this.place += 1;
        return { type: 'set', items: [unit === '-' ? '\\-' : unit], negated: false, raw: unit };
    }
  }

  /**
   * @param {number} depth
   * @returns {Group}
   */
  group(depth) {
    const open = this.take(OPEN);
    if (open === '(' && this.source[this.place] === '?') throw new Unsure();
    const body = this.alternatives(depth + 1);
    if (this.source[this.place] !== ')') throw new Unsure();
    this.place += 1;
    const looks = /[=!]$/.test(open) && open.length <= 4 && !open.endsWith('>');
    return { type: 'group', open, capturing: open !== '(?:' && !looks, looks, body };
  }

  /** @returns {Set_} */
  class() {
    const start = this.place;
    this.place += 1;
    const negated = this.source[this.place] === '^';
    if (negated) this.place += 1;
    /** @type {string[]} */
    const items = [];
    while (this.source[this.place] !== ']') {
      const first = this.member();
      if (this.source[this.place] === '-' && this.source[this.place + 1] !== ']') {
        this.place += 1;
        const last = this.member();
        if (ESCAPED_CLASS.test(first) || ESCAPED_CLASS.test(last)) throw new Unsure();
        items.push(`${first}-${last}`);
      } else {
        items.push(first);
      }
    }
    this.place += 1;
    return { type: 'set', items, negated, raw: this.source.slice(start, this.place) };
  }

  /** One member of a class, written so that it means the same at any place of a class. */
  member() {
    const unit = this.source[this.place];
    if (unit === undefined) throw new Unsure();
    if (unit === '\\') {
      const raw = this.take(ESCAPE);
      if (raw === '\\b' || raw === '\\B') throw new Unsure();
      return raw;
    }
    this.place += 1;
    return unit === '-' || unit === '^' ? `\\${unit}` : unit;
  }

  /** @returns {Quantifier | null} */
  quantifier() {
    QUANTIFIER.lastIndex = this.place;
    const match = QUANTIFIER.exec(this.source);
    if (match === null) return null;
    this.place = QUANTIFIER.lastIndex;
    const [text, low, comma, high] = match;
    const lazy = text.length > 1 && text.endsWith('?');
    if (low === undefined) return { min: text[0] === '+' ? 1 : 0, max: text[0] === '?' ? 1 : Infinity, lazy };
    const min = Number(low);
    return { min, max: comma === undefined ? min : high === undefined ? Infinity : Number(high), lazy };
  }

  /** @param {RegExp} expected */
  take(expected) {
    expected.lastIndex = this.place;
    const match = expected.exec(this.source);
    if (match === null) throw new Unsure();
    this.place = expected.lastIndex;
    return match[0];
  }
}

/**
 * @param {Alternatives} tree
 * @returns {string}
 */
function printPattern(tree) {
  return tree.map((terms) => terms.map(printTerm).join('')).join('|');
}

/** @param {Term} term */
function printTerm({ atom, quantifier }) {
  const text = atom.type === 'group' ? `${atom.open}${printPattern(atom.body)})` : atom.raw;
  return text + (quantifier === null ? '' : printQuantifier(quantifier));
}

/** @param {Quantifier} quantifier */
function printQuantifier({ min, max, lazy }) {
  const text = max === Infinity && min <= 1 ? '*+'[min]
    : min === 0 && max === 1 ? '?'
      : min === max ? `{${min}}`
        : `{${min},${max === Infinity ? '' : max}}`;
  return text + (lazy ? '?' : '');
}

module.exports = { parsePattern, printPattern };
