// @ts-check
'use strict';

/** The findings for people: one block a pattern, with the place where it blows up underlined. */

const { attackCode, escapeUnit, isPlain, printable } = require('./escape.js');

/** Columns. What is longer is cut around the hotspot. */
const PATTERN_WIDTH = 100;
const ATTACK_WIDTH = 300;
const MORE_PLACES = 5;

const COLORS = { exponential: '31', polynomial: '33', unknown: '36', failed: '36', mark: '31', dim: '2', bold: '1' };

/**
 * @typedef {import('./findings.js').Report} Report
 * @typedef {import('./findings.js').Finding} Finding
 * @typedef {import('./findings.js').Location} Location
 * @typedef {(color: keyof typeof COLORS, text: string) => string} Paint
 */

/**
 * @param {Report} report
 * @param {{ color: boolean, quiet: boolean, unknown: boolean }} options
 */
function textReport(report, { color, quiet, unknown }) {
  /** @type {Paint} */
  const paint = (name, text) => (color ? `\x1b[${COLORS[name]}m${text}\x1b[0m` : text);
  const blocks = report.findings.map((finding) => block(finding, paint));
  for (const { message, ...location } of report.bad) {
    blocks.push(`${paint('bold', placeOf(location))}  ${paint('polynomial', message)}`);
  }
  if (!quiet && report.notes.length > 0) blocks.push(report.notes.map((note) => noteLine(note, paint)).join('\n'));
  if (!quiet) blocks.push(summaryOf(report, unknown));
  return blocks.length === 0 ? '' : `${blocks.join('\n\n')}\n`;
}

/**
 * @param {Finding} finding
 * @param {Paint} paint
 */
function block(finding, paint) {
  const { analysis, locations } = finding;
  const [first, ...more] = locations;
  const { complexity, degree } = analysis;
  const kind = complexity === 'polynomial' ? `polynomial, degree ${degree}` : complexity;
  const from = first.package === null ? '' : `  ${paint('dim', packageOf(first.package))}`;
  const { pattern, marks } = excerpt(finding.source, finding.flags, analysis.hotspots);
  const painted = paint(complexity === 'linear' ? 'dim' : complexity, kind);
  const lines = [`${paint('bold', placeOf(first))}  ${painted}${from}`];
  lines.push(`  ${pattern}`);
  if (marks !== '') lines.push(`  ${paint('mark', marks)}`);
  if (analysis.undecided !== null) lines.push(`  why     ${printable(analysis.undecided)}`);
  if (analysis.attack !== null) {
    const code = attackCode(analysis.attack, degree);
    lines.push(`  attack  ${code.length > ATTACK_WIDTH ? 'too long to be shown here; --json has it' : code}`);
  }
  if (complexity === 'polynomial' || complexity === 'exponential') {
    for (const fix of fixes(finding)) lines.push(`  fix     ${fix}`);
  }
  for (const place of more.slice(0, MORE_PLACES)) {
    lines.push(`  also    ${placeOf(place)}${place.package === null ? '' : `  ${packageOf(place.package)}`}`);
  }
  if (more.length > MORE_PLACES) lines.push(`  also    at ${more.length - MORE_PLACES} more places; --json has them`);
  return lines.join('\n');
}

/**
 * @param {Finding} finding
 * @returns {string[]}
 */
function fixes({ source, flags, analysis, locations }) {
  const all = [];
  const inPackages = locations.filter(({ package: from }) => from !== null).length;
  if (inPackages === locations.length) {
    return ['update or replace the package, or limit the length of what reaches it'];
  }
  if (analysis.rewritten !== null) {
    const { pattern } = excerpt(analysis.rewritten, flags, []);
    all.push(`${pattern} matches exactly the same, in linear time`);
  }
  if (analysis.supported) {
    const { pattern } = excerpt(source, flags, []);
    const call = pattern.length > 60 ? 'SafeRegExp' : `new SafeRegExp(${pattern})`;
    all.push(`${call} from 'holdfast' runs it in linear time`);
  } else {
    const because = printable(analysis.reason ?? '');
    all.push(`limit the length of the input: SafeRegExp refuses the pattern, because ${because}`);
  }
  return all;
}

/**
 * The pattern as a literal, cut around the first hotspot, and the line that underlines the hotspots.
 *
 * @param {string} source
 * @param {string} flags
 * @param {{ start: number, end: number }[]} hotspots
 */
function excerpt(source, flags, hotspots) {
  const [from, to] = windowOf(source.length, hotspots[0]);
  let pattern = from > 0 ? '…' : '/';
  let marks = ' ';
  for (let place = from; place < to; place += 1) {
    const unit = source.charCodeAt(place);
    const shown = isPlain(unit) ? source[place] : escapeUnit(unit);
    const isHot = hotspots.some(({ start, end }) => place >= start && place < end);
    pattern += shown;
    marks += (isHot ? '^' : ' ').repeat(shown.length);
  }
  pattern += to < source.length ? '…' : `/${flags}`;
  return { pattern, marks: marks.trimEnd() };
}

/**
 * @param {number} length
 * @param {{ start: number, end: number } | undefined} hotspot
 * @returns {[number, number]}
 */
function windowOf(length, hotspot) {
  if (length <= PATTERN_WIDTH) return [0, length];
  if (hotspot === undefined) return [0, PATTERN_WIDTH];
  const spare = Math.max(PATTERN_WIDTH - (hotspot.end - hotspot.start), 0);
  const from = Math.max(0, Math.min(hotspot.start - (spare >> 1), length - PATTERN_WIDTH));
  return [from, Math.min(length, from + PATTERN_WIDTH)];
}

/** @param {{ file: string, line: number, column: number }} location */
function placeOf({ file, line, column }) {
  return `${printable(file)}:${line}:${column}`;
}

/** @param {import('./packages.js').Package} from */
function packageOf({ name, version }) {
  return printable(version === null ? name : `${name}@${version}`);
}

/**
 * @param {import('./findings.js').Note} note
 * @param {Paint} paint
 */
function noteLine({ file, line, column, message }, paint) {
  const place = line === null ? printable(file) : `${printable(file)}:${line}:${column}`;
  return paint('dim', `note: ${place}: ${printable(message)}`);
}

/**
 * @param {Report} report
 * @param {boolean} unknownListed
 */
function summaryOf({ findings, bad, summary }, unknownListed) {
  const { exponential, polynomial, unknown } = summary;
  if (summary.files === 0) return 'Nothing was scanned.';
  const parts = [
    findings.length === 0
      ? 'No vulnerable patterns'
      : `${count(findings.length, 'pattern')} in ${count(summary.places, 'place')}: `
        + `${exponential} exponential, ${polynomial} polynomial${unknownListed ? `, ${unknown} unknown` : ''}`,
  ];
  if (bad.length > 0) parts.push(count(bad.length, 'suppression without effect', 'suppressions without effect'));
  if (summary.suppressed > 0) parts.push(`${summary.suppressed} suppressed`);
  if (unknown > 0 && !unknownListed) parts.push(`${unknown} undecided (--unknown lists them)`);
  const scanned = [
    count(summary.files, 'file'), count(summary.regexps, 'regular expression'), `${summary.patterns} distinct`,
  ];
  if (summary.dynamic > 0) scanned.push(`${summary.dynamic} more made at run time, not analysed`);
  if (summary.refused > 0) scanned.push(`${summary.refused} that this Node refuses`);
  return `${parts.join('; ')}.\nScanned ${scanned.join(', ')}.`;
}

/**
 * @param {number} number
 * @param {string} one
 * @param {string} [many]
 */
function count(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

module.exports = { textReport };
