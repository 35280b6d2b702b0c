'use strict';

/** Compiles the consumers here against index.d.ts, and lib/ against its own annotations, with the root's TypeScript. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');

const root = path.join(__dirname, '..', '..');

function tsc(...args) {
  const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  return spawnSync(process.execPath, [compiler, ...args], { cwd: __dirname, encoding: 'utf8' });
}

function assertCompiles(...args) {
  const { status, stdout, stderr } = tsc(...args);
  assert.equal(`${stdout}${stderr}`, '');
  assert.equal(status, 0);
}

describe('types', () => {
  it('for TypeScript, strict, as ESM and as CommonJS, without skipLibCheck', () => {
    const listed = tsc('--project', 'tsconfig.json', '--listFilesOnly')
      .stdout.split('\n')
      .map((file) => path.basename(file));
    for (const name of ['consumer.ts', 'consumer.mts', 'consumer.cts', 'index.d.ts', 'index.d.mts']) {
      assert.ok(listed.includes(name), name);
    }
    // An `@ts-expect-error` without an error is an error itself.
    assertCompiles('--project', 'tsconfig.json');
  });

  it('of lib/ hold: every file says @ts-check and keeps its word', () => {
    for (const name of fs.readdirSync(path.join(root, 'lib')).filter((file) => file.endsWith('.js'))) {
      assert.match(fs.readFileSync(path.join(root, 'lib', name), 'utf8'), /^\/\/ @ts-check\n'use strict';\n/, name);
    }
    assertCompiles('--project', 'tsconfig.lib.json');
  });
});
