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

const NO_BYTES = Buffer.alloc(0);

/**
 * @typedef {object} Step What the three forms of streams work with.
 * @property {(bytes: Uint8Array) => Generator<Buffer>} take
 * @property {() => Generator<Buffer>} end
 * @property {() => void} dispose
 */

/** @implements {Step} */
class Sealer {
  #seal;
  #sealInPlace;
  #dispose;
  /** The header, until it has gone out. @type {Buffer | undefined} */
  #header;
  /** The plaintext that has not been sealed, as it might be the last chunk, in the frame that it will be. */
  #frame = NO_BYTES;
  #length = 0;

  /**
   * @param {(aad: Uint8Array, header: Uint8Array) => any} sealStream
   * @param {Uint8Array} aad
   * @param {number} idLength
   */
  constructor(sealStream, aad, idLength) {
    this.#header = Buffer.alloc(2 + idLength + SALT_AND_COMMITMENT);
    [this.#seal, this.#sealInPlace, this.#dispose] = sealStream(aad, this.#header);
  }

  /** @param {Uint8Array} bytes */
  *take(bytes) {
    const { length } = bytes;
    yield* this.#start();
    let from = 0;
    if (this.#length > 0) {
      from = this.#hold(part(bytes, length, 0, Math.min(CHUNK - this.#length, length)));
      if (from === length) return;
      const frame = this.#frame;
      this.#frame = NO_BYTES;
      this.#length = 0;
      this.#sealInPlace(frame);
      yield frame;
    }
    // A chunk is sealed when there is something behind it.
    while (length - from > CHUNK) {
      const chunks = Math.min(MOST_AT_ONCE, Math.ceil((length - from) / CHUNK) - 1);
      const whole = part(bytes, length, from, from + chunks * CHUNK);
      from += whole.length;
      yield this.#sealed(whole, chunks, 0);
    }
    this.#hold(part(bytes, length, from, length));
  }

  *end() {
    yield* this.#start();
    const last = this.#sealed(this.#frame.subarray(PREFIX, PREFIX + this.#length), 1, 1);
    this.dispose();
    yield last;
  }

  dispose() {
    this.#frame.fill(0);
    this.#dispose();
  }

  *#start() {
    if (this.#header === undefined) return;
    const header = this.#header;
    this.#header = undefined;
    yield header;
  }

  /** @param {Uint8Array} bytes For which there is room. */
  #hold(bytes) {
    if (bytes.length > 0) {
      if (this.#length === 0) this.#frame = Buffer.allocUnsafeSlow(FRAME);
      this.#frame.set(bytes, PREFIX + this.#length);
      this.#length += bytes.length;
    }
    return bytes.length;
  }

  /**
   * @param {Uint8Array} plaintext Whole chunks, or the last one.
   * @param {number} frames
   * @param {0 | 1} isLast
   */
  #sealed(plaintext, frames, isLast) {
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
  /** @type {(frame: Uint8Array) => boolean} */
  #openInPlace = () => false;
  /** @type {() => void} */
  #dispose = () => {};
  #finished = false;
  /** The header or the frame, as far as it has come; of a frame of which the length is not known yet, the start. */
  #part = Buffer.alloc(LONGEST_HEADER);
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
      this.#part.set(piece, this.#length);
      this.#length += piece.length;
      from += piece.length;
      const plaintext = this.#tryPart();
      if (plaintext.length > 0) yield plaintext;
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
    this.#dispose();
  }

  /** How long the header or frame is, as far as it is known. */
  #lengthOfPart() {
    if (this.#open === undefined) return this.#length < 2 ? 2 : headerLength(this.#part);
    return this.#length < PREFIX ? PREFIX : frameLength(this.#part);
  }

  /** The plaintext, when the part that came last has made a frame whole. */
  #tryPart() {
    const length = this.#lengthOfPart();
    if (this.#open !== undefined && this.#length === PREFIX) {
      // Now it is known how long the frame is: its plaintext will stand in it.
      const frame = Buffer.allocUnsafeSlow(length);
      frame.set(this.#part.subarray(0, PREFIX));
      this.#part = frame;
    }
    if (this.#length < length) return NO_BYTES;
    const whole = this.#part;
    this.#length = 0;
    if (this.#open === undefined) {
      const header = whole.subarray(0, length);
      [this.#open, this.#openInPlace, this.#dispose] = this.#openStream(this.#aad, header);
      return NO_BYTES;
    }
    this.#part = Buffer.allocUnsafe(PREFIX);
    this.#finished = this.#openInPlace(whole);
    return whole.subarray(PREFIX, length - (FRAME_OVERHEAD - PREFIX));
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
