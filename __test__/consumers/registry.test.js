// @ts-check
'use strict';

// `npm install holdfast` as users run it, from a registry: one of our own on the loopback interface that serves the
// nine packages as they would be published. npm must pick the platform package that fits, from the manifests in npm/,
// and the advice in the loader's message must work.

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');

const { assertPrints, entries, fixtures, npm, packed, root, run, workspace } = require('./packed.js');

const { version } = require('../../package.json');
const TRIPLES = fs.readdirSync(path.join(root, 'npm')).sort();

/** Package name → tarball. */
const packages = new Map();

const server = http.createServer((request, response) => {
  const [, name, download] = String(request.url).split('/');
  const tarball = packages.get(name);
  if (tarball === undefined) return response.writeHead(404).end('{}');
  const content = fs.readFileSync(tarball);
  if (download) return response.end(content);
  const manifest = JSON.parse(String(entries(tarball).get('package.json')));
  const integrity = `sha512-${createHash('sha512').update(content).digest('base64')}`;
  const dist = { tarball: `${address()}${name}/tarball.tgz`, integrity };
  response.setHeader('content-type', 'application/json');
  const versions = { [version]: { ...manifest, _id: `${name}@${version}`, dist } };
  return response.end(JSON.stringify({ name, 'dist-tags': { latest: version }, versions }));
});

before(async () => {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const tarballs = await packed();
  packages.set('holdfast', tarballs.root);
  for (const triple of TRIPLES) {
    packages.set(`holdfast-${triple}`, triple === tarballs.triple ? tarballs.platform : await standIn(triple));
  }
});
after(() => server.close());

describe('npm install holdfast', () => {
  test('brings the package of this platform, and it works', async () => {
    const folder = await install('here');
    assert.deepEqual(names(folder), ['holdfast', `holdfast-${(await packed()).triple}`]);
    assertPrints(process.execPath, ['commonjs.cjs'], folder, 'commonjs works');
  });

  for (const triple of TRIPLES) {
    test(`brings ${triple} there`, async () => {
      const [system, cpu, abi] = triple.split('-');
      const libc = system === 'linux' ? [`--libc=${abi === 'gnu' ? 'glibc' : 'musl'}`] : [];
      const folder = await install(triple, [`--os=${system}`, `--cpu=${cpu}`, ...libc]);
      assert.deepEqual(names(folder), ['holdfast', `holdfast-${triple}`]);
    });
  }

  test('brings none on a system that is not supported, and does not fail', async () => {
    assert.deepEqual(names(await install('freebsd', ['--os=freebsd'])), ['holdfast']);
  });

  test('without optional dependencies: the message says what to do, and doing it helps', async () => {
    const folder = await install('omitted', ['--omit=optional']);
    assert.deepEqual(names(folder), ['holdfast']);
    const { status, stderr } = run(process.execPath, ['commonjs.cjs'], folder);
    assert.equal(status, 1);
    assert.match(stderr, /ERR_BINDING/);
    assert.match(stderr, new RegExp(`holdfast-${(await packed()).triple}@${version.replaceAll('.', '\\.')}\\.`));
    const [, advice] = /Install again with "npm (install [^"]+)"/.exec(stderr) ?? [];
    await npm([...advice.split(' '), ...options()], folder);
    assertPrints(process.execPath, ['commonjs.cjs'], folder, 'commonjs works');
  });

  test('with a package-lock.json that was made on another platform', async () => {
    const folder = await install('lock', ['--os=darwin', '--cpu=arm64']);
    assert.deepEqual(names(folder), ['holdfast', 'holdfast-darwin-arm64']);
    await npm(['ci', ...options()], folder);
    assert.deepEqual(names(folder), ['holdfast', `holdfast-${(await packed()).triple}`]);
    assertPrints(process.execPath, ['commonjs.cjs'], folder, 'commonjs works');
  });
});

/**
 * A new project with holdfast installed from the registry.
 *
 * @param {string} name
 * @param {string[]} flags
 */
async function install(name, flags = []) {
  const folder = path.join(workspace, `registry-${name}`);
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', private: true }));
  for (const file of ['job.cjs', 'commonjs.cjs']) fs.copyFileSync(path.join(fixtures, file), path.join(folder, file));
  await npm(['install', 'holdfast', ...flags, ...options()], folder);
  return folder;
}

function options() {
  const cache = path.join(workspace, 'npm-cache');
  return ['--ignore-scripts', '--no-audit', '--no-fund', `--registry=${address()}`, `--cache=${cache}`];
}

/** @param {string} folder */
function names(folder) {
  return fs.readdirSync(path.join(folder, 'node_modules')).filter((name) => !name.startsWith('.')).sort();
}

/**
 * A platform package with its real manifest and a text file for a binary: nothing here runs it.
 *
 * @param {string} triple
 */
async function standIn(triple) {
  const folder = path.join(workspace, 'stand-ins', triple);
  fs.cpSync(path.join(root, 'npm', triple), folder, { recursive: true });
  fs.writeFileSync(path.join(folder, `holdfast.${triple}.node`), 'stands in for a binary');
  await npm(['pack', '--ignore-scripts', '--silent', '--pack-destination', workspace], folder);
  return path.join(workspace, `holdfast-${triple}-${version}.tgz`);
}

function address() {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return `http://127.0.0.1:${port}/`;
}
