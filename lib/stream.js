// @ts-check
'use strict';

/**
 * The forms in which streams are sealed and opened: Node's Transform, the web's TransformStream, and async iterables. What
 * they do is in lib/sealed-stream.js; here it is when.
 */

const { Transform } = require('node:stream');
const { wrongType } = require('./errors.js');
const { isBytes, toBytes } = require('./content.js');

/** @typedef {import('./sealed-stream.js').Step} Step */

/** As many bytes as a file is read in by default, and some chunks of output. */
const WRITABLE_HIGH_WATER_MARK = 64 * 1024;
const READABLE_HIGH_WATER_MARK = 256 * 1024;

/**
 * Stops in the middle of a large write when its reader is behind, as the streams of zlib do: a Transform would make all the
 * output of one write at once.
 */
class StepTransform extends Transform {
  #step;
  #takesText;
  /** Goes on with a write that stopped. @type {(() => void) | undefined} */
  #resume;

  /**
   * @param {Step} step
   * @param {boolean} takesText
   */
  constructor(step, takesText) {
    super({
      decodeStrings: false,
      writableHighWaterMark: WRITABLE_HIGH_WATER_MARK,
      readableHighWaterMark: READABLE_HIGH_WATER_MARK,
    });
    this.#step = step;
    this.#takesText = takesText;
  }

  /**
   * @param {unknown} chunk
   * @param {BufferEncoding} encoding
   * @param {(error?: Error | null) => void} callback
   */
  _transform(chunk, encoding, callback) {
    let bytes;
    try {
      bytes = chunkBytes(chunk, this.#takesText, encoding);
    } catch (error) {
      callback(/** @type {Error} */ (error));
      return;
    }
    this.#run(this.#step.take(bytes), callback);
  }

  /** @param {(error?: Error | null) => void} callback */
  _flush(callback) {
    this.#run(this.#step.end(), callback);
  }

  /** @param {number} size */
  _read(size) {
    const resume = this.#resume;
    this.#resume = undefined;
    if (resume === undefined) super._read(size);
    else resume();
  }

  /**
   * @param {Error | null} error
   * @param {(error?: Error | null) => void} callback
   */
  _destroy(error, callback) {
    this.#resume = undefined;
    this.#step.dispose();
    super._destroy(error, callback);
  }

  /**
   * @param {Generator<Buffer>} parts
   * @param {(error?: Error | null) => void} callback
   */
  #run(parts, callback) {
    try {
      for (let next = parts.next(); !next.done; next = parts.next()) {
        if (!this.push(next.value)) {
          this.#resume = () => this.#run(parts, callback);
          return;
        }
      }
    } catch (error) {
      callback(/** @type {Error} */ (error));
      return;
    }
    callback();
  }
}

/**
 * @param {Step} step
 * @param {boolean} takesText
 */
function transformOf(step, takesText) {
  return new StepTransform(step, takesText);
}

/**
 * @param {Step} step
 * @param {boolean} takesText
 */
function webTransformOf(step, takesText) {
  /** @type {any} */
  const transformer = {
    /**
     * @param {unknown} chunk
     * @param {TransformStreamDefaultController<Uint8Array>} controller
     */
    transform(chunk, controller) {
      for (const part of step.take(chunkBytes(chunk, takesText))) controller.enqueue(part);
    },
    /** @param {TransformStreamDefaultController<Uint8Array>} controller */
    flush(controller) {
      for (const part of step.end()) controller.enqueue(part);
    },
    /** Not called by all versions of Node; then the key is wiped when the stream is collected. */
    cancel() {
      step.dispose();
    },
  };
  return new TransformStream(transformer);
}

/**
 * @param {unknown} source
 * @param {() => Step} makeStep
 * @param {boolean} takesText
 * @returns {AsyncGenerator<Buffer, void, undefined>}
 */
function iterate(source, makeStep, takesText) {
  const given = /** @type {any} */ (source);
  const isIterable =
    given !== null &&
    typeof given === 'object' &&
    (typeof given[Symbol.asyncIterator] === 'function' || typeof given[Symbol.iterator] === 'function');
  // Of bytes themselves the elements are numbers.
  if (!isIterable || isBytes(source)) throw wrongType('source', 'an iterable or async iterable of Uint8Arrays');
  return run(given, makeStep(), takesText);
}

/**
 * @param {AsyncIterable<unknown>} source
 * @param {Step} step
 * @param {boolean} takesText
 */
async function* run(source, step, takesText) {
  try {
    for await (const chunk of source) yield* step.take(chunkBytes(chunk, takesText));
    yield* step.end();
  } finally {
    step.dispose();
  }
}

/**
 * Text is sealed as UTF-8. In front of an opener it is a mistake: reading as text has destroyed what was sealed.
 *
 * @param {unknown} chunk
 * @param {boolean} takesText
 * @param {BufferEncoding} [encoding] Of a string, as it was given to `write`.
 */
function chunkBytes(chunk, takesText, encoding = 'utf8') {
  if (isBytes(chunk)) return chunk;
  if (typeof chunk !== 'string') throw wrongType(CHUNK_NAME, takesText ? 'a string or a Uint8Array' : 'a Uint8Array');
  if (!/^utf-?8$/i.test(encoding)) return Buffer.from(chunk, encoding);
  if (!takesText)
    throw wrongType(CHUNK_NAME, 'a Uint8Array; text is what is left of sealed bytes that were read as text');
  return toBytes(chunk, CHUNK_NAME);
}

const CHUNK_NAME = 'a chunk of the stream';

module.exports = { iterate, transformOf, webTransformOf };
