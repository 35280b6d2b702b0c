// Real patterns for redos.mjs: the regular-expression literals of the packages installed here and in the root, each
// once, in the order of their files. Called by redos.mjs and its test. What is installed follows the lock files, and so
// do the patterns; their number and digest are in the results.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** Bytes: bundles beyond it take the parser longer than all the rest together. */
const LARGEST = 400_000;
const SOURCES = /\.[cm]?js$/;

/**
 * @typedef {{ pattern: string, flags: string, where: string }} Found  `where`: the file, from its node_modules folder
 */

/**
 * The literals of all packages in some node_modules folders. A literal that this V8 refuses is left out.
 * @param {string[]} folders
 * @param {(file: string, source: string) => { pattern: string, flags: string }[]} literals
 */
export function patternsOf(folders, literals) {
  /** @type {Map<string, Found>} */
  const patterns = new Map();
  let files = 0;
  for (const folder of folders) {
    for (const file of filesOf(folder)) {
      files++;
      const where = relative(folder, file).split(sep).join('/');
      for (const { pattern, flags } of literals(file, readFileSync(file, 'utf8'))) {
        const key = `/${pattern}/${flags}`;
        if (!patterns.has(key) && isValid(pattern, flags)) patterns.set(key, { pattern, flags, where });
      }
    }
  }
  const digest = createHash('sha256').update([...patterns.keys()].join('\n')).digest('hex').slice(0, 16);
  return { patterns: [...patterns.values()], files, digest };
}

/**
 * What finds the literals of a source text: oxc-parser's tree. A file that is no JavaScript has none.
 * @param {{ parseSync: (file: string, source: string) => any }} parser
 */
export function literalsWith({ parseSync }) {
  return (file, source) => {
    if (!source.includes('/')) return [];
    const found = [];
    const open = [parseSync(file, source).program];
    while (open.length > 0) {
      const node = open.pop();
      if (node.type === 'Literal' && node.regex) found.push({ pattern: node.regex.pattern, flags: node.regex.flags });
      const inside = Object.values(node).filter((value) => typeof value === 'object' && value !== null);
      open.push(...inside.reverse());
    }
    return found;
  };
}

/** `count` of a list, from its beginning to its end at equal distances. */
export function spread(list, count) {
  if (count >= list.length) return [...list];
  return Array.from({ length: count }, (_, index) => list[Math.floor((index * list.length) / count)]);
}

// In the order of their names, which does not depend on the file system. Links lead out of the packages.
function* filesOf(folder) {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!entry.name.startsWith('.')) yield* filesOf(path);
    } else if (entry.isFile() && SOURCES.test(entry.name) && statSync(path).size <= LARGEST) {
      yield path;
    }
  }
}

function isValid(pattern, flags) {
  try {
    return new RegExp(pattern, flags) instanceof RegExp;
  } catch {
    return false;
  }
}
