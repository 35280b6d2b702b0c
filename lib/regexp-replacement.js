// @ts-check
'use strict';

/**
 * Replacement strings: `$$ $& $\` $' $n $nn $<name>`, as ECMA-262, §22.1.3.19.1 (GetSubstitution) reads them, into the
 * operations that src/regexp_replace.rs carries out.
 */

const GROUP = -1;
const BEFORE = -2;
const AFTER = -3;
const INSTEAD = -4;

/**
 * Pairs of numbers: a span of `replacement`, or GROUP and its number, or BEFORE or AFTER and 0, or INSTEAD and the number
 * of a group that stands in place of the one before if it took part.
 *
 * @param {string} replacement
 * @param {import('./regexp-program.js').Program} program
 * @returns {number[]}
 */
function operationsOf(replacement, program) {
  /** @type {number[]} */
  const operations = [];
  let copied = 0;
  let at = replacement.indexOf('$');
  while (at >= 0 && at + 1 < replacement.length) {
    const reference = referenceAt(replacement, at, program);
    if (reference !== undefined) {
      if (copied < at) operations.push(copied, at);
      operations.push(...reference.operations);
      copied = reference.end;
    }
    at = replacement.indexOf('$', reference === undefined ? at + 1 : reference.end);
  }
  if (copied < replacement.length || operations.length === 0) operations.push(copied, replacement.length);
  return operations;
}

/**
 * What the `$` at `at` and the characters after it stand for, if not for themselves.
 *
 * @param {string} replacement
 * @param {number} at
 * @param {import('./regexp-program.js').Program} program
 * @returns {undefined | { operations: number[], end: number }}
 */
function referenceAt(replacement, at, { groups, names }) {
  const next = replacement[at + 1];
  if (next === '$') return { operations: [at, at + 1], end: at + 2 };
  if (next === '&') return { operations: [GROUP, 0], end: at + 2 };
  if (next === '`') return { operations: [BEFORE, 0], end: at + 2 };
  if (next === "'") return { operations: [AFTER, 0], end: at + 2 };
  const first = digit(replacement, at + 1);
  if (first >= 0) {
    const second = digit(replacement, at + 2);
    const both = 10 * first + second;
    if (second >= 0 && both >= 1 && both <= groups) return { operations: [GROUP, both], end: at + 3 };
    return first >= 1 && first <= groups ? { operations: [GROUP, first], end: at + 2 } : undefined;
  }
  const close = next === '<' && names.length > 0 ? replacement.indexOf('>', at + 2) : -1;
  if (close < 0) return undefined;
  const named = names.find(({ name }) => name === replacement.slice(at + 2, close));
  // Of several groups with one name at most one takes part, but V8 13 lets one stand inside the other; the last one counts.
  const operations = (named?.numbers ?? []).flatMap((number, place) => [place === 0 ? GROUP : INSTEAD, number]);
  return { operations, end: close + 1 };
}

/**
 * @param {string} text
 * @param {number} at
 */
function digit(text, at) {
  const code = text.charCodeAt(at) - 0x30;
  return code >= 0 && code <= 9 ? code : -1;
}

module.exports = { BEFORE, GROUP, INSTEAD, operationsOf };
