// @ts-check
'use strict';

/**
 * A worker's thread: takes one file or one pattern at a time, and answers each message with one message. A file comes
 * back as the list of its regular expressions with their places; a pattern as what is known of it.
 */

const { parentPort } = require('node:worker_threads');

const { analysePattern, sourceOf } = require('./analyse.js');
const { patternsOf } = require('./patterns.js');
const { positionsOf } = require('./positions.js');
const { readSource } = require('./source.js');
const { suppressionsOf } = require('./suppress.js');

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);

/**
 * @typedef {object} Place
 * @property {string} source As V8 writes it.
 * @property {string} flags
 * @property {number} line
 * @property {number} column
 * @property {number} endLine
 * @property {number} endColumn
 *
 * @typedef {object} FileResult
 * @property {Place[]} places
 * @property {number} dynamic Calls of RegExp whose arguments are not constant.
 * @property {number} refused Patterns that V8 does not take.
 * @property {import('./suppress.js').Suppression[]} suppressions
 * @property {import('./suppress.js').BadSuppression[]} bad
 * @property {boolean} scanned
 * @property {{ kind: string, message: string, line?: number, column?: number } | null} note
 */

/**
 * @param {string} file
 * @param {typeof import('oxc-parser')} parser
 * @returns {FileResult}
 */
function scanFile(file, parser) {
  const { source, text, note } = readSource(file, parser);
  const positionOf = positionsOf(text);
  const placed = note?.offset === undefined
    ? note
    : { kind: note.kind, message: note.message, ...positionOf(note.offset) };
  /** @type {FileResult} */
  const result = {
    places: [], dynamic: 0, refused: 0, suppressions: [], bad: [], scanned: source !== null, note: placed,
  };
  if (source === null) return result;

  const { occurrences, dynamic } = patternsOf(source.program);
  result.dynamic = dynamic;
  for (const { pattern, flags, start, end } of occurrences) {
    const valid = sourceOf(pattern, flags);
    if (valid === null) {
      result.refused += 1;
      continue;
    }
    const { line: endLine, column: endColumn } = positionOf(end);
    result.places.push({ ...valid, ...positionOf(start), endLine, endColumn });
  }
  const { good, bad } = suppressionsOf(source.comments, positionOf);
  return Object.assign(result, { suppressions: good, bad });
}

async function start() {
  const parser = await import('oxc-parser');
  port.on('message', (task) => {
    try {
      const result = task.kind === 'file'
        ? scanFile(task.file, parser)
        : analysePattern(task.source, task.flags, task.timeoutMs);
      port.postMessage({ result });
    } catch (error) {
      port.postMessage({ failure: String(/** @type {any} */ (error)?.message ?? error) });
    }
  });
  port.postMessage({ ready: true });
}

start().catch((error) => {
  port.postMessage({ unusable: String(error?.message ?? error) });
});
