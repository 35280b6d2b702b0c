// @ts-check
'use strict';

/**
 * Lists of origins in options: each spelt exactly as browsers send it in `Origin`, so that one comparison of strings
 * decides. What can never be equal to such a header (a path, a default port, capitals, a wildcard) is a mistake that is
 * found when the list is read, and not when the first browser is refused.
 */

const { wrongType, wrongValue } = require('../errors.js');

const EXPECTED =
  "an origin as browsers send it, such as 'https://app.example': scheme, host in lower case (punycode), and the port " +
  'if it is not the default one; no path, no slash at the end, no wildcard';

/**
 * A reader for `readOptions`.
 *
 * @param {unknown} value
 * @param {string} name
 * @returns {Set<string> | undefined} A copy; nothing when it is not given.
 */
function readOrigins(value, name) {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw wrongType(name, 'an array of origins');
  const origins = new Set();
  for (let at = 0; at < value.length; at++) {
    const origin = value[at];
    if (typeof origin !== 'string') throw wrongType(`${name}[${at}]`, 'a string');
    if (!isOrigin(origin)) throw wrongValue(`${name}[${at}]`, EXPECTED);
    origins.add(origin);
  }
  return origins;
}

/**
 * Whether the text is the origin of itself. `null`, which sandboxed documents send, is nobody's.
 *
 * @param {string} text
 */
function isOrigin(text) {
  // The URL parser takes a wildcard for a host.
  if (text.includes('*') || !URL.canParse(text)) return false;
  const { origin, protocol, host, href } = new URL(text);
  if (origin !== 'null') return origin === text;
  // Those of applications and extensions: capacitor://localhost, chrome-extension://…
  return host !== '' && href === text && text === `${protocol}//${host}`;
}

module.exports = { readOrigins };
