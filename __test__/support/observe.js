'use strict';

/**
 * The operations of a RegExp, and everything that can be seen of each, as a string: two RegExps that differ in anything
 * differ in these. An operation is data, so that it can be printed, repeated and made smaller.
 */

/** Limits of `split`: more often those with which V8 takes its short cut. */
const LIMITS = [undefined, undefined, undefined, 0, 1, 2, 3];
const OTHER_LIMITS = [4_294_967_295, -1.5, -1, 2.5];

/** Iterations after which a sequence of `exec` ends. */
const MATCHES = 400;

/** @type {Record<string, (re: RegExp, text: string, argument: any) => unknown>} */
const OPERATIONS = {
  exec: (re, text) => matchOf(re.exec(text), text),
  test: (re, text) => re.test(text),
  execToTheEnd(re, text) {
    const seen = [];
    for (let count = 0; count < MATCHES; count++) {
      const match = re.exec(text);
      seen.push(matchOf(match, text), re.lastIndex);
      if (match === null || !(re.global || re.sticky)) break;
      if (match[0] === '') re.lastIndex++;
    }
    return seen;
  },
  testToTheEnd(re, text) {
    const seen = [];
    for (let count = 0; count < MATCHES; count++) {
      const before = re.lastIndex;
      const found = re.test(text);
      seen.push(found, re.lastIndex);
      if (!found || !(re.global || re.sticky)) break;
      if (re.lastIndex === before) re.lastIndex++;
    }
    return seen;
  },
  match(re, text) {
    const match = text.match(re);
    return match !== null && 'index' in match ? matchOf(match, text) : listOf(match);
  },
  matchAll: (re, text) => [...text.matchAll(re)].map((match) => matchOf(match, text)),
  search: (re, text) => text.search(re),
  split: (re, text, limit) => listOf(text.split(re, limit)),
  replace: (re, text, template) => text.replace(re, template),
  replaceAll: (re, text, template) => text.replaceAll(re, template),
  replaceByFunction(re, text) {
    const seen = [];
    const result = text.replace(re, (...given) => {
      const groups = typeof given.at(-1) === 'object' ? groupsOf(given.pop()) : undefined;
      seen.push([given.pop() === text, ...given, groups]);
      return `<${given.at(-1)}$1>`;
    });
    return [result, seen];
  },
  replaceAllByFunction: (re, text) => text.replaceAll(re, (all, ...rest) => `${all.length}${typeof rest.at(-1)}`),
};

/** What a template may contain; names are those of the pattern's groups. */
const NUMBERS = ['$1', '$2', '$12', '$01', '$00', '$0', '$3', '$99'];
const TEMPLATES = [...NUMBERS, '$&', '$`', "$'", '$$', '$', '$<', '-', 'é', '中', '$<no>'];

/**
 * A random operation on `text` for the `turn`th time: the operations take turns.
 *
 * @param {import('./random.js').Random} random
 * @param {number} turn
 */
function operation(random, turn, { names, text }) {
  const kinds = Object.keys(OPERATIONS);
  const kind = kinds[turn % kinds.length];
  const lastIndex = random.below(3) > 0 ? 0 : random.below(text.length + 3);
  return { kind, lastIndex, argument: argumentOf(random, kind, names) };
}

function argumentOf(random, kind, names) {
  if (kind === 'split') return random.pick(random.below(4) > 0 ? LIMITS : OTHER_LIMITS);
  if (kind !== 'replace' && kind !== 'replaceAll') return undefined;
  const parts = [...TEMPLATES, ...names.flatMap((name) => [`$<${name}>`, `$<${name}>`, `$<${name}`])];
  return random.list(5, () => random.pick(parts)).join('');
}

/**
 * Everything that can be seen of one operation.
 *
 * @param {RegExp} re
 * @param {string} text
 * @param {{ kind: string, lastIndex: number, argument?: any }} operation
 */
function observe(re, text, { kind, lastIndex, argument }) {
  re.lastIndex = asHeld(lastIndex);
  let result;
  try {
    result = OPERATIONS[kind](re, text, asHeld(argument));
  } catch (error) {
    result = { thrown: error.name, code: error.code };
  }
  return JSON.stringify([result, re.lastIndex], (_, value) => (value === undefined ? '\0undefined' : value));
}

/**
 * V8 looks at how numbers are held: its `split` may go between the halves of a surrogate pair when `lastIndex` and the
 * limit are held as small integers. Numbers that come from arithmetic, or stood among others, may be held in another way,
 * which nobody but V8 can see. Here small integers are.
 */
function asHeld(value) {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 30 ? value | 0 : value;
}

/** Everything that can be seen of a match. */
function matchOf(match, text) {
  if (match === null) return null;
  return {
    values: listOf(match),
    index: match.index,
    input: match.input === text,
    groups: groupsOf(match.groups),
    indices: match.indices && { spans: listOf(match.indices), groups: groupsOf(match.indices.groups) },
    keys: Object.keys(match).join(),
  };
}

/** A list with its holes, which JSON would not show. */
function listOf(list) {
  return list && Array.from({ length: list.length }, (_, place) => (place in list ? list[place] : '\0hole'));
}

function groupsOf(groups) {
  return groups && [Object.getPrototypeOf(groups) === null, ...Object.entries(groups)];
}

module.exports = { OPERATIONS, observe, operation };
