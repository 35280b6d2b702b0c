// @ts-check

// Figures for the eye and for the ear. The server's words.js has those of the table and the verdict.

/** @param {number} ms */
export function duration(ms) {
  if (ms < 10) return `${ms.toFixed(1)}\u00a0ms`;
  if (ms < 1000) return `${Math.round(ms)}\u00a0ms`;
  return `${(ms / 1000).toFixed(2)}\u00a0s`;
}

/** @param {number} bytes */
export function megabytes(bytes) {
  return `${Math.round(bytes / 1e6)}\u00a0MB`;
}

/** @param {number} ms */
function spokenDuration(ms) {
  if (ms < 1000) return plural(Math.round(ms), 'millisecond');
  return `${(ms / 1000).toFixed(1)} seconds`;
}

/**
 * @param {number} number
 * @param {string} one
 */
function plural(number, one) {
  return `${number} ${one}${number === 1 ? '' : 's'}`;
}

/**
 * The state of a run in a sentence or two.
 * @param {any} tick
 * @param {{ calmMs: number, attackMs: number, afterMs: number }} timing
 * @param {string | undefined} counted what the attack counts
 */
export function tickInWords({ side, at, delayMs, waitMs, rss, state, count }, { calmMs, attackMs, afterMs }, counted) {
  const server = side === 'ordinary' ? 'Ordinary server' : 'Holdfast’s server';
  const phase = at < calmMs ? 'before the attack' : at < calmMs + attackMs ? 'under attack' : 'after the attack';
  const seconds = `second ${Math.ceil(at / 1000)} of ${Math.ceil((calmMs + attackMs + afterMs) / 1000)}`;
  const begin = `${server}, ${phase}, ${seconds}:`;
  if (state === 'dead') return `${begin} the process has died.`;
  const loop = state === 'standing'
    ? `the event loop has stood still for ${spokenDuration(delayMs)}`
    : `event loop late by ${spokenDuration(delayMs)}`;
  const visitors = waitMs === null ? 'no visitor was answered' : `slowest visitor ${spokenDuration(waitMs)}`;
  const special = counted === undefined ? '' : `, ${counted.toLowerCase()}: ${count}`;
  return `${begin} ${loop}, ${visitors}, ${plural(Math.round(rss / 1e6), 'megabyte')} of memory${special}.`;
}
