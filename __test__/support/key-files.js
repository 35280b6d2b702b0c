'use strict';

/** Key files to test with, each in a folder of its own, all of which are removed in the end. */

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Keyring } = require('../..');

const workspace = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-keys-')));
process.once('exit', () => fs.rmSync(workspace, { recursive: true, force: true }));

let folders = 0;

/** A path where nothing is, alone in its folder. */
function freshPath(name = 'fresh.keys') {
  folders += 1;
  const folder = path.join(workspace, String(folders));
  fs.mkdirSync(folder);
  return path.join(folder, name);
}

/** A file with this text or these bytes, mode 0600. */
function writeKeys(text) {
  const file = freshPath('written.keys');
  fs.writeFileSync(file, text, { mode: 0o600 });
  return file;
}

/** A line for a key, made by Node's own base64. */
function lineOf(id, key) {
  return `${id} ${key.toString('base64')} 2026-11-22T10:00:00Z\n`;
}

/** What the file holds, read by other means. */
function contents(file) {
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => /^[^#\s]/.test(line))
    .map((line) => line.split(' '))
    .map(([id, base64, created]) => ({ id, key: Buffer.from(base64, 'base64'), created }));
}

/** That the ring has these keys, seals under the first and opens what all of them have sealed. */
function assertRing(ring, ids, keys) {
  assert.ok(ring instanceof Keyring);
  ids.forEach((id, at) => {
    const alone = new Keyring({ primary: id, keys: Object.assign(Object.create(null), { [id]: keys[at] }) });
    assert.equal(ring.open(alone.seal('note')).toString(), 'note', id);
    if (at === 0) assert.equal(alone.open(ring.seal('note')).toString(), 'note', 'the first is primary');
  });
}

function execute(command, ...args) {
  execFileSync(command, args, { stdio: 'pipe' });
}

module.exports = { assertRing, contents, execute, freshPath, lineOf, writeKeys };
