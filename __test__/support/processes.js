'use strict';

/** The processes below one, as Linux tells of them in /proc. For tests that look for what has been left behind. */

const fs = require('node:fs');

const CAN_LIST = process.platform === 'linux';

/**
 * The processes that `pid` started, and those that they did.
 *
 * @param {number} pid
 * @returns {{ pid: number, command: string }[]}
 */
function descendantsOf(pid) {
  const parents = new Map();
  for (const name of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // pid (name) state ppid …: the name can hold anything, and ends at the last parenthesis.
      const [state, parent] = fs.readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
      if (state !== 'Z') parents.set(Number(name), Number(parent));
    } catch {
      // It has just ended.
    }
  }
  const found = [];
  for (const generation = [pid]; generation.length > 0; ) {
    const next = generation.shift();
    for (const [child, parent] of parents) {
      if (parent !== next) continue;
      generation.push(child);
      found.push({ pid: child, command: commandOf(child) });
    }
  }
  return found;
}

/** @param {number} pid */
function commandOf(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/**
 * Waits until a condition holds; an error when it does not for `timeoutMs`.
 *
 * @param {string} what
 * @param {() => unknown} condition
 * @param {number} [timeoutMs]
 */
async function eventually(what, condition, timeoutMs = 10_000) {
  for (const end = Date.now() + timeoutMs; !(await condition()); ) {
    if (Date.now() > end) throw new Error(`still not so after ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

module.exports = { CAN_LIST, descendantsOf, eventually, isAlive };
