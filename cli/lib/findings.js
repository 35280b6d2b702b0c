// @ts-check
'use strict';

/**
 * What was found, put together from the answers of the workers in whatever order they came: one finding a pattern, with
 * every place it is at, sorted by path, line and column.
 */

/**
 * @typedef {import('./analyse.js').Analysis} Analysis
 * @typedef {import('./packages.js').Package} Package
 * @typedef {import('./worker.js').FileResult} FileResult
 *
 * @typedef {object} Location
 * @property {string} file As it is shown: relative to the present folder, with `/`.
 * @property {number} line
 * @property {number} column
 * @property {number} endLine
 * @property {number} endColumn
 * @property {Package | null} package
 *
 * @typedef {{ source: string, flags: string, analysis: Analysis, locations: Location[],
 *   suppressed: (Location & { reason: string })[] }} Finding
 * @typedef {Location & { message: string }} BadSuppression
 * @typedef {{ file: string, kind: string, message: string, line: number | null, column: number | null }} Note
 *
 * @typedef {object} Report
 * @property {Finding[]} findings With at least one place that is not suppressed.
 * @property {Finding[]} suppressed Whose places are all suppressed.
 * @property {BadSuppression[]} bad
 * @property {Note[]} notes
 * @property {Summary} summary
 *
 * @typedef {object} Summary
 * @property {number} files Scanned.
 * @property {number} regexps Places of regular expressions.
 * @property {number} patterns Distinct ones, by source and flags.
 * @property {number} dynamic Calls of RegExp that are not constant.
 * @property {number} refused Patterns that this version of Node does not take.
 * @property {number} exponential Findings of that complexity.
 * @property {number} polynomial
 * @property {number} unknown Undecided patterns, listed or not.
 * @property {number} places Of the findings that are listed.
 * @property {number} suppressed Places that a comment suppresses.
 */

class Findings {
  #options;
  /** @type {Map<string, Finding>} */
  #byPattern = new Map();
  /** @type {Set<string>} */
  #patterns = new Set();
  /** @type {BadSuppression[]} */
  #bad = [];
  /** @type {Note[]} */
  #notes = [];
  #files = 0;
  #regexps = 0;
  #dynamic = 0;
  #refused = 0;

  /** @param {{ unknown: boolean, minComplexity: 'polynomial' | 'exponential' }} options */
  constructor(options) {
    this.#options = options;
  }

  /**
   * @param {string} file
   * @param {string} message
   * @param {string} kind
   * @param {{ line?: number, column?: number }} [place]
   */
  note(file, message, kind, { line, column } = {}) {
    this.#notes.push({ file, kind, message, line: line ?? null, column: column ?? null });
  }

  /**
   * @param {string} file As it is shown.
   * @param {Package | null} from
   * @param {FileResult} result
   * @param {Analysis[]} analyses One for each place.
   */
  add(file, from, result, analyses) {
    if (result.note !== null) this.note(file, result.note.message, result.note.kind, result.note);
    if (result.scanned) this.#files += 1;
    this.#regexps += result.places.length;
    this.#dynamic += result.dynamic;
    this.#refused += result.refused;
    // A package does not get to say that it is safe.
    const reasons = new Map(from === null ? result.suppressions.map(({ line, reason }) => [line, reason]) : []);
    if (from === null) {
      for (const { message, ...place } of result.bad) this.#bad.push({ file, ...place, package: from, message });
    }
    for (const [index, place] of result.places.entries()) {
      const { source, flags, ...where } = place;
      const key = `${flags}/${source}`;
      this.#patterns.add(key);
      const analysis = analyses[index];
      if (analysis.complexity === 'linear') continue;
      let finding = this.#byPattern.get(key);
      if (finding === undefined) {
        finding = { source, flags, analysis, locations: [], suppressed: [] };
        this.#byPattern.set(key, finding);
      }
      const location = { file, ...where, package: from };
      const reason = reasons.get(where.line);
      if (reason === undefined) finding.locations.push(location);
      else finding.suppressed.push({ ...location, reason });
    }
  }

  /** @returns {Report} */
  report() {
    const all = [...this.#byPattern.values()];
    for (const { locations, suppressed } of all) {
      locations.sort(byPlace);
      suppressed.sort(byPlace);
    }
    const listed = all.filter(({ analysis }) => this.#lists(analysis.complexity));
    const findings = listed.filter(({ locations }) => locations.length > 0).sort(byFirst);
    const suppressed = listed.filter(({ locations }) => locations.length === 0).sort(byFirst);
    const count = (/** @type {string} */ complexity) =>
      findings.filter(({ analysis }) => analysis.complexity === complexity).length;
    return {
      findings,
      suppressed,
      bad: this.#bad.sort(byPlace),
      notes: this.#notes.sort(byFile),
      summary: {
        files: this.#files,
        regexps: this.#regexps,
        patterns: this.#patterns.size,
        dynamic: this.#dynamic,
        refused: this.#refused,
        exponential: count('exponential'),
        polynomial: count('polynomial'),
        unknown: all.filter(({ analysis }) => isUnknown(analysis.complexity)).length,
        places: findings.reduce((sum, { locations }) => sum + locations.length, 0),
        suppressed: listed.reduce((sum, { suppressed: places }) => sum + places.length, 0),
      },
    };
  }

  /** @param {Analysis['complexity']} complexity */
  #lists(complexity) {
    if (isUnknown(complexity)) return this.#options.unknown;
    return complexity === 'exponential' || this.#options.minComplexity === 'polynomial';
  }
}

/** @param {Analysis['complexity']} complexity */
function isUnknown(complexity) {
  return complexity === 'unknown' || complexity === 'failed';
}

/**
 * @param {{ file: string, line: number, column: number }} a
 * @param {{ file: string, line: number, column: number }} b
 */
function byPlace(a, b) {
  return compare(a.file, b.file) || a.line - b.line || a.column - b.column;
}

/**
 * @param {Finding} a
 * @param {Finding} b
 */
function byFirst(a, b) {
  return byPlace(a.locations[0] ?? a.suppressed[0], b.locations[0] ?? b.suppressed[0])
    || compare(a.source, b.source) || compare(a.flags, b.flags);
}

/**
 * @param {Note} a
 * @param {Note} b
 */
function byFile(a, b) {
  return compare(a.file, b.file) || compare(a.message, b.message);
}

/**
 * @param {string} a
 * @param {string} b
 */
function compare(a, b) {
  return a < b ? -1 : Number(a > b);
}

module.exports = { Findings };
