'use strict';

/**
 * The fixture tree, copied to a folder of its own: `installed` becomes `node_modules` (which git does not keep), and
 * what git or an editor would change is written here. And the command, run in it as a user runs it.
 */

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const COMMAND = path.join(__dirname, '../../bin/holdfast.js');
const PROJECT = path.join(__dirname, '../fixtures/project');

/** @param {import('node:test').TestContext} t */
function emptyTree(t) {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-cli-')));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** @param {import('node:test').TestContext} t */
function projectTree(t) {
  const folder = emptyTree(t);
  copy(PROJECT, folder);
  const write = (name, text) => fs.writeFileSync(path.join(folder, name), text);
  write('src/crlf.js', '\ufeff// first\r\nconst a = 1;\r\n\r\nexports.b = /(?:r|r)*!/;\r\n');
  write('src/big.js', `${' '.repeat(4 * 1024 * 1024)}\nexports.never = /(a+)+b/;\n`);
  fs.mkdirSync(path.join(folder, '.git'));
  write('.git/hook.js', 'exports.never = /(a+)+b/;\n');
  return folder;
}

function copy(from, to) {
  fs.mkdirSync(to, { recursive: true });
  for (const item of fs.readdirSync(from, { withFileTypes: true })) {
    const name = item.name === 'installed' ? 'node_modules' : item.name;
    if (item.isDirectory()) copy(path.join(from, item.name), path.join(to, name));
    else fs.copyFileSync(path.join(from, item.name), path.join(to, name));
  }
}

/**
 * @param {string[]} args
 * @param {{ cwd: string, env?: Record<string, string>, nodeArgs?: string[], started?: (child: any) => void }} options
 * @returns {Promise<{ code: number | null, signal: string | null, stdout: string, stderr: string }>}
 */
function holdfast(args, { cwd, env = {}, nodeArgs = [], started }) {
  const { NO_COLOR: _, FORCE_COLOR: __, NODE_OPTIONS: ___, NODE_TEST_CONTEXT: ____, ...inherited } = process.env;
  const child = spawn(process.execPath, [...nodeArgs, COMMAND, ...args], { cwd, env: { ...inherited, ...env } });
  started?.(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => { stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text) => { stderr += text; });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** The findings of a scan as JSON. */
async function scanJson(args, cwd) {
  const { stdout, stderr, code } = await holdfast(['scan', '--json', ...args], { cwd });
  if (stderr !== '') throw new Error(stderr);
  return { code, ...JSON.parse(stdout) };
}

module.exports = { COMMAND, emptyTree, holdfast, projectTree, scanJson };
