// @ts-check
'use strict';

// What a service keeps, opened in order: lock, keys, journal, files. Both services begin with it, and end with its
// `close`. What prevents a safe start is a StartError, whose message says what to do.

const fs = require('node:fs');
const path = require('node:path');
const { Devices } = require('./devices.js');
const { Journal } = require('./journal.js');
const { limits } = require('./limits.js');
const { openKeyring } = require('./keyfile.js');
const { lock } = require('./lockfile.js');
const { logLine } = require('./log.js');
const { Outbox } = require('./outbox.js');
const { Store } = require('./store.js');
const { Uploads } = require('./uploads.js');

/** @param {{ dataDir: string, admin?: string }} config */
async function openData({ dataDir, admin }) {
  fs.mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  process.once('exit', lock(path.join(dataDir, 'notes.lock'))); // however it ends, short of a kill
  const journalFile = path.join(dataDir, 'notes.journal');
  const keyring = openKeyring(path.join(dataDir, 'notes.keys'), { journalExists: fs.existsSync(journalFile) });
  const data = assemble({ dataDir, keyring, journal: new Journal(journalFile, keyring) });
  await data.store.setAdmin(admin);
  return data;
}

/**
 * @param {object} parts
 * @param {string} parts.dataDir
 * @param {import('holdfast').Keyring} parts.keyring
 * @param {import('./store.js').JournalLike & { close(): Promise<void> }} parts.journal
 */
function assemble({ dataDir, keyring, journal }) {
  const store = new Store(journal, { warn });
  const uploads = new Uploads(path.join(dataDir, 'files'), { keyring, store, warn });
  const outbox = new Outbox(path.join(dataDir, 'outbox.jsonl'), { warn });
  const devices = new Devices(keyring);
  return {
    devices, keyring, outbox, store, uploads,
    limits: limits({ store, devices }),
    /** When the last request is answered. */
    async close() {
      await outbox.close();
      await journal.close();
    },
  };
}

/**
 * @param {string} message
 * @param {unknown} [error]
 */
function warn(message, error) {
  logLine({ level: 'warn', message, error: error === undefined ? undefined : String(error) });
}

/** @typedef {ReturnType<typeof assemble>} Data */

module.exports = { openData, assemble };
