// @ts-check
'use strict';

/**
 * Text from scanned files, made fit to be printed: it must not move the cursor, change colours, hide or reorder what is
 * around it. Code is in ASCII altogether, so that it can be copied from anywhere.
 */

/** @type {Map<number, string>} */
const NAMED = new Map([[9, '\\t'], [10, '\\n'], [11, '\\v'], [12, '\\f'], [13, '\\r']]);

/**
 * A unit that is not printable ASCII, as it is written in a string and in a regular expression alike.
 *
 * @param {number} unit
 */
function escapeUnit(unit) {
  const named = NAMED.get(unit);
  if (named !== undefined) return named;
  if (unit < 256) return `\\x${unit.toString(16).padStart(2, '0')}`;
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}

/** @param {number} unit */
function isPlain(unit) {
  return unit >= 0x20 && unit <= 0x7e;
}

/**
 * For one line of a terminal. Letters of all scripts stay.
 *
 * @param {string} text
 */
function printable(text) {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (found) => {
    let escaped = '';
    for (let place = 0; place < found.length; place += 1) escaped += escapeUnit(found.charCodeAt(place));
    return escaped;
  });
}

/**
 * A string literal that evaluates to the text.
 *
 * @param {string} text
 */
function stringLiteral(text) {
  let code = '';
  for (let place = 0; place < text.length; place += 1) {
    const unit = text.charCodeAt(place);
    if (unit === 0x27 || unit === 0x5c) code += `\\${text[place]}`;
    else code += isPlain(unit) ? text[place] : escapeUnit(unit);
  }
  return `'${code}'`;
}

/** How often the pump is repeated: enough to be felt, by the degree; the least for what is worse than that. */
const REPEATS = [0, 0, 50_000, 3000, 500, 200];
const EXPONENTIAL_REPEATS = 50;

/**
 * An attack as JavaScript that evaluates to the text.
 *
 * @param {{ prefix: string, pump: string, suffix: string }} attack
 * @param {number | null} degree Null when exponential.
 */
function attackCode({ prefix, pump, suffix }, degree) {
  const repeat = degree === null ? EXPONENTIAL_REPEATS : (REPEATS[degree] ?? REPEATS[REPEATS.length - 1]);
  const count = String(repeat).replace(/\B(?=(\d{3})$)/, '_');
  const parts = [prefix === '' ? '' : stringLiteral(prefix), `${stringLiteral(pump)}.repeat(${count})`];
  if (suffix !== '') parts.push(stringLiteral(suffix));
  return parts.filter((part) => part !== '').join(' + ');
}

module.exports = { attackCode, escapeUnit, isPlain, printable, stringLiteral };
