// @ts-check
'use strict';

/**
 * The bytes of a body that safeJson reads, in `rawBody`, for applications that are made with Nest's option `rawBody`:
 * the signature of a webhook is one of bytes, and not of what they stand for.
 */

const { OTHER, bodyKinds, readTypes } = require('../http/body-types.js');
const { bodyLengthOf, headerOf } = require('../http/framing.js');

/** safeJson's. */
const DEFAULT_BYTES = 10 * 1024;

/**
 * @param {Record<string, any>} json The options of safeJson, checked by it.
 * @param {{ isWanted: boolean }} wish Known when the application starts.
 * @returns {import('../http/sequence.js').Middleware} Stands right in front of safeJson.
 */
function keepRawBody({ types, urlencoded, limits }, wish) {
  const kindOf = bodyKinds(readTypes(types, 'options.types'), urlencoded !== false);
  const most = limits?.bytes ?? DEFAULT_BYTES;
  return function keepRawBody(req, res, next) {
    if (wish.isWanted && bodyLengthOf(req) !== 0 && kindOf(headerOf(req, 'content-type')) !== OTHER) keep(req, most);
    next();
  };
}

/**
 * @param {any} req
 * @param {number} most Bytes: of a body that is longer safeJson says so.
 */
function keep(req, most) {
  /** @type {Buffer[]} */
  const chunks = [];
  let left = most;
  req.on('data', onData);
  req.on('end', () => {
    if (left >= 0) req.rawBody = Buffer.concat(chunks);
  });

  /** @param {Buffer} chunk */
  function onData(chunk) {
    left -= chunk.length;
    // A copy: a client that sends each byte alone would have us hold the whole buffer of each read.
    if (left >= 0) chunks.push(Buffer.from(chunk));
    else req.off('data', onData);
  }
}

module.exports = { keepRawBody };
