// @ts-check
'use strict';

// The keys, in a key file: made at the first start, readable by its owner alone. The first line is the primary key,
// which seals; the others only open what was sealed before. Called by server.js under the lock.

const fs = require('node:fs');
const { createKeyring, loadKeyring, rotateKeyring } = require('holdfast');
const { StartError } = require('./files.js');

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
    return createKeyring(file);
  }
  try {
    return loadKeyring(file);
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    // The message says which line it is and what to do, and never what stands there.
    if (code === 'ERR_KEY_FILE') throw new StartError(`the keys in ${file}: ${message}`, error);
    throw error;
  }
}

module.exports = { openKeyring };

// `node keyfile.js DATA_DIR/notes.keys` puts a new key in front of the others. Restart the server afterwards.
if (require.main === module) rotateKeyring(process.argv[2]);
