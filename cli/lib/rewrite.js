// @ts-check
'use strict';

/**
 * Rewrites a pattern into one that matches exactly the same, with the same captures, but leaves a backtracking matcher
 * fewer ways to do so. Every rule replaces a part without captures by one with the same *list of ends*: the places, in
 * the order a backtracking matcher tries them, where the part can end from a given start, each place counted at its
 * first time. A later repetition of an end can only fail as it failed before, so that the first match is the same.
 *
 * The rules, where X is a set (what matches exactly one unit), and everything is greedy:
 *   1. `(?:X)` is X.
 *   2. Neighbouring alternatives that are sets, none negated, are their union.
 *   3. `X{a,}X{b,c}` and `X{b,c}X{a,}` are `X{a+b,}`.
 *   4. `(?:P|Q|…)+` and `*`, where each alternative is a set that may be taken once: their union, `+` or `*` (if an
 *      alternative can be empty, `*`). From any place the loop can go one unit further, so that the ends are all places
 *      up to the first unit outside of the union, the farthest first.
 *   5. `(?:X{a,})+` with a ≥ 1 is `X{a,}`, with `*` and `?` it is `(?:X{a,})?`.
 *
 * A property test compares with V8 on random patterns and texts.
 */

const { parsePattern, printPattern } = require('./pattern-tree.js');

/**
 * @typedef {import('./pattern-tree.js').Alternatives} Alternatives
 * @typedef {import('./pattern-tree.js').Term} Term
 * @typedef {import('./pattern-tree.js').Set_} Set_
 * @typedef {import('./pattern-tree.js').Quantifier} Quantifier
 */

const DOT = '.';

/**
 * @param {string} source
 * @param {string} flags
 * @returns {string | null} null when nothing can be rewritten
 */
function rewrite(source, flags) {
  const tree = parsePattern(source, flags);
  if (tree === null) return null;
  const rewritten = printPattern(alternatives(tree));
  return rewritten === source ? null : rewritten;
}

/**
 * @param {Alternatives} all
 * @returns {Alternatives}
 */
function alternatives(all) {
  /** @type {Alternatives} */
  const merged = [];
  for (const terms of all.map(sequence)) {
    const set = loneSet(terms);
    const before = merged.length === 0 ? null : loneSet(merged[merged.length - 1]);
    const union = set === null || before === null ? null : unionOf([before, set]);
    if (union === null) merged.push(terms);
    else merged[merged.length - 1] = [{ atom: union, quantifier: null }];
  }
  return merged;
}

/**
 * @param {Term[]} terms
 * @returns {Term[]}
 */
function sequence(terms) {
  /** @type {Term[]} */
  const result = [];
  for (const each of terms.map(term)) {
    const before = result.at(-1);
    const joined = before === undefined ? null : join(before, each);
    if (joined === null) result.push(each);
    else result[result.length - 1] = joined;
  }
  return result;
}

/**
 * Rule 3.
 *
 * @param {Term} first
 * @param {Term} second
 * @returns {Term | null}
 */
function join(first, second) {
  const [a, b] = [first.quantifier, second.quantifier];
  if (first.atom.type !== 'set' || second.atom.type !== 'set' || first.atom.raw !== second.atom.raw) return null;
  if (a === null || b === null || a.lazy || b.lazy) return null;
  if (a.max !== Infinity && b.max !== Infinity) return null;
  return { atom: first.atom, quantifier: { min: a.min + b.min, max: Infinity, lazy: false } };
}

/**
 * @param {Term} given
 * @returns {Term}
 */
function term({ atom, quantifier }) {
  if (atom.type !== 'group') return { atom, quantifier };
  const group = { ...atom, body: alternatives(atom.body) };
  if (group.capturing || group.looks) return { atom: group, quantifier };
  return looped(group.body, quantifier) ?? { atom: group, quantifier };
}

/**
 * Rules 1, 4 and 5, on the body of a non-capturing group.
 *
 * @param {Alternatives} body
 * @param {Quantifier | null} outer
 * @returns {Term | null}
 */
function looped(body, outer) {
  if (body.length === 1 && body[0].length === 1) {
    const [only] = body[0];
    if (only.quantifier === null && only.atom.type === 'set') return { atom: only.atom, quantifier: outer };
    if (outer === null && only.atom.type === 'set') return only;
  }
  if (outer === null || outer.lazy) return null;
  return union(body, outer) ?? atLeast(body, outer);
}

/**
 * Rule 4.
 *
 * @param {Alternatives} body
 * @param {Quantifier} outer
 * @returns {Term | null}
 */
function union(body, outer) {
  if (outer.max !== Infinity || outer.min > 1) return null;
  const sets = [];
  let min = outer.min;
  for (const terms of body) {
    if (terms.length !== 1) return null;
    const [{ atom, quantifier }] = terms;
    if (atom.type !== 'set') return null;
    if (quantifier !== null && (quantifier.min > 1 || quantifier.max < 1)) return null;
    if (quantifier !== null && quantifier.min === 0) min = 0;
    sets.push(atom);
  }
  const atom = unionOf(sets);
  return atom === null ? null : { atom, quantifier: { min, max: Infinity, lazy: false } };
}

/**
 * Rule 5.
 *
 * @param {Alternatives} body
 * @param {Quantifier} outer
 * @returns {Term | null}
 */
function atLeast(body, outer) {
  if (body.length !== 1 || body[0].length !== 1) return null;
  const [{ atom, quantifier }] = body[0];
  if (atom.type !== 'set' || quantifier === null || quantifier.lazy) return null;
  if (quantifier.max !== Infinity || quantifier.min === 0) return null;
  if (outer.min === 1 && outer.max >= 1) return { atom, quantifier };
  if (outer.min !== 0 || outer.max === 0) return null;
  if (quantifier.min === 1) return { atom, quantifier: { min: 0, max: Infinity, lazy: false } };
  if (outer.max === 1) return null; // it is that already
  const body_ = [[{ atom, quantifier }]];
  return {
    atom: { type: 'group', open: '(?:', capturing: false, looks: false, body: body_ },
    quantifier: { min: 0, max: 1, lazy: false },
  };
}

/**
 * @param {Term[]} terms
 * @returns {Set_ | null}
 */
function loneSet(terms) {
  if (terms.length !== 1 || terms[0].quantifier !== null || terms[0].atom.type !== 'set') return null;
  return terms[0].atom;
}

/**
 * @param {Set_[]} sets
 * @returns {Set_ | null}
 */
function unionOf(sets) {
  const [first] = sets;
  if (sets.every(({ raw }) => raw === first.raw)) return first;
  if (sets.some(({ negated, raw }) => negated || raw === DOT)) return null;
  const items = [...new Set(sets.flatMap((set) => set.items))];
  return { type: 'set', items, negated: false, raw: `[${items.join('')}]` };
}

module.exports = { rewrite };
