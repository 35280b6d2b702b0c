// @ts-check
'use strict';

/**
 * The bytes of a body that safeJson reads, in `rawBody`, for applications that are made with Nest's option `rawBody`:
 * the signature of a webhook is one of bytes, and not of what they stand for.
 */

const { OTHER } = require('../http/body-types.js');
const { bodyLengthOf, headerOf } = require('../http/framing.js');

/** safeJson's. */
const DEFAULT_BYTES = 10 * 1024;

/**
 * @param {(contentType: string | undefined) => number} kindOf safeJson's.
 * @param {Record<string, any> | false | undefined} options Of safeJson, checked by it.
 * @returns {(req: any) => void} To be called right before safeJson is.
 */
function rawBodies(kindOf, options) {
  const most = (options || undefined)?.limits?.bytes ?? DEFAULT_BYTES;
  return (req) => {
    if (bodyLengthOf(req) !== 0 && kindOf(headerOf(req, 'content-type')) !== OTHER) keep(req, most);
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

module.exports = { rawBodies };
