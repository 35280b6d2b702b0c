// @ts-check
'use strict';

/** RegExp.escape of ECMA-262, §22.2.5.1, which V8 has from version 13.6 on: a text as a pattern that matches it. */

const { wrongType } = require('./errors.js');

/** @type {Record<string, string>} */
const CONTROL = Object.assign(Object.create(null), { '\t': '\\t', '\n': '\\n', '\v': '\\v', '\f': '\\f', '\r': '\\r' });
const SYNTAX = '^$\\.*+?()[]{}|/';
const PUNCTUATORS = ',-=<>#&!%:;@~\'`"';

/** @param {string} text */
function escape(text) {
  if (typeof text !== 'string') throw wrongType('text', 'a string');
  let pattern = '';
  for (const character of text) {
    if (pattern === '' && isAlphanumeric(character)) {
      pattern = hexadecimal(character.charCodeAt(0)); // after \0, \1 or \c it would be read with these
    } else if (SYNTAX.includes(character)) {
      pattern += `\\${character}`;
    } else {
      pattern += CONTROL[character] ?? (isSpecial(character) ? hexadecimal(character.charCodeAt(0)) : character);
    }
  }
  return pattern;
}

/** @param {string} character */
function isAlphanumeric(character) {
  return (
    (character >= '0' && character <= '9') ||
    (character >= 'a' && character <= 'z') ||
    (character >= 'A' && character <= 'Z')
  );
}

/**
 * Punctuators that may come to mean something, white space, line terminators, lone surrogates.
 *
 * @param {string} character
 */
function isSpecial(character) {
  return PUNCTUATORS.includes(character) || character.trim() === '' || !character.isWellFormed();
}

/** @param {number} unit */
function hexadecimal(unit) {
  const digits = unit.toString(16);
  return unit <= 0xff ? `\\x${digits.padStart(2, '0')}` : `\\u${digits.padStart(4, '0')}`;
}

module.exports = { escape };
