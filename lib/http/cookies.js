// @ts-check
'use strict';

/**
 * Cookies (RFC 6265bis): reading those of one name, and making `Set-Cookie`. All values of a name are told, because
 * one that comes twice was also set by somebody else. Over TLS a cookie has a prefix that browsers enforce: `__Host-`
 * is set by this host alone, over TLS, for all of its paths; where a domain or a path is wanted, `__Secure-` is at
 * least set over TLS.
 */

const { wrongType, wrongValue } = require('../errors.js');
const { headerOf } = require('./framing.js');

/** A token (RFC 9110 section 5.6.2), and short: it is sent with each request. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/;
/** What an attribute may hold, of what is in a path: no control characters, no semicolon. */
const PATH = /^\/[\x21-\x3a\x3c-\x7e]{0,255}$/;
const DOMAIN = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

const SAME_SITE = Object.freeze({ __proto__: null, strict: 'Strict', lax: 'Lax', none: 'None' });

/** @type {readonly string[]} */
const NO_VALUES = Object.freeze([]);

const SPACE = 0x20;
const TAB = 0x09;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;

/** A cookie that is not for scripts, with everything about it but the value. */
class Cookie {
  #attributes;

  /**
   * @param {string} name Without a prefix.
   * @param {{
   *   isSecure: boolean, sameSite: 'strict' | 'lax' | 'none', path?: string | undefined, domain?: string | undefined
   * }} options
   */
  constructor(name, { isSecure, sameSite, path = '/', domain }) {
    const isOfHost = path === '/' && domain === undefined;
    this.name = isSecure ? `${isOfHost ? '__Host-' : '__Secure-'}${name}` : name;
    let attributes = `; Path=${path}`;
    if (domain !== undefined) attributes += `; Domain=${domain}`;
    attributes += `; HttpOnly; SameSite=${SAME_SITE[sameSite]}`;
    if (isSecure) attributes += '; Secure';
    this.#attributes = attributes;
    /** The `Set-Cookie` that removes it. */
    this.cleared = `${this.name}=; Max-Age=0${attributes}`;
    Object.freeze(this);
  }

  /**
   * The values of the cookie in a request: several where it comes more than once.
   *
   * @param {any} req
   */
  valuesIn(req) {
    const header = headerOf(req, 'cookie');
    return header === undefined ? NO_VALUES : cookieValues(header, this.name);
  }

  /**
   * The `Set-Cookie` for a value.
   *
   * @param {string} value Of characters that need no quotes: base64url.
   * @param {number} [maxAgeMs] Without it, until the browser is closed.
   */
  withValue(value, maxAgeMs) {
    // Rounded up: what it holds knows better when it is over.
    const age = maxAgeMs === undefined ? '' : `; Max-Age=${Math.ceil(maxAgeMs / 1000)}`;
    return `${this.name}=${value}${age}${this.#attributes}`;
  }
}

/**
 * The values under one name in a Cookie header, in their order, as they are: nothing is unquoted or decoded.
 *
 * @param {string} header
 * @param {string} name
 * @returns {readonly string[]}
 */
function cookieValues(header, name) {
  /** @type {string[] | undefined} */
  let values;
  for (let at = header.indexOf(name); at !== -1; at = header.indexOf(name, at + 1)) {
    const equals = at + name.length;
    if (header.charCodeAt(equals) !== EQUALS || !startsPair(header, at)) continue;
    const semicolon = header.indexOf(';', equals);
    const value = trimmed(header, equals + 1, semicolon === -1 ? header.length : semicolon);
    if (values === undefined) values = [value];
    else values.push(value);
  }
  return values ?? NO_VALUES;
}

/**
 * Whether there is only white space between here and the pair before.
 *
 * @param {string} header
 * @param {number} at
 */
function startsPair(header, at) {
  let before = at - 1;
  while (isSpace(header.charCodeAt(before))) before--;
  return before === -1 || header.charCodeAt(before) === SEMICOLON;
}

/**
 * @param {string} header
 * @param {number} start
 * @param {number} end
 */
function trimmed(header, start, end) {
  let first = start;
  let after = end;
  while (first < after && isSpace(header.charCodeAt(first))) first++;
  while (after > first && isSpace(header.charCodeAt(after - 1))) after--;
  return header.slice(first, after);
}

/** @param {number} character */
function isSpace(character) {
  return character === SPACE || character === TAB;
}

/**
 * A reader for `readOptions`.
 *
 * @param {string} fallback
 * @returns {import('../options.js').Reader<string>}
 */
function cookieName(fallback) {
  return (value, name) => {
    if (value === undefined) return fallback;
    if (typeof value !== 'string') throw wrongType(name, 'a string');
    if (!NAME.test(value) || value.startsWith('__')) {
      throw wrongValue(name, 'at most 64 characters that cookies are named with, without a prefix such as __Host-');
    }
    return value;
  };
}

/** @type {import('../options.js').Reader<string>} */
function cookiePath(value, name) {
  if (value === undefined) return '/';
  if (typeof value !== 'string') throw wrongType(name, 'a string');
  if (!PATH.test(value)) throw wrongValue(name, 'a path such as /app, in ASCII and without a semicolon');
  return value;
}

/** @type {import('../options.js').Reader<string | undefined>} */
function cookieDomain(value, name) {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw wrongType(name, 'a string');
  if (!DOMAIN.test(value)) throw wrongValue(name, 'a domain such as shop.example, in lower case, with no dot in front');
  return value;
}

module.exports = { Cookie, cookieDomain, cookieName, cookiePath, cookieValues };
