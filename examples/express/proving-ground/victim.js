// @ts-check
'use strict';

// The small server under attack, which there is twice: ordinary.js and holdfast.js each hand their functions to
// `serve`, and everything else is the same. It reports on itself every 100 ms for as long as its event loop turns, and
// ends with the process that started it.

const fs = require('node:fs/promises');
const http = require('node:http');
const path = require('node:path');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { endWithParent } = require('./lifetime.js');

const REPORT_MS = 100;
const RESOLUTION_MS = 10;
const BODY_BYTES = 5_000_000; // what both take: a limit of 5 MB, as many servers have
const PROFILE = path.join(__dirname, 'profile.json');

/**
 * What the two sides write in their own way.
 * @typedef {object} Code
 * @property {(address: string) => boolean} isAddress
 * @property {(settings: object, body: Buffer) => object} saveSettings
 * @property {(body: Buffer) => unknown} readComment
 * @property {(password: string) => Promise<any>} enroll
 * @property {(stored: any, password: string) => Promise<boolean>} isPassword
 * @property {(user: string, purpose: string, ttlMs: number) => string} issueToken
 * @property {(token: string) => string} userOf throws for a token that is none
 * @property {(account: string) => boolean} isLimited
 * @property {() => number} [nativeBytes] what is held outside of V8's heap
 */

/** @param {Code} code */
async function serve(code) {
  endWithParent();
  const stored = await code.enroll('correct horse battery staple');
  // A server that runs for a while has checked addresses before: V8 compiles a pattern when it is used again.
  for (let time = 0; time < 3; time++) code.isAddress('ada@example.com');
  const server = http.createServer({ keepAliveTimeout: 60_000 }, (req, res) => {
    respond(code, stored, req).then(
      ([status, value]) => send(res, status, value),
      // As a framework does: an error that says its status has that, and any other is the server's fault.
      (error) => send(res, error.status ?? 500, undefined),
    );
  });
  server.listen(0, '127.0.0.1', () => {
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    process.on('message', () => tell({ type: 'held', bytes: heldBytes(code) }));
    tell({ type: 'ready', port, rss: process.memoryUsage().rss });
    report();
  });
}

/**
 * @param {Code} code
 * @param {any} stored
 * @param {http.IncomingMessage} req
 * @returns {Promise<[number, unknown?]>}
 */
async function respond(code, stored, req) {
  switch (`${req.method} ${req.url}`) {
    case 'GET /me': { // what the visitors ask for
      const profile = JSON.parse(await fs.readFile(PROFILE, 'utf8'));
      return [200, { name: profile.name, isAdmin: profile.isAdmin === true }];
    }
    case 'POST /addresses':
      return [code.isAddress(String(await bodyOf(req))) ? 204 : 400];
    case 'POST /settings':
      return [200, code.saveSettings({ theme: 'light', mail: { weekly: true } }, await bodyOf(req))];
    case 'POST /comments':
      code.readComment(await bodyOf(req));
      return [204];
    case 'POST /login':
      return [await code.isPassword(stored, String(await bodyOf(req))) ? 204 : 401];
    case 'POST /attempts':
      return [code.isLimited(String(await bodyOf(req))) ? 429 : 204];
    // A session as after a log-in, one that has run out already, and what the mail of a password reset holds.
    case 'POST /tokens/session':
      return [201, code.issueToken('mallory', 'session', 60_000)];
    case 'POST /tokens/short':
      return [201, code.issueToken('mallory', 'session', 1)];
    case 'POST /tokens/reset':
      return [201, code.issueToken('mallory', 'password-reset', 60_000)];
    case 'GET /account':
      return [200, account(code, req)];
    default:
      return [404];
  }
}

/**
 * @param {Code} code
 * @param {http.IncomingMessage} req
 */
function account(code, req) {
  try {
    return { user: code.userOf((req.headers.authorization ?? '').replace(/^Bearer /, '')) };
  } catch (error) {
    throw Object.assign(new Error('no session', { cause: error }), { status: 401 });
  }
}

/** @param {http.IncomingMessage} req */
async function bodyOf(req) {
  const chunks = [];
  let length = 0;
  for await (const chunk of req) {
    length += chunk.length;
    if (length > BODY_BYTES) throw Object.assign(new Error('too large'), { status: 413 });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * @param {http.ServerResponse} res
 * @param {number} status
 * @param {unknown} value
 */
function send(res, status, value) {
  const body = value === undefined ? '' : JSON.stringify(value);
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }).end(body);
}

/**
 * The histogram holds the time between two turns of a timer of 10 ms, which is what is taken off. The highest of each
 * tenth of a second is what counts: an average hides what a visitor feels.
 */
function report() {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  setInterval(() => {
    const { rss } = process.memoryUsage();
    tell({ type: 'report', delayMs: Math.max(0, histogram.max / 1e6 - RESOLUTION_MS), rss });
    histogram.reset();
  }, REPORT_MS);
}

/**
 * Bytes that are still held when everything that can be let go of has been.
 * @param {Code} code
 */
function heldBytes({ nativeBytes }) {
  /** @type {any} */ (globalThis).gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external + (nativeBytes?.() ?? 0);
}

/** @param {object} message */
function tell(message) {
  if (process.connected) process.send?.(message);
}

module.exports = { serve };
