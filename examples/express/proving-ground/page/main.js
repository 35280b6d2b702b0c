// @ts-check

// The page: which attack is chosen, what is known about each, and the run that is under way. What is known is kept
// while the page is open, so that one can look at another attack and come back.

import { by, create, set } from './dom.js';
import { Refused, eventsOf } from './events.js';
import { showCounted, showTicks } from './panel.js';
import { tickInWords } from './words.js';

const SPEAK_MS = 3000; // a screen reader has to get to the end of a sentence
const SETTLE_MS = 400; // after a run that was stopped: for the server to notice
const NOISY = ' Something else kept this machine busy: trust them less, or run it again.';
const STILL_MS = 1000; // between drawings, for those who want little motion

const base = document.body.dataset.base ?? '';
const wantsStillness = matchMedia('(prefers-reduced-motion: reduce)');

/**
 * What came of an attack, or has come so far.
 * @typedef {object} Result
 * @property {{ calmMs: number, attackMs: number, afterMs: number }} timing
 * @property {import('./panel.js').Ticks} ticks
 * @property {{ sentence: string, table: { label: string, ordinary: string, holdfast: string }[] } | null} verdict
 * @property {string} status
 */

/** @type {{ timing: any, attacks: any[] }} */
let known = { timing: {}, attacks: [] };
/** @type {any} */
let chosen = null;
/** @type {Map<string, Result>} */
const results = new Map();
/** @type {AbortController | null} */
let running = null;
let drawnAt = 0;
let spokenAt = 0;

by('choice').addEventListener('change', (event) => choose(/** @type {HTMLInputElement} */ (event.target).value));
by('choice').addEventListener('submit', (event) => {
  event.preventDefault();
  void run();
});
by('stop').addEventListener('click', stop);
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') stop();
});

try {
  known = await (await fetch(`${base}/attacks`)).json();
  showChoice();
} catch {
  say('The list of attacks could not be loaded. Is the server still running? Reload the page to try again.');
}

function showChoice() {
  const asked = known.attacks.find(({ id }) => `#${id}` === location.hash) ?? known.attacks[0];
  for (const { id, name, claim } of known.attacks) {
    const [input, hint] = [`attack-${id}`, `claim-${id}`];
    const radio = create('input', { type: 'radio', name: 'attack', value: id, id: input, 'aria-describedby': hint });
    /** @type {HTMLInputElement} */ (radio).checked = id === asked.id;
    const words = [create('label', { for: input }, name), create('span', { class: 'hint', id: hint }, claim)];
    by('attacks').append(create('div', { class: 'option' }, radio, ...words));
  }
  choose(asked.id);
}

/** @param {string} id */
function choose(id) {
  chosen = known.attacks.find((attack) => attack.id === id);
  history.replaceState(null, '', `#${id}`);
  set('name', chosen.name);
  set('claim', `${chosen.claim}.`);
  set('sends', chosen.sends);
  set('sample', chosen.sample);
  set('watch', chosen.watch);
  for (const side of ['ordinary', 'holdfast']) {
    set(`${side}-why`, chosen[side].why);
    set(`${side}-code`, chosen[side].code);
  }
  showCounted(chosen.counted);
  const { calmMs, attackMs, afterMs } = known.timing;
  const seconds = Math.round((2 * (calmMs + attackMs + afterMs)) / 1000) + 1;
  say(results.get(id)?.status ?? `Takes about ${seconds} seconds: the ordinary server first, then Holdfast’s.`);
  draw();
}

async function run() {
  if (running !== null || chosen === null) return;
  const { id } = chosen;
  /** @type {Result} */
  const result = { timing: known.timing, ticks: { ordinary: [], holdfast: [] }, verdict: null, status: '' };
  running = new AbortController();
  setRunning(true);
  by('run').scrollIntoView({ block: 'nearest', behavior: wantsStillness.matches ? 'auto' : 'smooth' });
  say('Starting the ordinary server …');
  try {
    for await (const { event, data } of eventsOf(`${base}/runs/${id}`, running.signal)) {
      // Only now: what was known before stays when the server refuses.
      results.set(id, result);
      hear(result, event, data);
    }
    if (result.status === '') result.status = 'The connection ended before the run did.';
  } catch (error) {
    result.status = reasonOf(error, running.signal.aborted);
    if (running.signal.aborted) await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  }
  running = null;
  setRunning(false);
  say(result.status);
  draw();
}

/**
 * @param {Result} result
 * @param {string} event
 * @param {any} data
 */
function hear(result, event, data) {
  if (event === 'run') {
    result.timing = data.timing;
    draw();
  } else if (event === 'tick') {
    result.ticks[/** @type {'ordinary' | 'holdfast'} */ (data.side)].push(data);
    const now = performance.now();
    if (now - spokenAt > SPEAK_MS) say(tickInWords(data, result.timing, chosen.counted));
    if (!wantsStillness.matches || now - drawnAt > STILL_MS) draw();
  } else if (event === 'side') {
    say(data.side === 'ordinary' ? 'Starting the ordinary server …' : 'Starting Holdfast’s server …');
  } else if (event === 'verdict') {
    result.verdict = data;
    result.status = `Done: the verdict and the figures are below.${data.isNoisy ? NOISY : ''}`;
  } else if (event === 'failure') {
    result.status = `The run failed: ${data.detail}.`;
  }
}

function stop() {
  running?.abort();
}

/**
 * @param {unknown} error
 * @param {boolean} wasStopped
 */
function reasonOf(error, wasStopped) {
  if (wasStopped) return 'Stopped, and with it the servers of the run.';
  if (error instanceof Refused) return error.message;
  return 'The connection to the server is lost. Is it still running?';
}

/**
 * The start button stays where it is, and so does the keyboard's focus; it may not stay in what is disabled or hidden.
 * @param {boolean} on
 */
function setRunning(on) {
  const [start, stopButton] = [by('start'), by('stop')];
  const attacks = /** @type {HTMLFieldSetElement} */ (by('attacks'));
  if (attacks.contains(document.activeElement) || document.activeElement === stopButton) start.focus();
  start.setAttribute('aria-disabled', String(on));
  stopButton.hidden = !on;
  attacks.disabled = on;
}

function draw() {
  drawnAt = performance.now();
  const result = results.get(chosen.id);
  showTicks(result?.timing ?? known.timing, result?.ticks ?? { ordinary: [], holdfast: [] });
  const verdict = result?.verdict ?? null;
  set('verdict', verdict?.sentence ?? 'Not measured yet.');
  by('table').hidden = verdict === null;
  by('rows').replaceChildren(...(verdict?.table ?? []).map(({ label, ordinary, holdfast }) => create('tr', {},
    create('th', { scope: 'row' }, label), create('td', {}, ordinary), create('td', {}, holdfast))));
}

/** @param {string} words shown, and read to those who listen */
function say(words) {
  spokenAt = performance.now();
  set('status', words);
}
