// Benchmarks of SafeRegExp on long text: six kinds of pattern, every operation, 100,000 and 1,000,000 characters.
// Part of regexp.mjs. The texts are generated (generate.mjs); the patterns are everyday ones, and `why` says what
// each is for. They use nothing that node-re2 refuses or understands otherwise on these texts, and no other choice
// was made by speed. `find` is found nowhere in the text, or once, in `planted`, at its end; `every` and `split` are
// found as often as the table of patterns says. Before a case is measured, V8 is asked whether all that is true.
import { inTurn } from './regexp-engines.mjs';
import { textOf } from './generate.mjs';

const LENGTHS = [100_000, 1_000_000];

const KINDS = [
  {
    kind: 'literals',
    text: 'log',
    find: /connection reset by peer/,
    planted: 'error: connection reset by peer',
    every: /\/api\/v1\//g,
    split: /\n/,
    marked: '[$&]',
    changed: (path) => path.toUpperCase(),
    why: 'one message looked for in a log; a path prefix counted or moved; a log cut into lines',
  },
  {
    kind: 'alternations',
    text: 'source',
    find: /eval\(|new Function\(|child_process/,
    planted: "import { exec } from 'node:child_process';",
    every: /\b(?:const|let|if|for|of|return|export|function|await|throw|new)\b/g,
    split: /\r\n|\n|\r/,
    marked: '<b>$&</b>',
    changed: (word) => `<b>${word}</b>`,
    why: 'calls that a review forbids; key words, for a highlighter; lines with any line ending',
  },
  {
    kind: 'classes',
    text: 'prose',
    find: /\d{4}-\d{2}-\d{2}/,
    planted: 'Closed on 2026-11-21.',
    every: /\w+/g,
    split: /[\s,.;]+/,
    marked: '[$&]',
    changed: (word) => word.charAt(0).toUpperCase() + word.slice(1),
    why: 'a date in a letter; words, counted or put in title case; words, by what is between them',
  },
  {
    kind: 'case-insensitive',
    text: 'page',
    find: /<script[^>]*>/i,
    planted: '<SCRIPT src="x.js"></SCRIPT>',
    every: /order/gi,
    split: /<br\s*\/?>/i,
    marked: '<mark>$&</mark>',
    changed: (word) => `<mark>${word}</mark>`,
    why: 'a script in a page that must have none; a searched word, to be marked; line breaks as people write them',
  },
  {
    kind: 'unicode',
    text: 'international',
    find: /\p{Script=Greek}/u,
    planted: 'Ευχαριστώ.',
    every: /\p{L}+/gu,
    split: /[\s\p{P}]+/u,
    marked: '[$&]',
    changed: (word) => word.toUpperCase(),
    why: 'a letter of a script that a text should not have; words in any script; words, by what is between them',
  },
  {
    kind: 'captures',
    text: 'log',
    find: /" (5\d\d) (\d+) /,
    planted: '"GET /login HTTP/1.1" 503 162 "-"',
    every: /"(\w+) ([^" ]+) HTTP\/[\d.]+" (\d{3}) (\d+)/g,
    split: /(\s+)/,
    marked: '$3 $1 $2',
    changed: (_, method, path, status) => `${status} ${method} ${path}`,
    why: 'the first server error of a log; the request in every line; words and the space between them, both kept',
  },
];

// Every result is used: a match's text and index are read, and one character of a replaced text, so that a text which
// is still in pieces is counted with putting it together.
const OPERATIONS = [
  { operation: 'test, no match', pattern: 'find', run: (re, text) => re.test(text) },
  { operation: 'test, match at the end', pattern: 'find', planted: true, run: (re, text) => re.test(text) },
  { operation: 'search', pattern: 'find', planted: true, run: (re, text) => text.search(re) },
  {
    operation: 'matchAll',
    pattern: 'every',
    run: (re, text) => {
      let sum = 0;
      for (const match of text.matchAll(re)) sum = (sum + match[0].length + match.index) | 0;
      return sum;
    },
  },
  {
    operation: 'replace by a string',
    pattern: 'every',
    argument: () => '#',
    run: (re, text, by) => {
      const replaced = text.replace(re, by);
      return replaced.charCodeAt(replaced.length >> 1) === 0 ? null : replaced;
    },
  },
  {
    operation: 'replace by a string with $',
    pattern: 'every',
    argument: ({ marked }) => marked,
    run: (re, text, by) => {
      const replaced = text.replace(re, by);
      return replaced.charCodeAt(replaced.length >> 1) === 0 ? null : replaced;
    },
  },
  {
    operation: 'replace by a function',
    pattern: 'every',
    argument: ({ changed }) => changed,
    run: (re, text, by) => {
      const replaced = text.replace(re, by);
      return replaced.charCodeAt(replaced.length >> 1) === 0 ? null : replaced;
    },
  },
  { operation: 'split', pattern: 'split', run: (re, text) => text.split(re) },
];

export const cases = [
  ...KINDS.flatMap((kind) =>
    OPERATIONS.flatMap((operation) => LENGTHS.map((length) => measuring(kind, operation, length))),
  ),
  patternsTable(),
];

// node-re2 counts the characters of a two-byte text from its start for every call of the function: 1.6 to 3.4 s an
// operation at 100,000 characters, and four times that for twice as many.
function isQuadraticInRe2(kind, operation) {
  return kind.kind === 'unicode' && operation.operation === 'replace by a function';
}

function measuring(kind, operation, length) {
  const isSlow = isQuadraticInRe2(kind, operation);
  const characters = `${length.toLocaleString('en-US')} characters`;
  return {
    group: 'Long text',
    title: `${kind.kind}: ${operation.operation}, ${characters}`,
    tags: { kind: kind.kind, operation: operation.operation, length: characters },
    rounds: isSlow ? 3 : length > 100_000 ? 5 : 9,
    async setup(tools) {
      verify(kind, length);
      const text = operation.planted ? planted(kind, length) : textOf(kind.text, length);
      const pattern = kind[operation.pattern];
      const engines = await inTurn(tools, pattern, operation.run, text, operation.argument?.(kind));
      const { 'empty subclass': _, re2, ...others } = engines;
      if (!isSlow || length <= 100_000) return { contestants: { ...others, re2 } };
      return {
        contestants: others,
        excluded: { re2: `in two-byte text replacing by a function is quadratic, and ${characters} take minutes` },
      };
    },
  };
}

// The text with `planted` as its last line.
function planted({ text, planted: line }, length) {
  const end = `\n${line}`;
  return textOf(text, length).slice(0, length - end.length) + end;
}

// What the head of this file promises about the patterns and the texts.
function verify(kind, length) {
  const text = textOf(kind.text, length);
  const place = planted(kind, length).search(kind.find);
  if (kind.find.test(text)) throw new Error(`${kind.kind}: the text has what it must not have`);
  if (place < length - kind.planted.length) throw new Error(`${kind.kind}: found elsewhere than at the end`);
  if (countOf(kind.every, text) < 100 || countOf(kind.split, text) < 100) throw new Error(`${kind.kind}: too few`);
}

function countOf(pattern, text) {
  return Array.from(text.matchAll(new RegExp(pattern, `${pattern.flags.replace('g', '')}g`))).length;
}

function patternsTable() {
  return {
    group: 'The patterns for long text',
    title: 'Found once or not at all; found often, with the number in 100,000 characters; splitting, likewise',
    async measure() {
      const rows = KINDS.map(({ kind, text, find, every, split, why }) => {
        const counts = [every, split].map((pattern) => countOf(pattern, textOf(text, 100_000)).toLocaleString('en-US'));
        return [kind, text, `\`${find}\``, `\`${every}\` ${counts[0]}`, `\`${split}\` ${counts[1]}`, why];
      });
      return { columns: ['', 'text', 'once', 'often', 'split', 'what for'], rows };
    },
  };
}
