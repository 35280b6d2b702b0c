// @ts-check
'use strict';

// The packed tarballs with the frameworks that parts of them are made for: express-rate-limit in Express, and
// @nestjs/throttler in Nest. Neither is a dependency; versions and digests are in frameworks/package-lock.json.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { before, describe, test } = require('node:test');

const { assertPrints, npm, project, root, run } = require('./packed.js');

const frameworks = path.join(__dirname, 'frameworks');
const nest11 = path.join(__dirname, 'nest-11');

/**
 * A consumer with these fixtures and the frameworks.
 *
 * @param {string} name
 * @param {Record<string, unknown>} fields
 * @param {string[]} files
 */
async function projectWithFrameworks(name, fields, files) {
  const folder = await project(name, fields, files);
  fs.cpSync(path.join(frameworks, 'node_modules'), path.join(folder, 'node_modules'), { recursive: true });
  return folder;
}

describe('a project with frameworks', () => {
  before(() => npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], frameworks));

  test('limits with express-rate-limit', async () => {
    const folder = await projectWithFrameworks('express-rate-limit', {}, ['express-rate-limit.cjs']);
    assertPrints(process.execPath, ['express-rate-limit.cjs'], folder, '13 scenarios of express-rate-limit work');
  });

  test('hardens Express', async () => {
    const folder = await projectWithFrameworks('express-hardened', { type: 'module' }, ['express-hardened.mjs']);
    assertPrints(process.execPath, ['express-hardened.mjs'], folder, '8 scenarios of holdfast/express work');
  });

  test('is told what to install when helmet is missing', async () => {
    const folder = await projectWithFrameworks('no-helmet', { type: 'module' }, ['express-hardened.mjs']);
    fs.rmSync(path.join(folder, 'node_modules', 'helmet'), { recursive: true });
    const { status, stderr } = run(process.execPath, ['express-hardened.mjs'], folder);
    assert.equal(status, 1);
    assert.match(stderr, /ERR_PEER/);
    assert.match(stderr, /npm install helmet/);
  });

  test('hardens Nest 12, on Express and on Fastify', async () => {
    const folder = await projectWithFrameworks('nest-hardened', {}, ['nest-hardened.mjs']);
    assertHardensNest(folder);
  });

  test('hardens Nest 11, on Express and on Fastify', async () => {
    await npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], nest11);
    const folder = await project('nest-11-hardened', {}, ['nest-hardened.mjs']);
    fs.cpSync(path.join(nest11, 'node_modules'), path.join(folder, 'node_modules'), { recursive: true });
    assertHardensNest(folder);
  });

  /** @param {string} folder */
  function assertHardensNest(folder) {
    const { status, stdout, stderr } = run(process.execPath, ['nest-hardened.mjs'], folder);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout.trim(), /^24 scenarios of holdfast\/nestjs work$/m);
  }

  test('limits with @nestjs/throttler', async () => {
    const folder = await projectWithFrameworks('nest-throttler', {}, ['nest-throttler.mjs']);
    assertPrints(process.execPath, ['nest-throttler.mjs'], folder, '6 scenarios of @nestjs/throttler work');
  });

  for (const type of ['module', 'commonjs']) {
    test(`compiles the stores against their types, as ${type}`, async () => {
      const folder = await projectWithFrameworks(`frameworks-${type}`, { type }, ['frameworks.ts']);
      const types = path.join(folder, 'node_modules', '@types');
      fs.rmSync(path.join(types, 'node'), { recursive: true, force: true });
      fs.symlinkSync(path.join(root, 'node_modules', '@types', 'node'), path.join(types, 'node'), 'junction');
      fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({
        compilerOptions: {
          module: 'nodenext',
          target: 'es2022',
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          // The frameworks' own declarations are not looked at.
          skipLibCheck: true,
          noEmit: true,
          types: ['node'],
        },
        files: ['frameworks.ts'],
      }));
      const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
      const { status, stdout } = run(process.execPath, [tsc], folder);
      assert.equal(status, 0, stdout);
    });
  }
});
