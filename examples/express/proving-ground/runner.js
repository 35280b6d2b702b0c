// @ts-check
'use strict';

// One run: the ordinary server under attack, then Holdfast's, and what their figures say. One after the other, because
// on a machine with two cores both at once would measure each other; and one run at a time in this process.

const os = require('node:os');
const { setTimeout: pause } = require('node:timers/promises');
const { attackById } = require('./attacks.js');
const { isNoisy, tableOf } = require('./figures.js');
const { runSide } = require('./side.js');

const SIDES = /** @type {const} */ (['ordinary', 'holdfast']);
const START_AND_END_MS = 1500; // of a side, for processes to come and go
const ENDING_MS = 2000; // that a run may take to end when it was told to

/** The run that is under way. @type {{ freeAt: number, signal: AbortSignal, over: Promise<void> } | null} */
let current = null;

/** Resolves when no run is ending, or when that takes too long. */
async function settled() {
  if (current?.signal.aborted) await Promise.race([current.over, pause(ENDING_MS, undefined, { ref: false })]);
}

/** Seconds until the run that is under way is over, about; 0 when there is none. */
function busyFor() {
  return current === null ? 0 : Math.max(1, Math.ceil((current.freeAt - performance.now()) / 1000));
}

/**
 * Runs an attack, if `busyFor()` says that there is none.
 *
 * @param {string} id
 * @param {import('./side.js').Timing} timing
 * @param {(event: string, data: object) => void} emit `run`, for each side `side`, its ticks as `tick` and `figures`,
 *   and in the end `verdict`; or `failure`
 * @param {AbortSignal} signal ends the run
 * @returns {Promise<void>} when no process is left; never rejects
 */
function run(id, timing, emit, signal) {
  const attack = attackById(id);
  if (attack === undefined || current !== null) throw new Error('no such attack, or one is under way');
  const sideMs = timing.calmMs + timing.attackMs + timing.afterMs;
  const freeAt = performance.now() + SIDES.length * (sideMs + START_AND_END_MS);
  const over = bothSides(attack, timing, emit, signal).finally(() => (current = null));
  current = { freeAt, signal, over };
  return over;
}

/**
 * @param {import('./attacks.js').Attack} attack
 * @param {import('./side.js').Timing} timing
 * @param {(event: string, data: object) => void} emit
 * @param {AbortSignal} signal
 */
async function bothSides(attack, timing, emit, signal) {
  try {
    emit('run', { attack: attack.id, timing, node: process.version, cores: os.availableParallelism() });
    const figures = [];
    for (const side of SIDES) {
      emit('side', { side });
      const show = (/** @type {import('./watch.js').Tick} */ tick) => {
        emit('tick', { side, ...tick, count: attack.counted?.of(tick) ?? null });
      };
      const measured = await runSide(side, attack.id, timing, show, signal);
      emit('figures', { side, ...measured });
      figures.push(measured);
    }
    const [ordinary, holdfast] = figures;
    emit('verdict', {
      sentence: attack.verdict(ordinary, holdfast),
      table: tableOf(attack, ordinary, holdfast),
      isNoisy: isNoisy(figures),
    });
  } catch (error) {
    if (!signal.aborted) emit('failure', { detail: /** @type {Error} */ (error).message });
  }
}

module.exports = { busyFor, run, settled };
