'use strict';

/** Expected output as files; `UPDATE_SNAPSHOTS=1 npm test` writes them anew, to be looked at in the diff. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');

const FOLDER = path.join(__dirname, '../snapshots');

function matchesSnapshot(name, actual) {
  const file = path.join(FOLDER, name);
  if (process.env.UPDATE_SNAPSHOTS === '1') fs.writeFileSync(file, actual);
  assert.equal(actual, fs.readFileSync(file, 'utf8').replaceAll('\r\n', '\n'), `see snapshots/${name}`);
}

module.exports = { matchesSnapshot };
