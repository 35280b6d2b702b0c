// @ts-check
'use strict';

// The packed tarballs in the kinds of projects that use them: CommonJS, ESM, both at once, TypeScript as either,
// worker threads, the permission model, and Node with its hardening options.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');

const { assertPrints, permissionFlag, project, root, run } = require('./packed.js');

const node = process.execPath;

describe('a project that installed the tarballs', () => {
  test('requires it', async () => {
    const folder = await project('commonjs', {}, ['job.cjs', 'commonjs.cjs']);
    assertPrints(node, ['commonjs.cjs'], folder, 'commonjs works');
  });

  test('imports it', async () => {
    const folder = await project('esm', { type: 'module' }, ['job.cjs', 'esm.mjs']);
    assertPrints(node, ['esm.mjs'], folder, 'esm works');
  });

  test('does both in one process and gets the same classes', async () => {
    const folder = await project('both', {}, ['both.mjs']);
    assertPrints(node, ['both.mjs'], folder, 'both are one');
  });

  test('uses it in worker threads', async () => {
    const folder = await project('workers', {}, ['job.cjs', 'workers.cjs']);
    assertPrints(node, ['workers.cjs'], folder, 'workers ended with 0,0,0');
  });

  for (const [kind, type] of [['ESM', 'module'], ['CommonJS', 'commonjs']]) {
    test(`compiles against its types with TypeScript NodeNext, as ${kind}`, async () => {
      const folder = await project(`typescript-${type}`, { type }, ['job.cjs', 'job.d.cts', 'typed.ts']);
      const types = path.join(folder, 'node_modules', '@types');
      fs.mkdirSync(types, { recursive: true });
      fs.symlinkSync(path.join(root, 'node_modules', '@types', 'node'), path.join(types, 'node'), 'junction');
      fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({
        compilerOptions: {
          module: 'nodenext',
          target: 'es2022',
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          skipLibCheck: false,
          types: ['node'],
        },
        files: ['typed.ts'],
      }));
      const { status, stdout } = run(node, [path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')], folder);
      assert.equal(status, 0, stdout);
      const compiled = fs.readFileSync(path.join(folder, 'typed.js'), 'utf8');
      assert.match(compiled, type === 'module' ? /^import .* from 'holdfast';$/m : /= require\("holdfast"\);$/m);
      assertPrints(node, ['typed.js'], folder, 'typescript works');
    });
  }
});

describe('the permission model', () => {
  test('with --allow-addons the addon loads and works, workers too', async () => {
    const folder = await project('permission', {}, ['job.cjs', 'commonjs.cjs', 'workers.cjs']);
    const flags = [permissionFlag(node), `--allow-fs-read=${path.join(folder, '*')}`, '--allow-addons'];
    assertPrints(node, [...flags, 'commonjs.cjs'], folder, 'commonjs works');
    assertPrints(node, [...flags, '--allow-worker', 'workers.cjs'], folder, 'workers ended with 0,0,0');
  });

  test('without it the user is told what to add', async () => {
    const folder = await project('refused', {}, ['refused.cjs']);
    const flags = [permissionFlag(node), `--allow-fs-read=${path.join(folder, '*')}`];
    const { stdout } = run(node, [...flags, 'refused.cjs'], folder);
    assert.match(stdout, /^ERR_BINDING .*--allow-addons/);
  });
});

describe("Node's hardening options", () => {
  for (const flag of [
    '--frozen-intrinsics',
    '--disable-proto=delete',
    '--disable-proto=throw',
    '--disallow-code-generation-from-strings',
    '--jitless',
  ]) {
    test(flag, async () => {
      const folder = await project(`hardened${flag.replace('=', '-')}`, {}, ['job.cjs', 'commonjs.cjs']);
      assertPrints(node, [flag, 'commonjs.cjs'], folder, 'commonjs works');
    });
  }
});
