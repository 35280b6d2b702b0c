// Installs the peers: `npm install` without install scripts, then compiles the ones whose addon cannot be loaded as it
// came (no prebuilt binary could be fetched, or it crashes on this Node). Run once, by hand: `node setup.mjs`.
// Compiling needs Python 3, make, a C++ compiler and Node's headers: those beside the running Node when they are there.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { probe } from './peers.mjs';

const here = import.meta.dirname;
const nodeGyp = join(here, 'node_modules/node-gyp/bin/node-gyp.js');

/** Peers with a C++ addon that can be compiled in place. */
const COMPILED = ['re2', 'argon2', 'bcrypt'];

// Not `npm ci`: the lock file may lack the platform packages of machines other than the one it was made on.
const installed = run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], here);
if (!installed) process.exit(1);
for (const name of COMPILED) {
  const { reason } = probe(name);
  if (reason === null) continue;
  console.log(`${name}: ${reason}; compiling from source`);
  // A compiler that fails is not the end: the peer is then reported as missing.
  run(process.execPath, [nodeGyp, 'rebuild', '--loglevel=error', ...headers()], join(here, 'node_modules', name));
  const after = probe(name).reason;
  console.log(after === null ? `${name}: compiled` : `${name}: still cannot be loaded: ${after}`);
}

function headers() {
  const prefix = resolve(process.execPath, '../..');
  return existsSync(join(prefix, 'include/node/node.h')) ? [`--nodedir=${prefix}`] : [];
}

// Shows what a command said only when it failed: compilers warn at length.
function run(command, args, cwd) {
  const shell = command === 'npm' && process.platform === 'win32';
  const { status, stderr, error } = spawnSync(command, args, { cwd, shell, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) console.error(error?.message ?? stderr.slice(-4000));
  return status === 0;
}
