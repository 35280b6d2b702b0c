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
    const files = ['consumer.ts', 'consumer.mts', 'consumer.cts', 'frameworks.ts', 'eslint.ts'];
    for (const name of [...files, 'index.d.ts', 'index.d.mts', 'eslint.d.ts', 'express.d.ts', 'nestjs.d.ts']) {
      assert.ok(listed.includes(name), name);
    }
    // An `@ts-expect-error` without an error is an error itself.
    assertCompiles('--project', 'tsconfig.json');
  });

  it('of lib/ hold: every file says @ts-check and keeps its word', () => {
    const files = fs.readdirSync(path.join(root, 'lib'), { recursive: true, encoding: 'utf8' });
    for (const name of files.filter((file) => file.endsWith('.js'))) {
      assert.match(fs.readFileSync(path.join(root, 'lib', name), 'utf8'), /^\/\/ @ts-check\n'use strict';\n/, name);
    }
    assertCompiles('--project', 'tsconfig.lib.json');
  });
});
