// Puts the package as users get it into .stage/node_modules/holdfast: the JavaScript of this checkout and one addon.
// Called by run.mjs before every run. Prefers the release build (`node scripts/build.mjs` in the root); the loader
// itself would prefer the development build lying in the root, whose figures say nothing.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const staged = join(import.meta.dirname, '.stage/node_modules/holdfast');

/**
 * @typedef {{ profile: 'release' | 'development', file: string, bytes: number, sha256: string, stale: boolean }} Binary
 *   `stale`: a Rust source is newer than the addon
 */

/** @returns {Binary} */
export function stage({ development = false } = {}) {
  const binary = (development ? null : find('release')) ?? find('development');
  if (!binary)
    throw new Error('there is no addon to measure: run `node scripts/build.mjs` in the root of the repository');
  rmSync(staged, { recursive: true, force: true });
  mkdirSync(staged, { recursive: true });
  for (const name of ['package.json', 'index.js', 'index.mjs', 'index.d.ts', 'index.d.mts', 'lib']) {
    cpSync(join(root, name), join(staged, name), { recursive: true });
  }
  cpSync(binary.path, join(staged, basename(binary.path)));
  const bytes = readFileSync(binary.path);
  return {
    profile: binary.profile,
    file: basename(binary.path),
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    stale: newestSource() > statSync(binary.path).mtimeMs,
  };
}

/** The staged package, loaded; or a part of it, `/express`. */
export function requireStaged(subpath = '') {
  return createRequire(join(staged, '../../case.js'))(`holdfast${subpath}`);
}

/** Where a script must lie for `require('holdfast')` to find the staged package. */
export const stageFolder = join(staged, '../..');

function find(profile) {
  const triple = `${process.platform}-${process.arch}${libc()}`;
  const file = `holdfast.${triple}.node`;
  const path = profile === 'release' ? join(root, 'npm', triple, file) : join(root, file);
  return existsSync(path) ? { profile, path } : null;
}

function libc() {
  if (process.platform === 'win32') return '-msvc';
  if (process.platform !== 'linux') return '';
  const { header } = /** @type {any} */ (process.report.getReport());
  return header.glibcVersionRuntime ? '-gnu' : '-musl';
}

function newestSource() {
  const files = ['src', 'crates'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.rs'))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  return Math.max(0, ...files.map((path) => statSync(path).mtimeMs));
}
