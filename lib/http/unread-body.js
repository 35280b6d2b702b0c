// @ts-check
'use strict';

/**
 * How a request is answered whose body nobody wants. Closing at once would reset the connection while the client still
 * sends, and the reset overtakes the answer; reading on to the end would let the client decide how much is read. So a
 * short rest is read and the connection kept. Of a longer one, or one of unknown length, some is thrown away after the
 * answer, for some time, until the client has seen it; then the connection is closed (nginx: a lingering close).
 */

const { UNKNOWN, bodyLengthOf } = require('./framing.js');

/** A body of up to this length is read for the sake of its connection. */
const MOST_READ = 64 * 1024;

/** What is thrown away while the answer is on its way: clients that send first and read afterwards see it, too. */
const MOST_DISCARDED = 4 * 2 ** 20;
const LINGER_MS = 2000;

/**
 * For whoever refuses a request before its body has been read: whatever answers it, the connection does not wait for
 * what is left.
 *
 * @param {any} req
 * @param {any} res
 */
function leaveUnread(req, res) {
  if (isClosedAfter(req) && !res.headersSent) res.setHeader('Connection', 'close');
}

/**
 * Ends the answer, whose head has not been sent.
 *
 * @param {any} req
 * @param {any} res
 * @param {Buffer} body Whole; `Content-Length` has been set.
 */
function endAnswer(req, res, body) {
  const content = req.method === 'HEAD' ? undefined : body;
  // Whatever was to take the body takes nothing any more.
  req.unpipe?.();
  if (!isClosedAfter(req)) {
    res.end(content);
    req.resume?.();
    return;
  }
  res.setHeader('Connection', 'close');
  if (content === undefined) res.flushHeaders();
  else res.write(content);
  endAfterRest(req, res);
}

/** @param {any} req */
function isClosedAfter(req) {
  if (req.complete || req.destroyed || req.httpVersionMajor >= 2) return false;
  const length = bodyLengthOf(req);
  return length === UNKNOWN || length > MOST_READ;
}

/**
 * The client has the whole answer. Its end, upon which node:http closes the connection, waits for the client.
 *
 * @param {any} req
 * @param {any} res
 */
function endAfterRest(req, res) {
  let left = MOST_DISCARDED;
  const timer = setTimeout(finish, LINGER_MS);
  req.on('data', discard);
  req.on('end', finish);
  req.on('close', finish);
  req.on('error', finish);
  req.resume();

  /** @param {Buffer} chunk */
  function discard(chunk) {
    left -= chunk.length;
    if (left < 0) finish();
  }

  function finish() {
    clearTimeout(timer);
    req.off('data', discard);
    req.off('end', finish);
    req.off('close', finish);
    req.pause();
    res.end();
  }
}

module.exports = { endAnswer, leaveUnread };
