// @ts-check
'use strict';

/**
 * What the head of a request says of its body (RFC 9112 section 6): whether there is one, and how long it is. node:http
 * has refused what is contradictory. Headers are read as own properties: theirs is an ordinary object, and a polluted
 * Object.prototype must not give a request a body that never comes.
 */

/** The length of a body that is sent in chunks. */
const UNKNOWN = -1;

/**
 * Bytes; 0 where there is no body, UNKNOWN where its end will tell.
 *
 * @param {any} req
 * @returns {number}
 */
function bodyLengthOf(req) {
  const length = headerOf(req, 'content-length');
  if (length !== undefined) {
    const bytes = Number(length);
    if (Number.isInteger(bytes) && bytes >= 0) return bytes;
    return UNKNOWN; // not from node:http, which lets digits through and nothing else
  }
  if (headerOf(req, 'transfer-encoding') !== undefined) return UNKNOWN;
  // HTTP/2 needs neither of the two: the frame of the headers says whether others follow.
  return req.httpVersionMajor >= 2 && req.stream?.endAfterHeaders === false ? UNKNOWN : 0;
}

/**
 * @param {any} req
 * @param {string} name In lower case.
 * @returns {string | undefined}
 */
function headerOf(req, name) {
  const { headers } = req;
  return Object.hasOwn(headers, name) ? headers[name] : undefined;
}

module.exports = { UNKNOWN, bodyLengthOf, headerOf };
