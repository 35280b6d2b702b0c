// @ts-check
'use strict';

/**
 * Keyrings that live in files, or in an environment variable: made, loaded and rotated. A key file is its owner's
 * alone, is never overwritten by a new one and never seen half rotated. Everything is synchronous, for the start of a
 * server, and what held keys is wiped when the Keyring has copied them. key-lines.js knows the text.
 */

const fs = require('node:fs');
const { dirname } = require('node:path');
const { URL, fileURLToPath } = require('node:url');
const { generateKey } = require('./aead.js');
const { isBytes } = require('./content.js');
const { wrongType, wrongValue } = require('./errors.js');
const { FILE, MOST_KEYS, VARIABLE, isKeyId, keyFileError } = require('./key-lines.js');
const { keyLine, readKeyLines, textStart, wipe } = require('./key-lines.js');
const { Keyring } = require('./keyring.js');
const { readOptions, table } = require('./options.js');

/** @typedef {import('./key-lines.js').NamedKey} NamedKey */

const { O_CREAT, O_EXCL, O_RDONLY, O_WRONLY } = fs.constants;
/** A FIFO that nobody writes to would hold up the open for ever. Windows has no such flag. */
const READ = O_RDONLY | (fs.constants.O_NONBLOCK ?? 0);
const CREATE = O_WRONLY | O_CREAT | O_EXCL;
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/** A thousand keys with the longest ids take 101 kB; the rest is for comments. */
const MOST_BYTES = 1024 * 1024;

/**
 * @param {unknown} path
 * @param {unknown} [options]
 */
function createKeyring(path, options) {
  const file = toPath(path, 'path');
  const { id } = readOptions(options, OPTIONS);
  const named = { id: id ?? newId([]), key: generateKey() };
  const line = keyLine(named, new Date());
  try {
    const ring = toKeyring([named]);
    writeNew(openNew(file), file, { write: (fd) => write(fd, line, OWNER_ONLY) });
    syncDirectory(file);
    return ring;
  } finally {
    wipe([named]);
    line.fill(0);
  }
}

/** @param {unknown} source */
function loadKeyring(source) {
  const { text, form } = isPath(source)
    ? { text: readFile(toPath(source, 'source')).text, form: FILE }
    : { text: readVariable(source), form: VARIABLE };
  /** @type {NamedKey[]} */
  let keys = [];
  try {
    keys = readKeyLines(text, form);
    return toKeyring(keys);
  } finally {
    wipe(keys);
    text.fill(0);
  }
}

/**
 * The lock is the new file: made exclusively, filled, and renamed over the old one, which takes the lock away at the
 * same moment. Two rotations therefore never start from the same keys, and there is nothing else to clean up.
 *
 * @param {unknown} path
 * @param {unknown} [options]
 */
function rotateKeyring(path, options) {
  const given = toPath(path, 'path');
  const { id } = readOptions(options, OPTIONS);
  // Renaming over a symbolic link would replace the link, and two names of one file would have two locks.
  const file = fs.realpathSync(given);
  const lock = `${file}.lock`;
  const ring = writeNew(openLock(lock), lock, {
    write: (fd) => writeRotated(fd, file, id),
    publish: () => fs.renameSync(lock, file),
  });
  syncDirectory(file);
  return ring;
}

/**
 * Writes the file again with a new first line. Nothing else in it changes: a comment stays above the key it is about.
 *
 * @param {number} fd
 * @param {string} file
 * @param {string | undefined} id
 */
function writeRotated(fd, file, id) {
  const { text, stat } = readFile(file);
  /** @type {NamedKey[]} */
  let keys = [];
  /** @type {Buffer[]} */
  const written = [];
  try {
    keys = readKeyLines(text, FILE);
    const ids = keys.map((named) => named.id);
    if (id !== undefined && ids.includes(id)) throw wrongValue('options.id', 'an id that no key in the file has');
    if (keys.length === MOST_KEYS) throw full(`${MOST_KEYS} keys`);
    keys.unshift({ id: id ?? newId(ids), key: generateKey() });
    const start = textStart(text);
    const line = keyLine(keys[0], new Date());
    written.push(line);
    written.push(Buffer.concat([text.subarray(0, start), line, text.subarray(start)]));
    if (written[1].length > MOST_BYTES) throw full(`${MOST_BYTES} bytes`);
    const ring = toKeyring(keys);
    // Rotated by root, the file must still be readable for the server that it belongs to.
    if (fs.fstatSync(fd).uid !== stat.uid) fs.fchownSync(fd, stat.uid, stat.gid);
    write(fd, written[1], stat.mode & 0o777);
    return ring;
  } finally {
    wipe(keys);
    for (const bytes of [text, ...written]) bytes.fill(0);
  }
}

/** @type {import('./options.js').Reader<string | undefined>} */
function readId(value, name) {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw wrongType(name, 'a string');
  if (!isKeyId(value)) throw wrongValue(name, 'an id of 1 to 32 ASCII letters, digits, - and _');
  return value;
}

/** @type {import('./options.js').Reader<string>} */
function readName(value, name) {
  if (typeof value !== 'string') throw wrongType(name, 'a string');
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,255}$/.test(value)) {
    throw wrongValue(name, 'the name of an environment variable, not its value: ASCII letters, digits and _');
  }
  return value;
}

const OPTIONS = table({ id: readId });
const VARIABLE_OPTIONS = table({ env: readName });

/**
 * @param {unknown} value
 * @returns {value is string | URL}
 */
function isPath(value) {
  return typeof value === 'string' || value instanceof URL;
}

/**
 * @param {unknown} value
 * @param {string} name
 */
function toPath(value, name) {
  if (!isPath(value)) throw wrongType(name, 'a path or a file: URL');
  const path = typeof value === 'string' ? value : fromUrl(value, name);
  // Node's error for the second would repeat the path.
  if (path === '' || path.includes('\0')) throw wrongValue(name, 'a path that is not empty and has no null character');
  // The error that there is no such file would show the keys.
  if (KEY_LINE.test(path)) {
    throw wrongValue(name, "a path, and not the keys themselves: those of an environment variable are { env: 'NAME' }");
  }
  return path;
}

/** What looks like the line of a key. */
const KEY_LINE = /(?:^|[\s,;])[A-Za-z0-9_-]{1,32}[ \t]+[A-Za-z0-9+/]{43}=/;

/**
 * @param {URL} url
 * @param {string} name
 */
function fromUrl(url, name) {
  try {
    return fileURLToPath(url);
  } catch {
    throw wrongValue(name, 'a path, or a file: URL of a file on this machine');
  }
}

/** @param {unknown} source */
function readVariable(source) {
  if (typeof source !== 'object' || source === null || isBytes(source)) {
    throw wrongType('source', 'a path, a file: URL or an object with env, the name of an environment variable');
  }
  const { env } = readOptions(source, VARIABLE_OPTIONS, 'source');
  // What Object.prototype has been given is no variable.
  const value = Object.hasOwn(process.env, env) ? process.env[env] : undefined;
  if (value === undefined) {
    throw keyFileError('the environment variable named by source.env is not set: set it to id base64, one key or more');
  }
  if (value.length > MOST_BYTES) throw tooLarge(VARIABLE.source);
  return Buffer.from(value, 'utf8');
}

/**
 * The whole file, when it is its owner's alone. What is looked at is the file that was opened, whatever its path names
 * by now.
 *
 * @param {string} file
 */
function readFile(file) {
  const fd = fs.openSync(file, READ);
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isFile())
      throw keyFileError('the key file is not a regular file: give the path of one, or a link to one');
    refuseOthers(stat.mode);
    if (stat.size > MOST_BYTES) throw tooLarge(FILE.source);
    return { text: readAll(fd, stat.size), stat };
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * @param {number} fd
 * @param {number} size
 */
function readAll(fd, size) {
  const text = Buffer.alloc(size + 1); // One more than there should be: a file that has grown shows.
  try {
    let length = 0;
    for (let read = -1; read !== 0 && length < text.length; length += read) {
      read = fs.readSync(fd, text, length, text.length - length, null);
    }
    if (length !== size) throw keyFileError('the key file changed while it was read: try again when it is written');
    return text.subarray(0, size);
  } catch (error) {
    text.fill(0);
    throw error;
  }
}

/**
 * Windows has no such bits: there the rights of the folder decide.
 *
 * @param {number} mode
 */
function refuseOthers(mode) {
  if (process.platform === 'win32' || (mode & OTHERS) === 0) return;
  throw keyFileError(
    'the key file must be for its owner alone, and its mode gives rights to its group or to others: ' +
      'run chmod 600 on it, or mount it with mode 0400',
  );
}

/** @param {string} file */
function openNew(file) {
  return fs.openSync(file, CREATE, OWNER_ONLY);
}

/** @param {string} lock */
function openLock(lock) {
  try {
    return openNew(lock);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    throw keyFileError(
      'the key file is locked: another rotation is under way, or one was killed and left its lock, a file beside the ' +
        'key file whose name has .lock added; wait, and remove it when no rotation is running',
    );
  }
}

/**
 * Fills a file that was made by `openNew`, and removes it unless all of it has succeeded and is on the disk.
 *
 * @template T
 * @param {number} fd
 * @param {string} file
 * @param {{ write: (fd: number) => T, publish?: () => void }} steps
 */
function writeNew(fd, file, steps) {
  try {
    /** @type {T} */
    let result;
    try {
      result = steps.write(fd);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    if (Object.hasOwn(steps, 'publish')) steps.publish?.();
    return result;
  } catch (error) {
    try {
      fs.unlinkSync(file);
    } catch {
      // What went wrong first is what the caller has to know.
    }
    throw error;
  }
}

/**
 * @param {number} fd
 * @param {Buffer} bytes
 * @param {number} mode
 */
function write(fd, bytes, mode) {
  fs.fchmodSync(fd, mode); // A umask may have taken rights from the owner, too.
  refuseOthers(fs.fstatSync(fd).mode); // Some file systems have no modes. No key is written there.
  for (let from = 0; from < bytes.length;) from += fs.writeSync(fd, bytes, from, bytes.length - from);
}

/**
 * So that the name, too, is there after a power failure. Not everywhere can a folder be opened and synced, and the file
 * is in its place already: failing now would say that it is not.
 *
 * @param {string} file
 */
function syncDirectory(file) {
  let fd;
  try {
    fd = fs.openSync(dirname(file), O_RDONLY);
    fs.fsyncSync(fd);
  } catch {
    // As said above.
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** Without 0 and o, 1 and l, which people mistake. */
const ID_LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
const ID_LENGTH = 6;

/**
 * Random, 30 bits: keys that were made on two machines do not meet under one id, as with dates they would, and what
 * stands in every cookie says nothing about the key.
 *
 * @param {string[]} taken
 * @returns {string}
 */
function newId(taken) {
  const random = generateKey().subarray(0, ID_LENGTH);
  const id = `k${Array.from(random, (byte) => ID_LETTERS[byte & 31]).join('')}`;
  return taken.includes(id) ? newId(taken) : id;
}

/**
 * @param {NamedKey[]} named The first is primary.
 */
function toKeyring(named) {
  // Without a prototype even the id `__proto__` is one like any other.
  const keys = Object.create(null);
  for (const { id, key } of named) keys[id] = key;
  return new Keyring({ primary: named[0].id, keys });
}

/** @param {string} source */
function tooLarge(source) {
  return keyFileError(`${source} is larger than ${MOST_BYTES} bytes: expected at most ${MOST_KEYS} keys, one a line`);
}

/** @param {string} limit */
function full(limit) {
  return keyFileError(`the key file may hold ${limit} at most: remove what nothing is sealed under any more`);
}

module.exports = { createKeyring, loadKeyring, rotateKeyring };
