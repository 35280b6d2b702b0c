// @ts-check
'use strict';

// The proving ground: a page on which the ordinary way to write a server and Holdfast's are attacked, and measured. It
// is for development and for this machine: guard.js says who may use it. app.js mounts it; everything it needs is here.
//
//   GET  /                the page
//   GET  /page/<name>     its modules, style and icon
//   GET  /attacks         what there is, as JSON
//   POST /runs/<attack>   runs one, and answers with what happens as it happens (text/event-stream): when the
//                         connection ends, so does the run

const fs = require('node:fs');
const path = require('node:path');
const express = require('express');
const { ATTACKS, attackById } = require('./attacks.js');
const { isSameOrigin, localOnly } = require('./guard.js');
const { busyFor, run, settled } = require('./runner.js');
const { regionsOf } = require('./snippets.js');

const TYPES = Object.freeze({
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
});

/** Milliseconds: what is the default, and the most. */
const TIMING = Object.freeze({ calmMs: [1000, 2000], attackMs: [5000, 10_000], afterMs: [1000, 2000] });

/**
 * @param {Partial<import('./side.js').Timing>} [options] for how long visitors are alone, the attack lasts, and is
 *   waited afterwards, on each side
 * @returns {import('express').Router}
 */
function provingGround(options = {}) {
  const timing = readTiming(options);
  const files = readFiles();
  const html = String(files.get('index.html')?.content);
  const attacks = JSON.stringify({ timing, attacks: describe() });

  const router = express.Router();
  router.use(localOnly);
  router.get('/', (req, res) => {
    send(res, TYPES['.html'], html.replaceAll('{base}', () => escape(req.baseUrl)));
  });
  router.get('/page/:name', (req, res, next) => {
    const file = files.get(req.params.name);
    if (file === undefined || req.params.name === 'index.html') return next();
    send(res, file.type, file.content);
  });
  router.get('/attacks', (req, res) => send(res, 'application/json', attacks));
  router.post('/runs/:attack', async (req, res, next) => {
    if (attackById(req.params.attack) === undefined) return next();
    if (!isSameOrigin(req)) return refuse(res, 403, 'An attack can only be started from the proving ground’s page.');
    await settled();
    const seconds = busyFor();
    if (seconds > 0) {
      res.setHeader('Retry-After', seconds);
      return refuse(res, 409, 'Another attack is under way, perhaps in another window. It is over in about '
        + `${seconds} s.`);
    }
    await stream(res, (emit, signal) => run(req.params.attack, timing, emit, signal));
  });
  return router;
}

/**
 * Server-sent events, for as long as somebody listens. A run has a few hundred of them: what a slow reader leaves in
 * memory is bounded.
 * @param {import('express').Response} res
 * @param {(emit: (event: string, data: object) => void, signal: AbortSignal) => Promise<void>} source
 */
async function stream(res, source) {
  const listening = new AbortController();
  res.on('close', () => listening.abort());
  res.on('error', () => listening.abort());
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
  res.flushHeaders();
  await source((event, data) => {
    if (!listening.signal.aborted) res.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }, listening.signal);
  res.end();
}

/**
 * @param {import('express').Response} res
 * @param {string} type
 * @param {string | Buffer} content
 */
function send(res, type, content) {
  res.setHeader('Content-Type', type);
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.end(content);
}

/**
 * @param {import('express').Response} res
 * @param {number} status
 * @param {string} detail for whoever looks at the page
 */
function refuse(res, status, detail) {
  res.statusCode = status;
  send(res, 'application/problem+json', JSON.stringify({ status, detail }));
}

/** What the page says about each attack. */
function describe() {
  const ordinary = regionsOf('ordinary.js');
  const holdfast = regionsOf('holdfast.js');
  return ATTACKS.map(({ id, name, claim, sends, sample, watch, counted, ...sides }) => ({
    id,
    name,
    claim,
    sends,
    sample,
    watch,
    counted: counted?.title,
    ordinary: { why: sides.ordinary, code: ordinary.get(id) },
    holdfast: { why: sides.holdfast, code: holdfast.get(id) },
  }));
}

/**
 * Read once: nothing that a request says leads to a file.
 * @returns {Map<string, { type: string, content: Buffer }>}
 */
function readFiles() {
  const directory = path.join(__dirname, 'page');
  return new Map(fs.readdirSync(directory).filter((name) => Object.hasOwn(TYPES, path.extname(name))).map((name) => {
    const type = TYPES[/** @type {keyof typeof TYPES} */ (path.extname(name))];
    return [name, { type, content: fs.readFileSync(path.join(directory, name)) }];
  }));
}

/** @param {any} options */
function readTiming(options) {
  const timing = { calmMs: 0, attackMs: 0, afterMs: 0 };
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(timing, name)) throw new TypeError(`options must have the known names ${Object.keys(timing)}`);
  }
  for (const name of /** @type {(keyof typeof timing)[]} */ (Object.keys(timing))) {
    const [usual, most] = TIMING[name];
    const value = Object.hasOwn(options, name) ? options[name] ?? usual : usual;
    if (!Number.isInteger(value) || value < 100 || value > most) {
      throw new RangeError(`options.${name} must be an integer from 100 to ${most}`);
    }
    timing[name] = value;
  }
  return Object.freeze(timing);
}

/** @param {string} text */
function escape(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

module.exports = { provingGround };
