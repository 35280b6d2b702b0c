// @ts-check
'use strict';

// Keeps two servers from writing one journal: a file with the process id of the holder, created exclusively. Called by
// server.js before it touches the key file or the journal. The lock of a process that is gone is taken over; on Linux
// the process's start time tells a process that is gone from another one that was given its number.

const fs = require('node:fs');
const { randomUUID } = require('node:crypto');
const { StartError } = require('./files.js');

/**
 * @param {string} file
 * @returns {() => void} releases the lock
 */
function lock(file) {
  const content = `${process.pid} ${startTime(process.pid)} ${randomUUID()}\n`;
  if (!create(file, content)) takeOver(file, content);
  return () => {
    if (read(file) === content) fs.rmSync(file);
  };
}

/**
 * Two servers may find the same stale lock at the same moment. The one that creates the second file decides; it looks
 * again before it replaces the lock, because the other one may have been through here in between.
 * @param {string} file
 * @param {string} content
 */
function takeOver(file, content) {
  const stale = read(file);
  if (stale === GONE && create(file, content)) return; // its holder has ended in this moment
  if (isHeld(stale)) {
    throw new StartError(`another server (process ${parseInt(stale, 10) || 'unknown'}) uses this data directory. `
      + `Stop it or set DATA_DIR; if there is none, delete ${file}`);
  }
  const decider = `${file}.takeover`;
  if (!create(decider, content)) {
    throw new StartError(`another server is starting on this data directory. If there is none, delete ${decider}`);
  }
  try {
    if (read(file) !== stale) throw new StartError('another server has just started on this data directory');
    const replacement = `${file}.tmp`;
    fs.writeFileSync(replacement, content, { mode: 0o600 });
    fs.renameSync(replacement, file);
  } finally {
    fs.rmSync(decider);
  }
}

/**
 * True unless the holder is certainly gone. A lock without a process id is one that is being written.
 * @param {string} content
 */
function isHeld(content) {
  const [pid, start] = content.split(' '); // pid, start time, a random part that makes every lock different
  if (!/^[0-9]{1,10}$/.test(pid) || start === undefined) return true;
  if (start !== UNKNOWN && startTime(Number(pid)) !== start) return false;
  if (Number(pid) === process.pid) return start !== UNKNOWN; // ours, or of one before us with our number
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH'; // EPERM: alive, another user's
  }
}

/**
 * When a process started, in clock ticks since boot: field 22 of /proc/PID/stat, counted from behind the name in
 * parentheses, which may hold anything.
 * @param {number} pid
 */
function startTime(pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? UNKNOWN;
  } catch {
    return UNKNOWN;
  }
}

/**
 * @param {string} file
 * @param {string} content
 * @returns {boolean} false when it exists
 */
function create(file, content) {
  try {
    fs.writeFileSync(file, content, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} file */
function read(file) {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return GONE;
    throw error;
  }
}

const UNKNOWN = '-';
const GONE = 'gone';

module.exports = { lock };
