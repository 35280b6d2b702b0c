// @ts-check
'use strict';

/** What is known of one pattern: holdfast's analyzeRegExp, and a pattern that does the same in linear time, if any. */

const { analyzeRegExp } = require('holdfast');

const { rewrite } = require('./rewrite.js');

/**
 * @typedef {object} Analysis
 * @property {'linear' | 'polynomial' | 'exponential' | 'unknown' | 'failed'} complexity
 * @property {number | null} degree Null when exponential or unknown.
 * @property {{ start: number, end: number }[]} hotspots
 * @property {{ prefix: string, pump: string, suffix: string } | null} attack
 * @property {string | null} undecided
 * @property {boolean} supported Whether SafeRegExp takes it.
 * @property {string | null} reason Why it does not.
 * @property {string | null} rewritten The source of a pattern that matches the same and is linear.
 */

/**
 * A pattern as V8 writes it, or null when V8 refuses it: flags and syntax differ between versions of Node.
 *
 * @param {string} pattern
 * @param {string} flags
 * @returns {{ source: string, flags: string } | null}
 */
function sourceOf(pattern, flags) {
  try {
    const expression = new RegExp(pattern, flags);
    return { source: expression.source, flags: expression.flags };
  } catch {
    return null;
  }
}

/**
 * @param {string} source
 * @param {string} flags
 * @param {number} timeoutMs
 * @returns {Analysis}
 */
function analysePattern(source, flags, timeoutMs) {
  const found = analyzeRegExp(source, flags, { timeoutMs });
  const { complexity, hotspots, attack, supported } = found;
  return {
    complexity,
    degree: found.degree === Infinity ? null : found.degree,
    hotspots,
    attack,
    undecided: found.undecided ?? null,
    supported,
    reason: found.reason ?? null,
    rewritten: complexity === 'linear' ? null : linearForm(source, flags, timeoutMs),
  };
}

/**
 * @param {string} source
 * @param {string} flags
 * @param {number} timeoutMs
 */
function linearForm(source, flags, timeoutMs) {
  const rewritten = rewrite(source, flags);
  if (rewritten === null || sourceOf(rewritten, flags) === null) return null;
  return analyzeRegExp(rewritten, flags, { timeoutMs }).complexity === 'linear' ? rewritten : null;
}

module.exports = { analysePattern, sourceOf };
