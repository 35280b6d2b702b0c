'use strict';

/** The three forms of sealed streams: pieces go in, and what came out is there even after an error. */

const { Readable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { ReadableStream } = require('node:stream/web');

/** For every test: nothing here may wait for ever. */
const NO_HANG = Object.freeze({ timeout: 60_000 });

/**
 * What comes out of each form of `ring.sealStream(options)` or `openStream` when the pieces go in: what an iteration
 * yields, and the error it ends with, if any.
 *
 * @typedef {(ring: any, what: 'seal' | 'open', pieces: Iterable<any>, options?: any) => AsyncIterable<Buffer>} Form
 * @type {Record<string, Form>}
 */
const OUTPUTS = {
  async *node(ring, what, pieces, options) {
    const stream = ring[`${what}Stream`](options);
    const chunks = [];
    // Not by iterating over the stream: what it still holds when an error comes would not be seen.
    stream.on('data', (chunk) => chunks.push(chunk));
    const error = await pipeline(Readable.from(pieces), stream).then(() => undefined, identity);
    yield* chunks;
    if (error !== undefined) throw error;
  },
  async *web(ring, what, pieces, options) {
    const stream = ring[`${what}WebStream`](options);
    const iterator = pieces[Symbol.iterator]();
    const source = new ReadableStream({
      pull(controller) {
        const { done, value } = iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    });
    yield* source.pipeThrough(stream);
  },
  async *iterable(ring, what, pieces, options) {
    yield* ring[`${what}File`](pieces, options);
  },
};

/** @returns {Promise<{ output: Buffer, chunks: Uint8Array[], error?: any }>} */
async function outcome(form, ring, what, pieces, options) {
  const chunks = [];
  try {
    for await (const chunk of OUTPUTS[form](ring, what, pieces, options)) chunks.push(chunk);
  } catch (error) {
    return { output: Buffer.concat(chunks), chunks, error };
  }
  return { output: Buffer.concat(chunks), chunks };
}

/** All that comes out; an error is thrown. */
async function through(form, ring, what, pieces, options) {
  const { output, error } = await outcome(form, ring, what, pieces, options);
  if (error !== undefined) throw error;
  return output;
}

/** All that can be iterated over in a stream, as one buffer. */
async function readAll(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** `bytes` in pieces whose lengths come from `next`. */
function* pieces(bytes, next) {
  for (let from = 0; from < bytes.length;) {
    const to = Math.min(from + next(), bytes.length);
    yield bytes.subarray(from, to);
    from = to;
  }
}

/** Bytes of which no two chunks are alike, and that are quick to make. */
function content(length) {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 8) * 7 + (at >> 16)) & 0xff;
  return bytes;
}

function identity(value) {
  return value;
}

module.exports = { FORMS: Object.keys(OUTPUTS), NO_HANG, content, outcome, pieces, readAll, through };
