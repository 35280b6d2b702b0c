// @ts-check
'use strict';

/** An attack as a programmer would write it: `'x='.repeat(n) + '!'`. Short, ASCII, and it runs as it stands. */

/** A run of one character from this length on is written as what it is. */
const RUN = 9;

/** Code that is longer than this says nothing in a line of a terminal. */
const MAX_LENGTH = 200;

/**
 * @param {{ prefix: string, pump: string, suffix: string }} attack
 * @returns {string | undefined} nothing when it is too long to be read
 */
function attackCode({ prefix, pump, suffix }) {
  const pumped = `${quote(pump)}.repeat(n)`;
  const code = [text(prefix), pumped, text(suffix)].filter((part) => part !== '').join(' + ');
  return code.length > MAX_LENGTH ? undefined : code;
}

/** @param {string} value */
function text(value) {
  if (value === '') return '';
  const isRun = value.length >= RUN && value === value[0].repeat(value.length);
  return isRun ? `${quote(value[0])}.repeat(${value.length})` : quote(value);
}

/** @param {string} value */
function quote(value) {
  return `'${value.replace(/[^ -~]|['\\]/g, escape)}'`;
}

/** @type {Record<string, string>} */
const ESCAPES = Object.assign(Object.create(null), {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  "'": "\\'",
  '\\': '\\\\',
});

/** @param {string} unit one UTF-16 code unit */
function escape(unit) {
  const code = unit.charCodeAt(0).toString(16);
  return ESCAPES[unit] ?? (code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code.padStart(4, '0')}`);
}

module.exports = { attackCode };
