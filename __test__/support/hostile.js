'use strict';

/**
 * The shapes of regexp-hostile.cases.json on texts of any length, in every operation. Each result is a short list of
 * numbers that, for these periodic texts, are linear functions of the number of pumps: so what V8 says of short texts
 * says what is right for long ones, on which V8 would not end. Used by the test and by bench/hostile.mjs. A shape may
 * name the `operations` that are tried on it, where all of them would take long; `from` and `same` help V8, see the test.
 */

/** @type {Record<string, (re: RegExp, global: RegExp, text: string) => number[]>} `global`: the same with the flag g */
const OPERATIONS = {
  test: (re, _, text) => [Number(re.test(text))],
  exec: (re, _, text) => numbersOf(re.exec(text)),
  search: (re, _, text) => [text.search(re)],
  match(_, global, text) {
    const found = text.match(global) ?? [];
    return [found.length, total(found)];
  },
  matchAll(_, global, text) {
    let [count, length, unset, last] = [0, 0, 0, null];
    for (const match of text.matchAll(global)) {
      count++;
      length += match[0].length;
      unset += match.includes(undefined) ? 1 : 0;
      last = match;
    }
    return [count, length, unset, last === null ? -1 : last.index];
  },
  replace: (_, global, text) => [text.replace(global, '-$&').length],
  replaceAll: (_, global, text) => [text.replaceAll(global, () => '--').length],
  split(re, _, text) {
    const parts = text.split(re);
    const period = new RegExp(`|${re.source}`, re.flags).exec('').length; // captures lie between the parts
    const unset = parts.filter((part) => part === undefined).length;
    return [parts.length, total(parts.filter((_, place) => place % period === 0)), unset];
  },
};

/** The text of `shape` with `pumps` pumps. */
function textOf({ prefix, pump, suffix }, pumps) {
  const text = prefix + pump.repeat(pumps) + suffix;
  // Flat, and as narrow as it can be whatever its length, as texts are that come from a socket or a file.
  const encoding = /[^\0-\xff]/.test(prefix + pump + suffix) ? 'utf16le' : 'latin1';
  return Buffer.from(text, encoding).toString(encoding);
}

/** How many pumps make a text of about `length` characters. */
function pumpsFor({ pump }, length) {
  return Math.max(1, Math.floor(length / pump.length));
}

/**
 * @param {typeof RegExp} Class
 * @param {{ pattern: string, flags: string }} shape
 * @returns {[RegExp, RegExp]} as written, and with the flag g
 */
function pairOf(Class, { pattern, flags }) {
  return [new Class(pattern, flags), new Class(pattern, flags.includes('g') ? flags : `${flags}g`)];
}

/** The result of one operation. */
function result(operation, [re, global], text) {
  re.lastIndex = global.lastIndex = 0;
  return OPERATIONS[operation](re, global, text);
}

/** Where a match and its captures are, as numbers. */
function numbersOf(match) {
  if (match === null) return [-1];
  return [match.index, ...Array.from(match, (value) => (value === undefined ? -1 : value.length))];
}

function total(list) {
  return list.reduce((sum, part) => sum + (part === undefined ? 0 : part.length), 0);
}

module.exports = { OPERATIONS, pairOf, pumpsFor, result, textOf };
