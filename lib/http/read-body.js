// @ts-check
'use strict';

/**
 * The bytes of a body, from the stream, up to a limit. Memory is in proportion to what has come, never to what was
 * announced, and not to the number of pieces: a client can send each byte alone.
 */

const { AsyncResource } = require('node:async_hooks');
const { UNKNOWN } = require('./framing.js');

/** Up to here a buffer is made for what was announced. */
const SMALL = 16 * 1024;

/** How it ended, where there are no bytes. */
const ABORTED = Symbol('aborted');
const TOO_LARGE = Symbol('too large');
const MISFRAMED = Symbol('not as long as announced');
const DECODED = Symbol('decoded by somebody else');

/**
 * @param {any} req Its stream has not been read.
 * @param {number} length Announced, or UNKNOWN; not above `limit`.
 * @param {number} limit
 * @param {(result: Uint8Array | symbol) => void} done Called once, in the caller's asynchronous context.
 */
function readBody(req, length, limit, done) {
  const most = length === UNKNOWN ? limit : length;
  const context = new AsyncResource('HoldfastBody');
  let isDone = false;
  let received = 0;
  /** @type {Buffer | undefined} */
  let bytes;
  /** Whether there is room behind `received` in `bytes`, which are a copy then. */
  let isCopy = false;

  req.on('data', onData);
  req.on('end', onEnd);
  req.on('error', onAbort);
  req.on('close', onAbort);
  // Somebody may have paused it for as long as he had something to do before.
  if (req.readableFlowing === false) req.resume();

  /** @param {Buffer} chunk */
  function onData(chunk) {
    if (isDone) return;
    if (typeof chunk === 'string') return stop(DECODED);
    const before = received;
    received += chunk.length;
    if (received > most) return stop(length === UNKNOWN ? TOO_LARGE : MISFRAMED);
    if (bytes === undefined) {
      bytes = chunk;
      return;
    }
    if (!isCopy || received > bytes.length) {
      const larger = Buffer.allocUnsafe(most <= SMALL ? most : Math.min(most, 2 * received));
      larger.set(isCopy ? bytes.subarray(0, before) : bytes);
      bytes = larger;
      isCopy = true;
    }
    bytes.set(chunk, before);
  }

  function onEnd() {
    if (length !== UNKNOWN && received !== length) end(MISFRAMED);
    else end(bytes === undefined ? NOTHING : isCopy ? bytes.subarray(0, received) : bytes);
  }

  function onAbort() {
    end(ABORTED);
  }

  /** @param {symbol} why */
  function stop(why) {
    req.off('data', onData);
    req.pause();
    end(why);
  }

  /** @param {Uint8Array | symbol} result */
  function end(result) {
    if (isDone) return;
    isDone = true;
    bytes = undefined;
    context.runInAsyncScope(done, undefined, result);
  }
}

const NOTHING = new Uint8Array(0);

module.exports = { ABORTED, DECODED, MISFRAMED, TOO_LARGE, readBody };
