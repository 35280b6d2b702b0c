// @ts-check
'use strict';

// What the lock, the key file, the journal and the uploads share: making a file or a rename survive a power cut, and
// the one error that stops a start. What is synchronous runs before the server listens.

const fs = require('node:fs');
const path = require('node:path');

/** The service cannot start, or not safely. The message is for the operator and says what to do. */
class StartError extends Error {
  /**
   * @param {string} message
   * @param {unknown} [cause]
   */
  constructor(message, cause) {
    super(message, { cause });
    this.name = 'StartError';
  }
}

/**
 * A new file appears under its name complete and durable, or not at all. The caller holds the lock, so nobody else
 * writes the same temporary name.
 * @param {string} file
 * @param {string | Uint8Array} content
 */
function createDurably(file, content) {
  const temporary = `${file}.tmp`;
  fs.rmSync(temporary, { force: true }); // left by a crash in here
  const fd = fs.openSync(temporary, 'wx', 0o600);
  try {
    fs.writeFileSync(fd, content);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  fs.renameSync(temporary, file);
  syncDirectory(path.dirname(file));
}

/**
 * A new name lives in its directory, which has to be flushed as well. Windows does not open directories, and does not
 * need it.
 * @param {string} directory
 */
function syncDirectory(directory) {
  if (process.platform === 'win32') return;
  const fd = fs.openSync(directory, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * The same while the server runs.
 * @param {string} directory
 */
async function flushDirectory(directory) {
  if (process.platform === 'win32') return;
  const handle = await fs.promises.open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

module.exports = { StartError, createDurably, flushDirectory };
