// @ts-check
'use strict';

/**
 * What stands for an IP address as a key: the limiters apply it to their keys; keys that contain an address need it by
 * name.
 */

const native = require('./native.js');
const { integer } = require('./options.js');
const { outOfRange, wrongType } = require('./errors.js');

const group = native.ipGroup();

/** What most providers give a customer, a /56 or a /64, so that one client does not have many keys. */
const DEFAULT_PREFIX = 56;

/** In UTF-16 code units. */
const MAX_KEY = 65_536;

const readPrefix = integer(1, 128, DEFAULT_PREFIX);

/**
 * @param {unknown} address
 * @param {unknown} [ipv6Prefix]
 * @returns {string}
 */
function ipKey(address, ipv6Prefix) {
  checkKey(address, 'address');
  return group(address, readPrefix(ipv6Prefix, 'ipv6Prefix'));
}

/**
 * @param {unknown} key
 * @param {string} name
 */
function checkKey(key, name) {
  if (typeof key !== 'string') throw wrongType(name, 'a string');
  if (key.length > MAX_KEY) throw outOfRange(name, `a string of at most ${MAX_KEY} UTF-16 code units`);
}

module.exports = { MAX_KEY, checkKey, ipKey, readPrefix };
