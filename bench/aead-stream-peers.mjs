// Sealed streams as a careful engineer writes them with node:crypto and nothing else: what aead-stream.mjs compares
// with. The work is that of Holdfast's: a key of its own for each stream (HKDF of a random salt, which comes first),
// chunks of 64 KiB, each authenticated before any of it is released, in its place (the nonce is its number and whether
// it is the last), with four bytes of length in front as associated data. A stream that was cut short is an error.
//
// What was tried, and what was fastest is here: pieces are kept as they came and not copied together, which is right
// as long as nobody writes into a piece that was passed on (Holdfast does not rely on that: it copies); `update` is
// called once a piece; and its output, prefix and tag are pushed one by one, because one Buffer a frame costs a copy.
// The marks for backpressure are those of Holdfast's streams; with Node's own it is slower.
//
// `isPlain`: as one writes it first, and as safe as Holdfast against a caller who writes into a piece that was passed on: each
// chunk and each frame in a Buffer of its own, by Buffer.concat.
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import { Transform } from 'node:stream';

export const CHUNK = 64 * 1024;
export const SALT = 32;
export const FRAME_OVERHEAD = 4 + 16;

const TAG = 16;
const PREFIX = 4;
const IS_LAST = 0x8000_0000;
const INFO = 'chunked stream';
const MARKS = { writableHighWaterMark: CHUNK, readableHighWaterMark: 4 * CHUNK };

/** Pieces that came and were not used up yet. Costs nothing but a view where a piece is cut. */
class Pieces {
  length = 0;
  #list = [];

  add(piece) {
    if (piece.length === 0) return;
    this.#list.push(piece);
    this.length += piece.length;
  }

  /** The next `length` bytes, as the views they lie in. */
  take(length) {
    const taken = [];
    this.length -= length;
    while (length > 0) {
      const [first] = this.#list;
      if (first.length <= length) {
        taken.push(first);
        this.#list.shift();
      } else {
        taken.push(first.subarray(0, length));
        this.#list[0] = first.subarray(length);
      }
      length -= taken[taken.length - 1].length;
    }
    return taken;
  }

  /** The next `length` bytes in one Buffer: for the few that have to be. */
  bytes(length) {
    const taken = this.take(length);
    return taken.length === 1 ? taken[0] : Buffer.concat(taken, length);
  }
}

export class ChunkSealer extends Transform {
  #pieces = new Pieces();
  #nonces = nonces();
  #key;
  #isPlain;

  constructor(key, isPlain = false) {
    super(MARKS);
    this.#isPlain = isPlain;
    const salt = randomBytes(SALT);
    this.#key = streamKey(key, salt);
    this.push(salt);
  }

  _transform(piece, _, callback) {
    try {
      this.#pieces.add(this.#isPlain ? Buffer.from(piece) : piece);
      // A chunk is sealed when there is something behind it: the nonce says whether it is the last.
      while (this.#pieces.length > CHUNK) this.#seal(CHUNK, false);
    } catch (error) {
      return callback(error);
    }
    callback();
  }

  _flush(callback) {
    try {
      this.#seal(this.#pieces.length, true);
    } catch (error) {
      return callback(error);
    }
    callback();
  }

  #seal(length, last) {
    const prefix = Buffer.allocUnsafe(PREFIX);
    prefix.writeUInt32BE(last ? length + IS_LAST : length);
    const cipher = createCipheriv('aes-256-gcm', this.#key, this.#nonces(last));
    cipher.setAAD(prefix);
    if (this.#isPlain) {
      const body = cipher.update(Buffer.concat(this.#pieces.take(length)));
      this.push(Buffer.concat([prefix, body, cipher.final(), cipher.getAuthTag()]));
      return;
    }
    this.push(prefix);
    for (const piece of this.#pieces.take(length)) this.push(cipher.update(piece));
    cipher.final(); // empty, as always with GCM
    this.push(cipher.getAuthTag());
  }
}

export class ChunkOpener extends Transform {
  #pieces = new Pieces();
  #nonces = nonces();
  #master;
  #key;
  #prefix;
  #finished = false;
  #isPlain;

  constructor(key, isPlain = false) {
    super(MARKS);
    this.#isPlain = isPlain;
    this.#master = key;
  }

  _transform(piece, _, callback) {
    try {
      this.#pieces.add(this.#isPlain ? Buffer.from(piece) : piece);
      while (this.#step());
    } catch (error) {
      return callback(error);
    }
    callback();
  }

  _flush(callback) {
    callback(this.#finished ? null : new Error('the stream was cut short'));
  }

  /** Whether there were bytes enough for the next part: the salt, a prefix, or the rest of a frame. */
  #step() {
    if (this.#pieces.length === 0) return false;
    if (this.#finished) throw new Error('there is something behind the last chunk');
    if (this.#key === undefined) {
      if (this.#pieces.length < SALT) return false;
      this.#key = streamKey(this.#master, this.#pieces.bytes(SALT));
      return true;
    }
    if (this.#prefix === undefined) {
      if (this.#pieces.length < PREFIX) return false;
      this.#prefix = this.#pieces.bytes(PREFIX);
    }
    const word = this.#prefix.readUInt32BE();
    const last = word >= IS_LAST;
    const length = last ? word - IS_LAST : word;
    if (last ? length > CHUNK : length !== CHUNK) throw new Error('not a length that a chunk has');
    if (this.#pieces.length < length + TAG) return false;
    this.#open(length, last);
    return true;
  }

  #open(length, last) {
    const body = this.#pieces.take(length);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, this.#nonces(last), { authTagLength: TAG });
    decipher.setAAD(this.#prefix);
    decipher.setAuthTag(this.#pieces.bytes(TAG));
    const opened = this.#isPlain
      ? [Buffer.concat([decipher.update(Buffer.concat(body)), decipher.final()])]
      : body.map((piece) => decipher.update(piece));
    if (!this.#isPlain) decipher.final(); // throws when the chunk is not what was sealed; until here nothing of it has gone out
    for (const piece of opened) this.push(piece);
    this.#prefix = undefined;
    this.#finished = last;
  }
}

function streamKey(key, salt) {
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, salt, INFO, 32)));
}

// One Buffer for all nonces of a stream: a cipher copies the nonce that it is given.
function nonces() {
  const nonce = Buffer.alloc(12);
  let number = 0;
  return (last) => {
    nonce.writeUIntBE(number++, 5, 6);
    nonce[11] = last ? 1 : 0;
    return nonce;
  };
}
