// @ts-check
'use strict';

// The process that attacks: told by side.js which attack, where and for how long, it runs that attack's `send` and
// counts what came back. It runs at a low priority: a real attacker has a machine of their own and takes no time from
// the server's processor.

const http = require('node:http');
const os = require('node:os');
const { attackById } = require('./attacks.js');
const { endWithParent } = require('./lifetime.js');

const TELL_MS = 100;
const LOW_PRIORITY = 10;

/**
 * What an attack has to work with.
 * @typedef {object} Attacker
 * @property {number} port
 * @property {number} durationMs
 * @property {Tally} tally
 * @property {() => boolean} isOver
 * @property {Ask} request counts itself, and never rejects: the status is 0 where there is no answer
 * @property {(count: number, step: (index: number) => unknown) => Promise<void>} spread evenly over the duration
 */

/** @typedef {{ status: number, text: string }} Answer */
/** @typedef {http.OutgoingHttpHeaders} Headers */
/** @typedef {(method: string, path: string, body?: string, headers?: Headers) => Promise<Answer>} Ask */

/**
 * `accepted`: answered with a status below 400; `refused`: 400 to 499, and 503, which says to come later; `failed`:
 * other statuses, and connections that broke.
 * @typedef {{ sent: number, accepted: number, refused: number, failed: number, [special: string]: number }} Tally
 */

endWithParent();
try {
  os.setPriority(LOW_PRIORITY);
} catch {
  // Some systems do not let a process do that to itself.
}
tell({ type: 'here' });
process.once('message', (/** @type {any} */ { attack, port, durationMs }) => {
  const { tally, attacker } = prepare(port, durationMs);
  const report = () => tell({ type: 'tally', tally });
  setInterval(report, TELL_MS);
  void attackById(attack)?.send(attacker).then(report);
});

/**
 * @param {number} port
 * @param {number} durationMs
 */
function prepare(port, durationMs) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 500 });
  /** @type {Tally} */
  const tally = { sent: 0, accepted: 0, refused: 0, failed: 0 };
  const end = performance.now() + durationMs;
  const isOver = () => performance.now() >= end;

  /** @type {Attacker} */
  const attacker = {
    port,
    durationMs,
    tally,
    isOver,
    async request(method, path, body = '', headers = {}) {
      tally.sent++;
      const answer = await exchange({ agent, port, host: '127.0.0.1', method, path, headers }, body);
      tally[outcome(answer.status)]++;
      return answer;
    },
    async spread(count, step) {
      const start = performance.now();
      for (let index = 0; index < count; index++) {
        await until(start + (index * durationMs) / count);
        void step(index);
      }
    },
  };
  return { tally, attacker };
}

/**
 * @param {http.RequestOptions} options
 * @param {string} body
 * @returns {Promise<Answer>}
 */
function exchange(options, body) {
  return new Promise((resolve) => {
    const request = http.request(options, (response) => {
      let text = '';
      response.setEncoding('latin1');
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', () => resolve({ status: 0, text: '' }));
    });
    request.on('error', () => resolve({ status: 0, text: '' }));
    request.end(body);
  });
}

/** @param {number} status */
function outcome(status) {
  if (status === 0) return 'failed';
  if (status < 400) return 'accepted';
  return status < 500 || status === 503 ? 'refused' : 'failed';
}

/** @param {number} time of performance.now() */
function until(time) {
  return new Promise((resolve) => setTimeout(resolve, time - performance.now()));
}

/** @param {object} message */
function tell(message) {
  if (process.connected) process.send?.(message);
}
