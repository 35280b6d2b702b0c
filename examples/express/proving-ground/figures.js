// @ts-check
'use strict';

// What one side's samples come to: the figures from which the table and the verdict are made. Pure functions.

const { count, duration, megabytes, percent } = require('./words.js');

const NOISY_MS = 50; // of the measuring process: then something else keeps the machine busy
const SOON_MS = 100; // what people take for at once (Nielsen, "Response Times: The 3 Important Limits", 1993)

/**
 * @typedef {object} Measured what side.js has gathered
 * @property {import('./visitor.js').Visit[]} visits those that are done
 * @property {{ at: number, ms: number }[]} waiting those that were not, and for how long until the end
 * @property {number} attackAt when the attack began, on the visitors' clock
 * @property {number} standstillMs the longest time in which the event loop did not turn
 * @property {number} noiseMs the same of the process that measures, which has nothing else to do
 * @property {number} rssBefore
 * @property {number} rssMost
 * @property {number | null} keptBytes
 * @property {import('./attacker.js').Tally} tally
 * @property {End} end
 */

/**
 * `standing`: its event loop did not turn any more when time was over.
 * @typedef {object} End
 * @property {'running' | 'standing' | 'dead'} state
 * @property {string} [how] of one that died: its signal or exit code
 * @property {boolean} [outOfMemory]
 */

/**
 * @typedef {object} Figures
 * @property {number} visitors since the attack began
 * @property {number} answered of these
 * @property {number} soon the part of these, from 0 to 1, that had its answer within 100 ms
 * @property {number} calmMs median before the attack
 * @property {number} medianMs since it began; of a visitor who was never answered, the time until the end counts
 * @property {number} p95Ms
 * @property {number} slowestMs
 * @property {boolean} slowestWaits the slowest one was not answered
 * @property {number} admins of these visitors: whom the server took for an administrator
 * @property {number} standstillMs
 * @property {number} noiseMs
 * @property {number} rssBefore
 * @property {number} rssMost
 * @property {number | null} keptBytes
 * @property {import('./attacker.js').Tally} tally
 * @property {End} end
 */

/**
 * @param {Measured} measured
 * @returns {Figures}
 */
function figuresOf({ visits, waiting, attackAt, ...rest }) {
  const calm = visits.filter(({ at, ok }) => ok && at < attackAt).map(({ ms }) => ms);
  const done = visits.filter(({ at }) => at >= attackAt);
  const answered = done.filter(({ ok }) => ok);
  // Of who came just now nobody can tell yet.
  const late = waiting.filter(({ at, ms }) => at >= attackAt && ms > SOON_MS);
  const times = [...answered, ...late].map(({ ms }) => ms);
  const visitors = done.length + late.length;
  const slowestMs = Math.max(0, ...times);
  return {
    visitors,
    answered: answered.length,
    soon: visitors === 0 ? 0 : answered.filter(({ ms }) => ms <= SOON_MS).length / visitors,
    calmMs: percentile(calm, 0.5),
    medianMs: percentile(times, 0.5),
    p95Ms: percentile(times, 0.95),
    slowestMs,
    slowestWaits: late.some(({ ms }) => ms === slowestMs),
    admins: done.filter(({ isAdmin }) => isAdmin).length,
    ...rest,
  };
}

/**
 * By nearest rank. 0 of none.
 * @param {number[]} values
 * @param {number} part
 */
function percentile(values, part) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
}

/**
 * The table, one row for each figure.
 * @param {import('./attacks.js').Attack} attack
 * @param {Figures} ordinary
 * @param {Figures} holdfast
 * @returns {{ label: string, ordinary: string, holdfast: string }[]}
 */
function tableOf(attack, ordinary, holdfast) {
  const right = rowsOf(attack, holdfast);
  return rowsOf(attack, ordinary).map(([label, value], index) => {
    return { label, ordinary: value, holdfast: right[index][1] };
  });
}

/**
 * @param {import('./attacks.js').Attack} attack
 * @param {Figures} figures
 * @returns {[string, string][]}
 */
function rowsOf(attack, figures) {
  const { tally, end, keptBytes } = figures;
  return [
    ...attack.results(figures),
    ['Requests of the attack', requestsInWords(tally)],
    ['Visitors answered', `${count(figures.answered)} of ${count(figures.visitors)}`],
    ['… within 100 ms', percent(figures.soon)],
    ['Visitor’s wait before the attack, median', duration(figures.calmMs)],
    ['Visitor’s wait since the attack, median', duration(figures.medianMs)],
    ['… 95 of 100 waited at most', duration(figures.p95Ms)],
    ['… longest', `${duration(figures.slowestMs)}${figures.slowestWaits ? ' without an answer' : ''}`],
    ['Event loop, longest standstill', duration(figures.standstillMs)],
    ['Resident memory', `${megabytes(figures.rssBefore)} before, ${megabytes(figures.rssMost)} at most`],
    ['Memory kept after the attack', keptBytes === null ? 'not known' : megabytes(Math.max(0, keptBytes))],
    ['Process in the end', endInWords(end)],
    ['Measuring itself was late by, at most', duration(figures.noiseMs)],
  ];
}

/** @param {import('./attacker.js').Tally} tally */
function requestsInWords({ sent, accepted, refused, failed }) {
  const open = Math.max(0, sent - accepted - refused - failed);
  if (sent > 0 && open === sent) return `${count(sent)}: none answered`;
  const parts = { accepted, refused, failed, 'not answered': open };
  const words = Object.entries(parts).filter(([, number]) => number > 0)
    .map(([what, number]) => (number === sent ? `all ${what}` : `${count(number)} ${what}`));
  return `${count(sent)}${words.length > 0 ? `: ${words.join(', ')}` : ''}`;
}

/** @param {End} end */
function endInWords({ state, how, outOfMemory }) {
  if (state === 'running') return 'running';
  if (state === 'standing') return 'standing still';
  return outOfMemory === true ? 'died: out of memory' : `died: ${how}`;
}

/**
 * Whether this machine was too busy for figures that one can rely on.
 * @param {Figures[]} sides
 */
function isNoisy(sides) {
  return sides.some(({ noiseMs }) => noiseMs > NOISY_MS);
}

module.exports = { figuresOf, isNoisy, tableOf };
