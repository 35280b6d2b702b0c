// @ts-check
'use strict';

/**
 * The Content-Security-Policy: our default directives, and those of the application in addition or instead. What a
 * browser would ignore in silence, and leave the page open, is refused when the policy is read: names that it does not
 * know, values that end a directive, nonces that stay the same, inline scripts from anywhere.
 */

const { wrongType, wrongValue } = require('../errors.js');

/** The header, as node:http keeps it. */
const POLICY = 'content-security-policy';

const DEFAULTS = Object.freeze({
  'default-src': ["'self'"],
  'base-uri': ["'none'"],
  'object-src': ["'none'"],
  'frame-ancestors': ["'none'"],
  'form-action': ["'self'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
});

/** CSP Level 3, and what browsers know besides. */
const NAMES = new Set([
  'base-uri',
  'block-all-mixed-content',
  'child-src',
  'connect-src',
  'default-src',
  'fenced-frame-src',
  'font-src',
  'form-action',
  'frame-ancestors',
  'frame-src',
  'img-src',
  'manifest-src',
  'media-src',
  'object-src',
  'prefetch-src',
  'report-to',
  'report-uri',
  'require-trusted-types-for',
  'sandbox',
  'script-src',
  'script-src-attr',
  'script-src-elem',
  'style-src',
  'style-src-attr',
  'style-src-elem',
  'trusted-types',
  'upgrade-insecure-requests',
  'webrtc',
  'worker-src',
]);

/** Where a nonce means something. */
const NONCED = new Set(['script-src', 'script-src-elem', 'style-src', 'style-src-elem']);

/** What these let in from inside the page an attacker lets in as well. Scripts have nonces, and hashes. */
const NEVER_INLINE = new Set(['default-src', 'script-src', 'script-src-attr', 'script-src-elem']);

/** Where a nonce stands in the text of a policy, with the space before it. */
const NONCE = " 'nonce-{nonce}'";

/**
 * A reader for `readOptions`.
 *
 * @param {unknown} value
 * @param {string} name
 * @returns {Map<string, readonly string[]> | undefined} Sources by directive, with NONCE where one goes.
 */
function readPolicy(value, name) {
  if (value === false) return undefined;
  const given = value === undefined ? {} : value;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw wrongType(name, 'an object of directives, or false');
  }
  /** @type {Map<string, readonly string[]>} */
  const directives = new Map(Object.entries(DEFAULTS));
  const seen = new Set();
  for (const key of Object.keys(given)) {
    const directive = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (!NAMES.has(directive)) throw wrongValue(name, `an object of directives that browsers know, such as 'img-src'`);
    if (seen.has(directive)) throw wrongValue(`${name}['${directive}']`, 'given once');
    seen.add(directive);
    const sources = readSources(/** @type {any} */ (given)[key], directive, `${name}['${directive}']`);
    if (sources === undefined) directives.delete(directive);
    else directives.set(directive, sources);
  }
  for (const [directive, sources] of directives) {
    // 'unsafe-inline' means nothing beside a nonce, and 'none' means nothing beside anything.
    const takesNonce = NONCED.has(directive) && !sources.includes("'none'") && !sources.includes("'unsafe-inline'");
    if (takesNonce) directives.set(directive, [...sources, NONCE.trim()]);
  }
  return directives;
}

/**
 * @param {unknown} value
 * @param {string} directive
 * @param {string} name
 * @returns {string[] | undefined} Nothing: without this directive.
 */
function readSources(value, directive, name) {
  if (value === null) {
    if (directive === 'default-src') throw wrongValue(name, 'there: what has no directive of its own falls back to it');
    return undefined;
  }
  const list = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(list)) throw wrongType(name, 'an array of sources, a string, or null');
  const sources = [];
  for (let at = 0; at < list.length; at++) {
    if (typeof list[at] !== 'string') throw wrongType(`${name}[${at}]`, 'a string');
    for (const source of list[at].split(' ')) {
      if (source !== '') sources.push(checkSource(source, directive, `${name}[${at}]`));
    }
  }
  return sources;
}

/**
 * @param {string} source
 * @param {string} directive
 * @param {string} name
 */
function checkSource(source, directive, name) {
  // Both end a directive: the one for browsers, the other for headers.
  if (!/^[\x21-\x7e]+$/.test(source) || /[;,]/.test(source)) {
    throw wrongValue(name, 'of visible ASCII characters, without ";" and ","');
  }
  if (source.toLowerCase().startsWith("'nonce-")) {
    throw wrongValue(name, 'without a nonce, which must be another one for each answer: it is in res.locals.cspNonce');
  }
  if (source.toLowerCase() === "'unsafe-inline'" && NEVER_INLINE.has(directive)) {
    const why = 'which runs the scripts that an attacker injects: give yours nonce="…", from res.locals.cspNonce';
    throw wrongValue(name, `without 'unsafe-inline', ${why}`);
  }
  return source;
}

/**
 * X-Frame-Options for browsers that do not know frame-ancestors: as strict, or undefined where it cannot say the same.
 *
 * @param {Map<string, readonly string[]> | undefined} directives
 */
function frameOptionsFor(directives) {
  const ancestors = directives?.get('frame-ancestors')?.join(' ');
  if (ancestors === undefined || ancestors === "'self'") return 'SAMEORIGIN';
  return ancestors === "'none'" ? 'DENY' : undefined;
}

module.exports = { NONCE, POLICY, frameOptionsFor, readPolicy };
