// @ts-check
'use strict';

// What the processes of one side say, put together: what happened in the last tenth of a second, and in the end all of
// it. The server's own word counts for its event loop and memory, the visitors' for their waits; where the server has
// fallen silent, its silence is the measure.

const SILENCE_MS = 250; // reports come each 100 ms; without them for as long, the event loop stands still

/**
 * The last tenth of a second. While the event loop stands still, the server says nothing: then `delayMs` is for how
 * long it has said nothing, and `waitMs` is how long the visitor who came first has waited.
 * @typedef {object} Tick
 * @property {number} at milliseconds since the visitors came
 * @property {number} delayMs the event loop's longest delay
 * @property {number | null} waitMs the slowest visitor's wait; null when nobody was answered and nobody waits for long
 * @property {number} rss bytes
 * @property {'running' | 'standing' | 'dead'} state
 * @property {number} admins visitors taken for administrators so far
 * @property {import('./attacker.js').Tally | null} tally
 */

class Watch {
  #tickMs;
  #heardAt = performance.now();
  #port = 0;
  #here = 0;
  #rss = 0;
  #admins = 0;
  /** @type {import('./attacker.js').Tally | null} */
  #tally = null;
  /** @type {number[]} what the server held when it was asked */
  #held = [];
  /** @type {import('./visitor.js').Visit[]} */
  #visits = [];
  /** Visitors who have no answer yet: when they came, in order, and when that was so. */
  #waiting = { since: /** @type {number[]} */ ([]), now: 0 };

  // Since the last tick.
  #longestDelay = 0;
  /** @type {number | null} */
  #longestWait = null;

  // Since the attack.
  #attackAt = Infinity;
  #standstillMs = 0;
  #noiseMs = 0;
  #rssBefore = 0;
  #rssMost = 0;

  /** @param {number} tickMs */
  constructor(tickMs) {
    this.#tickMs = tickMs;
  }

  /** How many of the other processes are there. */
  get here() {
    return this.#here;
  }

  /** Where the server listens; 0 until it does. */
  get port() {
    return this.#port;
  }

  /** How many times the server has said what it holds. */
  get answers() {
    return this.#held.length;
  }

  /** How much more it held in the end than before the attack; null when it could not say. */
  get keptBytes() {
    const [before, after] = this.#held;
    return after === undefined ? null : after - before;
  }

  /** @param {any} message from any of the processes */
  hear(message) {
    switch (message.type) {
      case 'ready':
        this.#heardAt = performance.now();
        this.#port = message.port;
        this.#rss = message.rss;
        break;
      case 'here':
        this.#here++;
        break;
      case 'report':
        this.#heardAt = performance.now();
        this.#longestDelay = Math.max(this.#longestDelay, message.delayMs);
        this.#standstillMs = Math.max(this.#standstillMs, message.delayMs);
        this.#rss = message.rss;
        this.#rssMost = Math.max(this.#rssMost, message.rss);
        break;
      case 'held':
        this.#held.push(message.bytes);
        break;
      case 'visits':
        this.#hearVisits(message);
        break;
      case 'tally':
        this.#tally = message.tally;
    }
  }

  /** @param {{ done: import('./visitor.js').Visit[], waiting: number[], now: number, lateMs: number }} message */
  #hearVisits({ done, waiting, now, lateMs }) {
    this.#noiseMs = Math.max(this.#noiseMs, lateMs);
    for (const visit of done) {
      this.#visits.push(visit);
      if (visit.isAdmin) this.#admins++;
      if (visit.ok) this.#longestWait = Math.max(this.#longestWait ?? 0, visit.ms);
    }
    this.#waiting = { since: waiting, now };
  }

  /** From here on, what is highest counts. */
  attackBegins() {
    this.#attackAt = this.#waiting.now;
    this.#rssBefore = this.#rss;
    this.#rssMost = this.#rss;
    this.#standstillMs = 0;
    this.#noiseMs = 0;
  }

  /**
   * @param {number} at
   * @param {boolean} dead
   * @returns {Tick}
   */
  tick(at, dead) {
    const silence = performance.now() - this.#heardAt;
    const state = this.stateOf(dead);
    const delayMs = state === 'standing' ? Math.max(this.#longestDelay, silence - this.#tickMs) : this.#longestDelay;
    this.#standstillMs = Math.max(this.#standstillMs, delayMs);
    const { since: [first], now } = this.#waiting;
    // Who has come just now waits as well, which says nothing yet.
    const longest = first !== undefined && now - first > this.#tickMs ? now - first : 0;
    const waitMs = longest > 0 ? Math.max(longest, this.#longestWait ?? 0) : this.#longestWait;
    this.#longestDelay = 0;
    this.#longestWait = null;
    return { at, delayMs, waitMs, rss: this.#rss, state, admins: this.#admins, tally: this.#tally };
  }

  /** @param {boolean} dead */
  stateOf(dead) {
    if (dead) return 'dead';
    return performance.now() - this.#heardAt > SILENCE_MS ? 'standing' : 'running';
  }

  /**
   * @param {import('./figures.js').End} end
   * @returns {import('./figures.js').Measured}
   */
  measured(end) {
    const { since, now } = this.#waiting;
    return {
      visits: this.#visits,
      waiting: since.map((at) => ({ at, ms: now - at })),
      attackAt: this.#attackAt,
      standstillMs: this.#standstillMs,
      noiseMs: this.#noiseMs,
      rssBefore: this.#rssBefore,
      rssMost: this.#rssMost,
      keptBytes: this.keptBytes,
      tally: this.#tally ?? { sent: 0, accepted: 0, refused: 0, failed: 0 },
      end,
    };
  }
}

module.exports = { Watch };
