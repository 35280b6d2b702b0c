// @ts-check
'use strict';

/**
 * What analyzeRegExp says of a pattern, kept for the next time: an editor and `--watch` read the same file again and
 * again. Bounded by number and by length; what was asked longest ago goes first.
 */

const { analyzeRegExp } = require('../redos.js');

const MAX_KEPT = 2000;
const MAX_CHARACTERS = 1 << 22;

/** @typedef {import('../..').RegExpAnalysis} Analysis */

/** @type {Map<string, Analysis>} */
const kept = new Map();
let characters = 0;

/** What is said of a pattern that this Node refuses: there is newer syntax than it, and there are mistakes. */
const REFUSED = /** @type {Analysis} */ ({
  complexity: 'unknown',
  degree: null,
  hotspots: [],
  attack: null,
  attackString: () => null,
  steps: [],
  supported: false,
  reason: 'the RegExp of this Node refuses it',
  undecided: 'the RegExp of this Node refuses it',
});

/**
 * @param {string} source
 * @param {string} flags
 * @param {number | undefined} timeoutMs
 * @returns {Analysis}
 */
function findingOf(source, flags, timeoutMs) {
  const key = `${timeoutMs ?? ''}/${flags}/${source}`;
  const known = kept.get(key);
  if (known !== undefined) {
    kept.delete(key);
    kept.set(key, known);
    return known;
  }
  const finding = analyze(source, flags, timeoutMs);
  kept.set(key, finding);
  characters += key.length;
  for (const oldest of kept.keys()) {
    if (kept.size <= MAX_KEPT && characters <= MAX_CHARACTERS) break;
    kept.delete(oldest);
    characters -= oldest.length;
  }
  return finding;
}

/** @param {string} source @param {string} flags @param {number | undefined} timeoutMs */
function analyze(source, flags, timeoutMs) {
  try {
    return analyzeRegExp(source, flags, timeoutMs === undefined ? {} : { timeoutMs });
  } catch (error) {
    if (error instanceof SyntaxError) return REFUSED;
    throw error;
  }
}

module.exports = { findingOf, MAX_KEPT };
