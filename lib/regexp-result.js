// @ts-check
'use strict';

/** A match as `exec` returns it, made from its offsets. ECMA-262, §22.2.7.2, from step 26. */

/** @typedef {import('./regexp-program.js').Program} Program */

/**
 * @param {Program} program
 * @param {string} text
 * @param {Int32Array} spans
 * @param {number} base Where the match begins in `spans`.
 * @returns {RegExpExecArray}
 */
function resultOf(program, text, spans, base) {
  const result = /** @type {any} */ (values(program.groups, text, spans, base));
  result.index = spans[base];
  result.input = text;
  result.groups = program.names.length === 0 ? undefined : byName(result, program);
  if (program.hasIndices) result.indices = indicesOf(program, spans, base);
  return result;
}

/**
 * What the match and its groups captured. A literal is made at once, in its final size.
 *
 * @param {number} groups
 * @param {string} text
 * @param {Int32Array} spans
 * @param {number} base
 */
function values(groups, text, spans, base) {
  const all = text.slice(spans[base], spans[base + 1]);
  switch (groups) {
    case 0:
      return [all];
    case 1:
      return [all, capture(text, spans, base + 2)];
    case 2:
      return [all, capture(text, spans, base + 2), capture(text, spans, base + 4)];
    case 3:
      return [all, capture(text, spans, base + 2), capture(text, spans, base + 4), capture(text, spans, base + 6)];
    case 4:
      return [
        all,
        capture(text, spans, base + 2),
        capture(text, spans, base + 4),
        capture(text, spans, base + 6),
        capture(text, spans, base + 8),
      ];
  }
  const list = [all];
  for (let place = base + 2; place <= base + 2 * groups; place += 2) {
    list.push(/** @type {string} */ (capture(text, spans, place)));
  }
  return list;
}

/**
 * @param {string} text
 * @param {Int32Array} spans
 * @param {number} place
 */
function capture(text, spans, place) {
  const start = spans[place];
  return start < 0 ? undefined : text.slice(start, spans[place + 1]);
}

/**
 * A match as `execBytes` returns it.
 *
 * @param {Program} program
 * @param {Int32Array} spans
 */
function spansOf(program, spans) {
  /** @type {([number, number] | undefined)[]} */
  const captures = [];
  for (let place = 2; place < program.width; place += 2) {
    captures.push(spans[place] < 0 ? undefined : [spans[place], spans[place + 1]]);
  }
  return { start: spans[0], end: spans[1], captures };
}

/**
 * @param {Program} program
 * @param {Int32Array} spans
 * @param {number} base
 */
function indicesOf(program, spans, base) {
  const indices = /** @type {any} */ ([]);
  for (let place = base; place < base + program.width; place += 2) {
    indices.push(spans[place] < 0 ? undefined : [spans[place], spans[place + 1]]);
  }
  indices.groups = program.names.length === 0 ? undefined : byName(indices, program);
  return indices;
}

/**
 * The values of the named groups.
 *
 * @param {unknown[]} all
 * @param {Program} program
 */
function byName(all, { names }) {
  const groups = Object.create(null);
  for (const { name, numbers } of names) {
    let place = numbers.length - 1;
    let value = all[numbers[place]];
    // Of several groups with one name at most one took part, but V8 13 lets one stand inside the other; the last one counts.
    while (value === undefined && place > 0) value = all[numbers[--place]];
    groups[name] = value;
  }
  return groups;
}

module.exports = { byName, capture, resultOf, spansOf, values };
