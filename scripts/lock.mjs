// One set-up at a time in a checkout: `npm ci` and the copy of the addon must not run twice at once. The lock is a
// file that holds the owner's process id; a lock whose owner is gone is taken over, so Ctrl-C and crashes leave
// nothing to clean up.

import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 200;
const WRITING_MS = 5000; // a lock may be empty for this long, between its creation and the write of the owner

/** Runs `body` while holding the lock, and says so once when it has to wait. */
export async function withLock(file, body, log) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  for (let waited = false; !acquire(file); waited = true) {
    if (!waited) log(`waiting for another set-up, process ${owner(file) || '?'} (if there is none, delete ${file})`);
    await sleep(POLL_MS);
  }
  try {
    return await body();
  } finally {
    fs.rmSync(file, { force: true });
  }
}

function acquire(file) {
  try {
    fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  if (abandoned(file)) takeAway(file);
  return false;
}

/** Only one process can rename a lock; one that got a newer lock than it looked at puts that back. */
function takeAway(file) {
  const aside = `${file}.${process.pid}`;
  try {
    fs.renameSync(file, aside);
    if (!abandoned(aside)) fs.copyFileSync(aside, file, fs.constants.COPYFILE_EXCL);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
  fs.rmSync(aside, { force: true });
}

function abandoned(file) {
  const pid = owner(file);
  if (pid) return !alive(pid);
  const since = fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return since !== undefined && Date.now() - since > WRITING_MS;
}

/** The process id in the lock; 0 when it is still empty or already gone. */
function owner(file) {
  try {
    return Number(fs.readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
