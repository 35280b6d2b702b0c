// @ts-check
'use strict';

/**
 * Comments that say that a finding is known, and why:
 *
 *     // holdfast-ignore-next-line redos: only ever sees our own configuration
 *     const name = /…/; // holdfast-ignore redos: the input is 20 characters at most
 *
 * One without a reason suppresses nothing and is reported itself. In installed packages they have no effect: a package
 * does not get to say that it is safe.
 */

const DIRECTIVE = /^[\s*]*holdfast-ignore(-next-line)?(?![\w-])([^\n\r]*)/;
const RULE = 'redos';

/**
 * @typedef {{ line: number, reason: string }} Suppression `line`: the one whose findings it suppresses.
 * @typedef {{ line: number, column: number, endLine: number, endColumn: number, message: string }} BadSuppression
 */

/**
 * @param {{ value: string, start: number, end: number }[]} comments
 * @param {(offset: number) => { line: number, column: number }} positionOf
 */
function suppressionsOf(comments, positionOf) {
  /** @type {Suppression[]} */
  const good = [];
  /** @type {BadSuppression[]} */
  const bad = [];
  for (const { value, start, end } of comments) {
    const match = DIRECTIVE.exec(value);
    if (match === null) continue;
    const [, next, rest] = match;
    const place = positionOf(start);
    const last = positionOf(end);
    const message = complaint(rest);
    if (message === null) {
      const line = next === undefined ? place.line : last.line + 1;
      good.push({ line, reason: rest.slice(rest.indexOf(':') + 1).trim() });
    } else {
      bad.push({ ...place, endLine: last.line, endColumn: last.column, message });
    }
  }
  return { good, bad };
}

/** @param {string} rest What follows the directive. */
function complaint(rest) {
  const colon = rest.indexOf(':');
  const rule = (colon === -1 ? rest : rest.slice(0, colon)).trim();
  if (rule !== RULE) return `a suppression that names no rule: write "holdfast-ignore ${RULE}: the reason"`;
  if (colon === -1 || rest.slice(colon + 1).trim() === '') {
    return `a suppression without a reason: write "holdfast-ignore ${RULE}: the reason"`;
  }
  return null;
}

module.exports = { suppressionsOf };
