// The measuring part of the benchmarks: takes one case with its contestants, checks that they all give the same
// output, runs them in interleaved rounds whose order rotates, and returns medians, minima, spreads and ratios.
// Called by child.mjs, one process per case. Guarantees: no figure for a contestant whose output differs, every
// output is stored where the optimiser must keep it, every contestant has a loop (and so inline caches) of its own.
import { isDeepStrictEqual } from 'node:util';

/** The contestant every ratio refers to. */
export const REFERENCE = 'holdfast';

/**
 * @typedef {object} Prepared
 * @property {Record<string, (() => unknown) | null>} contestants  null or undefined: the package is not available
 * @property {(output: any) => unknown} [normalize]  makes outputs of one meaning comparable
 * @property {(outputs: Record<string, any>) => void | Promise<void>} [check]  instead of equality, where outputs are
 *   random (hashes, sealed messages); throws when one is wrong
 * @property {(name: string) => void | Promise<void>} [renew]  called before every call of a contestant and outside its
 *   time, for inputs that are used up; a sample is then one call
 * @property {Record<string, string>} [excluded]  who cannot take part in this case, and why
 *
 * @typedef {object} Settings
 * @property {number} [rounds]  default 41
 * @property {number} [operations]  how many operations one call of a contestant does; times are per operation
 * @property {number} [minSampleMs]  how long one sample lasts at least; default 2
 * @property {number} [warmUpMs]  default 60
 * @property {() => bigint} [clock]  nanoseconds
 * @property {() => void} [collect]  called before every sample, outside the timing
 */

/**
 * Measures one case.
 * @param {Prepared} prepared
 * @param {Settings} [settings]
 */
export async function compare(prepared, settings = {}) {
  const rounds = settings.rounds ?? 41;
  const operations = settings.operations ?? 1;
  const minSampleNs = (settings.minSampleMs ?? 2) * 1e6;
  const warmUpNs = (settings.warmUpMs ?? 60) * 1e6;
  const clock = settings.clock ?? process.hrtime.bigint;
  const collect = settings.collect ?? minorCollection;

  const names = Object.keys(prepared.contestants).filter((name) => typeof prepared.contestants[name] === 'function');
  if (!names.includes(REFERENCE)) throw new Error(`a case needs a contestant named ${REFERENCE}`);

  const outputs = await outputsOf(prepared, names);
  await assertEqualOutputs(prepared, outputs.settled);

  /** @type {Map<string, { loop: Loop, iterations: number, samples: number[] }>} */
  const lanes = new Map();
  for (const name of names) {
    const run = /** @type {() => unknown} */ (prepared.contestants[name]);
    const loop = isThenable(outputs.raw[name]) ? awaitingLoop(run) : synchronousLoop(run);
    const renew = prepared.renew && (() => prepared.renew(name));
    const iterations = renew
      ? await warmUpAnew(loop, renew, { clock, warmUpNs })
      : await calibrate(loop, { clock, warmUpNs, minSampleNs });
    lanes.set(name, { loop, iterations, samples: [] });
  }

  for (let round = 0; round < rounds; round++) {
    for (const name of rotate(names, round)) {
      const lane = /** @type {NonNullable<ReturnType<typeof lanes.get>>} */ (lanes.get(name));
      await prepared.renew?.(name);
      collect();
      const elapsed = await timed(lane.loop, lane.iterations, clock);
      lane.samples.push(elapsed / (lane.iterations * operations));
    }
  }

  // Again at the end: an output that changed while it was measured (a lastIndex, a mutated target) is a mismatch too.
  const last = Object.fromEntries(Array.from(lanes, ([name, { loop }]) => [name, loop.sink.value]));
  await assertEqualOutputs(prepared, last);

  /** @type {Record<string, ReturnType<typeof summarize> & { iterations: number, samples: number[] }>} */
  const contestants = {};
  for (const [name, { iterations, samples }] of lanes) {
    contestants[name] = { ...summarize(samples), iterations, samples: samples.map((ns) => Number(ns.toPrecision(6))) };
  }
  return { rounds, operations, unit: 'ns', contestants, ratios: ratios(contestants) };
}

/** Middle of the sorted values; the mean of the two in the middle when their number is even. */
export function median(values) {
  return quantile(values, 0.5);
}

/** Quantile by linear interpolation between the closest ranks (Hyndman and Fan's type 7). */
export function quantile(values, q) {
  if (values.length === 0) throw new RangeError('a quantile needs at least one value');
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (sorted.length - 1) * q;
  const below = Math.floor(rank);
  const above = Math.ceil(rank);
  return sorted[below] + (sorted[above] - sorted[below]) * (rank - below);
}

/** Median, minimum, quartiles, and the interquartile range in per cent of the median: how much noise there was. */
export function summarize(samples) {
  const middle = median(samples);
  const q1 = quantile(samples, 0.25);
  const q3 = quantile(samples, 0.75);
  return { median: middle, min: Math.min(...samples), q1, q3, spreadPercent: ((q3 - q1) / middle) * 100 };
}

/** For every peer `peer / holdfast`, of the medians and of the minima: over 1 means Holdfast is faster. */
export function ratios(contestants) {
  const own = contestants[REFERENCE];
  /** @type {Record<string, { median: number, min: number }>} */
  const result = {};
  for (const [name, peer] of Object.entries(contestants)) {
    if (name === REFERENCE) continue;
    result[name] = { median: peer.median / own.median, min: peer.min / own.min };
  }
  return result;
}

/** The names in their order, beginning `by` places later: over `names.length` rounds everyone has every place once. */
export function rotate(names, by) {
  const shift = by % names.length;
  return [...names.slice(shift), ...names.slice(0, shift)];
}

/** What `compare` throws when a contestant does not do the same work as the others. */
export class OutputMismatch extends Error {
  constructor(name) {
    super(`the output of ${name} differs from that of ${REFERENCE}: not the same work, so there is nothing to compare`);
    this.name = 'OutputMismatch';
    this.contestant = name;
  }
}

/**
 * A copy of a closed function (one that uses nothing but its parameters and globals) with feedback of its own.
 * Closures made at one place in the source share their inline caches; contestants must not, or V8 would see three
 * kinds of receiver where a real program has one.
 * @template {(...args: any[]) => any} F
 * @param {F} factory
 * @returns {F}
 */
export function isolate(factory) {
  return new Function(`return (${factory.toString()}); // copy ${++copies}`)();
}

/** What one empty iteration of the measuring loop costs here, in nanoseconds; it is in every figure. */
export async function overhead(clock = process.hrtime.bigint) {
  const loop = synchronousLoop(isolate(() => () => 0)());
  const iterations = 1e6;
  await timed(loop, iterations, clock);
  const samples = [];
  for (let round = 0; round < 9; round++) samples.push((await timed(loop, iterations, clock)) / iterations);
  return median(samples);
}

/** @typedef {((n: number) => void | Promise<void>) & { sink: { value: unknown } }} Loop */

let copies = 0;

// Storing every output in an object that outlives the loop keeps the optimiser from dropping the work.
/** @returns {Loop} */
function synchronousLoop(run) {
  const sink = { value: undefined };
  const make = isolate((inner, target) => (n) => {
    for (let i = 0; i < n; i++) target.value = inner();
  });
  return Object.assign(make(run, sink), { sink });
}

/** @returns {Loop} */
function awaitingLoop(run) {
  const sink = { value: undefined };
  const make = isolate((inner, target) => async (n) => {
    for (let i = 0; i < n; i++) target.value = await inner();
  });
  return Object.assign(make(run, sink), { sink });
}

async function timed(loop, iterations, clock) {
  const start = clock();
  const pending = loop(iterations);
  if (pending !== undefined) await pending;
  return Number(clock() - start);
}

// Doubles the count until a sample is long enough, after the warm-up; never less than one iteration.
async function calibrate(loop, { clock, warmUpNs, minSampleNs }) {
  let spent = 0;
  let iterations = 1;
  for (;;) {
    const elapsed = await timed(loop, iterations, clock);
    spent += elapsed;
    if (elapsed >= minSampleNs && spent >= warmUpNs)
      return Math.max(1, Math.ceil((iterations * minSampleNs) / elapsed));
    if (elapsed < minSampleNs) iterations *= 2;
  }
}

// One call is a sample, however long it takes.
async function warmUpAnew(loop, renew, { clock, warmUpNs }) {
  let spent = 0;
  do {
    await renew();
    spent += await timed(loop, 1, clock);
  } while (spent < warmUpNs);
  return 1;
}

async function outputsOf(prepared, names) {
  /** @type {Record<string, any>} */
  const raw = {};
  /** @type {Record<string, any>} */
  const settled = {};
  for (const name of names) {
    await prepared.renew?.(name);
    raw[name] = prepared.contestants[name]();
    settled[name] = await raw[name];
  }
  return { raw, settled };
}

async function assertEqualOutputs({ check, normalize = (output) => output }, outputs) {
  if (check) return void (await check(outputs));
  const expected = normalize(outputs[REFERENCE]);
  for (const [name, output] of Object.entries(outputs)) {
    if (!isDeepStrictEqual(normalize(output), expected)) throw new OutputMismatch(name);
  }
}

function isThenable(value) {
  return typeof value === 'object' && value !== null && typeof value.then === 'function';
}

// Empties the young generation, so that one contestant's garbage is not collected in another's sample. Only the young
// one: full collections age V8's compiled code and regular expressions until it drops them.
function minorCollection() {
  globalThis.gc?.({ type: 'minor' });
}
