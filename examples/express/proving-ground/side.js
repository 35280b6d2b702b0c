// @ts-check
'use strict';

// One side of a run: the server, its visitors and its attacker as three processes, watched from outside for as long as
// the timing says, and ended. What is seen comes as a tick each 100 ms while it runs, and as figures in the end.

const { setTimeout: pause } = require('node:timers/promises');
const { start } = require('./children.js');
const { figuresOf } = require('./figures.js');
const { Watch } = require('./watch.js');

const TICK_MS = 100;
const START_MS = 10_000; // for the server to listen
const ANSWER_MS = 1000; // for the server to say what it holds
const LOOK_MS = 20;

/**
 * Milliseconds of visitors alone, of the attack, and of what comes after it.
 * @typedef {{ calmMs: number, attackMs: number, afterMs: number }} Timing
 */

/**
 * @param {'ordinary' | 'holdfast'} name
 * @param {string} attack
 * @param {Timing} timing
 * @param {(tick: import('./watch.js').Tick) => void} show
 * @param {AbortSignal} signal
 * @returns {Promise<import('./figures.js').Figures>}
 */
async function runSide(name, attack, { calmMs, attackMs, afterMs }, show, signal) {
  signal.throwIfAborted();
  const watch = new Watch(TICK_MS);
  /** @type {import('./children.js').Child[]} */
  const children = [];
  const child = (/** @type {string} */ file, /** @type {number} */ heapMB, /** @type {string[]} */ ...flags) => {
    const started = start(file, { heapMB, flags, hear: (message) => watch.hear(message) });
    children.push(started);
    return started;
  };
  let ticks;
  try {
    const server = child(`${name}.js`, 512, '--expose-gc');
    const visitors = child('visitor.js', 256);
    const attacker = child('attacker.js', 256);
    const isDead = () => server.ended() !== null;
    await until(() => (watch.port !== 0 && watch.here === 2) || isDead(), START_MS, signal);
    if (watch.port === 0 || watch.here < 2) throw new Error('the processes of a run did not start');

    const began = performance.now();
    ticks = setInterval(() => show(watch.tick(performance.now() - began, isDead())), TICK_MS);
    visitors.tell({ port: watch.port });
    await pause(calmMs / 2, undefined, { signal });
    server.tell('hold');
    await pause(calmMs / 2, undefined, { signal });

    watch.attackBegins();
    attacker.tell({ attack, port: watch.port, durationMs: attackMs });
    await pause(attackMs + afterMs, undefined, { signal });
    clearInterval(ticks);

    const measured = watch.measured({ state: watch.stateOf(isDead()), ...server.ended() });
    server.tell('hold');
    await until(() => watch.answers === 2 || isDead(), ANSWER_MS, signal);
    return figuresOf({ ...measured, keptBytes: watch.keptBytes });
  } finally {
    clearInterval(ticks);
    await Promise.all(children.map(({ kill }) => kill()));
  }
}

/**
 * Waits for a condition, or until time is over.
 * @param {() => boolean} condition
 * @param {number} timeoutMs
 * @param {AbortSignal} signal
 */
async function until(condition, timeoutMs, signal) {
  const end = performance.now() + timeoutMs;
  while (!condition() && performance.now() < end) await pause(LOOK_MS, undefined, { signal });
}

module.exports = { runSide };
