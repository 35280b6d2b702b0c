// @ts-check
'use strict';

/**
 * Names in Redis for the keys of a limiter. Keys come from requests: what one can be made to say, and how long it is,
 * is up to whoever sends it. A key that is short and plain stands as it is, behind the prefix, so that an operator can
 * find it; of any other there is a digest.
 */

const { createHash } = require('node:crypto');
const { wrongType, wrongValue } = require('./errors.js');

const MARK = '#';
/**
 * Printable ASCII. Not with braces, by which a cluster chooses the node (hash tags), and not with the mark in front.
 * What is not well-formed UTF-16 would be sent with replacement characters, the same for different keys.
 */
const PLAIN = /^(?!#)[ -z|~]{0,128}$/;

const PREFIX = /^[ -~]{1,256}$/;

/** @param {string} key */
function redisKey(key) {
  return PLAIN.test(key) ? key : MARK + createHash('sha256').update(key, 'utf16le').digest('base64url');
}

/**
 * The prefix: without one, keys that requests bring could be the names of anything in the database.
 *
 * @param {unknown} value
 * @param {string} name
 * @returns {string | undefined}
 */
function readPrefix(value, name) {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw wrongType(name, 'a string');
  if (!PREFIX.test(value)) throw wrongValue(name, '1 to 256 characters of printable ASCII');
  return value;
}

/**
 * Differs where the rate does: states of one rate say nothing in another.
 *
 * @param {import('./redis-questions.js').Rate} rate
 */
function defaultPrefix({ limit, windowMs, burst }) {
  return `holdfast:${limit}/${windowMs}ms${burst === limit ? '' : `,${burst}`}:`;
}

module.exports = { defaultPrefix, readPrefix, redisKey };
