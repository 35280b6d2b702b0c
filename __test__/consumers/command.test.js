// @ts-check
'use strict';

// The packed command line, installed as users do, scans a project; and the packed rule runs in an ESLint.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');

const { npm, packed, project, root, run } = require('./packed.js');

const node = process.execPath;

describe('the packed command', () => {
  test('scans the project that installed it', async () => {
    const folder = await project('command', {}, []);
    const { cli, platform, root: whole } = await packed();
    await npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', whole, platform, cli], folder);
    fs.writeFileSync(path.join(folder, 'index.js'), 'exports.isName = (text) => /^(a+)+$/.test(text);\n');
    const command = path.join(folder, 'node_modules', 'holdfast-cli', 'bin', 'holdfast.js');
    const { status, stdout, stderr } = run(node, [command, 'scan', '.'], folder);
    assert.equal(status, 1, stderr);
    assert.match(stdout, /index\.js:1:28/);
    assert.match(stdout, /exponential/);
    fs.writeFileSync(path.join(folder, 'index.js'), 'exports.isName = (text) => /^a+$/.test(text);\n');
    assert.equal(run(node, [command, 'scan', '.'], folder).status, 0);
  });
});

describe('the packed rule', () => {
  for (const version of ['eslint', 'eslint9']) {
    test(`reports a pattern in ${version}`, async () => {
      const folder = await project(`rule-${version}`, {}, []);
      const { Linter } = require(path.join(root, 'node_modules', version));
      fs.writeFileSync(path.join(folder, 'load.cjs'), "module.exports = require('holdfast/eslint');\n");
      const plugin = require(path.join(folder, 'load.cjs'));
      const messages = new Linter().verify('/(a|a)*b/.test(text);\n', [plugin.configs.recommended]);
      assert.deepEqual(
        messages.map(({ ruleId }) => ruleId),
        ['holdfast/no-vulnerable-regexp'],
      );
    });
  }
});
