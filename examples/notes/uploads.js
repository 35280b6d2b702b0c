// @ts-check
'use strict';

// Files of users, on the disk under random names, sealed as they come in: no file is ever in memory as a whole, and
// none is readable on the disk. What a file is called and whose it is stands in the journal. Each is sealed for its
// owner and its id, so that a file that somebody puts in the place of another does not open.
//
//   <id>        a file
//   <id>.part   one on its way in or out: whether it is a file the journal says, and the next start asks it

const fs = require('node:fs');
const path = require('node:path');
const { once } = require('node:events');
const { randomUUID } = require('node:crypto');
const { pipeline } = require('node:stream');
const { pipeline: piped } = require('node:stream/promises');
const { flushDirectory } = require('./files.js');
const { Problem } = require('holdfast/express');

const { rename, rm } = fs.promises;
const PART = '.part';

/**
 * @typedef {import('./store.js').User} User
 * @typedef {import('./store.js').File} File
 */

class Uploads {
  #directory;
  #keyring;
  #store;
  /** @type {Set<string>} ids of files that are being deleted */
  #leaving = new Set();

  /**
   * Makes the directory, and ends what a crash has left half done.
   * @param {string} directory
   * @param {object} parts
   * @param {import('holdfast').Keyring} parts.keyring
   * @param {import('./store.js').Store} parts.store
   * @param {(message: string) => void} [parts.warn]
   */
  constructor(directory, { keyring, store, warn = () => {} }) {
    this.#directory = directory;
    this.#keyring = keyring;
    this.#store = store;
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#recover(warn);
  }

  /**
   * @param {User} user
   * @param {string} name for its owner to see: it is no part of any path
   * @param {number} bytes as many as are coming
   * @param {import('node:stream').Readable} source
   * @returns {Promise<File>} when it is on the disk, and the journal knows
   */
  async save(user, name, bytes, source) {
    const release = this.#store.reserveFile(user, bytes);
    const file = { id: randomUUID(), name, bytes, created: new Date().toISOString() };
    const part = this.#path(file.id) + PART;
    try {
      await piped(exactly(source, bytes), this.#keyring.sealStream({ aad: aadOf(user, file.id) }),
        fs.createWriteStream(part, { flags: 'wx', mode: 0o600, flush: true }));
      await flushDirectory(this.#directory);
      await this.#store.addFile(user, file);
      await rename(part, this.#path(file.id));
      return file;
    } catch (error) {
      // Of a journal that has failed nobody knows what it says: the part stays until the next start.
      if (this.#store.healthy) await rm(part, { force: true });
      throw this.#reason(error, source);
    } finally {
      release();
    }
  }

  /**
   * Nothing is returned before the first chunk has been authenticated: an altered file is an error, and not an answer
   * that breaks off. In the middle of a file there is no other way: the stream fails, and the connection has to be cut.
   * @param {User} user
   * @param {string} id
   * @returns {Promise<{ file: File, stream: import('node:stream').Readable }>}
   */
  async open(user, id) {
    const file = this.#find(user, id);
    const stream = this.#keyring.openStream({ aad: aadOf(user, id) });
    pipeline(fs.createReadStream(this.#path(id)), stream, () => {}); // each ends with the other; the reader sees why
    await once(stream, 'readable');
    return { file, stream };
  }

  /**
   * @param {User} user
   * @param {string} id
   */
  async remove(user, id) {
    this.#find(user, id);
    this.#leaving.add(id);
    const file = this.#path(id);
    try {
      await rename(file, file + PART).catch(ignoreMissing);
      try {
        await this.#store.deleteFile(user, id);
      } catch (error) {
        if (this.#store.healthy) await rename(file + PART, file).catch(ignoreMissing);
        throw error;
      }
      await rm(file + PART, { force: true });
    } finally {
      // Where the journal has failed, whether it is there will be known after the next start. Until then it is not.
      if (this.#store.healthy) this.#leaving.delete(id);
    }
  }

  /**
   * @param {User} user
   * @param {string} id
   */
  #find(user, id) {
    const file = user.files.get(id);
    if (file === undefined || this.#leaving.has(id)) throw new Problem(404, 'there is no such file');
    return file;
  }

  /** @param {string} id one that this class has made */
  #path(id) {
    return path.join(this.#directory, id);
  }

  /** @param {(message: string) => void} warn */
  #recover(warn) {
    const known = new Set();
    for (const user of this.#store.users()) {
      for (const id of user.files.keys()) known.add(id);
    }
    for (const name of fs.readdirSync(this.#directory)) {
      const id = path.basename(name, PART);
      if (name.endsWith(PART) && known.has(id)) fs.renameSync(this.#path(name), this.#path(id));
      else if (name.endsWith(PART)) fs.rmSync(this.#path(name)); // nobody was told that it was kept
      else if (!known.has(id)) warn(`the journal does not know the file ${this.#path(name)}: it was left as it is`);
      known.delete(id);
    }
    if (known.size > 0) warn(`${known.size} files that the journal knows are missing in ${this.#directory}`);
  }

  /**
   * @param {any} error
   * @param {import('node:stream').Readable} source
   */
  #reason(error, source) {
    if (error instanceof Problem) return error;
    if (source.destroyed) return new Problem(400, 'the body was cut off', { cause: error });
    if (error.code === 'ENOSPC' || error.code === 'EDQUOT') {
      return new Problem(507, 'the storage of this server is full', { cause: error });
    }
    return error;
  }
}

/**
 * What there is room for, and no byte more or less. The source is left as it is when something behind it fails, so that
 * its connection can still take an answer.
 * @param {import('node:stream').Readable} source
 * @param {number} bytes
 */
async function* exactly(source, bytes) {
  let seen = 0;
  for await (const chunk of source.iterator({ destroyOnReturn: false })) {
    seen += chunk.length;
    if (seen > bytes) break;
    yield chunk;
  }
  if (seen !== bytes) throw new Problem(400, 'the body has another length than was announced');
}

/**
 * Ids and nothing else, so that no two files have the same.
 * @param {User} user
 * @param {string} id
 */
function aadOf(user, id) {
  return `notes file ${user.id} ${id}`;
}

/** @param {NodeJS.ErrnoException} error */
function ignoreMissing(error) {
  if (error.code !== 'ENOENT') throw error;
}

/**
 * Compared more strictly than a router does: what only the router takes for the address has the smaller limit.
 * @param {any} req of Express, or of node:http
 */
function isUpload(req) {
  return req.method === 'POST' && (req.originalUrl ?? req.url).split('?', 1)[0] === '/files';
}

/**
 * The headers of a download: whatever a file holds, no browser shows or runs it as a page of this service.
 * @param {File} file
 * @returns {Record<string, string>}
 */
function downloadHeaders({ name, bytes }) {
  // RFC 6266, appendix D: a name for old clients, and the name. validate.js lets neither quotes nor controls pass.
  const plain = name.replace(/[^ -~]/gu, '_');
  const exact = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return {
    'Content-Type': 'application/octet-stream',
    'Content-Length': String(bytes),
    'Content-Disposition': `attachment; filename="${plain}"; filename*=UTF-8''${exact}`,
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'X-Content-Type-Options': 'nosniff',
  };
}

module.exports = { Uploads, downloadHeaders, isUpload };
