// @ts-check
'use strict';

// scripts/setup.mjs, on a small checkout of its own with a cargo that only pretends: what it builds when, what it says
// when tools are missing, and that interrupting it or running it several times at once does no harm.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, describe, test } = require('node:test');

const root = path.join(__dirname, '..');
const workspace = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-setup-')));
after(() => fs.rmSync(workspace, { recursive: true, force: true }));

const UP_TO_DATE = 'set-up: everything is up to date';
const BUILDING = /^set-up: building the native part with cargo, into holdfast\.[a-z0-9-]+\.node$/m;

// Counts its builds and makes a library; takes its time when there is a file `slow`. Stands in for rustc and cc, too.
const CARGO = `#!/bin/sh
if [ "$1" = --version ]; then
  echo 'pretended 1.0'
  exit
fi
echo "$*" >> builds
[ ! -e slow ] || /bin/sleep 1
/bin/mkdir -p target/quick
for name in libholdfast.so libholdfast.dylib; do echo library > target/quick/$name; done
[ ! -e broken ] || exit 101
`;

/** A checkout with one source file, and a folder of pretended tools that is all its PATH holds. */
function checkout(tools = ['cargo', 'rustc', 'cc']) {
  const folder = fs.mkdtempSync(path.join(workspace, 'checkout-'));
  fs.cpSync(path.join(root, 'scripts'), path.join(folder, 'scripts'), { recursive: true });
  fs.copyFileSync(path.join(root, 'package.json'), path.join(folder, 'package.json'));
  fs.writeFileSync(path.join(folder, 'Cargo.toml'), '[workspace.package]\nrust-version = "1.95"\n');
  fs.mkdirSync(path.join(folder, 'src'));
  fs.writeFileSync(path.join(folder, 'src', 'lib.rs'), '// version 1\n');
  fs.mkdirSync(path.join(folder, 'bin'));
  for (const tool of tools) fs.writeFileSync(path.join(folder, 'bin', tool), CARGO, { mode: 0o755 });
  return folder;
}

/** @param {string} folder */
function start(folder) {
  const env = { PATH: path.join(folder, 'bin'), HOME: folder };
  const child = spawn(process.execPath, ['scripts/setup.mjs'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const ended = new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, output: output.trim() }));
  });
  return { child, ended };
}

/** @param {string} folder @returns {Promise<{ code: number | null, signal: string | null, output: string }>} */
const setup = (folder) => start(folder).ended;

/** @param {string} folder */
function builds(folder) {
  const log = path.join(folder, 'builds');
  return fs.existsSync(log) ? fs.readFileSync(log, 'utf8').trim().split('\n') : [];
}

/** @param {string} folder */
const addon = (folder) => path.join(folder, String(fs.readdirSync(folder).find((name) => name.endsWith('.node'))));

/** @param {() => boolean} condition */
async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

const skip = process.platform === 'win32' ? 'the pretended tools are shell scripts' : false;

describe('the set-up', { skip }, () => {
  test('builds once, with the profile and the feature for tests, and then only when something changed', async () => {
    const folder = checkout();
    const first = await setup(folder);
    assert.equal(first.code, 0, first.output);
    assert.match(first.output, BUILDING);
    assert.deepEqual(builds(folder), ['build --lib --profile quick --features test-hooks']);
    assert.equal(fs.readFileSync(addon(folder), 'utf8'), 'library\n');

    assert.deepEqual(await setup(folder), { code: 0, signal: null, output: UP_TO_DATE });
    assert.equal(builds(folder).length, 1);

    const changes = [
      () => fs.writeFileSync(path.join(folder, 'src', 'lib.rs'), '// version 2\n'),
      () => fs.writeFileSync(path.join(folder, 'src', 'more.rs'), ''),
      () => fs.renameSync(path.join(folder, 'src', 'more.rs'), path.join(folder, 'src', 'other.rs')),
      () => fs.appendFileSync(path.join(folder, 'Cargo.toml'), '# edited\n'),
      () => fs.writeFileSync(path.join(folder, 'Cargo.lock'), ''),
      () => fs.appendFileSync(addon(folder), 'damaged'),
      () => fs.rmSync(addon(folder)),
      () => fs.writeFileSync(path.join(folder, 'bin', 'rustc'), CARGO.replace('1.0', '1.1')),
    ];
    for (const [index, change] of changes.entries()) {
      change();
      assert.match((await setup(folder)).output, BUILDING, String(change));
      assert.equal(builds(folder).length, index + 2);
      assert.equal((await setup(folder)).output, UP_TO_DATE, String(change));
    }
    const { atime } = fs.statSync(path.join(folder, 'src', 'lib.rs'));
    fs.utimesSync(path.join(folder, 'src', 'lib.rs'), atime, new Date());
    assert.equal((await setup(folder)).output, UP_TO_DATE, 'a new date alone is no change');
  });

  test('says what to install when cargo or the C compiler is missing', async () => {
    const withoutCargo = await setup(checkout([]));
    assert.equal(withoutCargo.code, 1);
    assert.match(withoutCargo.output, /cargo was not found\. Install Rust 1\.95 or newer with rustup.* a C compiler/);
    const withoutCompiler = await setup(checkout(['cargo', 'rustc']));
    assert.equal(withoutCompiler.code, 1);
    assert.match(withoutCompiler.output, /install a C compiler/);
  });

  test('needs neither when the build is up to date', async () => {
    const folder = checkout();
    await setup(folder);
    fs.rmSync(path.join(folder, 'bin'), { recursive: true });
    assert.deepEqual(await setup(folder), { code: 0, signal: null, output: UP_TO_DATE });
  });

  test('passes on that cargo failed, and leaves the old build unmarked', async () => {
    const folder = checkout();
    await setup(folder);
    fs.writeFileSync(path.join(folder, 'src', 'lib.rs'), '// version 2\n');
    fs.writeFileSync(path.join(folder, 'broken'), '');
    const failed = await setup(folder);
    assert.equal(failed.code, 101);
    assert.match(failed.output, /cargo build .* failed \(exit code 101\)/);
    fs.rmSync(path.join(folder, 'broken'));
    assert.match((await setup(folder)).output, BUILDING);
  });

  test('three at once build once', async () => {
    const folder = checkout();
    fs.writeFileSync(path.join(folder, 'slow'), '');
    const ends = await Promise.all([setup(folder), setup(folder), setup(folder)]);
    assert.deepEqual(ends.map(({ code }) => code), [0, 0, 0]);
    assert.equal(builds(folder).length, 1);
    assert.equal(ends.filter(({ output }) => /waiting for another set-up, process \d+/.test(output)).length, 2);
  });

  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGKILL'])) {
    test(`${signal} in the middle does no harm`, async () => {
      const folder = checkout();
      fs.writeFileSync(path.join(folder, 'slow'), '');
      const { child, ended } = start(folder);
      await until(() => builds(folder).length === 1);
      child.kill(signal);
      assert.equal((await ended).signal, signal);
      const again = await setup(folder);
      assert.equal(again.code, 0, again.output);
      assert.match(again.output, BUILDING);
      assert.equal((await setup(folder)).output, UP_TO_DATE);
      assert.deepEqual(fs.readdirSync(path.join(folder, '.cache')), []);
    });
  }
});
