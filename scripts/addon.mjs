// Builds the addon with cargo and puts it where lib/binding.js finds it, unless what lies there was built from the
// same sources: a fingerprint beside the binary tells, so that cargo is not even started. Two kinds: `quick` for
// development and tests (holdfast.<triple>.node in the root, with the test hooks), `release` for the platform package
// (npm/<triple>/, without them).

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { SetupError, answer, run, rustProgram } from './command.mjs';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Everything the compiler reads from this repository. */
const SOURCES = ['Cargo.toml', 'Cargo.lock', 'build.rs', 'rust-toolchain.toml', '.cargo/config.toml', 'src', 'crates'];

/** Where a build of this kind for this target ends up. */
export function addonFile(kind, { triple }) {
  const folder = kind === 'release' ? path.join('npm', triple) : '';
  return path.join(root, folder, `holdfast.${triple}.node`);
}

/** True when the binary is there, unchanged since it was put there, and made from the present sources. */
export function upToDate(kind, target) {
  const file = addonFile(kind, target);
  let stamp;
  let binary;
  try {
    stamp = JSON.parse(fs.readFileSync(stampFile(file), 'utf8'));
    binary = digest(fs.readFileSync(file));
  } catch {
    return false; // one of them is missing, or the stamp is half-written: build
  }
  const compiler = compilerVersion();
  return (
    stamp.binary === binary &&
    stamp.sources === sourcesDigest() &&
    // Without a compiler there is nothing to compare and nothing better to be had: the binary is good.
    (compiler === undefined || stamp.compiler === compiler)
  );
}

/** Builds, and installs the result. With `host` cargo's own default target is built, without naming it. */
export async function build(kind, target, { host = true } = {}) {
  const cargo = cargoOrExplain();
  const sources = sourcesDigest(); // before: an edit during the build must lead to another build
  const args = ['build', '--lib'];
  args.push(...(kind === 'release' ? ['--release', '--locked'] : ['--profile', 'quick', '--features', 'test-hooks']));
  if (!host) args.push('--target', target.rust);
  const code = await run(cargo, args, { cwd: root, env: buildEnvironment(kind, target) });
  if (code !== 0) throw new SetupError(`cargo ${args.join(' ')} failed (exit code ${code}).`, code);

  const targetDirectory = path.resolve(root, process.env.CARGO_TARGET_DIR ?? 'target');
  const library = path.join(targetDirectory, host ? '' : target.rust, kind, target.library);
  install(library, addonFile(kind, target), { sources, compiler: compilerVersion() });
}

/** Replaces the binary by renaming: a process that has the old one mapped keeps it, none sees half a file. */
function install(library, file, stamp) {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    fs.rmSync(stampFile(file), { force: true });
    fs.copyFileSync(library, temporary);
    const binary = digest(fs.readFileSync(temporary));
    fs.renameSync(temporary, file);
    fs.writeFileSync(stampFile(file), `${JSON.stringify({ ...stamp, binary }, null, 2)}\n`);
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

function stampFile(file) {
  return `${file}.json`;
}

function sourcesDigest() {
  const hash = createHash('sha256');
  for (const name of SOURCES) addSources(hash, name);
  return hash.digest('hex');
}

function addSources(hash, name) {
  const file = path.join(root, name);
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (stat.isDirectory()) {
    for (const entry of fs.readdirSync(file).sort()) {
      if (entry !== 'target') addSources(hash, `${name}/${entry}`);
    }
    return;
  }
  const content = fs.readFileSync(file);
  hash.update(`${name}\0${content.length}\0`).update(content);
}

function digest(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

function compilerVersion() {
  return rustProgram('rustc', root)?.version;
}

function cargoOrExplain() {
  const cargo = rustProgram('cargo', root);
  if (cargo === undefined) {
    throw new SetupError(
      `The native part has to be built, and cargo was not found. Install Rust ${minimumRust()} or newer with rustup ` +
        `(https://rustup.rs), and ${compilerNames()}; then run this again.`,
    );
  }
  if (process.platform !== 'win32' && process.env.CC === undefined && answer('cc', ['--version']) === undefined) {
    throw new SetupError(
      `The native part has to be built, and part of its crate "ring" is C: install ${compilerNames()}; then ` +
        'run this again.',
    );
  }
  return cargo.command;
}

function minimumRust() {
  const manifest = fs.readFileSync(path.join(root, 'Cargo.toml'), 'utf8');
  return /^rust-version\s*=\s*"([^"]+)"/m.exec(manifest)?.[1] ?? 'stable';
}

function compilerNames() {
  if (process.platform === 'win32') return 'the Visual Studio build tools with the C++ workload';
  if (process.platform === 'darwin') return 'a C compiler (xcode-select --install)';
  return 'a C compiler (Debian, Ubuntu: gcc and libc6-dev; Alpine: build-base)';
}

/**
 * Compiler flags beyond the manifest's. An addon for musl must link its C library dynamically: Node has already loaded
 * it. A released binary must not carry the paths of the machine that built it, in its panic messages.
 */
function buildEnvironment(kind, target) {
  const flags = [];
  if (target.triple.endsWith('musl')) flags.push('-C', 'target-feature=-crt-static');
  if (kind === 'release') {
    const cargoHome = process.env.CARGO_HOME ?? path.join(homedir(), '.cargo');
    flags.push(`--remap-path-prefix=${cargoHome}=cargo`, `--remap-path-prefix=${root}=holdfast`);
  }
  if (flags.length === 0) return process.env;
  const present = process.env.CARGO_ENCODED_RUSTFLAGS?.split('\x1f') ?? process.env.RUSTFLAGS?.split(/\s+/) ?? [];
  const all = [...present.filter((flag) => flag !== ''), ...flags];
  return { ...process.env, CARGO_ENCODED_RUSTFLAGS: all.join('\x1f') };
}
