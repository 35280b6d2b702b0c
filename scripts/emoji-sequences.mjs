// Writes lib/emoji-sequences.js: emoji sequences that lib/regexp-emoji.js cannot make up itself, from the npm package
// regenerate-unicode-properties (MIT; its data is Unicode's), and checks that with them it makes up all there are.
//
//   npm pack regenerate-unicode-properties, unpack it, and: node scripts/emoji-sequences.mjs <its folder>
//
// Run it for a new Unicode version. Sequences that a V8 does not know yet do no harm: each is shown to V8.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const output = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', 'lib', 'emoji-sequences.js');
const LINE = 116;

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node scripts/emoji-sequences.mjs <folder of regenerate-unicode-properties>');
  process.exit(2);
}

const strings = readStrings(path.join(path.resolve(folder), 'Property_of_Strings'));
const joined = new Set();
const tagged = new Set();
for (const string of strings) {
  // Skin tones and U+FE0F are put in again.
  if (string.includes('\u200d')) joined.add(list(string.replace(/[\u{1f3fb}-\u{1f3ff}\ufe0f\u200d]/gu, '')));
  const tags = /^\u{1f3f4}([\u{e0020}-\u{e007e}]+)\u{e007f}$/u.exec(string);
  if (tags) tagged.add(list(tags[1], (tag) => tag - 0xe0000));
}
fs.writeFileSync(output, moduleText([...joined].sort(), [...tagged].sort()));

const { candidates } = require('../lib/regexp-emoji.js');
const made = new Set(candidates((pattern, text) => pattern.test(text), String.fromCodePoint));
const missing = strings.filter((string) => !made.has(string));
// Those of a newer Unicode than this Node's are made of characters that it does not take for emoji.
const unexplained = missing.filter((string) => !/\P{Assigned}/u.test(string));
const known = strings.length - missing.length;
const counts = `${joined.size} joined, ${tagged.size} tagged; ${made.size} candidates`;
console.log(`${counts}, ${known} of ${strings.length} made up`);
if (unexplained.length > 0) {
  console.error(`not made up: ${unexplained.map((string) => JSON.stringify(string)).join(' ')}`);
  process.exitCode = 1;
}

/** The files hold one array each, of strings in single quotes with \u escapes; nothing of the package is run. */
function readStrings(properties) {
  const all = new Set();
  for (const name of fs.readdirSync(properties)) {
    const text = fs.readFileSync(path.join(properties, name), 'utf8');
    const array = /exports\.strings\s*=\s*\[(.*?)\]/s.exec(text)?.[1] ?? '';
    for (const [, quoted] of array.matchAll(/'([^']*)'/g)) {
      const unescaped = quoted.replace(/\\u\{(\w+)\}|\\u(\w{4})|\\x(\w\w)/g, (_, long, short, byte) =>
        String.fromCodePoint(Number.parseInt(long ?? short ?? byte, 16)));
      if ([...unescaped].length > 1) all.add(unescaped);
    }
  }
  return [...all];
}

/** The characters of a sequence, as the elements of an array. */
function list(string, code = (value) => value) {
  return [...string].map((character) => `0x${code(character.codePointAt(0)).toString(16)}`).join(', ');
}

function moduleText(joinedSequences, tagSequences) {
  const lines = [''];
  for (const sequence of joinedSequences) {
    const last = lines.length - 1;
    if (lines[last].length + sequence.length + 4 > LINE) lines.push(`[${sequence}],`);
    else lines[last] += `${lines[last] === '' ? '' : ' '}[${sequence}],`;
  }
  return `// @ts-check
'use strict';

/**
 * Emoji of several characters that are joined by U+200D, without it, skin tones and U+FE0F; and the regions whose flags
 * are written with tags. Made by scripts/emoji-sequences.mjs from data of the Unicode Consortium (Unicode License v3).
 */

/** @type {readonly (readonly number[])[]} */
const JOINED = [
${lines.map((line) => `  ${line}`).join('\n')}
];

/** @type {readonly (readonly number[])[]} */
const TAGGED = [${tagSequences.map((tags) => `[${tags}]`).join(', ')}];

module.exports = { JOINED, TAGGED };
`;
}
