// @ts-check
'use strict';

// What the packaging tests share: the tarballs as they would be published, and projects that installed them the way
// users do, `npm install --ignore-scripts` and nothing else. `npm run test:packaging` makes the binary first.

const assert = require('node:assert/strict');
const { execFile, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after } = require('node:test');
const { promisify } = require('node:util');
const zlib = require('node:zlib');

const root = path.join(__dirname, '..', '..');
const fixtures = path.join(__dirname, 'fixtures');

/** A folder for this test file, removed when it ends. */
const workspace = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-consumers-')));
after(() => fs.rmSync(workspace, { recursive: true, force: true }));

/** @type {Promise<{ root: string, cli: string, platform: string, triple: string }> | undefined} */
let tarballs;

/** Packs once: the root package, the command line and the package of this platform. */
function packed() {
  tarballs ??= (async () => {
    const { pack } = await import('../../scripts/pack.mjs');
    const { hostTarget } = await import('../../scripts/targets.mjs');
    const { triple } = /** @type {{ triple: string }} */ (hostTarget());
    const files = pack(path.join(workspace, 'tarballs'));
    const platform = /** @type {Record<string, string>} */ (files.platforms)[triple];
    assert.ok(platform, 'no release binary: run "npm run test:packaging", which builds it');
    return { root: files.root, cli: files.cli, platform, triple };
  })();
  return tarballs;
}

/** @type {Promise<string> | undefined} */
let template;

/** Installs both tarballs into an empty project, once. */
function installed() {
  template ??= (async () => {
    const tarballs = await packed();
    const folder = path.join(workspace, 'template');
    fs.mkdirSync(folder);
    fs.writeFileSync(path.join(folder, 'package.json'), '{ "name": "template", "version": "1.0.0", "private": true }');
    // The platform packages of the other seven are not published: npm drops optional dependencies it cannot find.
    await npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', tarballs.root, tarballs.platform], folder);
    return folder;
  })();
  return template;
}

/**
 * A consumer: a folder with its own package.json, a copy of what npm installed, and these fixtures.
 *
 * @param {string} name
 * @param {Record<string, unknown>} fields of package.json
 * @param {string[]} files from fixtures/
 */
async function project(name, fields, files) {
  const folder = path.join(workspace, name);
  fs.cpSync(path.join(await installed(), 'node_modules'), path.join(folder, 'node_modules'), { recursive: true });
  const manifest = { name, version: '1.0.0', private: true, ...fields };
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest));
  for (const file of files) fs.copyFileSync(path.join(fixtures, file), path.join(folder, file));
  return folder;
}

/**
 * Runs a program and returns how it went. NODE_OPTIONS and NODE_PATH of the surroundings do not reach it.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 */
function run(command, args, cwd) {
  const env = { ...process.env };
  delete env.NODE_OPTIONS;
  delete env.NODE_PATH;
  delete env.NODE_TEST_CONTEXT;
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  if (error) throw error;
  return { status, signal, stdout, stderr };
}

/**
 * Runs Node in a project and expects it to end well and to print exactly this.
 *
 * @param {string} node
 * @param {string[]} args
 * @param {string} folder
 * @param {string} expected
 */
function assertPrints(node, args, folder, expected) {
  const { status, signal, stdout, stderr } = run(node, args, folder);
  assert.deepEqual({ status, signal, stdout: stdout.trim() }, { status: 0, signal: null, stdout: expected }, stderr);
}

/**
 * Runs npm and returns what it prints.
 *
 * @param {string[]} args
 * @param {string} folder
 */
async function npm(args, folder) {
  const { npmCommand } = await import('../../scripts/command.mjs');
  const [command, ...leading] = npmCommand();
  const shell = command === 'npm' && process.platform === 'win32';
  const { stdout } = await promisify(execFile)(command, [...leading, ...args], { cwd: folder, shell });
  return stdout;
}

/**
 * The files in a tarball as npm writes them (ustar, short names), by their name inside package/.
 *
 * @param {string} tarball
 */
function entries(tarball) {
  const tar = zlib.gunzipSync(fs.readFileSync(tarball));
  /** @type {Map<string, Buffer>} */
  const files = new Map();
  for (let offset = 0; tar[offset] !== 0; ) {
    const field = (from, length) => tar.toString('utf8', offset + from, offset + from + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(field(124, 12), 8);
    assert.equal(field(156, 1), '0', 'a plain file');
    files.set(field(0, 100).replace(/^package\//, ''), tar.subarray(offset + 512, offset + 512 + size));
    offset += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/** The option that turns the permission model on, in this version of Node. */
const permissionFlag = (/** @type {string} */ node) =>
  run(node, ['-p', "process.allowedNodeEnvironmentFlags.has('--permission')"], workspace).stdout.trim() === 'true'
    ? '--permission'
    : '--experimental-permission';

module.exports = { assertPrints, entries, fixtures, npm, packed, permissionFlag, project, root, run, workspace };
