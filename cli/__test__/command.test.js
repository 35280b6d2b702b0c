'use strict';

// The command line itself: options, exit codes, where output goes, and how it ends.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { emptyTree, holdfast } = require('./support/tree.js');
const { Progress } = require('../lib/progress.js');
const { version } = require('../package.json');

const VULNERABLE = 'exports.a = /(a+)+b/;\n';
/** Windows has neither such names of files nor SIGINT from another process. */
const NOT_ON_WINDOWS = { skip: process.platform === 'win32' && 'not on Windows' };
/** Says on standard error when a worker has a pattern to analyse. */
const ANNOUNCE = path.join(__dirname, 'support/announce.js');

/** A tree of files by their names. */
function tree(t, files) {
  const cwd = emptyTree(t);
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(cwd, name)), { recursive: true });
    fs.writeFileSync(path.join(cwd, name), text);
  }
  return cwd;
}

test('exit code 0: nothing found', async (t) => {
  const { code, stdout, stderr } = await holdfast(['scan'], { cwd: tree(t, { 'a.js': '/a+/;', 'empty.js': '' }) });
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  assert.equal(stdout, 'No vulnerable patterns.\nScanned 2 files, 1 regular expression, 1 distinct.\n');
});

test('exit code 1: findings', async (t) => {
  assert.equal((await holdfast(['scan'], { cwd: tree(t, { 'a.js': VULNERABLE }) })).code, 1);
});

test('exit code 2: it could not be done, with one line that says why', async (t) => {
  const cwd = tree(t, { 'a.js': VULNERABLE, 'none/readme.md': '', 'broken/x.js': 'let = = ;' });
  const cases = [
    [['scan', 'a.js', 'missing.js'], 'no such file or folder: missing.js'],
    [['scan', 'none'], 'there are no JavaScript or TypeScript files in what was given'],
    [['scan', ''], 'a path must not be empty'],
    [['scan', '--frobnicate'], "unknown option '--frobnicate'; see holdfast --help"],
    [['scan', '--json=yes'], '--json takes no value'],
    [['scan', '-x'], "unknown option '-x'; see holdfast --help"],
    [['scan', '--json', '--sarif'], 'either --json or --sarif, not both'],
    [['scan', '--timeout-ms', '0'], '--timeout-ms must be an integer from 1 to 60000'],
    [['scan', '--timeout-ms=1e3'], '--timeout-ms must be an integer from 1 to 60000'],
    [['scan', '--min-complexity', 'linear'], '--min-complexity must be one of polynomial, exponential'],
    [['scan', '--output'], '--output needs a value'],
    [['scan', 'a.js', '--output', 'no/such/folder.txt'], 'the output file cannot be written (ENOENT)'],
    [['frobnicate'], "unknown command 'frobnicate'; there is: scan"],
    [[], 'a command is missing: holdfast scan [paths], or holdfast --help'],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await holdfast(args, { cwd });
    assert.deepEqual({ args, code, stdout, stderr }, { args, code: 2, stdout: '', stderr: `holdfast: ${message}\n` });
  }
  const broken = await holdfast(['scan', 'broken'], { cwd });
  assert.equal(broken.code, 2);
  assert.match(broken.stdout, /^note: broken\/x\.js:1:\d+: syntax error: .*\n\nNothing was scanned\.\n$/);
  assert.equal(broken.stderr, 'holdfast: none of the files could be scanned\n');
});

test('what follows -- is a path, and a file that is given is scanned whatever its name', async (t) => {
  const cwd = tree(t, { '--json': VULNERABLE, 'coverage/a.txt': VULNERABLE, 'b.js': '/b/' });
  const { code, stdout } = await holdfast(['scan', '--', '--json', 'coverage/a.txt'], { cwd });
  assert.equal(code, 1);
  assert.match(stdout, /^--json:1:13 {2}exponential$/m);
  assert.match(stdout, /^ {2}also {4}coverage\/a\.txt:1:13$/m);
  assert.equal((await holdfast(['scan'], { cwd })).code, 0, 'neither is found by itself');
});

test('--help and --version', async (t) => {
  const cwd = emptyTree(t);
  const help = await holdfast(['--help'], { cwd });
  assert.equal(help.code, 0);
  for (const option of ['dependencies', 'sarif', 'output', 'quiet', 'no-color', 'timeout-ms', 'unknown']) {
    assert.ok(help.stdout.includes(`--${option}`), option);
  }
  const shown = await holdfast(['--version'], { cwd });
  assert.deepEqual(shown, { code: 0, signal: null, stdout: `${version}\n`, stderr: '' });
});

test('colours where they are asked for, and not in a pipe, a file, or with NO_COLOR', async (t) => {
  const cwd = tree(t, { 'a.js': VULNERABLE });
  assert.match((await holdfast(['scan', '--color'], { cwd })).stdout, /\x1b\[31mexponential\x1b\[0m/);
  assert.doesNotMatch((await holdfast(['scan'], { cwd })).stdout, /\x1b/);
  assert.doesNotMatch((await holdfast(['scan', '--color', '--no-color'], { cwd })).stdout, /\x1b/);

  const terminal = path.join(cwd, 'terminal.cjs');
  fs.writeFileSync(terminal, 'process.stdout.isTTY = true;\n');
  const nodeArgs = ['--require', terminal];
  assert.match((await holdfast(['scan', 'a.js'], { cwd, nodeArgs })).stdout, /\x1b\[31m/);
  assert.doesNotMatch((await holdfast(['scan', 'a.js'], { cwd, nodeArgs, env: { NO_COLOR: '1' } })).stdout, /\x1b/);
  await holdfast(['scan', 'a.js', '--output', 'out.txt'], { cwd, nodeArgs });
  assert.doesNotMatch(fs.readFileSync(path.join(cwd, 'out.txt'), 'utf8'), /\x1b/);
});

test('--output writes the report to a file, and nothing else', async (t) => {
  const cwd = tree(t, { 'a.js': VULNERABLE, 'out.json': 'old' });
  const { code, stdout, stderr } = await holdfast(['scan', '--json', '--output=out.json'], { cwd });
  assert.deepEqual({ code, stdout, stderr }, { code: 1, stdout: '', stderr: '' });
  assert.equal(JSON.parse(fs.readFileSync(path.join(cwd, 'out.json'), 'utf8')).findings.length, 1);
  assert.deepEqual(fs.readdirSync(cwd).sort(), ['a.js', 'out.json']);
});

test('--quiet leaves the findings only', async (t) => {
  const cwd = tree(t, { 'a.js': VULNERABLE, 'b.js': 'let = ;' });
  const { stdout } = await holdfast(['scan', '--quiet'], { cwd });
  assert.match(stdout, /^a\.js:1:13 {2}exponential\n/);
  assert.doesNotMatch(stdout, /note:|Scanned/);
  assert.equal((await holdfast(['scan', '-q', 'b.js'], { cwd })).stdout, '');
});

test('--min-complexity and --unknown say what a finding is', async (t) => {
  const cwd = tree(t, { 'a.js': '/\\s+$/;', 'b.js': '/^([*_-])(?:\\s*\\1){2,}\\s*$/;' });
  assert.equal((await holdfast(['scan', 'a.js'], { cwd })).code, 1);
  assert.equal((await holdfast(['scan', 'a.js', '--min-complexity', 'exponential'], { cwd })).code, 0);
  const without = await holdfast(['scan', 'b.js'], { cwd });
  assert.equal(without.code, 0);
  assert.match(without.stdout, /1 undecided \(--unknown lists them\)/);
  const listed = await holdfast(['scan', 'b.js', '--unknown'], { cwd });
  assert.equal(listed.code, 1);
  assert.match(listed.stdout, /^b\.js:1:1 {2}unknown\n/);
});

test('Ctrl-C ends it with 130, and leaves no output file', NOT_ON_WINDOWS, async (t) => {
  const hard = Array.from({ length: 300 }, (_, n) => `/(?:[^\\x21-\\x3B${n}]+|%+(?![0-9A-F]{2})){1,${900 + n}}/;`);
  const cwd = tree(t, { 'hard.js': hard.join('\n'), 'out.txt': 'old' });
  const { code, signal, stdout } = await holdfast(['scan', '--output', 'out.txt', '--timeout-ms', '1000'], {
    cwd,
    nodeArgs: ['--require', ANNOUNCE],
    started: (child) => child.stderr.once('data', () => child.kill('SIGINT')),
  });
  assert.deepEqual({ code, signal, stdout }, { code: 130, signal: null, stdout: '' });
  assert.deepEqual(fs.readdirSync(cwd).sort(), ['hard.js', 'out.txt']);
  assert.equal(fs.readFileSync(path.join(cwd, 'out.txt'), 'utf8'), 'old');
});

test('a reader that has enough ends it quietly', async (t) => {
  const many = Array.from({ length: 3000 }, (_, n) => `/(?:a|a)*${n}/;`).join('\n');
  const { stderr } = await holdfast(['scan', '--json'], {
    cwd: tree(t, { 'a.js': many }),
    started: (child) => child.stdout.once('data', () => child.stdout.destroy()),
  });
  assert.equal(stderr, '');
});

test('names of files cannot give orders to the terminal', NOT_ON_WINDOWS, async (t) => {
  const cwd = tree(t, { 'a\x1b[2J\u202e.js': VULNERABLE });
  const { stdout } = await holdfast(['scan'], { cwd });
  assert.match(stdout, /^a\\x1b\[2J\\u202e\.js:1:13/);
});

test('the progress line appears on a terminal after a while, and is cleared', () => {
  let [time, written] = [0, ''];
  const stream = { isTTY: true, write: (text) => { written += text; } };
  const progress = new Progress(stream, true, () => time);
  progress.show(1, 9, 0);
  assert.equal(written, '', 'not for what is done at once');
  time = 600;
  progress.show(5, 9, 3);
  assert.equal(written, '\r\x1b[K5 of 9 files, 3 patterns');
  progress.clear();
  progress.clear();
  assert.equal(written, '\r\x1b[K5 of 9 files, 3 patterns\r\x1b[K');

  for (const [other, wanted] of [[{ ...stream, isTTY: false }, true], [stream, false]]) {
    written = '';
    const silent = new Progress(other, wanted, () => time);
    time += 1000;
    silent.show(1, 2, 0);
    silent.clear();
    assert.equal(written, '');
  }
});
