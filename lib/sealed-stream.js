// @ts-check
'use strict';

/**
 * Sealing and opening of streams, step by step and whatever the form: bytes come in, as they happen to be cut, and
 * buffers go out. lib/stream.js makes streams of it. The format is described in docs/aead.md.
 */

const { createError, wrongValue } = require('./errors.js');
const { decryptionFailed } = require('./aead-call.js');

/** As in crates/aead. */
const CHUNK = 64 * 1024;
const PREFIX = 4;
const FRAME_OVERHEAD = PREFIX + 16;
const FRAME = CHUNK + FRAME_OVERHEAD;
/** The first byte of every stream. */
const KIND = 3;
const SALT_AND_COMMITMENT = 64;
const LONGEST_HEADER = 2 + 32 + SALT_AND_COMMITMENT;

/** Chunks that are worked on in one go, before the reader is asked whether there is room for more. */
const MOST_AT_ONCE = 4;

/**
 * @typedef {object} Step What the three forms of streams work with.
 * @property {(bytes: Uint8Array) => Generator<Buffer>} take
 * @property {() => Generator<Buffer>} end
 * @property {() => void} dispose
 */

/** @implements {Step} */
class Sealer {
  #seal;
  #dispose;
  /** The header, until it has gone out. @type {Buffer | undefined} */
  #header;
  /** What has not been sealed: it might be the last chunk. */
  #held = Buffer.allocUnsafeSlow(CHUNK);
  #length = 0;

  /**
   * @param {(aad: Uint8Array, header: Uint8Array) => any} sealStream
   * @param {Uint8Array} aad
   * @param {number} idLength
   */
  constructor(sealStream, aad, idLength) {
    this.#header = Buffer.alloc(2 + idLength + SALT_AND_COMMITMENT);
    [this.#seal, this.#dispose] = sealStream(aad, this.#header);
  }

  /** @param {Uint8Array} bytes */
  *take(bytes) {
    const { length } = bytes;
    yield* this.#start();
    let from = 0;
    if (this.#length > 0) {
      from = Math.min(CHUNK - this.#length, length);
      this.#held.set(part(bytes, length, 0, from), this.#length);
      this.#length += from;
      if (from === length) return;
      this.#length = 0;
      yield this.#sealed(this.#held, 0);
    }
    // A chunk is sealed when there is something behind it.
    while (length - from > CHUNK) {
      const chunks = Math.min(MOST_AT_ONCE, Math.ceil((length - from) / CHUNK) - 1);
      const whole = part(bytes, length, from, from + chunks * CHUNK);
      from += whole.length;
      yield this.#sealed(whole, 0);
    }
    this.#held.set(part(bytes, length, from, length));
    this.#length = length - from;
  }

  *end() {
    yield* this.#start();
    const last = this.#sealed(this.#held.subarray(0, this.#length), 1);
    this.dispose();
    yield last;
  }

  dispose() {
    this.#held.fill(0);
    this.#dispose();
  }

  *#start() {
    if (this.#header === undefined) return;
    const header = this.#header;
    this.#header = undefined;
    yield header;
  }

  /**
   * @param {Uint8Array} plaintext Whole chunks, or the last one.
   * @param {0 | 1} isLast
   */
  #sealed(plaintext, isLast) {
    const frames = isLast === 1 ? 1 : plaintext.length / CHUNK;
    const out = Buffer.allocUnsafeSlow(plaintext.length + frames * FRAME_OVERHEAD);
    this.#seal(plaintext, isLast, out);
    return out;
  }
}

/** @implements {Step} */
class Opener {
  #openStream;
  #aad;
  /** @type {((sealed: Uint8Array, destination: Uint8Array) => number[]) | undefined} */
  #open;
  /** @type {() => void} */
  #dispose = () => {};
  #finished = false;
  /** The part of the header or of a frame that has come so far. */
  #held = Buffer.allocUnsafeSlow(FRAME);
  #length = 0;

  /**
   * @param {(aad: Uint8Array, header: Uint8Array) => any} openStream
   * @param {Uint8Array} aad
   */
  constructor(openStream, aad) {
    this.#openStream = openStream;
    this.#aad = aad;
  }

  /** @param {Uint8Array} bytes */
  *take(bytes) {
    const { length } = bytes;
    let from = 0;
    while (from < length) {
      if (this.#finished) throw decryptionFailed();
      if (this.#open !== undefined && this.#length === 0 && length - from >= FRAME) {
        const frames = Math.min(MOST_AT_ONCE, Math.floor((length - from) / FRAME));
        const { read, plaintext } = this.#opened(part(bytes, length, from, from + frames * FRAME), frames);
        from += read;
        if (plaintext.length > 0) yield plaintext;
        continue;
      }
      const missing = this.#lengthOfPart() - this.#length;
      const piece = part(bytes, length, from, Math.min(from + missing, length));
      this.#held.set(piece, this.#length);
      this.#length += piece.length;
      from += piece.length;
      // With the bytes that tell the length it is known how many more there are.
      if (this.#length < this.#lengthOfPart()) continue;
      const whole = this.#held.subarray(0, this.#length);
      this.#length = 0;
      if (this.#open === undefined) {
        [this.#open, this.#dispose] = this.#openStream(this.#aad, whole);
      } else {
        const { plaintext } = this.#opened(whole, 1);
        if (plaintext.length > 0) yield plaintext;
      }
    }
  }

  // eslint-disable-next-line require-yield -- what could be opened has been; here it shows if something is missing.
  *end() {
    this.dispose();
    if (!this.#finished) {
      throw createError(
        'ERR_STREAM_TRUNCATED',
        'the sealed stream ends before its last chunk: a part of it is missing',
      );
    }
  }

  dispose() {
    this.#held.fill(0);
    this.#dispose();
  }

  /** Of the header or frame that is being held, as far as it is known. */
  #lengthOfPart() {
    if (this.#open === undefined) return this.#length < 2 ? 2 : headerLength(this.#held);
    return this.#length < PREFIX ? PREFIX : frameLength(this.#held);
  }

  /**
   * @param {Uint8Array} sealed Whole frames.
   * @param {number} frames
   */
  #opened(sealed, frames) {
    const out = Buffer.allocUnsafeSlow(sealed.length - frames * FRAME_OVERHEAD);
    const [read, written, finished] = /** @type {Function} */ (this.#open)(sealed, out);
    this.#finished = finished === 1;
    return { read, plaintext: out.subarray(0, written) };
  }
}

/**
 * A part of what was taken. Between two parts the caller's code runs, and what it transfers or shrinks must not be lost
 * in silence.
 *
 * @param {Uint8Array} bytes
 * @param {number} length Of the bytes, when they came.
 * @param {number} from
 * @param {number} to
 */
function part(bytes, length, from, to) {
  if (bytes.length < length) {
    throw wrongValue('a chunk of the stream', 'left as it is until it has been written; it was transferred or resized');
  }
  return bytes.subarray(from, to);
}

/** @param {Buffer} start */
function headerLength(start) {
  const length = 2 + start[1] + SALT_AND_COMMITMENT;
  // What is something else, such as a message, need not be as long as a header for that to be said.
  if (start[0] !== KIND || length > LONGEST_HEADER) throw decryptionFailed();
  return length;
}

/** @param {Buffer} start */
function frameLength(start) {
  // The first bit says that it is the last frame.
  const length = (start.readUInt32BE(0) & 0x7fffffff) + FRAME_OVERHEAD;
  if (length > FRAME) throw decryptionFailed();
  return length;
}

module.exports = { Opener, Sealer };
