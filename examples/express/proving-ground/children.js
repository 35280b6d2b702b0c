// @ts-check
'use strict';

// Child processes for a run: Node with a bounded heap and none of this process's options, secrets or streams. None of
// them outlives the run, nor this process: they are killed at the end of either, and see to it themselves when this
// process is killed (lifetime.js).

const { fork } = require('node:child_process');
const path = require('node:path');

const STDERR_CHARACTERS = 4096;

/** What Node needs to start, of an environment that may hold secrets. */
const PASSED_ON = ['PATH', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR'];

/** @type {Set<import('node:child_process').ChildProcess>} */
const alive = new Set();

process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/**
 * @typedef {object} Child
 * @property {(message: any) => void} tell does nothing when it is gone
 * @property {() => { how: string, outOfMemory: boolean } | null} ended how, or null while it runs
 * @property {() => Promise<void>} kill resolves when it is gone
 */

/**
 * @param {string} file
 * @param {{ heapMB: number, flags: string[], hear: (message: any) => void }} how
 * @returns {Child}
 */
function start(file, { heapMB, flags, hear }) {
  const env = Object.create(null);
  for (const name of PASSED_ON) if (process.env[name] !== undefined) env[name] = process.env[name];
  const child = fork(path.join(__dirname, file), [], {
    env,
    execArgv: [`--max-old-space-size=${heapMB}`, ...flags],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  alive.add(child);

  let stderr = '';
  /** @type {{ how: string, outOfMemory: boolean } | null} */
  let ended = null;
  child.stderr?.setEncoding('utf8').on('data', (chunk) => (stderr = (stderr + chunk).slice(-STDERR_CHARACTERS)));
  child.on('message', hear);
  const gone = new Promise((resolve) => {
    const end = (/** @type {string} */ how) => {
      alive.delete(child);
      ended ??= { how, outOfMemory: stderr.includes('heap out of memory') };
      resolve(undefined);
    };
    child.on('error', () => child.pid === undefined && end('could not be started'));
    child.on('close', (code, signal) => end(signal ?? `exit code ${code}`));
  });

  return {
    tell: (message) => {
      // Between its end and the event that tells of it, a message fails.
      if (child.connected) child.send(message, () => {});
    },
    ended: () => ended,
    kill: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

module.exports = { start };
