// @ts-check
'use strict';

/**
 * Finds and loads the native part, and explains itself when it cannot. Every file in lib/ that needs native code
 * requires this one; its export is the native module.
 *
 * What is loaded depends on the platform and on the files beside this package, on nothing else: no environment
 * variable is read, and no process is started. A build in the repository root comes first, then the platform package.
 */

const path = require('node:path');
const { HoldfastError } = require('./errors.js');

/** What the native module must answer as `abiVersion`: raised whenever lib/ and src/ stop fitting older partners. */
const ABI_VERSION = 1;

/** One platform package each, named `holdfast-<triple>`, with a folder in npm/. */
const SUPPORTED = [
  ...['darwin-arm64', 'darwin-x64', 'win32-arm64-msvc', 'win32-x64-msvc'],
  ...['linux-arm64-gnu', 'linux-arm64-musl', 'linux-x64-gnu', 'linux-x64-musl'],
];

module.exports = load();

function load() {
  const platform = `${process.platform}-${process.arch}`;
  const triples = SUPPORTED.filter((triple) => `${triple}-`.startsWith(`${platform}-`));
  if (triples.length === 0) {
    throw failure(`holdfast has no binary for ${platform}. Supported: ${SUPPORTED.join(', ')}.`);
  }
  const file = find(triples);
  if (file === undefined) throw missing(triples.length === 1 ? triples[0] : `${platform}-${libc()}`);
  const binding = open(file);
  if (binding.abiVersion !== ABI_VERSION) {
    throw failure(
      `${file} does not belong to this version of holdfast: its binding ABI is ${binding.abiVersion}, expected ` +
        `${ABI_VERSION}. holdfast and its platform package must have the same version: install again, or, in a ` +
        'checkout, build again with "npm test".',
    );
  }
  return binding;
}

/**
 * The file to load. When the packages for glibc and musl are both there, the C library of this process decides;
 * when one is, it is taken unasked, because asking takes milliseconds.
 *
 * @param {string[]} triples
 */
function find(triples) {
  for (const locate of [localBuild, platformPackage]) {
    const files = triples.map(locate);
    const found = files.filter((file) => file !== undefined);
    if (found.length > 1) return files[triples.findIndex((triple) => triple.endsWith(libc()))];
    if (found.length === 1) return found[0];
  }
  return undefined;
}

/** @param {string} triple */
function localBuild(triple) {
  return resolve(path.join(__dirname, '..', `holdfast.${triple}.node`));
}

/**
 * Looks through the node_modules folders above this file, as `require` does, but not through NODE_PATH and the
 * folders in the home directory, where `require` goes on searching. Under Yarn's Plug'n'Play there are no such
 * folders and its own resolver answers.
 *
 * @param {string} triple
 */
function platformPackage(triple) {
  const request = `holdfast-${triple}/holdfast.${triple}.node`;
  if (process.versions.pnp !== undefined) return resolve(request);
  const { paths } = /** @type {NodeJS.Module} */ (/** @type {unknown} */ (module));
  for (const folder of paths) {
    const file = resolve(path.join(folder, request));
    if (file !== undefined) return file;
  }
  return undefined;
}

/**
 * `require.resolve` and not `fs.existsSync`, which the permission model may refuse.
 *
 * @param {string} request
 */
function resolve(request) {
  try {
    return require.resolve(request);
  } catch {
    return undefined;
  }
}

/** The C library of this process, on Linux, as the triples name it. */
function libc() {
  const report = /** @type {NodeJS.ProcessReport & { excludeNetwork?: boolean }} */ (process.report);
  const excluded = report.excludeNetwork;
  report.excludeNetwork = true; // a report looks up the names of open connections otherwise
  try {
    const { header } = /** @type {any} */ (report.getReport());
    return header.glibcVersionRuntime ? 'gnu' : 'musl';
  } finally {
    report.excludeNetwork = excluded;
  }
}

/** @param {string} file */
function open(file) {
  try {
    return require(file);
  } catch (cause) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (cause);
    if (code === 'ERR_DLOPEN_DISABLED') {
      throw failure(
        'holdfast has a native part, and native addons are disabled in this process. Under the permission model ' +
          'start Node with --allow-addons; otherwise remove --no-addons from its options.',
        cause,
      );
    }
    const other = process.platform === 'linux' && !path.basename(file).includes(libc());
    throw failure(
      `${file} is there but could not be loaded: ${message}.` +
        (other ? ` It is built for another C library: install holdfast-linux-${process.arch}-${libc()}.` : ''),
      cause,
    );
  }
}

/** @param {string} triple */
function missing(triple) {
  const { version } = require('../package.json');
  return failure(
    `The native part of holdfast for ${triple} is not installed. It comes with the optional dependency ` +
      `holdfast-${triple}@${version}. Install again with "npm install --include=optional"; if package-lock.json was ` +
      'made on another platform and does not name it, delete node_modules and package-lock.json first.',
  );
}

/**
 * @param {string} message
 * @param {unknown} [cause]
 */
function failure(message, cause) {
  return new HoldfastError('ERR_BINDING', message, cause === undefined ? {} : { cause });
}
