// @ts-check
'use strict';

/**
 * analyzeRegExp: how V8's own matcher fares with a pattern on the worst text, and which text that is. V8 validates the
 * pattern; native code analyses it, and counts steps where it says that they grow.
 */

const { isRegExp } = require('node:util').types;
const { MAX_STRING_LENGTH } = require('node:buffer').constants;
const { outOfRange, wrongType } = require('./errors.js');
const native = require('./native.js');
const { integer, readOptions, table } = require('./options.js');
const { provide } = require('./regexp-characters.js');
const { flagsOf, sourceOf } = require('./regexp-flags.js');

/** Milliseconds. The bound of the work, which does not depend on the machine, is far below on any that is not starved. */
const TIMEOUT_MS = 1000;
const MAX_TIMEOUT_MS = 60_000;

const OPTIONS = table({ timeoutMs: integer(1, MAX_TIMEOUT_MS, TIMEOUT_MS) });

/** RegExp's own, which other code may replace. */
const Expression = RegExp;
const { fromCharCode } = String;

/**
 * @param {string | RegExp} pattern
 * @param {string} [flags]
 * @param {{ timeoutMs?: number }} [options]
 * @returns {import('..').RegExpAnalysis}
 */
function analyzeRegExp(pattern, flags, options) {
  if (typeof pattern !== 'string' && !isRegExp(pattern)) throw wrongType('pattern', 'a string or a RegExp');
  if (flags !== undefined && typeof flags !== 'string') throw wrongType('flags', 'a string');
  const { timeoutMs } = readOptions(options, OPTIONS);
  const validated = new Expression(pattern, flags);
  const [source, allFlags] = [sourceOf(validated), flagsOf(validated)];
  const refusal = providing(source, allFlags);
  if (refusal !== undefined) return resultOf({ ...UNKNOWN, undecided: refusal, refused: refusal });
  return resultOf(native.redosAnalyze(source, allFlags, timeoutMs));
}

const UNKNOWN = { complexity: 'unknown', degree: 0, hotspots: [], attack: [], steps: [] };

/**
 * @param {string} source
 * @param {string} flags
 * @returns {string | undefined} why that cannot be done
 */
function providing(source, flags) {
  try {
    provide(native, source, flags);
    return undefined;
  } catch (error) {
    const { code, message } = /** @type {any} */ (error);
    if (code !== 'ERR_REGEXP_UNSUPPORTED' && code !== 'ERR_REGEXP_TOO_LARGE') throw error;
    return message;
  }
}

/**
 * @typedef {object} Native
 * @property {string} complexity
 * @property {number} degree
 * @property {number[]} hotspots
 * @property {number[][]} attack
 * @property {number[]} steps
 * @property {string} undecided empty where there is nothing to say
 * @property {string} refused
 */

/**
 * @param {Native} found
 * @returns {any}
 */
function resultOf({ complexity, degree, hotspots, attack: units, steps, undecided, refused }) {
  const attack = units.length === 0 ? null : attackOf(units);
  return {
    complexity,
    degree: DEGREES[complexity] ?? (complexity === 'polynomial' ? degree : null),
    hotspots: pairs(hotspots, (start, end) => ({ start, end })),
    attack,
    attackString: (/** @type {number} */ repeat) => attackString(attack, repeat),
    steps: pairs(steps, (length, count) => ({ length, steps: count })).filter((each) => isCounted(each.steps)),
    ...(undecided === '' ? {} : { undecided }),
    supported: refused === '',
    ...(refused === '' ? {} : { reason: refused }),
  };
}

/** @type {Record<string, number>} */
const DEGREES = Object.assign(Object.create(null), { linear: 1, exponential: Infinity });

/**
 * Beyond it a number of steps would not be exact.
 *
 * @param {number} steps
 */
function isCounted(steps) {
  return steps <= Number.MAX_SAFE_INTEGER;
}

/** @param {number[][]} units */
function attackOf([prefix, pump, suffix]) {
  return { prefix: textOf(prefix), pump: textOf(pump), suffix: textOf(suffix) };
}

/** @param {number[]} units */
function textOf(units) {
  let text = '';
  for (const unit of units) text += fromCharCode(unit);
  return text;
}

/**
 * @param {{ prefix: string, pump: string, suffix: string } | null} attack
 * @param {number} repeat
 */
function attackString(attack, repeat) {
  if (typeof repeat !== 'number') throw wrongType('repeat', 'a number');
  if (!Number.isInteger(repeat) || repeat < 0) throw outOfRange('repeat', 'an integer from 0');
  if (attack === null) return null;
  const { prefix, pump, suffix } = attack;
  const most = Math.floor((MAX_STRING_LENGTH - prefix.length - suffix.length) / pump.length);
  if (repeat > most) throw outOfRange('repeat', `at most ${most}: no string is longer`);
  return prefix + pump.repeat(repeat) + suffix;
}

/**
 * @template T
 * @param {number[]} flat
 * @param {(first: number, second: number) => T} make
 */
function pairs(flat, make) {
  const result = [];
  for (let place = 0; place < flat.length; place += 2) result.push(make(flat[place], flat[place + 1]));
  return result;
}

module.exports = { analyzeRegExp };
