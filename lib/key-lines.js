// @ts-check
'use strict';

/**
 * The text of a key file: a key a line, `id base64 created`, the first of which is primary. key-file.js reads and
 * writes it. Everything here works on bytes: a string of a key could not be wiped. What is no whole key is refused,
 * by the number of its line and never by what stands there.
 */

const { createError } = require('./errors.js');

const MOST_KEYS = 1000;

const KEY_BYTES = 32;
/** The length of 32 bytes in base64: 43 characters and the padding. */
const KEY_TEXT = 44;
const ID = /^[A-Za-z0-9_-]{1,32}$/;
const MOST_ID = 32;
const CREATED = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/;
const MOST_CREATED = '2026-11-22T10:00:00.000Z'.length;

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const [TAB, LF, CR, SPACE, HASH, EQUALS] = Buffer.from('\t\n\r #=', 'latin1');

/**
 * Where lines come from, and what that changes.
 *
 * @typedef {{ source: string, unit: string, ends: Uint8Array, leastFields: number, expected: string }} Form
 */

/** @type {Form} */
const FILE = {
  source: 'the key file',
  unit: 'line',
  ends: Buffer.from('\n'),
  leastFields: 3,
  expected: 'id base64 created, with blanks between them, as createKeyring writes it',
};

/** Variables are often set where no line can end, and what sets them seldom writes down when. @type {Form} */
const VARIABLE = {
  source: 'the environment variable',
  unit: 'entry',
  ends: Buffer.from('\n,;'),
  leastFields: 2,
  expected: 'id base64, or id base64 created, with blanks between them',
};

/** @typedef {{ id: string, key: Uint8Array }} NamedKey */

/**
 * The keys, in their order. They are the caller's to wipe; when this throws, they have been.
 *
 * @param {Buffer} text
 * @param {Form} form
 * @returns {NamedKey[]}
 */
function readKeyLines(text, form) {
  refuseUtf16(text, form);
  /** @type {NamedKey[]} */
  const keys = [];
  /** @type {Map<string, number>} */
  const lines = new Map();
  try {
    let number = 0;
    for (let start = textStart(text); start < text.length;) {
      const end = lineEnd(text, start, form.ends);
      number += 1;
      const fields = fieldsOf(text, start, end);
      start = end + 1;
      if (fields.length === 0 || text[fields[0].start] === HASH) continue;
      if (keys.length === MOST_KEYS) {
        throw failed(form, `has more than ${MOST_KEYS} keys: remove those that nothing is sealed under any more`);
      }
      const named = readFields(text, fields, number, form);
      keys.push(named);
      const first = lines.get(named.id);
      if (first !== undefined) throw malformed(form, number, `repeats the id of ${form.unit} ${first}`);
      lines.set(named.id, number);
    }
    if (keys.length === 0) throw failed(form, `has no key: expected ${form.expected}; createKeyring makes a file`);
    return keys;
  } catch (error) {
    wipe(keys);
    throw error;
  }
}

/**
 * A line for a file, with its end.
 *
 * @param {NamedKey} named
 * @param {Date} created
 */
function keyLine({ id, key }, created) {
  const line = Buffer.alloc(id.length + 1 + KEY_TEXT + ' 2026-11-22T10:00:00Z\n'.length);
  line.write(`${id} `, 0, 'latin1');
  encodeKey(key, line, id.length + 1);
  line.write(` ${created.toISOString().slice(0, 19)}Z\n`, id.length + 1 + KEY_TEXT, 'latin1');
  return line;
}

/**
 * Where the text begins: behind a byte order mark, which some editors write.
 *
 * @param {Buffer} text
 */
function textStart(text) {
  return BYTE_ORDER_MARK.every((byte, at) => text[at] === byte) ? BYTE_ORDER_MARK.length : 0;
}

/** @param {NamedKey[]} keys */
function wipe(keys) {
  for (const { key } of keys) key.fill(0);
}

/** @param {string} message */
function keyFileError(message) {
  return createError('ERR_KEY_FILE', message);
}

/** @param {string} id */
function isKeyId(id) {
  return ID.test(id);
}

/** @typedef {{ start: number, end: number }} Field */

/**
 * @param {Buffer} text
 * @param {Field[]} fields
 * @param {number} number
 * @param {Form} form
 * @returns {NamedKey}
 */
function readFields(text, fields, number, form) {
  const refuse = (/** @type {string} */ what) => malformed(form, number, what);
  if (fields.length < form.leastFields) throw refuse('has too few fields');
  if (fields.length > 3) throw refuse('has too many fields');
  const [id, key, created] = fields;
  const name = shortText(text, id, MOST_ID);
  if (!isKeyId(name)) throw refuse('has an id that is not 1 to 32 ASCII letters, digits, - and _');
  if (created !== undefined && !isTime(shortText(text, created, MOST_CREATED))) {
    throw refuse('has a time of creation that is not one in UTC, such as 2026-11-22T10:00:00Z');
  }
  const bytes = decodeKey(text, key);
  if (bytes === undefined) throw refuse('has a key that is not 32 bytes in base64, 44 characters with the padding');
  return { id: name, key: bytes };
}

/**
 * The field as a string, empty when it is too long. A whole key is longer than any id: where fields have changed
 * places, no string of it comes to be.
 *
 * @param {Buffer} text
 * @param {Field} field
 * @param {number} most
 */
function shortText(text, { start, end }, most) {
  return end - start > most ? '' : text.toString('latin1', start, end);
}

/**
 * Days and hours that there are: Date moves the 30th of February into March.
 *
 * @param {string} text
 */
function isTime(text) {
  if (!CREATED.test(text)) return false;
  const time = new Date(text);
  return !Number.isNaN(time.getTime()) && time.toISOString().slice(0, 19) === text.slice(0, 19);
}

/**
 * @param {Buffer} text
 * @param {number} start
 * @param {Uint8Array} ends
 */
function lineEnd(text, start, ends) {
  let end = start;
  while (end < text.length && !ends.includes(text[end])) end++;
  return end;
}

/**
 * What stands between blanks. A carriage return is one only where CRLF ends the line, or would have.
 *
 * @param {Buffer} text
 * @param {number} start
 * @param {number} end
 */
function fieldsOf(text, start, end) {
  const last = end > start && text[end - 1] === CR && (end === text.length || text[end] === LF) ? end - 1 : end;
  const isBlank = (/** @type {number} */ at) => text[at] === SPACE || text[at] === TAB;
  /** @type {Field[]} */
  const fields = [];
  for (let at = start; at < last;) {
    const from = at;
    while (at < last && !isBlank(at)) at++;
    if (at > from) fields.push({ start: from, end: at });
    else at++;
  }
  return fields;
}

const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 'latin1');

/**
 * RFC 4648, section 4, and only the spelling that an encoder makes: Node's own decoder skips what is no base64, takes
 * the other alphabet too, and stops where the text has been cut off.
 *
 * @param {Buffer} text
 * @param {Field} field
 * @returns {Uint8Array | undefined}
 */
function decodeKey(text, { start, end }) {
  if (end - start !== KEY_TEXT || text[end - 1] !== EQUALS) return undefined;
  const key = new Uint8Array(KEY_BYTES);
  let [bits, have, length] = [0, 0, 0];
  for (let at = start; at < end - 1; at++) {
    const value = ALPHABET.indexOf(text[at]);
    if (value === -1) break;
    bits = ((bits << 6) | value) & 0xffff;
    have += 6;
    if (have < 8) continue;
    have -= 8;
    key[length++] = bits >> have;
  }
  // Of the last character two bits are left over, which an encoder sets to 0.
  if (length === KEY_BYTES && (bits & 3) === 0) return key;
  key.fill(0);
  return undefined;
}

/**
 * @param {Uint8Array} key
 * @param {Buffer} into
 * @param {number} start
 */
function encodeKey(key, into, start) {
  for (let at = 0; at < KEY_TEXT - 1; at++) {
    const bit = at * 6;
    const pair = (key[bit >> 3] << 8) | (key[(bit >> 3) + 1] ?? 0);
    into[start + at] = ALPHABET[(pair >> (10 - (bit & 7))) & 63];
  }
  into[start + KEY_TEXT - 1] = EQUALS;
}

/**
 * What some shells write when output goes into a file.
 *
 * @param {Buffer} text
 * @param {Form} form
 */
function refuseUtf16(text, form) {
  const [first, second] = text;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw failed(form, 'is UTF-16 text: save it as UTF-8');
  }
}

/**
 * @param {Form} form
 * @param {number} number
 * @param {string} what
 */
function malformed({ source, unit, expected }, number, what) {
  return keyFileError(`${unit} ${number} of ${source} ${what}: expected ${expected}`);
}

/**
 * @param {Form} form
 * @param {string} what
 */
function failed({ source }, what) {
  return keyFileError(`${source} ${what}`);
}

module.exports = { FILE, MOST_KEYS, VARIABLE, isKeyId, keyFileError, keyLine, readKeyLines, textStart, wipe };
