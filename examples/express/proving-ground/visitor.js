// @ts-check
'use strict';

// The visitors: one request for the profile every 50 ms, whether the ones before were answered or not, as visitors do
// not wait for each other. They are timed here, in a process that does nothing else, so that neither the attack nor the
// page can spoil the figures. Started by side.js.

const http = require('node:http');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { endWithParent } = require('./lifetime.js');

const INTERVAL_MS = 50;
const TELL_MS = 50;
const RESOLUTION_MS = 10;

/**
 * A visitor that is done: when it came and how long it took, in milliseconds, whether it was answered, and whether the
 * answer called it an administrator.
 * @typedef {{ at: number, ms: number, ok: boolean, isAdmin: boolean }} Visit
 */

endWithParent();
process.send?.({ type: 'here' });
process.once('message', (/** @type {any} */ { port }) => visit(port));

/** @param {number} port */
function visit(port) {
  const agent = new http.Agent({ keepAlive: true });
  const options = { agent, port, host: '127.0.0.1', path: '/me' };
  const start = performance.now();
  /** @type {Visit[]} */
  let done = [];
  /** @type {Map<number, number>} those that still wait: their numbers, and when they came */
  const waiting = new Map();

  // This process has next to nothing to do: when its own event loop is late, the machine is too busy to measure well.
  const own = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  own.enable();
  next(0);
  setInterval(() => {
    const lateMs = Math.max(0, own.max / 1e6 - RESOLUTION_MS);
    const visits = { type: 'visits', done, waiting: [...waiting.values()], now: performance.now() - start, lateMs };
    if (process.connected) process.send?.(visits);
    own.reset();
    done = [];
  }, TELL_MS);

  /** @param {number} number */
  function next(number) {
    ask(number);
    setTimeout(next, (number + 1) * INTERVAL_MS - (performance.now() - start), number + 1);
  }

  /** @param {number} number */
  function ask(number) {
    const at = performance.now() - start;
    waiting.set(number, at);
    const request = http.get(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => end(response.statusCode === 200, text));
      response.on('error', () => end(false, ''));
    });
    request.on('error', () => end(false, ''));

    /**
     * @param {boolean} ok
     * @param {string} text
     */
    function end(ok, text) {
      if (!waiting.delete(number)) return;
      done.push({ at, ms: performance.now() - start - at, ok, isAdmin: ok && JSON.parse(text).isAdmin === true });
    }
  }
}
