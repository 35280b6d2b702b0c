// @ts-check
'use strict';

// The keys, in a text file: one key a line, `id base64 created`, the newest first. The first line is the primary key,
// which seals; the others only open what was sealed before. Called by server.js under the lock. The file is made at
// the first start, readable by its owner alone, and refused when others can read it.

const fs = require('node:fs');
const { generateKey, Keyring } = require('holdfast');
const { StartError, createDurably } = require('./files.js');

const MAX_BYTES = 64 * 1024;

/**
 * @param {string} file
 * @param {{ journalExists: boolean }} state a journal without its keys must not get new ones: it could never be read
 * @returns {import('holdfast').Keyring}
 */
function openKeyring(file, { journalExists }) {
  if (!fs.existsSync(file)) {
    if (journalExists) {
      throw new StartError(`the key file ${file} is missing, and the journal beside it cannot be read without it. `
        + 'Restore the key file from your backup');
    }
    createDurably(file, keyLine(new Date()));
  }
  const fd = fs.openSync(file, 'r');
  try {
    const { mode, size } = fs.fstatSync(fd); // of the open file: what is checked is what is read
    refuseIfReadableByOthers(file, mode);
    if (size > MAX_BYTES) throw new StartError(`the key file ${file} is larger than ${MAX_BYTES} bytes`);
    return parseKeys(file, fs.readFileSync(fd, 'utf8'));
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * A line for a new key. Its id only has to differ from those before it.
 * @param {Date} now
 */
function keyLine(now) {
  const created = now.toISOString();
  return `k${created.replace(/[^0-9]/g, '')} ${generateKey().toString('base64')} ${created}\n`;
}

/**
 * @param {string} file
 * @param {string} text
 */
function parseKeys(file, text) {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) throw new StartError(`the key file ${file} is empty. Restore it from your backup`);
  /** @type {Record<string, Uint8Array>} */
  const keys = Object.create(null);
  const ids = lines.map((line, index) => {
    const [, id, base64, created] = LINE.exec(line) ?? [];
    const key = Buffer.from(base64 ?? '', 'base64');
    // The message names the line and never repeats it: it may hold a key.
    if (id === undefined || key.length !== 32 || Number.isNaN(Date.parse(created))) {
      throw new StartError(`line ${index + 1} of the key file ${file} is not "id base64 created", with an id of 1 to `
        + '32 letters, digits, "-" or "_", 32 bytes in base64, and a date');
    }
    if (id in keys) throw new StartError(`line ${index + 1} of the key file ${file} repeats an id`);
    keys[id] = key;
    return id;
  });
  return new Keyring({ primary: ids[0], keys: { ...keys } });
}

/**
 * Windows has no such bits: there the rights of the directory decide.
 * @param {string} file
 * @param {number} mode
 */
function refuseIfReadableByOthers(file, mode) {
  if (process.platform === 'win32' || (mode & 0o077) === 0) return;
  throw new StartError(`the key file ${file} can be read or written by others (mode ${(mode & 0o777).toString(8)}). `
    + `Run: chmod 600 '${file}'`);
}

const LINE = /^([A-Za-z0-9_-]{1,32}) ([A-Za-z0-9+/]{43}=) ([0-9TZ:.-]{10,32})$/;

module.exports = { openKeyring, keyLine };

// `node keyfile.js` prints such a line, for a rotation by hand: put it above the others and restart the server.
if (require.main === module) process.stdout.write(keyLine(new Date()));
