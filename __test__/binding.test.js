// @ts-check
'use strict';

// lib/binding.js: what it loads, and what it says when it cannot. Each case installs a copy of lib/ in a folder of
// its own, with the binaries the case needs, and requires the loader in a child process. The binaries are mostly text
// files: that they are no shared libraries makes the loader name the one it chose.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, describe, test } = require('node:test');

const root = path.join(__dirname, '..');
const { version, engines, license, napi } = require('../package.json');
const TRIPLES = fs.readdirSync(path.join(root, 'npm')).sort();

const workspace = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-binding-')));
after(() => fs.rmSync(workspace, { recursive: true, force: true }));

/** A platform to pretend to be, as source that runs before the loader. */
const pretend = (platform, arch, glibc = true) => `
  Object.defineProperty(process, 'platform', { value: '${platform}' });
  Object.defineProperty(process, 'arch', { value: '${arch}' });
  process.report.getReport = () => ({ header: { ${glibc ? "glibcVersionRuntime: '2.36'" : ''} } });
`;
const GLIBC = pretend('linux', 'x64');
const MUSL = pretend('linux', 'x64', false);

const local = (triple) => `node_modules/holdfast/holdfast.${triple}.node`;
const installed = (triple) => `node_modules/holdfast-${triple}/holdfast.${triple}.node`;

/**
 * An application with holdfast in its node_modules and these files, all of them no shared libraries.
 *
 * @param {string[]} files
 */
function application(files = []) {
  const app = fs.mkdtempSync(path.join(workspace, 'app-'));
  const home = path.join(app, 'node_modules', 'holdfast');
  fs.cpSync(path.join(root, 'lib'), path.join(home, 'lib'), { recursive: true });
  fs.copyFileSync(path.join(root, 'package.json'), path.join(home, 'package.json'));
  for (const file of files) write(path.join(app, file));
  return app;
}

function write(file) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, 'not a shared library');
}

/**
 * Requires the loader of that application in a new process, between two pieces of source, and returns what it answers.
 *
 * @param {string} app
 * @param {{ before?: string, after?: string, flags?: string[], env?: Record<string, string> }} how
 */
function load(app, { before = '', after: then = '', flags = [], env = {} } = {}) {
  const script = path.join(app, 'load.js');
  const loader = JSON.stringify(path.join(app, 'node_modules', 'holdfast', 'lib', 'binding.js'));
  fs.writeFileSync(
    script,
    `${before}
    const answer = {};
    try {
      answer.abiVersion = require(${loader}).abiVersion;
    } catch (error) {
      const { name, code, message, cause } = error;
      Object.assign(answer, { name, code, message, cause: cause?.code });
    }
    ${then}
    process.stdout.write(JSON.stringify(answer));`,
  );
  const options = { encoding: 'utf8', env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'ignore'] };
  return JSON.parse(execFileSync(process.execPath, [...flags, script], /** @type {any} */ (options)));
}

/** @param {{ name?: string, code?: string, message?: string }} answer @param {RegExp[]} patterns */
function assertBindingError(answer, ...patterns) {
  assert.equal(answer.code, 'ERR_BINDING', JSON.stringify(answer));
  assert.equal(answer.name, 'HoldfastError');
  for (const pattern of patterns) assert.match(String(answer.message), pattern);
}

/** @param {string} file */
const literal = (file) => new RegExp(file.replace(/[.\\/]/g, (sign) => (sign === '/' ? '[\\\\/]' : `\\${sign}`)));

describe('the loader', () => {
  test('loads the build of this checkout', () => {
    assert.equal(require('../lib/binding.js').abiVersion, 1);
  });

  test('names what is supported when the platform is not', () => {
    for (const [platform, arch] of [['aix', 'ppc64'], ['linux', 'arm'], ['linux', 'ia32'], ['win32', 'ia32']]) {
      const answer = load(application(), { before: pretend(platform, arch) });
      assertBindingError(answer, new RegExp(`no binary for ${platform}-${arch}\\.`));
      assert.deepEqual(answer.message.match(/Supported: (.*)\.$/)[1].split(', ').sort(), TRIPLES);
    }
  });

  test('names the package to install when the binary is missing', () => {
    const cases = [
      [pretend('darwin', 'arm64'), 'darwin-arm64'],
      [pretend('darwin', 'x64'), 'darwin-x64'],
      [pretend('win32', 'x64'), 'win32-x64-msvc'],
      [pretend('win32', 'arm64'), 'win32-arm64-msvc'],
      [pretend('linux', 'arm64'), 'linux-arm64-gnu'],
      [pretend('linux', 'arm64', false), 'linux-arm64-musl'],
      [GLIBC, 'linux-x64-gnu'],
      [MUSL, 'linux-x64-musl'],
    ];
    assert.deepEqual(cases.map(([, triple]) => triple).sort(), TRIPLES);
    for (const [before, triple] of cases) {
      const package_ = new RegExp(`holdfast-${triple}@${version.replaceAll('.', '\\.')}\\.`);
      assertBindingError(
        load(application(), { before }),
        package_,
        /npm install --include=optional/,
        /package-lock\.json was made on another platform/,
      );
    }
  });

  test('says why a binary that is there could not be loaded, and keeps the cause', () => {
    const answer = load(application([installed('linux-x64-gnu')]), { before: GLIBC });
    assertBindingError(answer, literal(installed('linux-x64-gnu')), /is there but could not be loaded: /);
    assert.equal(answer.cause, 'ERR_DLOPEN_FAILED');
    assert.doesNotMatch(answer.message, /another C library/);
  });

  test('takes the local build before the platform package', () => {
    const answer = load(application([local('linux-x64-gnu'), installed('linux-x64-gnu')]), { before: GLIBC });
    assertBindingError(answer, literal(local('linux-x64-gnu')));
  });

  test('asks for the C library when the binaries for both are there', () => {
    for (const place of [local, installed]) {
      const app = application([place('linux-x64-gnu'), place('linux-x64-musl')]);
      assertBindingError(load(app, { before: GLIBC }), literal(place('linux-x64-gnu')));
      assertBindingError(load(app, { before: MUSL }), literal(place('linux-x64-musl')));
    }
  });

  test('takes the one that is there without asking, and says so when it was the wrong one', () => {
    const app = application([installed('linux-x64-musl')]);
    assertBindingError(load(app, { before: GLIBC }), /another C library: install holdfast-linux-x64-gnu\.$/);
    const asked = 'answer.asked = globalThis.asked === true;';
    const before = `${GLIBC}
      process.report.getReport = () => { globalThis.asked = true; };
      require.extensions['.node'] = (module) => { module.exports = { abiVersion: 1, initialize() {} }; };`;
    assert.deepEqual(load(app, { before, after: asked }), { abiVersion: 1, asked: false });
  });

  test('leaves process.report as it found it', () => {
    const app = application([installed('linux-x64-gnu'), installed('linux-x64-musl')]);
    for (const value of [true, false]) {
      const before = `${GLIBC}
        const report = process.report.getReport;
        process.report.excludeNetwork = ${value};
        process.report.getReport = () => { globalThis.during = process.report.excludeNetwork; return report(); };`;
      const then = 'answer.now = process.report.excludeNetwork; answer.during = globalThis.during;';
      const answer = load(app, { before, after: then });
      assert.deepEqual([answer.during, answer.now], [true, value]);
    }
  });

  test('refuses a binary of another ABI version', () => {
    for (const abiVersion of ['2', '0', 'undefined', '"1"']) {
      const before = `${GLIBC}
        require.extensions['.node'] = (module) => { module.exports = { abiVersion: ${abiVersion} }; };`;
      const answer = load(application([installed('linux-x64-gnu')]), { before });
      assertBindingError(answer, /binding ABI is .*, expected 1\./, literal(installed('linux-x64-gnu')));
    }
  });

  test('finds the platform package in a node_modules further up', () => {
    const app = application([installed('linux-x64-gnu')]);
    const nested = path.join(app, 'node_modules', 'framework', 'node_modules');
    fs.mkdirSync(nested, { recursive: true });
    fs.renameSync(path.join(app, 'node_modules', 'holdfast'), path.join(nested, 'holdfast'));
    fs.mkdirSync(path.join(app, 'node_modules', 'holdfast', 'lib'), { recursive: true });
    fs.writeFileSync(
      path.join(app, 'node_modules', 'holdfast', 'lib', 'binding.js'),
      "module.exports = require('../../framework/node_modules/holdfast/lib/binding.js');",
    );
    assertBindingError(load(app, { before: GLIBC }), literal(installed('linux-x64-gnu')));
  });
});

describe('disabled addons', () => {
  test('--no-addons: the message names both options', () => {
    const answer = load(application([installed('linux-x64-gnu')]), { before: GLIBC, flags: ['--no-addons'] });
    assertBindingError(answer, /--allow-addons/, /--no-addons/);
    assert.equal(answer.cause, 'ERR_DLOPEN_DISABLED');
  });

  test('the permission model without --allow-addons: the message names it', () => {
    const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission';
    const app = application([installed('linux-x64-gnu')]);
    const answer = load(app, { before: GLIBC, flags: [flag, `--allow-fs-read=${path.join(app, '*')}`] });
    assertBindingError(answer, /--allow-addons/);
    assert.equal(answer.cause, 'ERR_DLOPEN_DISABLED');
  });
});

describe('the environment', () => {
  const decoys = fs.mkdtempSync(path.join(workspace, 'decoys-'));
  const decoy = path.join(decoys, 'holdfast-linux-x64-gnu', 'holdfast.linux-x64-gnu.node');
  const inHome = path.join(decoys, '.node_modules', 'holdfast-linux-x64-gnu', 'holdfast.linux-x64-gnu.node');
  write(decoy);
  write(inHome);
  const env = {
    NODE_PATH: decoys,
    HOME: decoys,
    USERPROFILE: decoys,
    NAPI_RS_NATIVE_LIBRARY_PATH: decoy,
    NAPI_RS_FORCE_WASI: '1',
    HOLDFAST_BINDING: decoy,
  };

  test('cannot supply a binary', () => {
    const resolved = `answer.plain = require.resolve('holdfast-linux-x64-gnu/holdfast.linux-x64-gnu.node');`;
    const answer = load(application(), { before: GLIBC, after: resolved, env });
    assertBindingError(answer, /is not installed/);
    assert.equal(answer.plain, decoy, 'plain require finds the decoy: otherwise this test shows nothing');
    const fromHome = load(application(), { before: GLIBC, after: resolved, env: { ...env, NODE_PATH: '' } });
    assertBindingError(fromHome, /is not installed/);
    assert.equal(fromHome.plain, inHome);
  });

  test('cannot replace a binary', () => {
    const answer = load(application([installed('linux-x64-gnu')]), { before: GLIBC, env });
    assertBindingError(answer, literal(installed('linux-x64-gnu')));
    assert.doesNotMatch(answer.message, /decoys-/);
  });

  test('is not read, and no process is started', () => {
    const before = `${GLIBC}
      globalThis.reads = [];
      process.env = new Proxy({}, { get(_, name) { reads.push(String(name)); }, has(_, name) { reads.push(name); } });
      require.extensions['.node'] = (module) => { module.exports = { abiVersion: 1, initialize() {} }; };`;
    const then = `answer.reads = reads;
      answer.loaded = process.moduleLoadList.filter((name) => / (child_process|internal.child_process)$/.test(name));`;
    const app = application([installed('linux-x64-gnu'), installed('linux-x64-musl')]);
    assert.deepEqual(load(app, { before, after: then }), { abiVersion: 1, reads: [], loaded: [] });
  });

  test("under Plug'n'Play the resolver of Yarn is asked", () => {
    // Stands in for Yarn's resolver: it knows a package that is in no node_modules folder.
    const before = `${GLIBC}
      Object.defineProperty(process.versions, 'pnp', { value: '3' });
      const Module = require('node:module');
      const plain = Module._resolveFilename;
      Module._resolveFilename = function (request, ...rest) {
        if (request.startsWith('holdfast-linux-x64-gnu/')) return ${JSON.stringify(decoy)};
        return plain.call(this, request, ...rest);
      };`;
    assertBindingError(load(application(), { before }), literal(path.relative(workspace, decoy)));
  });
});

describe('the platform packages', () => {
  test('are the eight targets of package.json', () => {
    const rust = TRIPLES.map((triple) => readme(triple).match(/Rust target `(.*)`/)?.[1]);
    assert.deepEqual(rust.sort(), [...napi.targets].sort());
  });

  for (const triple of TRIPLES) {
    test(`${triple} agrees with the root package`, () => {
      const [system, cpu, abi] = triple.split('-');
      const { description, ...manifest } = JSON.parse(
        fs.readFileSync(path.join(root, 'npm', triple, 'package.json'), 'utf8'),
      );
      assert.match(description, /^The native part of holdfast for /);
      assert.deepEqual(manifest, {
        name: `holdfast-${triple}`,
        version,
        license,
        engines,
        os: [system],
        cpu: [cpu],
        ...(system === 'linux' ? { libc: [abi === 'gnu' ? 'glibc' : 'musl'] } : {}),
        main: `holdfast.${triple}.node`,
        files: [`holdfast.${triple}.node`, 'LICENSE', 'LICENSE-APACHE', 'LICENSE-MIT', 'THIRD-PARTY-NOTICES.txt'],
      });
    });
  }

  /** @param {string} triple */
  function readme(triple) {
    return fs.readFileSync(path.join(root, 'npm', triple, 'README.md'), 'utf8');
  }
});
