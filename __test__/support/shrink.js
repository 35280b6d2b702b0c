'use strict';

/**
 * Makes a failing case smaller: takes parts out of its strings and lowers its numbers, as long as it still fails. Gives
 * up after some seconds, and returns the smallest case found.
 */

/**
 * @template {Record<string, unknown>} Case
 * @param {Case} failing
 * @param {(candidate: Case) => boolean} stillFails
 * @param {number} [milliseconds]
 * @returns {Case}
 */
function shrink(failing, stillFails, milliseconds = 4000) {
  const end = performance.now() + milliseconds;
  let smallest = failing;
  for (let improved = true; improved; ) {
    improved = false;
    for (const candidate of smaller(smallest)) {
      if (performance.now() > end) return smallest;
      if (!stillFails(candidate)) continue;
      smallest = candidate;
      improved = true;
      break;
    }
  }
  return smallest;
}

/** Every case that is a step smaller, large steps first. */
function* smaller(failing) {
  for (const [key, value] of Object.entries(failing)) {
    if (typeof value === 'number' && value > 0) {
      yield { ...failing, [key]: 0 };
      yield { ...failing, [key]: value - 1 };
    }
    if (typeof value !== 'string') continue;
    for (let size = value.length; size >= 1; size = size >> 1) {
      for (let place = 0; place + size <= value.length; place += Math.max(1, size >> 1)) {
        yield { ...failing, [key]: value.slice(0, place) + value.slice(place + size) };
      }
    }
    // A pair of brackets and what opens a group, which can only go together.
    for (let open = 0; key === 'source' && open < value.length; open++) {
      if (value[open] !== '(' && value[open] !== '[') continue;
      const [opening] = /^\[\^?|^\((?:\?(?:[:=!]|<[=!]|<[^>]*>|[\w-]*:))?/.exec(value.slice(open));
      for (let close = open + opening.length; close < value.length; close++) {
        if (value[close] !== ')' && value[close] !== ']') continue;
        const inside = value.slice(open + opening.length, close);
        yield { ...failing, [key]: value.slice(0, open) + inside + value.slice(close + 1) };
        if (opening.length > 1 && value[open] === '(') {
          yield { ...failing, [key]: `${value.slice(0, open)}(${inside})${value.slice(close + 1)}` };
        }
      }
    }
    for (let place = 0; place < value.length; place++) {
      if (value[place] > 'a' && key !== 'flags' && key !== 'kind') {
        yield { ...failing, [key]: `${value.slice(0, place)}a${value.slice(place + 1)}` };
      }
    }
  }
}

module.exports = { shrink };
