// @ts-check

// A chart of one figure over time for both sides, as SVG that is drawn at the size it has. The series differ in
// colour, in stroke and in the mark at their heads, and carry their names. Knows nothing of where samples come from.

const SVG = 'http://www.w3.org/2000/svg';
const SERIES = /** @type {const} */ ([['ordinary', 'Ordinary'], ['holdfast', 'Holdfast']]);
const MARGIN = { top: 20, right: 68, bottom: 24, left: 54 };
const HEAD = 4.5; // half the size of the mark at a line's end
const LABEL_HEIGHT = 15;
const LABEL_GAP = 9;

/**
 * @typedef {object} Scale
 * @property {(highest: number) => number} top of the axis, for the highest value
 * @property {(value: number, top: number) => number} place from 0, at the foot, to 1
 * @property {(top: number) => number[]} ticks
 * @property {(value: number) => string} format
 */

/** @type {Scale} one millisecond to ten seconds, each decade as high as the others */
export const logarithmic = {
  top: () => 10_000,
  place: (value, top) => Math.max(0, Math.log(value / LOWEST_MS) / Math.log(top / LOWEST_MS)),
  ticks: () => [1, 10, 100, 1000, 10_000],
  format: (value) => (value < 1000 ? `${value} ms` : `${value / 1000} s`),
};
const LOWEST_MS = 0.4;

/** @type {Scale} bytes, in steps of 50 or 100 MB */
export const linear = {
  top: (highest) => Math.max(1, Math.ceil(highest / 1e8)) * 1e8,
  place: (value, top) => value / top,
  ticks: (top) => [0, top / 2, top],
  format: (value) => `${value / 1e6} MB`,
};

/** @type {Scale} how many */
export const counting = {
  top: (highest) => STEPS.find((step) => step >= highest) ?? highest,
  place: (value, top) => value / top,
  ticks: (top) => [0, top / 2, top],
  format: String,
};
const STEPS = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/** @typedef {{ at: number, value: number | null, standing: boolean, dead: boolean }} Point */

let charts = 0;

export class Chart {
  #svg;
  #label;
  #hatch = `hatch-${++charts}`;
  #scale;
  #timing = { calmMs: 1000, attackMs: 5000, afterMs: 1000 };
  /** @type {Record<string, Point[]>} */
  #points = {};
  #width = 0;
  #height = 0;

  /**
   * @param {string} label
   * @param {Scale} scale
   */
  constructor(label, scale) {
    this.#label = label;
    this.#scale = scale;
    this.#svg = element('svg', { role: 'img', 'aria-label': label });
    new ResizeObserver(([{ contentRect: { width, height } }]) => {
      if (width === this.#width && height === this.#height) return;
      this.#width = width;
      this.#height = height;
      this.#draw();
    }).observe(this.#svg);
  }

  /** @param {string} label */
  set label(label) {
    this.#label = label;
  }

  get node() {
    return this.#svg;
  }

  /**
   * @param {{ calmMs: number, attackMs: number, afterMs: number }} timing
   * @param {Record<string, Point[]>} points for each side
   * @param {string} description for those who do not see it
   */
  show(timing, points, description) {
    this.#timing = timing;
    this.#points = points;
    this.#svg.setAttribute('aria-label', `${this.#label}. ${description}`);
    this.#draw();
  }

  #draw() {
    if (this.#width === 0) return;
    const { calmMs, attackMs, afterMs } = this.#timing;
    const all = Object.values(this.#points).flat().map(({ value }) => value ?? 0);
    const top = this.#scale.top(Math.max(0, ...all));
    const right = this.#width - MARGIN.right;
    const foot = this.#height - MARGIN.bottom;
    const [wide, high] = [right - MARGIN.left, foot - MARGIN.top];
    const x = (/** @type {number} */ at) => MARGIN.left + wide * Math.min(1, at / (calmMs + attackMs + afterMs));
    const y = (/** @type {number} */ value) => foot - high * Math.min(1, this.#scale.place(value, top));

    const parts = [hatch(this.#hatch)];
    const [from, to] = [x(calmMs), x(calmMs + attackMs)];
    parts.push(element('rect', { class: 'band', x: from, y: MARGIN.top, width: to - from, height: high }));
    parts.push(text('under attack', { class: 'band-name', x: from, y: MARGIN.top - 7 }));
    for (const value of this.#scale.ticks(top)) {
      parts.push(element('path', { class: 'grid', d: `M${MARGIN.left} ${round(y(value))}H${right}` }));
      const place = { class: 'tick', x: MARGIN.left - 8, y: y(value) + 4, 'text-anchor': 'end' };
      parts.push(text(this.#scale.format(value), place));
    }
    parts.push(...this.#seconds(x, foot));

    const heads = [];
    for (const [side, name] of SERIES) {
      const points = this.#points[side] ?? [];
      parts.push(...standstills(points, x, y, foot, this.#hatch));
      const line = points.filter(({ value }) => value !== null);
      if (line.length === 0) continue;
      const at = (/** @type {Point} */ point) => `${x(point.at).toFixed(1)} ${y(Number(point.value)).toFixed(1)}`;
      parts.push(element('path', { class: `line ${side}`, d: `M${line.map(at).join('L')}` }));
      const last = line[line.length - 1];
      heads.push({ side, name, dead: last.dead, x: x(last.at), y: y(Number(last.value)) });
    }
    for (const head of heads) parts.push(mark(head));
    parts.push(...names(heads, foot));
    this.#svg.replaceChildren(...parts);
  }

  /**
   * @param {(at: number) => number} x
   * @param {number} foot
   */
  #seconds(x, foot) {
    const { calmMs, attackMs, afterMs } = this.#timing;
    const right = this.#width - MARGIN.right;
    const parts = [element('path', { class: 'axis', d: `M${MARGIN.left} ${round(foot)}H${right}` })];
    for (let second = 0; second * 1000 <= calmMs + attackMs + afterMs; second++) {
      const at = round(x(second * 1000));
      parts.push(element('path', { class: 'axis', d: `M${at} ${round(foot)}v4` }));
      parts.push(text(`${second} s`, { class: 'tick', x: at, y: foot + 18, 'text-anchor': 'middle' }));
    }
    return parts;
  }
}

/**
 * Hatched, where the event loop stood still.
 * @param {Point[]} points
 * @param {(at: number) => number} x
 * @param {(value: number) => number} y
 * @param {number} foot
 * @param {string} pattern
 */
function standstills(points, x, y, foot, pattern) {
  const parts = [];
  for (let index = 1; index < points.length; index++) {
    const [before, here] = [points[index - 1], points[index]];
    if (!here.standing || before.value === null || here.value === null) continue;
    const d = `M${x(before.at)} ${foot}V${y(before.value)}L${x(here.at)} ${y(here.value)}V${foot}Z`;
    parts.push(element('path', { class: 'standing', d, fill: `url(#${pattern})` }));
  }
  return parts;
}

/** @param {string} id */
function hatch(id) {
  const pattern = element('pattern', { id, width: 5, height: 5, patternUnits: 'userSpaceOnUse' });
  pattern.append(element('path', { class: 'hatch', d: 'M-1 6L6 -1M-1 1L1 -1M4 6L6 4' }));
  const defs = element('defs', {});
  defs.append(pattern);
  return defs;
}

/** @param {{ side: string, dead: boolean, x: number, y: number }} head */
function mark({ side, dead, x, y }) {
  if (dead) {
    const d = `M${x - HEAD} ${y - HEAD}l${2 * HEAD} ${2 * HEAD}m0 ${-2 * HEAD}l${-2 * HEAD} ${2 * HEAD}`;
    return element('path', { class: `mark dead ${side}`, d });
  }
  if (side === 'ordinary') return element('circle', { class: `mark ${side}`, cx: x, cy: y, r: HEAD });
  return element('rect', { class: `mark ${side}`, x: x - HEAD, y: y - HEAD, width: 2 * HEAD, height: 2 * HEAD });
}

/**
 * The name to the right of each head, and not over the other one.
 * @param {{ side: string, name: string, x: number, y: number }[]} heads
 * @param {number} foot
 */
function names(heads, foot) {
  const placed = heads.map((head) => ({ ...head, y: Math.min(foot - 2, head.y + 4) }));
  if (placed.length === 2 && Math.abs(placed[0].x - placed[1].x) < MARGIN.right) {
    const [upper, lower] = placed[0].y <= placed[1].y ? placed : [placed[1], placed[0]];
    upper.y = Math.min(upper.y, lower.y - LABEL_HEIGHT);
  }
  return placed.map(({ side, name, x, y }) => text(name, { class: `name ${side}`, x: x + LABEL_GAP, y }));
}

/**
 * @param {string} content
 * @param {Record<string, string | number>} attributes
 */
function text(content, attributes) {
  const node = element('text', attributes);
  node.textContent = content;
  return node;
}

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 */
function element(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  return node;
}

/** Hairlines lie between pixels. @param {number} value */
function round(value) {
  return Math.round(value) + 0.5;
}
