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

const log = (line) => console.log(`set-up: ${line}`);

/** The examples are workspaces: what they need is installed with the root's development dependencies. */
export async function setup() {
  checkNode();
  const target = hostTarget();
  if (target === undefined) {
    throw new SetupError(
      `Holdfast does not support ${process.platform}-${process.arch}. ` +
        `Supported: ${targets.map(({ triple }) => triple).join(', ')}.`,
    );
  }
  const ready = () => installed() && upToDate('quick', target);
  if (ready()) return log('everything is up to date');

  await withLock(path.join(root, '.cache', 'setup.lock'), async () => {
    if (!installed()) await install();
    if (upToDate('quick', target)) return;
    log(`building the native part with cargo, into ${path.relative(root, addonFile('quick', target))}`);
    await build('quick', target);
  }, log);
}

function checkNode() {
  const minimum = manifest().engines.node.replace('>=', '').split('.').map(Number);
  const present = process.versions.node.split('.').map(Number);
  if (present[0] > minimum[0] || (present[0] === minimum[0] && present[1] >= minimum[1])) return;
  throw new SetupError(`Holdfast needs Node.js ${minimum.join('.')} or newer; this is ${process.versions.node}.`);
}

async function install() {
  log('installing the dependencies with npm ci');
  const [command, ...leading] = npmCommand();
  const args = [...leading, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const digest = lockDigest();
  const code = await run(command, args, { cwd: root, shell: command === 'npm' && onWindows() })
    .catch((error) => {
      if (error.code !== 'ENOENT') throw error;
      throw new SetupError('npm was not found. It comes with Node.js; install it, then run this again.');
    });
  if (code !== 0) throw new SetupError(`npm ci failed (exit code ${code}).`, code);
  fs.mkdirSync(path.dirname(stampFile()), { recursive: true }); // npm makes none when there is nothing to install
  fs.writeFileSync(stampFile(), digest);
}

/** By content, not by date: `npm ci` removes node_modules first, and writes the stamp's folder anew. */
function installed() {
  if (!fs.existsSync(lockFile())) return true;
  try {
    return fs.readFileSync(stampFile(), 'utf8') === lockDigest();
  } catch {
    return false;
  }
}

function stampFile() {
  return path.join(root, 'node_modules', '.holdfast-lock');
}

function lockDigest() {
  return createHash('sha256').update(fs.readFileSync(lockFile())).digest('hex');
}

function lockFile() {
  return path.join(root, 'package-lock.json');
}

function manifest() {
  return JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
}

function onWindows() {
  return process.platform === 'win32';
}

if (isScript(import.meta.url)) {
  await main(() => setup());
}
