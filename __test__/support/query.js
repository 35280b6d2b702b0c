'use strict';

/** What the tests of parseQuery share: results and refusals to compare, and every way to write a text. */

const assert = require('node:assert/strict');
const { HoldfastError } = require('../..');

/** The same with ordinary prototypes, to compare; that there is none in a result is checked on the way. */
function ordinary(result) {
  if (typeof result === 'string') return result;
  if (Array.isArray(result)) return result.map(ordinary);
  assert.equal(Object.getPrototypeOf(result), null);
  return Object.fromEntries(Object.keys(result).map((key) => [key, ordinary(result[key])]));
}

function attempt(run) {
  try {
    return { result: ordinary(run()) };
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return { code: error.code };
  }
}

/** Of every character its bytes, some of them escaped in either case, or itself. */
function encode(text, random) {
  return Array.from(text, (character) => {
    const must = '%+&='.includes(character);
    if (character === ' ' && random.below(2) === 0) return '+';
    if (!must && random.below(2) === 0) return character;
    return Array.from(Buffer.from(character), (byte) => {
      const hex = byte.toString(16).padStart(2, '0');
      return `%${random.below(2) === 0 ? hex : hex.toUpperCase()}`;
    }).join('');
  }).join('');
}

module.exports = { attempt, encode, ordinary };
