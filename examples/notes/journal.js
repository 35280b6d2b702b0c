// @ts-check
'use strict';

// The one file everything is kept in: an append-only journal of sealed records. store.js replays it at the start and
// appends to it. When `append` resolves, the entry is on the disk. One write and one fdatasync serve all entries that
// came in while the one before was under way, and go into one record, so a crash tears at most the last record.
//
//   file    magic (8) ‖ file id (16), then records
//   record  length n (4, big-endian) ‖ its complement (4) ‖ n sealed bytes: a JSON array of entries
//   aad     magic ‖ file id ‖ record number (8): a record opens only in its own file and in its own place

const fs = require('node:fs');
const { randomBytes } = require('node:crypto');
const { promisify } = require('node:util');
const { StartError, createDurably } = require('./files.js');

const write = promisify(fs.write);
const fdatasync = promisify(fs.fdatasync);
const close = promisify(fs.close);

const MAGIC = Buffer.from('HFNOTES1');
const HEADER_BYTES = MAGIC.length + 16;
const PREFIX_BYTES = 8;
const BATCH_BYTES = 1024 * 1024; // of plaintext; an entry that is larger travels alone
const RECORD_BYTES = 4 * BATCH_BYTES; // what a length may say: keeps a damaged one from asking for memory
const TAG_BYTES = 16;

/**
 * @typedef {object} Waiting
 * @property {string} json
 * @property {() => void} resolve
 * @property {(error: Error) => void} reject
 */

/** The journal takes nothing more. */
class JournalError extends Error {
  /**
   * @param {'FULL' | 'FAILED' | 'CLOSED'} reason
   * @param {unknown} [cause]
   */
  constructor(reason, cause) {
    super(`the journal is ${reason.toLowerCase()}`, { cause });
    this.name = 'JournalError';
    this.reason = reason;
  }
}

class Journal {
  #file;
  #fd;
  #keyring;
  #header;
  #maxBytes;
  #records = 0;
  #end = HEADER_BYTES; // of what is durable
  /** @type {Waiting[]} */
  #waiting = [];
  /** @type {Promise<void> | null} */
  #flushing = null;
  /** @type {JournalError | null} why nothing more is taken */
  #refusal = null;
  #replayed = false;

  /**
   * Opens the journal, or makes an empty one.
   * @param {string} file
   * @param {import('holdfast').Keyring} keyring
   * @param {{ maxBytes?: number }} [options] how large the file may grow
   */
  constructor(file, keyring, { maxBytes = 1024 * 1024 * 1024 } = {}) {
    if (!fs.existsSync(file)) createDurably(file, Buffer.concat([MAGIC, randomBytes(16)]));
    this.#file = file;
    this.#keyring = keyring;
    this.#maxBytes = maxBytes;
    this.#fd = fs.openSync(file, 'r+');
    this.#header = this.#read(0, HEADER_BYTES);
    if (this.#header.length < HEADER_BYTES || !this.#header.subarray(0, MAGIC.length).equals(MAGIC)) {
      throw new StartError(`${file} is not a journal of this service`);
    }
  }

  /** False once something went wrong with the file: only a new start, which reads it again, can tell what is in it. */
  get healthy() {
    return this.#refusal === null;
  }

  /**
   * Calls back with every entry, in order. To be called once, before the first append.
   * @param {(entry: any) => void} apply
   * @param {(message: string) => void} warn
   */
  replay(apply, warn) {
    for (;;) {
      const prefix = this.#read(this.#end, PREFIX_BYTES);
      if (prefix.length === 0) break;
      const length = recordLength(prefix, 0);
      const sealed = length === 0 ? EMPTY : this.#read(this.#end + PREFIX_BYTES, length);
      if (length === 0 || sealed.length < length || this.#isLastAndUnwritten(sealed)) {
        this.#setTornTailAside(length !== 0, warn);
        break;
      }
      for (const entry of this.#open(sealed)) apply(entry);
      this.#end += PREFIX_BYTES + length;
      this.#records += 1;
    }
    this.#replayed = true;
  }

  /**
   * @param {object} entry JSON
   * @returns {Promise<void>} resolves when the entry is durable; rejects with a JournalError when that is not certain
   */
  append(entry) {
    if (!this.#replayed) throw new Error('append before replay');
    if (this.#refusal !== null) return Promise.reject(this.#refusal);
    if (this.#end >= this.#maxBytes) return Promise.reject(new JournalError('FULL'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ json: JSON.stringify(entry), resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  /** Takes no more entries, finishes those it has, closes the file. */
  async close() {
    this.#refusal ??= new JournalError('CLOSED');
    await this.#flushing;
    if (this.#fd !== -1) {
      const fd = this.#fd;
      this.#fd = -1;
      await close(fd);
    }
  }

  async #flush() {
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      try {
        await this.#commit(Buffer.from(`[${batch.map(({ json }) => json).join(',')}]`));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        // After a failed write or fsync nobody knows what the disk holds: a second fsync may report success for pages
        // the kernel has dropped. So there is no second try.
        const failure = new JournalError('FAILED', error);
        this.#refusal = failure;
        for (const { reject } of [...batch, ...this.#waiting.splice(0)]) reject(failure);
      }
    }
    this.#flushing = null;
  }

  #nextBatch() {
    let bytes = 0;
    let count = 0;
    do {
      bytes += 3 * this.#waiting[count].json.length; // the most its UTF-8 can take
      count += 1;
    } while (count < this.#waiting.length && bytes + 3 * this.#waiting[count].json.length <= BATCH_BYTES);
    return this.#waiting.splice(0, count);
  }

  /** @param {Buffer} plaintext */
  async #commit(plaintext) {
    const sealed = this.#keyring.seal(plaintext, { aad: this.#aad() });
    const record = Buffer.concat([recordPrefix(sealed.length), sealed]);
    for (let written = 0; written < record.length;) {
      const rest = record.length - written;
      written += (await write(this.#fd, record, written, rest, this.#end + written)).bytesWritten;
    }
    await fdatasync(this.#fd);
    this.#end += record.length;
    this.#records += 1;
  }

  /** @param {Buffer} sealed */
  #open(sealed) {
    try {
      return JSON.parse(this.#keyring.open(sealed, { aad: this.#aad() }).toString());
    } catch (error) {
      throw new StartError(`record ${this.#records} of the journal ${this.#file}, at byte ${this.#end}, cannot be `
        + 'opened: the key file is not the one it was written with, or the file was damaged or altered. Nothing was '
        + 'changed. Restore both from your backup', error);
    }
  }

  /**
   * A crash in the middle of an append leaves the beginning of a record at the end of the file, or, after a power cut,
   * space that was never written and reads as zeros. No client was told that such a record was kept. It is moved to a
   * file of its own, never thrown away. Anything else is not the trace of a crash, and stops the start.
   * @param {boolean} hasPrefix the length of the record is known
   * @param {(message: string) => void} warn
   */
  #setTornTailAside(hasPrefix, warn) {
    const tail = this.#read(this.#end, PREFIX_BYTES + RECORD_BYTES + 1);
    if (tail.length > PREFIX_BYTES + RECORD_BYTES || (!hasPrefix && holdsPrefix(tail))) {
      throw new StartError(`the journal ${this.#file} is damaged at byte ${this.#end}, and there are records after it. `
        + 'Nothing was changed. Restore it from your backup');
    }
    const aside = `${this.#file}.torn-${this.#end}-${Date.now()}`;
    createDurably(aside, tail);
    fs.ftruncateSync(this.#fd, this.#end);
    fs.fsyncSync(this.#fd);
    warn(`the last record of the journal was torn by a crash: its ${tail.length} bytes, at byte ${this.#end}, `
      + `were moved to ${aside}. When it was a crash, no client was told that this was saved`);
  }

  /**
   * A tag of zeros: the space was reserved and the data never arrived. A record in the middle is never excused so.
   * @param {Buffer} sealed
   */
  #isLastAndUnwritten(sealed) {
    return sealed.subarray(-TAG_BYTES).every((byte) => byte === 0)
      && this.#read(this.#end + PREFIX_BYTES + sealed.length, 1).length === 0;
  }

  #aad() {
    const aad = Buffer.alloc(HEADER_BYTES + 8);
    this.#header.copy(aad);
    aad.writeBigUInt64BE(BigInt(this.#records), HEADER_BYTES);
    return aad;
  }

  /**
   * At most `length` bytes; fewer at the end of the file.
   * @param {number} position
   * @param {number} length
   */
  #read(position, length) {
    const left = Math.max(0, fs.fstatSync(this.#fd).size - position);
    const bytes = Buffer.alloc(Math.min(length, left));
    for (let done = 0; done < bytes.length;) {
      const count = fs.readSync(this.#fd, bytes, done, bytes.length - done, position + done);
      if (count === 0) throw new StartError(`${this.#file} got shorter while it was read`);
      done += count;
    }
    return bytes;
  }
}

/** @param {number} length */
function recordPrefix(length) {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(length, 0);
  prefix.writeUInt32BE(~length >>> 0, 4);
  return prefix;
}

/**
 * The length that stands at an offset, or 0 when none does. The complement tells a length from damage.
 * @param {Buffer} bytes
 * @param {number} offset
 */
function recordLength(bytes, offset) {
  if (bytes.length < offset + PREFIX_BYTES) return 0;
  const length = bytes.readUInt32BE(offset);
  const isPrefix = bytes.readUInt32BE(offset + 4) === ~length >>> 0;
  return isPrefix && length > TAG_BYTES && length <= RECORD_BYTES ? length : 0;
}

/**
 * Whether a record may begin somewhere in bytes whose beginning is unreadable.
 * @param {Buffer} bytes
 */
function holdsPrefix(bytes) {
  for (let offset = 1; offset + PREFIX_BYTES <= bytes.length; offset += 1) {
    if (recordLength(bytes, offset) !== 0) return true;
  }
  return false;
}

const EMPTY = Buffer.alloc(0);

module.exports = { Journal, JournalError };
