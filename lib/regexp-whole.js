// @ts-check
'use strict';

/**
 * match, replace and split on a whole text at once: the native side finds all matches in one or few calls, and only
 * their offsets come back. For SafeRegExps of which `lib/regexp.js` has made sure that nothing else may see or change
 * the steps.
 */

const { ALL, BOUNDS, CAPTURES, SEPARATORS, WHOLE_SEPARATORS, matches, programOf } = require('./regexp-program.js');
const { BEFORE, GROUP, INSTEAD, operationsOf } = require('./regexp-replacement.js');
const { byName, capture, values } = require('./regexp-result.js');

/** @typedef {import('./regexp-program.js').Program} Program */

const { apply } = Reflect;
const { join: joinParts } = Array.prototype;

/**
 * Which properties the running V8 reads before it matches: `flags`, as the standard has it today, or `global` and
 * `unicode`, as it had it before 2023.
 */
const READS_FLAGS = {
  match: readsFlags(Symbol.match),
  matchAll: true,
  replace: readsFlags(Symbol.replace),
  split: true,
};

/** @param {typeof Symbol.match | typeof Symbol.replace} operation */
function readsFlags(operation) {
  let read = false;
  const observed = {
    get flags() {
      read = true;
      return '';
    },
    exec() {
      return null;
    },
  };
  apply(/** @type {any} */ (RegExp.prototype)[operation], observed, ['', '']);
  return read;
}

/**
 * Reads the flags as the language does, and says whether they are what the pattern was compiled with.
 *
 * @param {RegExp} re
 * @param {Program} program
 * @param {keyof typeof READS_FLAGS} operation
 */
function readsAsCompiled(re, program, operation) {
  if (READS_FLAGS[operation]) return `${re.flags}` === program.flags;
  if (Boolean(re.global) !== program.isGlobal) return false;
  if (!program.isGlobal) return true;
  const isUnicode = Boolean(re.unicode) || (operation === 'match' && Boolean(re.unicodeSets));
  return isUnicode === program.isUnicode || (operation === 'replace' && program.flags.includes('v'));
}

/**
 * ECMA-262, §22.2.6.8, step 6.
 *
 * @param {Program} program
 * @param {string} text
 */
function match(program, text) {
  /** @type {string[]} */
  const found = [];
  let size = 0; // `push` would be called, this is compiled in
  for (let count = program.all(text, BOUNDS); ; count = program.others.more(ALL)) {
    const { offsets } = matches;
    const places = 2 * (count < 0 ? ~count : count);
    for (let place = 0; place < places; place += 2) found[size++] = text.slice(offsets[place], offsets[place + 1]);
    if (count < 0) return size === 0 ? null : /** @type {RegExpMatchArray} */ (found);
  }
}

/** Whether the V8 that runs takes single units for characters there: the standard does not. */
const SPLITS_PAIRS_WITH_V = '\ud83d\ude00'.split(new RegExp('(?!.)', 'v'), -1).length > 1;

/**
 * ECMA-262, §22.2.6.14, from step 11.
 *
 * @param {Program} program
 * @param {string} text
 * @param {unknown} limit
 */
function split(program, text, limit) {
  const max = limit === undefined ? 2 ** 32 - 1 : /** @type {any} */ (limit) >>> 0;
  if (max === 0) return [];
  // The language splits by a sticky RegExp at every place in turn, which finds what a search finds.
  const searching = program.isSticky
    ? programOf(program.source, program.flags.replace('y', ''), program.limits)
    : program;
  // Where the language tries one character after the other, V8 searches on and may find an empty match inside a surrogate
  // pair; not so with y, or a limit that is no small integer, but then again with v in older versions.
  const searches =
    (!program.isSticky && (limit === undefined || (max === limit && max < 2 ** 31))) ||
    (SPLITS_PAIRS_WITH_V && program.flags.includes('v'));
  const which = searches ? SEPARATORS : WHOLE_SEPARATORS;
  if (text === '') return searching.exec(text) ? [] : [text];
  /** @type {string[]} */
  const parts = [];
  let size = 0;
  let end = 0;
  for (let count = searching.all(text, which, Math.min(max, ALL)); ; count = searching.others.more(ALL)) {
    const { offsets } = matches;
    const places = searching.width * (count < 0 ? ~count : count);
    for (let base = 0; base < places; base += searching.width) {
      parts[size++] = text.slice(end, offsets[base]);
      if (size === max) return finished(parts, searching, count);
      end = offsets[base + 1];
      for (let place = base + 2; place < base + searching.width; place += 2) {
        const start = offsets[place];
        const part = start < 0 ? undefined : text.slice(start, offsets[place + 1]);
        parts[size++] = /** @type {string} */ (part);
        if (size === max) return finished(parts, searching, count);
      }
    }
    if (count < 0) break;
  }
  parts[size] = text.slice(end);
  return parts;
}

/**
 * @param {string[]} parts
 * @param {Program} program
 * @param {number} count
 */
function finished(parts, program, count) {
  if (count >= 0) program.others.more(0); // the native side forgets the text
  return parts;
}

/**
 * All matches, or the first one, replaced by a string. ECMA-262, §22.2.6.11.
 *
 * @param {Program} program
 * @param {string} text
 * @param {string} replacement
 */
function replace(program, text, replacement) {
  const result = program.replace(text, replacement);
  if (result === undefined) return text;
  if (result === false) throw new RangeError('Invalid string length');
  return result;
}

/**
 * Parts of a long result that are joined at a time. Of strings that are added one by one V8 keeps every sum until the
 * result is read.
 */
const JOINED = 4096;
const NOTHING_BETWEEN = [''];

/**
 * All matches replaced by what a function returns. As the language has it, it is called after the last match was found.
 *
 * @param {Program} program
 * @param {string} text
 * @param {Function} replacement
 */
function replaceBy(program, text, replacement) {
  /** @type {Int32Array[]} */
  const chunks = [];
  for (let count = program.all(text, CAPTURES); ; count = program.others.more(ALL)) {
    chunks.push(matches.offsets.slice(0, program.width * (count < 0 ? ~count : count)));
    if (count < 0) break;
  }
  const join = chunks.length > 1;
  let result = '';
  /** @type {string[]} */
  const parts = join ? new Array(JOINED).fill('') : [];
  let size = 0;
  let end = 0;
  for (const spans of chunks) {
    for (let base = 0; base < spans.length; base += program.width) {
      const value = call(program, text, replacement, spans, base);
      const before = text.slice(end, spans[base]);
      end = spans[base + 1];
      if (!join) result += before + value;
      else {
        parts[size++] = before;
        parts[size++] = value;
        if (size === JOINED) {
          result += apply(joinParts, parts, NOTHING_BETWEEN);
          size = 0;
        }
      }
    }
  }
  parts.length = size;
  if (join) result += apply(joinParts, parts, NOTHING_BETWEEN);
  return end === 0 && result === '' ? text : result + text.slice(end);
}

/**
 * @param {Program} program
 * @param {string} text
 * @param {Function} replacement
 * @param {Int32Array} spans
 * @param {number} base
 */
function call(program, text, replacement, spans, base) {
  const index = spans[base];
  // Arguments that stand in the call cost less than a list of them.
  if (program.names.length === 0 && program.groups <= 3) {
    const all = text.slice(index, spans[base + 1]);
    switch (program.groups) {
      case 0:
        return `${replacement(all, index, text)}`;
      case 1:
        return `${replacement(all, capture(text, spans, base + 2), index, text)}`;
      case 2:
        return `${replacement(all, capture(text, spans, base + 2), capture(text, spans, base + 4), index, text)}`;
      case 3: {
        const first = capture(text, spans, base + 2);
        const second = capture(text, spans, base + 4);
        return `${replacement(all, first, second, capture(text, spans, base + 6), index, text)}`;
      }
    }
  }
  const captures = values(program.groups, text, spans, base);
  /** @type {unknown[]} */
  const args = [...captures, index, text];
  if (program.names.length > 0) args.push(byName(captures, program));
  return `${apply(replacement, undefined, args)}`;
}

/**
 * One match, whose offsets are given, replaced by a string or by what a function returns.
 *
 * @param {Program} program
 * @param {string} text
 * @param {string | Function} replacement
 * @param {Int32Array} spans
 * @param {number} base
 */
function replaceFirst(program, text, replacement, spans, base) {
  const start = spans[base];
  const end = spans[base + 1];
  const value =
    typeof replacement === 'string'
      ? expand(program, text, replacement, spans, base)
      : call(program, text, replacement, spans, base);
  return text.slice(0, start) + value + text.slice(end);
}

/**
 * @param {Program} program
 * @param {string} text
 * @param {string} replacement
 * @param {Int32Array} spans
 * @param {number} base
 */
function expand(program, text, replacement, spans, base) {
  if (!replacement.includes('$')) return replacement;
  const operations = operationsOf(replacement, program);
  let value = '';
  let kept = 0;
  for (let place = 0; place < operations.length; place += 2) {
    const first = operations[place];
    const second = operations[place + 1];
    if (first >= 0) value += replacement.slice(first, second);
    else if (first === GROUP || first === INSTEAD) {
      const start = spans[base + 2 * second];
      if (first === GROUP) kept = value.length;
      else if (start >= 0) value = value.slice(0, kept);
      if (start >= 0) value += text.slice(start, spans[base + 2 * second + 1]);
    } else value += first === BEFORE ? text.slice(0, spans[base]) : text.slice(spans[base + 1]);
  }
  return value;
}

module.exports = { match, readsAsCompiled, replace, replaceBy, replaceFirst, split };
