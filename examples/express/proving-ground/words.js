// @ts-check
'use strict';

// Figures in words, for sentences and tables: two or three digits that mean something, and a unit, which a no-break
// space keeps on the same line.

/** @param {number} ms */
function duration(ms) {
  if (ms < 10) return `${ms.toFixed(1)}\u00a0ms`;
  if (ms < 1000) return `${Math.round(ms)}\u00a0ms`;
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)}\u00a0s`;
}

/** @param {number} count bytes */
function megabytes(count) {
  const value = count / 1e6;
  return `${Math.abs(value) < 10 ? value.toFixed(1) : Math.round(value)}\u00a0MB`;
}

/**
 * @param {number} number
 * @param {string} [one]
 * @param {string} [many]
 */
function count(number, one, many = `${one}s`) {
  const digits = number.toLocaleString('en-US');
  return one === undefined ? digits : `${digits} ${number === 1 ? one : many}`;
}

/**
 * Rounded down, so that 100 % are all.
 * @param {number} part of 1
 */
function percent(part) {
  return `${Math.floor(part * 100)}\u00a0%`;
}

module.exports = { count, duration, megabytes, percent };
