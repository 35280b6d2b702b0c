// How the time of V8's own matcher grows with an attack string. Called by redos.mjs; runs itself as a worker, which is
// ended when a text takes too long, for a match cannot be interrupted otherwise.
// An attack is a list of pumps with what comes before each, and a suffix. The number of pumps grows until a match takes
// `ENOUGH_MS`; then, where the growth is polynomial, to twice as many, and where it is exponential, by one after
// another until the time has more than doubled: twice as many would take for ever.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

const ENOUGH_MS = 30;
const MOST_MS = 3000;
/** A match in proportion to the text does not take that long on so many; the square of them would take minutes. */
const MOST_CHARACTERS = 400_000;
/** Exponential: so many pumps more, at most. */
const MORE_PUMPS = 12;
/** Exponential: so many times as long, or one pump more is tried; a little over what is asked. */
const CLEARLY = 2.5;
const WARM_UP = 3;
/** Polynomial: how much further each try goes until it takes long enough. A step too large could miss a high degree. */
const STEP = 1.15;
/** Of so many matches of either text the shortest counts: what makes one longer is not the text. */
const BEST_OF = 3;

/**
 * @typedef {{ pumps: { prefix: string, pump: string, bias?: number }[], suffix: string }} Attack
 * @typedef {{ pattern: string, flags: string, attack: Attack, kind: 'polynomial' | 'exponential' }} Task
 * @typedef {{ repeat: number, ms: number, more: number, moreMs: number, ratio: number, ended: boolean }} Growth
 *   `more`: the number of pumps compared with `repeat`; `ended`: it took too long, and `moreMs` and `ratio` are at
 *   least that much. `ratio` is 0 when no text took long enough to be compared.
 */

/** The text of an attack with that many pumps. */
export function textOf({ pumps, suffix }, repeat) {
  return pumps.map(({ prefix, pump, bias = 0 }) => prefix + pump.repeat(Math.max(0, repeat + bias))).join('') + suffix;
}

/** One worker, used for one task after the other, and replaced when it had to be ended. */
export class GrowthMeter {
  #worker = null;

  /**
   * @param {Task} task
   * @returns {Promise<Growth>}
   */
  measure(task) {
    this.#worker ??= new Worker(new URL(import.meta.url));
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      let reached = null;
      let since = performance.now();
      const timer = setTimeout(async () => {
        this.#worker = null;
        settle();
        await worker.terminate();
        if (reached === null) return resolve({ repeat: 0, ms: 0, more: 0, moreMs: 0, ratio: 0, ended: true });
        const moreMs = performance.now() - since;
        resolve({ ...reached, moreMs, ratio: moreMs / reached.ms, ended: true });
      }, MOST_MS);
      const onMessage = (message) => {
        since = performance.now();
        if (message.ratio === undefined) return void (reached = message);
        clearTimeout(timer);
        settle();
        resolve({ ...message, ended: false });
      };
      const onError = (error) => {
        clearTimeout(timer);
        this.#worker = null;
        settle();
        reject(error);
      };
      const settle = () => worker.off('message', onMessage).off('error', onError);
      worker.on('message', onMessage).on('error', onError);
      worker.postMessage(task);
    });
  }

  async close() {
    await this.#worker?.terminate();
    this.#worker = null;
  }
}

if (!isMainThread) parentPort.on('message', (task) => parentPort.postMessage(growthOf(task)));

function growthOf({ pattern, flags, attack, kind }) {
  const re = new RegExp(pattern, flags);
  const once = (repeat) => timeOf(re, textOf(attack, repeat));
  for (let turn = 0; turn < WARM_UP; turn++) once(1);
  const exponential = kind === 'exponential';
  let repeat = exponential ? 1 : 2;
  let ms = once(repeat);
  while (ms < ENOUGH_MS) {
    repeat = exponential ? repeat + 1 : Math.ceil(repeat * STEP);
    if (textOf(attack, 1).length * repeat > MOST_CHARACTERS) return { repeat, ms, more: 0, moreMs: 0, ratio: 0 };
    ms = once(repeat);
  }
  let more = exponential ? repeat + 1 : 2 * repeat;
  parentPort.postMessage({ repeat, ms, more });
  let moreMs = once(more);
  while (exponential && moreMs < CLEARLY * ms && more < repeat + MORE_PUMPS) moreMs = once(++more);
  // In turn, so that what makes one match longer makes the other one longer too.
  for (let turn = 1; turn < BEST_OF; turn++) {
    ms = Math.min(ms, once(repeat));
    moreMs = Math.min(moreMs, once(more));
  }
  return { repeat, ms, more, moreMs, ratio: moreMs / ms };
}

// With g, as replace does it: a search goes on behind a match, and the first may be found at once.
function timeOf(re, text) {
  re.lastIndex = 0;
  const start = performance.now();
  if (re.global) text.replace(re, '');
  else re.test(text);
  return performance.now() - start;
}
