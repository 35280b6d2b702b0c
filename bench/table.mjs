// Results as Markdown tables. Called by run.mjs (to print) and report.mjs (into the documents). A row is a case, a
// column a contestant; a cell is the median and `peer / holdfast`. Losses and failures are shown like everything else.
// A group that aggregates.mjs sums up begins with its figures.
import { aggregate } from './aggregates.mjs';
import { REFERENCE } from './harness.mjs';

/** The case files, in the order in which they are run and shown. */
export const FILES = [
  'regexp',
  'regexp-set',
  'json',
  'merge',
  'merge-json',
  'query',
  'sanitize',
  'password',
  'aead',
  'limiter',
  'express',
  'redos',
  'load',
];

/** Whose results are shown: the case files, and programs of their own that write results as a case does. */
export const SHOWN = [...FILES, 'attack'];

/** All results of one case file: one table a group, and the tables that cases bring themselves. */
export function sectionOf(file) {
  const parts = [];
  for (const [group, results] of groupsOf(file.results)) {
    const measured = results.filter((result) => !result.rows);
    parts.push(`**${group}**`);
    const sums = aggregate(group, results);
    if (sums) parts.push(aggregateTable(sums));
    if (measured.length > 0) parts.push(resultTable(measured));
    for (const result of results.filter((r) => r.rows)) parts.push(plainTable(result));
    parts.push(...notesOf(results));
  }
  return parts.join('\n\n');
}

/** One table of measured cases. */
export function resultTable(results) {
  const peers = [...new Set(results.flatMap(columnsOf))].filter((name) => name !== REFERENCE);
  const lines = [row(['', 'Holdfast', ...peers, 'spread']), row(['---', ...peers.map(() => '---:'), '---:', '---:'])];
  for (const result of results) {
    if (result.error) {
      lines.push(row([result.title, `failed: ${result.error}`, ...peers.map(() => ''), '']));
      continue;
    }
    const cells = peers.map((name) => cell(result, name));
    const spread = Math.max(...Object.values(result.contestants).map((c) => c.spreadPercent));
    lines.push(
      row([result.title, formatNs(result.contestants[REFERENCE].median), ...cells, `${Math.round(spread)} %`]),
    );
  }
  return lines.join('\n');
}

/** The figures of a group that is summed up; see aggregates.mjs. */
export function aggregateTable({ method, peers, lines }) {
  const rows = lines.map((line) => [line.label, formatCases(line), ...line.figures.map((f) => formatFigure(f, line))]);
  return table([[`${method} of peer ÷ Holdfast`, 'cases', ...peers], ...rows]);
}

/** How many cases a figure comes from. */
export function formatCases({ cases, failed }) {
  if (cases === undefined) return '';
  return failed === 0 ? `${cases}` : `${cases}, and ${failed} failed`;
}

/** A time with three digits in the unit that fits. */
export function formatNs(ns) {
  for (const [unit, size] of UNITS) {
    const value = ns / size;
    if (Number(value.toPrecision(3)) < 1000 || unit === 's') return `${threeDigits(value)} ${unit}`;
  }
}

/** `peer / holdfast`: over 1 means Holdfast is faster. */
export function formatRatio(ratio) {
  if (ratio < 0.1) return `${ratio.toPrecision(2)} ×`;
  if (ratio < 10) return `${ratio.toFixed(2)} ×`;
  return `${ratio < 100 ? ratio.toFixed(1) : Math.round(ratio).toLocaleString('en-US')} ×`;
}

function formatFigure(figure, { unit }) {
  if (figure === null) return '';
  if (unit === 'count') return `${figure}`;
  return unit === 'target' ? `≥ ${formatRatio(figure)}` : formatRatio(figure);
}

const UNITS = [
  ['ns', 1],
  ['µs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
];

function threeDigits(value) {
  const whole = Math.floor(Number(value.toPrecision(3)));
  if (whole >= 1000) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(whole >= 100 ? 0 : whole >= 10 ? 1 : 2);
}

function columnsOf(result) {
  return [...Object.keys(result.contestants ?? {}), ...Object.keys(result.missing ?? {})];
}

function cell(result, name) {
  const peer = result.contestants[name];
  if (peer) return `${formatNs(peer.median)} · ${formatRatio(result.ratios[name].median)}`;
  return result.missing?.[name] ? 'not run' : '–';
}

function plainTable({ title, columns, rows, error }) {
  if (error) return `${title}: failed: ${error}`;
  return [`${title}:`, '', table([columns, ...rows])].join('\n');
}

// The first row is the head. A column of figures is aligned to the right.
function table([columns, ...rows]) {
  const isFigure = (index) => index > 0 && rows.every((cells) => cells[index].length < 24);
  const rule = columns.map((_, index) => (isFigure(index) ? '---:' : '---'));
  return [columns, rule, ...rows].map(row).join('\n');
}

// Why a cell says "not run", and what a case wants said about itself; each remark once.
function notesOf(results) {
  const notes = new Set();
  for (const result of results) {
    for (const [name, reason] of Object.entries(result.missing ?? {})) notes.add(`Not run: ${name}: ${reason}.`);
    if (result.note) notes.add(result.note);
  }
  return [...notes];
}

function groupsOf(results) {
  const groups = new Map();
  for (const result of results) groups.set(result.group, [...(groups.get(result.group) ?? []), result]);
  return groups;
}

// A vertical bar inside a cell (regular expressions have them) must not end it.
function row(cells) {
  return `| ${cells.map((text) => String(text).replaceAll('|', '\\|')).join(' | ')} |`;
}
