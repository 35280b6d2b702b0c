// @ts-check
'use strict';

/**
 * What a request is counted by: the client's address, or what the application's `key` says. The default key never looks
 * at a header: whose word about addresses counts is up to the framework's trust of proxies.
 */

const { createHash } = require('node:crypto');
const { MAX_KEY } = require('../ip-key.js');
const { outOfRange, wrongType } = require('../errors.js');
const { addressOf } = require('./request.js');
const { noticeProxy } = require('./untrusted-proxy.js');

/** As many as consumeMany takes. */
const MOST_KEYS = 64;

const RETURNED = 'what options.key returns';

/** @typedef {(req: any) => string | string[] | undefined} KeysOf Several keys are always more than one. */

/**
 * @param {((req: any) => unknown) | undefined} key The option.
 * @returns {KeysOf}
 */
function countedKeys(key) {
  return key === undefined ? addressKey : (req) => readKeys(key(req));
}

/**
 * Empty where there is none, and counted as any other: on a Unix socket that is everybody, who would pass uncounted.
 *
 * @type {KeysOf}
 */
function addressKey(req) {
  const address = addressOf(req);
  noticeProxy(req, address);
  return short(address);
}

/**
 * @param {unknown} given
 * @returns {string | string[] | undefined}
 */
function readKeys(given) {
  if (typeof given === 'string') return short(given);
  if (given === undefined) return undefined;
  if (!Array.isArray(given)) throw wrongType(RETURNED, 'a string, an array of them, or undefined, and no promise');
  const { length } = given;
  if (!(length >= 1 && length <= MOST_KEYS)) throw outOfRange(RETURNED, `a string, or an array of 1 to ${MOST_KEYS}`);
  const keys = [];
  for (let index = 0; index < length; index++) {
    const key = given[index];
    if (typeof key !== 'string') throw wrongType(`each of ${RETURNED}`, 'a string');
    keys.push(short(key));
  }
  return keys.length === 1 ? keys[0] : keys;
}

/**
 * A key that no limiter takes is not an error here: it may come from the request.
 *
 * @param {string} key
 */
function short(key) {
  return key.length > MAX_KEY ? `#${createHash('sha256').update(key, 'utf16le').digest('base64url')}` : key;
}

module.exports = { countedKeys };
