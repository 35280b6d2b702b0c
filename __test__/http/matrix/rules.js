'use strict';

/** What the four applications of the matrix have in common: their settings, and what their routes do. */

const { Keyring, RateLimiter } = require('../../..');
const { createError, HoldfastError } = require('../../../lib/errors.js');
const { Problem } = require('../../../lib/express/index.js');

const ORIGINS = ['https://app.example'];
const HUGE = 1_000_000;
const UPLOAD_BYTES = 65_536;
const WINDOW_MS = 3_600_000; // no token comes back during the test

/** New ones for each application: limits are counted in them. */
function rules() {
  return {
    keyring: new Keyring({ primary: 'k1', keys: { k1: Buffer.alloc(32, 7) } }),
    cors: { origins: ORIGINS, credentials: true },
    csrf: { trustedOrigins: ORIGINS },
    body: { maxBytes: (req) => (/^\/upload\b/.test(req.originalUrl ?? req.url) ? UPLOAD_BYTES : 1024) },
    general: { limit: HUGE },
    login: { name: 'login', limit: 3, windowMs: WINDOW_MS, skipSuccessful: true },
    small: { name: 'small', limiter: new RateLimiter({ limit: 2, windowMs: WINDOW_MS }) },
    problems: { log() {} },
  };
}

const TIMEOUTS = { headersTimeoutMs: 1000, requestTimeoutMs: 1500 };

/** What the routes throw, by name. */
const FAILURES = {
  problem: () => new Problem(418, 'short and stout', { code: 'TEAPOT', headers: { 'X-Teapot': 'yes' } }),
  foreign: () => Object.assign(new Error('no hunter2'), { status: 404 }),
  'foreign-503': () => Object.assign(new Error('no hunter2'), { status: 503, expose: true }),
  queue: () => Object.assign(new HoldfastError('ERR_QUEUE_FULL', 'the queue is full', { retryAfterMs: 1001 })),
  string: () => 'hunter2',
  object: () => ({ message: 'hunter2', stack: 'at hunter2 (x.js:1:1)' }),
  sync: () => new Error('hunter2'),
};

function logIn(password) {
  if (password !== 'right') throw new Problem(401, 'the password is wrong');
  return { ok: true };
}

function itemOf(id, pattern) {
  if (!pattern.test(id)) throw createError('ERR_PATTERN', 'the id must match the pattern of ids');
  return { id };
}

const ITEM = /^[a-z0-9]{1,20}$/;

module.exports = { FAILURES, ITEM, TIMEOUTS, itemOf, logIn, rules };
