// Makes a fresh checkout ready to run, and does nothing to one that is: dependencies by `npm ci` when a lock file
// changed, the addon by cargo when its sources changed. `npm start` and `npm test` call it; `node scripts/setup.mjs`
// does what `npm test` needs. Every step that does something says so in one line. Installs nothing globally.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

import { addonFile, build, root, upToDate } from './addon.mjs';
import { SetupError, isScript, main, npmCommand, run } from './command.mjs';
import { withLock } from './lock.mjs';
import { hostTarget, targets } from './targets.mjs';

const EXAMPLE = 'examples/express';
const log = (line) => console.log(`set-up: ${line}`);

/**
 * @param {{ tools?: boolean, example?: boolean }} needs `tools`: the development dependencies of the root;
 *   `example`: the dependencies of the Express example. The addon is always made.
 */
export async function setup({ tools = false, example = false } = {}) {
  checkNode();
  const target = hostTarget();
  if (target === undefined) {
    throw new SetupError(
      `Holdfast does not support ${process.platform}-${process.arch}. ` +
        `Supported: ${targets.map(({ triple }) => triple).join(', ')}.`,
    );
  }
  const folders = [tools && '.', example && EXAMPLE].filter((folder) => folder && hasLock(folder));
  const ready = () => folders.every(installed) && upToDate('quick', target);
  if (ready()) return log('everything is up to date');

  await withLock(path.join(root, '.cache', 'setup.lock'), async () => {
    for (const folder of folders) {
      if (!installed(folder)) await install(folder);
    }
    if (upToDate('quick', target)) return;
    log(`building the native part with cargo, into ${path.relative(root, addonFile('quick', target))}`);
    await build('quick', target);
  }, log);
}

function checkNode() {
  const minimum = manifest('.').engines.node.replace('>=', '').split('.').map(Number);
  const present = process.versions.node.split('.').map(Number);
  if (present[0] > minimum[0] || (present[0] === minimum[0] && present[1] >= minimum[1])) return;
  throw new SetupError(`Holdfast needs Node.js ${minimum.join('.')} or newer; this is ${process.versions.node}.`);
}

async function install(folder) {
  log(`installing the dependencies in ${folder === '.' ? 'the root' : folder} with npm ci`);
  const [command, ...leading] = npmCommand();
  const args = [...leading, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const digest = lockDigest(folder);
  const code = await run(command, args, { cwd: path.join(root, folder), shell: command === 'npm' && onWindows() })
    .catch((error) => {
      if (error.code !== 'ENOENT') throw error;
      throw new SetupError('npm was not found. It comes with Node.js; install it, then run this again.');
    });
  if (code !== 0) throw new SetupError(`npm ci in ${folder} failed (exit code ${code}).`, code);
  fs.mkdirSync(path.dirname(stampFile(folder)), { recursive: true }); // npm makes none when there is nothing to install
  fs.writeFileSync(stampFile(folder), digest);
}

/** By content, not by date: `npm ci` removes node_modules first, and writes the stamp's folder anew. */
function installed(folder) {
  try {
    return fs.readFileSync(stampFile(folder), 'utf8') === lockDigest(folder);
  } catch {
    return false;
  }
}

function stampFile(folder) {
  return path.join(root, folder, 'node_modules', '.holdfast-lock');
}

function lockDigest(folder) {
  return createHash('sha256').update(fs.readFileSync(lockFile(folder))).digest('hex');
}

function hasLock(folder) {
  return fs.existsSync(lockFile(folder));
}

function lockFile(folder) {
  return path.join(root, folder, 'package-lock.json');
}

function manifest(folder) {
  return JSON.parse(fs.readFileSync(path.join(root, folder, 'package.json'), 'utf8'));
}

function onWindows() {
  return process.platform === 'win32';
}

if (isScript(import.meta.url)) {
  await main(() => setup({ tools: true, example: true }));
}
