// @ts-check
'use strict';

/**
 * One file, read and parsed: its text, its tree and its comments, or why it cannot be had. Called by the workers, on a
 * thread with a stack of its own size, because the parser calls itself for every level that a file nests.
 */

const fs = require('node:fs');
const path = require('node:path');

const { tooDeep } = require('./depth.js');

/** Bytes. Larger files are generated, as a rule, and their tree takes a hundred times as much memory. */
const MAX_BYTES = 4 * 1024 * 1024;

const EXTENSIONS = Object.assign(Object.create(null), {
  '.js': 'jsx', // JSX is only read where an expression cannot start with `<`, so that it costs nothing
  '.mjs': 'jsx',
  '.cjs': 'jsx',
  '.jsx': 'jsx',
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
});

/**
 * @typedef {{ text: string, program: any, comments: { value: string, start: number, end: number }[] }} Source
 * @typedef {{ kind: 'too-large' | 'too-deep' | 'unreadable' | 'syntax', message: string, offset?: number }} Note
 */

/** @param {string} file */
function isSource(file) {
  return EXTENSIONS[path.extname(file).toLowerCase()] !== undefined && !/\.d\.[mc]?ts$/i.test(file);
}

/**
 * @param {string} file
 * @param {typeof import('oxc-parser')} parser
 * @returns {{ source: Source | null, text: string, note: Note | null }}
 */
function readSource(file, parser) {
  let text;
  try {
    const found = fs.statSync(file);
    if (!found.isFile()) {
      return { source: null, text: '', note: { kind: 'unreadable', message: 'cannot be read (not a regular file)' } };
    }
    if (found.size > MAX_BYTES) {
      const message = `larger than ${MAX_BYTES / 1024 / 1024} MiB: not scanned`;
      return { source: null, text: '', note: { kind: 'too-large', message } };
    }
    text = decode(fs.readFileSync(file));
  } catch (error) {
    const message = `cannot be read (${/** @type {any} */ (error).code ?? 'error'})`;
    return { source: null, text: '', note: { kind: 'unreadable', message } };
  }
  if (tooDeep(text)) {
    return { source: null, text: '', note: { kind: 'too-deep', message: 'nests too deeply: not scanned' } };
  }
  return parse(file, text, parser);
}

/**
 * UTF-8, or UTF-16 where the mark at the start says so. The mark is no part of the text.
 *
 * @param {Buffer} bytes
 */
function decode(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString('utf16le', 2);
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/**
 * @param {string} file
 * @param {string} text
 * @param {typeof import('oxc-parser')} parser
 * @returns {{ source: Source | null, text: string, note: Note | null }}
 */
function parse(file, text, parser) {
  const extension = path.extname(file).toLowerCase();
  const lang = EXTENSIONS[extension] ?? 'tsx';
  let [result, error] = attempt(sourceTypes(extension)[0]);
  for (const sourceType of sourceTypes(extension).slice(1)) {
    if (error === undefined) break;
    const [other, otherError] = attempt(sourceType);
    if (otherError === undefined) [result, error] = [other, otherError];
  }
  const { program, comments } = result;
  if (error === undefined) return { source: { text, program, comments }, text, note: null };
  // After an error that the parser could get over, there is a tree of the whole file; else an empty one.
  const source = program.body.length === 0 ? null : { text, program, comments };
  return { source, text, note: syntaxNote(error) };

  /** @param {'module' | 'script' | 'commonjs' | 'unambiguous'} sourceType */
  function attempt(sourceType) {
    const parsed = parser.parseSync(path.basename(file), text, { lang, sourceType, preserveParens: false });
    const first = parsed.errors.find(({ severity }) => severity === 'Error');
    return /** @type {const} */ ([{ program: parsed.program, comments: parsed.comments }, first]);
  }
}

/**
 * What a file may be, the likeliest first.
 *
 * @param {string} extension
 * @returns {('module' | 'script' | 'commonjs' | 'unambiguous')[]}
 */
function sourceTypes(extension) {
  if (extension.startsWith('.m')) return ['module'];
  if (extension.startsWith('.c')) return ['commonjs'];
  return ['unambiguous', 'commonjs'];
}

/** @param {import('oxc-parser').OxcError} error */
function syntaxNote({ message, labels }) {
  const offset = labels[0]?.start;
  const place = offset === undefined ? {} : { offset };
  return /** @type {Note} */ ({ kind: 'syntax', message: `syntax error: ${message}`, ...place });
}

module.exports = { MAX_BYTES, isSource, readSource };
