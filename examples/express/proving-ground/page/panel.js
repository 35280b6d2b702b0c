// @ts-check

// The charts with their captions and highest values: what ticks look like. Nothing here knows how they were come by.

import { Chart, counting, linear, logarithmic } from './chart.js';
import { by, create } from './dom.js';
import { duration, megabytes } from './words.js';

const SIDES = /** @type {const} */ (['ordinary', 'holdfast']);
const NAMES = { ordinary: 'Ordinary', holdfast: 'Holdfast' };

/** @typedef {{ ordinary: any[], holdfast: any[] }} Ticks */

/** What an attack counts comes first: the title is the attack's, and most have none. */
const figures = [
  figure('', '', 'count', String, counting),
  figure('Event-loop delay', 'longest · log scale', 'delayMs', duration, logarithmic),
  figure('A visitor’s wait', 'slowest · log scale', 'waitMs', duration, logarithmic),
  figure('Resident memory', 'highest', 'rss', megabytes, linear),
];

/** @param {string | undefined} title of what the chosen attack counts */
export function showCounted(title) {
  const [{ node, heading, chart }] = figures;
  node.hidden = title === undefined;
  heading.textContent = title ?? '';
  chart.label = title ?? '';
}

/**
 * @param {{ calmMs: number, attackMs: number, afterMs: number }} timing
 * @param {Ticks} ticks
 */
export function showTicks(timing, ticks) {
  const isEmpty = ticks.ordinary.length === 0;
  for (const { chart, value, format, readings } of figures) {
    const points = { ordinary: pointsOf(ticks.ordinary, value), holdfast: pointsOf(ticks.holdfast, value) };
    for (const side of SIDES) {
      const highest = highestOf(points[side], timing.calmMs);
      readings[side].textContent = highest === null ? '–' : format(highest);
    }
    const [ordinary, holdfast] = SIDES.map((side) => `${NAMES[side]} ${readings[side].textContent}`);
    chart.show(timing, points, isEmpty ? 'Nothing has been measured yet.' : `Highest: ${ordinary}, ${holdfast}.`);
  }
}

/**
 * @param {string} title
 * @param {string} note
 * @param {string} value the member of a tick
 * @param {(value: number) => string} format
 * @param {import('./chart.js').Scale} scale
 */
function figure(title, note, value, format, scale) {
  const chart = new Chart(title, scale);
  const readings = { ordinary: create('dd'), holdfast: create('dd') };
  const list = create('dl', { class: 'readings' });
  for (const side of SIDES) {
    const name = create('dt', {}, create('span', { class: `key ${side}` }), NAMES[side]);
    list.append(create('div', { class: side }, name, readings[side]));
  }
  const heading = create('strong', {}, title);
  const caption = create('figcaption', {}, heading, create('span', { class: 'note' }, note), list);
  const node = create('figure', {}, caption, chart.node);
  by('charts').append(node);
  return { node, heading, chart, value, format, readings };
}

/**
 * @param {any[]} ticks
 * @param {string} value
 * @returns {import('./chart.js').Point[]}
 */
function pointsOf(ticks, value) {
  return ticks.map((tick) => ({
    at: tick.at,
    value: tick[value],
    standing: tick.state === 'standing' && value === 'delayMs',
    dead: tick.state === 'dead',
  }));
}

/**
 * Since the attack began.
 * @param {import('./chart.js').Point[]} points
 * @param {number} calmMs
 */
function highestOf(points, calmMs) {
  const values = points.filter(({ at, value }) => value !== null && at > calmMs).map(({ value }) => Number(value));
  return values.length === 0 ? null : Math.max(...values);
}
