// @ts-check
'use strict';

// What the tarballs hold, and what they do not: the exact lists of files, no install scripts, no dependencies, no
// test hooks; what publint and are-the-types-wrong say; and, printed only, sizes and the time `require` takes.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { before, describe, test } = require('node:test');

const { entries, npm, packed, project, root, run } = require('./packed.js');

const MEBIBYTE = 1024 * 1024;
const LICENSES = ['LICENSE', 'LICENSE-APACHE', 'LICENSE-MIT'];
const UNWANTED = ['scripts', 'dependencies', 'devDependencies', 'bundleDependencies', 'gypfile', 'workspaces'];

describe('the root package', () => {
  test('holds exactly the files it lists', async () => {
    const names = [...entries((await packed()).root).keys()];
    const lib = fs.readdirSync(path.join(root, 'lib'), { recursive: true, encoding: 'utf8' })
      .filter((name) => fs.statSync(path.join(root, 'lib', name)).isFile())
      .map((name) => `lib/${name.replaceAll('\\', '/')}`);
    for (const name of lib) assert.match(name, /^lib\/[a-z/-]+\.m?js$/, 'only sources belong in lib/');
    assert.ok(lib.length > 1);
    assert.deepEqual(names.sort(), [
      ...LICENSES,
      'LICENSE-UNICODE',
      ...lib,
      ...['CHANGELOG.md', 'README.md', 'SECURITY.md'],
      ...['index.d.mts', 'index.d.ts', 'index.js', 'index.mjs'],
      ...['eslint.d.ts', 'express.d.ts', 'nestjs.d.ts', 'nestjs.d.mts'],
      'package.json',
    ].sort());
  });

  test('brings no scripts and no dependencies, and the eight platform packages as optional ones', async () => {
    const manifest = JSON.parse(String(entries((await packed()).root).get('package.json')));
    for (const field of UNWANTED) assert.equal(manifest[field], undefined, field);
    const platforms = fs.readdirSync(path.join(root, 'npm')).sort();
    assert.equal(platforms.length, 8);
    assert.deepEqual(
      Object.entries(manifest.optionalDependencies).sort(),
      platforms.map((triple) => [`holdfast-${triple}`, manifest.version]),
    );
  });

  test('asks for no framework: each peer is optional', async () => {
    const manifest = JSON.parse(String(entries((await packed()).root).get('package.json')));
    const peers = ['@nestjs/common', '@nestjs/core', 'cors', 'express', 'helmet'];
    assert.deepEqual(Object.keys(manifest.peerDependencies).sort(), peers);
    assert.deepEqual(manifest.peerDependenciesMeta, Object.fromEntries(peers.map((name) => [name, { optional: true }])));
  });
});

describe('the platform package', () => {
  test('holds the binary and nothing to run', async () => {
    const { platform, triple } = await packed();
    const files = entries(platform);
    assert.deepEqual([...files.keys()].sort(), [
      ...LICENSES,
      'README.md',
      'THIRD-PARTY-NOTICES.txt',
      `holdfast.${triple}.node`,
      'package.json',
    ].sort());
    const manifest = JSON.parse(String(files.get('package.json')));
    for (const field of [...UNWANTED, 'peerDependencies', 'optionalDependencies']) assert.equal(manifest[field], undefined, field);
  });

  test('passes on the licences of the crates inside it', async () => {
    const notices = String(entries((await packed()).platform).get('THIRD-PARTY-NOTICES.txt'));
    for (const crate of ['argon2-rust', 'scrypt', 'napi', 'regex-automata', 'ring']) {
      assert.match(notices, new RegExp(`^${crate} \\d+\\.\\d+\\.\\d+: `, 'm'));
    }
    assert.doesNotMatch(notices, /^(proptest|napi-build|napi-derive|syn) /m, 'only what is in the binary');
  });

  test('is at most 2 MB compressed', async (t) => {
    const { platform, triple } = await packed();
    const size = fs.statSync(platform).size;
    const binary = entries(platform).get(`holdfast.${triple}.node`)?.length;
    t.diagnostic(`platform package: ${size} bytes compressed, the binary ${binary} bytes`);
    assert.ok(size <= 2 * MEBIBYTE, `${size} bytes`);
  });

  test('has no test hooks, unlike the build for development', async () => {
    const { platform, triple } = await packed();
    const released = /** @type {Buffer} */ (entries(platform).get(`holdfast.${triple}.node`));
    const development = fs.readFileSync(path.join(root, `holdfast.${triple}.node`));
    assert.ok(development.includes('testPanic'), 'otherwise this test shows nothing');
    assert.ok(!released.includes('testPanic'));
  });

  test('names no folder of the machine that built it', async () => {
    const { platform, triple } = await packed();
    const released = /** @type {Buffer} */ (entries(platform).get(`holdfast.${triple}.node`));
    for (const folder of [root, require('node:os').homedir()]) assert.ok(!released.includes(`${folder}/`), folder);
  });
});

describe('the tools that judge packages', () => {
  const tools = path.join(__dirname, 'node_modules');
  before(() => npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], __dirname));

  test('publint finds nothing', async () => {
    const { status, stdout, stderr } = judge('publint', 'src/cli.js', [(await packed()).root, '--strict']);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /All good!/, stdout);
  });

  test('are-the-types-wrong finds nothing', async () => {
    const { status, stdout, stderr } = judge('@arethetypeswrong/cli', 'dist/index.js', [(await packed()).root]);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /No problems found/);
  });

  /** @param {string} name @param {string} script @param {string[]} args */
  function judge(name, script, args) {
    return run(process.execPath, [path.join(tools, name, script), ...args], __dirname);
  }
});

test('the time that require takes (printed, not judged)', async (t) => {
  const rounds = 20;
  const folder = await project('load', {}, []);
  fs.writeFileSync(path.join(folder, 'empty.cjs'), '');
  fs.writeFileSync(path.join(folder, 'load.cjs'), "require('holdfast');");
  /** @param {string} file */
  const milliseconds = (file) => {
    const start = process.hrtime.bigint();
    const { status } = spawnSync(process.execPath, [file], { cwd: folder });
    assert.equal(status, 0);
    return Number(process.hrtime.bigint() - start) / 1e6;
  };
  const times = { empty: /** @type {number[]} */ ([]), load: /** @type {number[]} */ ([]) };
  milliseconds('load.cjs'); // warms the file cache
  for (let round = 0; round < rounds; round += 1) {
    times.empty.push(milliseconds('empty.cjs'));
    times.load.push(milliseconds('load.cjs'));
  }
  const difference = median(times.load) - median(times.empty);
  t.diagnostic(
    `require('holdfast'): ${difference.toFixed(1)} ms (median of ${rounds} processes, ` +
      `${median(times.load).toFixed(1)} ms, minus that of empty ones, ${median(times.empty).toFixed(1)} ms)`,
  );
});

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}
