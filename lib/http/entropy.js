// @ts-check
'use strict';

/**
 * An estimate of how many bits of entropy a secret has, on the low side. What was made at random has the bits of its
 * encoding; what shows that it was not has those of its description; an example has none. docs/server.md says what it
 * can tell, and what nobody can: whether somebody else has the secret, too.
 */

const { isExample } = require('./example-secrets.js');
const { letterOf, surprises } = require('./predictability.js');

/** More is not looked at: the time it takes is bounded, and so many characters are enough, or never will be. */
const MOST_CHARACTERS = 256;

/**
 * By how many bits a text has to be easier to tell than a random one before it is taken for one that is not. Fewer
 * than one random text in 2^10 can be, and of half a million keys of 16 and 32 bytes none was: weighing the
 * predictors costs some bits, too.
 */
const DOUBT = 10;

/** Words, whatever the language: hardly any generator of keys makes these. */
const WORDS_ALONE = /^[a-z \-_.,]*$/;

/** A letter of a word, as a word is taken from a list of some thousands, and what is between words. */
const LETTER_OF_WORD = 2;
const BETWEEN_WORDS = /[ \-_.,]/;

/** Bits of a character, by what the alphabet is. */
const HEX = 4;
const BASE64 = 6;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** What is random in a UUID, by its version (RFC 9562): of others the time, or a name, which somebody knows. */
const UUID_BITS = Object.freeze(Object.assign(Object.create(null), { 1: 14, 4: 122, 6: 14, 7: 74 }));

/**
 * @param {string} secret
 * @returns {number} An integer.
 */
function estimateBits(secret) {
  const text = secret.slice(0, MOST_CHARACTERS);
  if (isExample(text)) return 0;
  const decoded = asText(text);
  if (decoded !== undefined && isExample(decoded)) return 0;
  const bits = bitsOf(text);
  return Math.floor(decoded === undefined ? bits : Math.min(bits, bitsOf(decoded)));
}

/** @param {string} text */
function bitsOf(text) {
  const most = encodedBits(text);
  const each = surprises(text);
  const told = sum(each);
  if (told >= most - DOUBT && !WORDS_ALONE.test(text)) return most;
  // Then its letters are most likely those of words, of which the predictors know too little.
  const words = sum(each.map((bits, at) => (isInWord(text, at) ? Math.min(bits, LETTER_OF_WORD) : bits)));
  return Math.min(words, most);
}

/**
 * The bits that a random text of this form has.
 *
 * @param {string} text
 */
function encodedBits(text) {
  const version = UUID.exec(text)?.[1];
  if (version !== undefined) return UUID_BITS[version] ?? 0;
  const plain = text.replace(/[-:]/g, '');
  if (/^(?:[0-9a-f]+|[0-9A-F]+)$/.test(plain)) return /[a-f]/i.test(plain) ? plain.length * HEX : digitBits(plain);
  const unpadded = text.replace(/=+$/, '');
  if (/^[\w+/-]+$/.test(unpadded) && [/[a-z]/, /[A-Z]/].every((kind) => kind.test(text))) {
    return Math.floor((unpadded.length * BASE64) / 8) * 8;
  }
  return text.length * Math.log2(alphabetOf(text));
}

/** @param {string} digits */
function digitBits(digits) {
  return digits.length * Math.log2(10);
}

/** @param {string} text */
function alphabetOf(text) {
  let size = 0;
  if (/[a-z]/.test(text)) size += 26;
  if (/[A-Z]/.test(text)) size += 26;
  if (/[0-9]/.test(text)) size += 10;
  if (/[^a-zA-Z0-9]/.test(text)) size += 33;
  return Math.max(size, 2);
}

/**
 * Whether it is one of two letters or more in a row (digits that look like letters included), or between such.
 *
 * @param {string} text
 * @param {number} at
 */
function isInWord(text, at) {
  const isLetter = (/** @type {number} */ place) => text[place] !== undefined && letterOf(text[place]) !== undefined;
  const hasNeighbour = isLetter(at - 1) || isLetter(at + 1);
  return hasNeighbour && (isLetter(at) || BETWEEN_WORDS.test(text[at]));
}

/**
 * What a text in base64 or hexadecimal says if that is text again: of 16 random bytes one in ten million is.
 *
 * @param {string} text
 * @returns {string | undefined}
 */
function asText(text) {
  const isHex = /^(?:[0-9a-f]{2}){8,}$/i.test(text);
  if (!isHex && !/^[\w+/-]{16,}=*$/.test(text)) return undefined;
  const decoded = Buffer.from(text, isHex ? 'hex' : 'base64').toString('latin1');
  return /^[\x20-\x7e]+$/.test(decoded.replace(/[\r\n]+$/, '')) ? decoded : undefined;
}

/** @param {number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

module.exports = { estimateBits };
