// @ts-check
'use strict';

/**
 * The forms in which streams are sealed and opened: Node's Transform, the web's TransformStream, and async iterables.
 * What they do is in lib/sealed-stream.js; here it is when.
 */

const { Transform } = require('node:stream');
const { wrongType, wrongValue } = require('./errors.js');
const { GONE, isBytes, isGone, toBytes } = require('./content.js');

/** @typedef {import('./sealed-stream.js').Step} Step */

/** As many bytes as a file is read in by default, and some chunks of output. */
const WRITABLE_HIGH_WATER_MARK = 64 * 1024;
const READABLE_HIGH_WATER_MARK = 256 * 1024;

/**
 * Why a chunk was refused, by the empty one that goes through the stream in its place: so the error comes in its turn,
 * as an event. Node's `write` throws for what is neither text nor bytes, in Node 20 and 22 also out of a pipe, where it
 * cannot be caught.
 *
 * @type {WeakMap<object, Error>}
 */
const refusals = new WeakMap();

/**
 * Stops in the middle of a large write when its reader is behind, as the streams of zlib do: a Transform would make all
 * the output of one write at once.
 */
class StepTransform extends Transform {
  #step;
  #takesText;
  /** Goes on with a write that stopped. @type {(() => void) | undefined} */
  #resume;
  #pushes = 0;

  /**
   * @param {Step} step
   * @param {boolean} takesText
   */
  constructor(step, takesText) {
    super(
      /** @type {any} */ ({
        // Of a polluted prototype even the encoding would be taken, and ciphertext decoded.
        __proto__: null,
        decodeStrings: false,
        writableHighWaterMark: WRITABLE_HIGH_WATER_MARK,
        readableHighWaterMark: READABLE_HIGH_WATER_MARK,
      }),
    );
    this.#step = step;
    this.#takesText = takesText;
  }

  /**
   * @param {any} chunk
   * @param {any} [encoding]
   * @param {any} [callback]
   */
  write(chunk, encoding, callback) {
    return super.write(this.#admitted(chunk), encoding, callback);
  }

  /**
   * @param {any} [chunk]
   * @param {any} [encoding]
   * @param {any} [callback]
   */
  end(chunk, encoding, callback) {
    const isNone = chunk === undefined || chunk === null || typeof chunk === 'function';
    return super.end(isNone ? chunk : this.#admitted(chunk), encoding, callback);
  }

  /** @param {unknown} chunk */
  #admitted(chunk) {
    try {
      if (typeof chunk !== 'string') chunkBytes(chunk, this.#takesText);
      return chunk;
    } catch (error) {
      const refused = Buffer.alloc(0);
      refusals.set(refused, /** @type {Error} */ (error));
      return refused;
    }
  }

  /**
   * @param {any} chunk
   * @param {BufferEncoding} encoding
   * @param {(error?: Error | null) => void} callback
   */
  _transform(chunk, encoding, callback) {
    let bytes;
    try {
      const refusal = refusals.get(chunk);
      if (refusal !== undefined) throw refusal;
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
    const pushes = this.#pushes;
    this.#resume = undefined;
    resume?.();
    // Of what had stopped nothing may have been left. To be asked again, a stream has to push: the next write is due.
    if (this.#pushes === pushes) super._read(size);
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
    for (;;) {
      let next;
      try {
        next = parts.next();
      } catch (error) {
        callback(/** @type {Error} */ (error));
        return;
      }
      if (next.done) break;
      // What a listener throws is no error of the stream: as with Node's own, it comes out where it was pushed from.
      this.#pushes++;
      const hasRoom = this.push(next.value);
      // By a listener, while it was pushed. What has been wiped must not be filled again.
      if (this.destroyed) return;
      if (!hasRoom) {
        this.#resume = () => this.#run(parts, callback);
        return;
      }
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
  /**
   * @param {TransformStreamDefaultController<Uint8Array>} controller
   * @param {() => Generator<Buffer>} makeParts
   */
  const run = (controller, makeParts) => {
    try {
      for (const part of makeParts()) controller.enqueue(part);
    } catch (error) {
      step.dispose();
      throw error;
    }
  };
  /** @type {any} */
  const transformer = {
    __proto__: null,
    /**
     * @param {unknown} chunk
     * @param {TransformStreamDefaultController<Uint8Array>} controller
     */
    transform(chunk, controller) {
      run(controller, () => step.take(chunkBytes(chunk, takesText)));
    },
    /** @param {TransformStreamDefaultController<Uint8Array>} controller */
    flush(controller) {
      run(controller, () => step.end());
    },
    /** The reader wants no more. */
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
  return runOver(given, makeStep(), takesText);
}

/**
 * @param {AsyncIterable<unknown>} source
 * @param {Step} step
 * @param {boolean} takesText
 */
async function* runOver(source, step, takesText) {
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
  if (isBytes(chunk)) {
    if (isGone(chunk)) throw wrongValue(CHUNK_NAME, GONE);
    return chunk;
  }
  if (typeof chunk !== 'string') throw wrongType(CHUNK_NAME, takesText ? 'a string or a Uint8Array' : 'a Uint8Array');
  if (!/^utf-?8$/i.test(encoding)) return Buffer.from(chunk, encoding);
  if (!takesText)
    throw wrongType(CHUNK_NAME, 'a Uint8Array; text is what is left of sealed bytes that were read as text');
  return toBytes(chunk, CHUNK_NAME);
}

const CHUNK_NAME = 'a chunk of the stream';

module.exports = { iterate, transformOf, webTransformOf };
