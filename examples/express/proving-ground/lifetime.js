// @ts-check
'use strict';

// A child process that cannot outlive its parent. It ends when the channel to the parent closes, which it learns on its
// event loop; and as an attack may have stopped just that, a thread looks every quarter of a second whether the parent
// is still there, and whether the time that any run can take is over, and then kills the process.

const { Worker, isMainThread, workerData } = require('node:worker_threads');

const LOOK_MS = 250;
const LONGEST_MS = 60_000;

function endWithParent() {
  process.on('disconnect', () => process.exit());
  if (!process.connected) process.exit(); // it has gone already, or never was: not to be started by hand
  new Worker(__filename, { workerData: { parent: process.ppid }, execArgv: [], stdin: false }).unref();
}

/** @param {number} parent */
function watch(parent) {
  const end = Date.now() + LONGEST_MS;
  setInterval(() => {
    if (process.ppid !== parent || !exists(parent) || Date.now() > end) process.kill(process.pid, 'SIGKILL');
  }, LOOK_MS);
}

/** @param {number} pid */
function exists(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

if (!isMainThread) watch(workerData.parent);

module.exports = { endWithParent };
