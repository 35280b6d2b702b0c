// @ts-check
'use strict';

/**
 * `Content-Type` (RFC 9110 section 8.3): whether a body is JSON, a form or something else, and whether it is UTF-8.
 * Read by hand, in one pass, as the header is the client's.
 */

const { wrongType, wrongValue } = require('../errors.js');

/** What a body is. */
const OTHER = 0;
const JSON_TEXT = 1;
const FORM = 2;

/** Real ones have some 30 characters, with a boundary 100. */
const MOST_CHARACTERS = 512;

const DEFAULT_TYPES = ['application/json', 'application/*+json'];
const FORM_TYPE = 'application/x-www-form-urlencoded';

/** `utf8` is no name that IANA knows, and is sent all the same. ASCII is UTF-8. */
const CHARSETS = new Set(['utf-8', 'utf8', 'us-ascii']);

/** `type/subtype`, or `type/*+suffix`. */
const MEDIA_TYPE = /^([\w!#$%&'+.^`|~-]+\/)(?:([\w!#$%&'+.^`|~-]+)|\*(\+[\w!#$%&'+.^`|~-]+))$/;
const EXPECTED = "a media type without parameters, such as 'application/json' or 'application/*+json'";

/**
 * A reader for `readOptions`: media types without parameters, where `*+suffix` stands for every subtype that ends so.
 *
 * @param {unknown} value
 * @param {string} name
 * @returns {(type: string) => boolean}
 */
function readTypes(value, name) {
  const list = value === undefined ? DEFAULT_TYPES : value;
  if (!Array.isArray(list)) throw wrongType(name, 'an array of media types');
  const exact = new Set();
  const suffixes = /** @type {{ start: string, end: string }[]} */ ([]);
  for (let at = 0; at < list.length; at++) {
    if (typeof list[at] !== 'string') throw wrongType(`${name}[${at}]`, 'a string');
    const type = list[at].toLowerCase();
    const [, start, subtype, suffix] = MEDIA_TYPE.exec(type) ?? [];
    if (start === undefined) throw wrongValue(`${name}[${at}]`, EXPECTED);
    if (subtype !== undefined) exact.add(type);
    else suffixes.push({ start, end: suffix });
  }
  return (type) => {
    if (exact.has(type)) return true;
    for (const { start, end } of suffixes) {
      if (type.length > start.length + end.length && type.startsWith(start) && type.endsWith(end)) return true;
    }
    return false;
  };
}

/**
 * How to tell the bodies apart of which these types are JSON.
 *
 * @param {(type: string) => boolean} isJson
 * @param {boolean} takesForms
 * @returns {(contentType: string | undefined) => number}
 */
function bodyKinds(isJson, takesForms) {
  const forPlainJson = isJson('application/json') ? JSON_TEXT : OTHER;
  return (contentType) => {
    if (contentType === 'application/json') return forPlainJson;
    if (contentType === undefined) return OTHER;
    const end = contentType.indexOf(';');
    const type = (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
    if (isJson(type)) return JSON_TEXT;
    return takesForms && type === FORM_TYPE ? FORM : OTHER;
  };
}

/**
 * Whether the charset is UTF-8 or none; undefined where the parameters are none, or there is a second charset.
 *
 * @param {string} contentType
 * @returns {boolean | undefined}
 */
function isUtf8(contentType) {
  /** @type {string | undefined} */
  let charset;
  const { length } = contentType;
  let at = contentType.indexOf(';');
  if (at === -1) return true;
  while (at < length) {
    at = afterSpace(contentType, at + 1);
    if (at === length) break;
    if (contentType[at] === ';') continue; // RFC 9110 section 5.6.6 lets a parameter be missing
    const middle = afterToken(contentType, at);
    if (middle === at || contentType[middle] !== '=') return undefined;
    const name = contentType.slice(at, middle).toLowerCase();
    const isQuoted = contentType[middle + 1] === '"';
    const end = isQuoted ? afterQuotes(contentType, middle + 1) : afterToken(contentType, middle + 1);
    if (end === middle + 1) return undefined;
    if (name === 'charset') {
      if (charset !== undefined) return undefined;
      charset = isQuoted ? contentType.slice(middle + 2, end - 1) : contentType.slice(middle + 1, end);
    }
    at = afterSpace(contentType, end);
    if (at < length && contentType[at] !== ';') return undefined;
  }
  return charset === undefined || CHARSETS.has(charset.toLowerCase());
}

/**
 * @param {string} text
 * @param {number} at
 */
function afterSpace(text, at) {
  while (text[at] === ' ' || text[at] === '\t') at++;
  return at;
}

/**
 * @param {string} text
 * @param {number} at
 */
function afterToken(text, at) {
  while (at < text.length && TOKEN[text.charCodeAt(at)] === 1) at++;
  return at;
}

/**
 * The place behind a quoted string, or `start` where it has no end. What is escaped in it stays so: no charset is.
 *
 * @param {string} text
 * @param {number} start
 */
function afterQuotes(text, start) {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '"') return at + 1;
    if (text[at] === '\\') at++;
  }
  return start;
}

/** RFC 9110 section 5.6.2, by code unit; what lies beyond is undefined. */
const TOKEN = new Uint8Array(128);
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  TOKEN[character.charCodeAt(0)] = 1;
}

module.exports = { FORM, JSON_TEXT, MOST_CHARACTERS, OTHER, bodyKinds, isUtf8, readTypes };
