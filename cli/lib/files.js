// @ts-check
'use strict';

/**
 * Which files are scanned, in the order of their paths. A file is known by its real path, so that none is scanned
 * twice, whatever links lead to it. Links are followed in node_modules only, where package managers place packages by
 * them; elsewhere what they lead to is either in the tree anyway, or not asked for.
 */

const fs = require('node:fs');
const path = require('node:path');

const { isSource } = require('./source.js');

/** Never looked into: what version control, package managers and build caches keep for themselves. */
const SKIPPED = new Set([
  '.git', '.hg', '.svn', '.jj', 'bower_components', '.yarn', '.pnpm-store', '.cache', '.parcel-cache', '.turbo',
  '.next', '.nuxt', '.svelte-kit', '.output', '.vercel', '.nyc_output', 'coverage',
]);
/** In an installed package only these: its other folders are what is run. */
const SKIPPED_IN_PACKAGES = new Set(['.git', '.hg', '.svn', '.jj']);
/** Folders of node_modules that hold packages, not tools. */
const STORES = new Set(['.pnpm', '.store']);
const MODULES = 'node_modules';

/**
 * @typedef {{ file: string, packageFolder: string | null }} Entry `file`: its real path; `packageFolder`: of the
 *   installed package that it belongs to.
 * @typedef {{ file: string, message: string }} Unread
 */

/** A path that was asked for and is not there. */
class MissingPath extends Error {
  /** @param {string} given */
  constructor(given) {
    super('no such file or folder');
    this.given = given;
  }
}

/**
 * @param {string[]} paths
 * @param {boolean} dependencies
 * @returns {{ entries: Entry[], unread: Unread[] }}
 */
function listFiles(paths, dependencies) {
  const roots = paths.map(rootOf);
  /** @type {Map<string, Entry>} */
  const entries = new Map();
  /** @type {Unread[]} */
  const unread = [];
  /** @type {Set<string>} */
  const seen = new Set();
  /** @type {{ folder: string, packageFolder: string | null }[]} */
  const open = [];

  for (const { real, isFile } of roots) {
    if (isFile) add(real, installedIn(real));
    else open.push({ folder: real, packageFolder: installedIn(real) });
  }
  while (open.length > 0) {
    const { folder, packageFolder } = /** @type {typeof open[0]} */ (open.pop());
    if (seen.has(folder)) continue;
    seen.add(folder);
    const holdsPackages = isHolder(folder);
    for (const item of read(folder)) {
      const full = path.join(folder, item.name);
      if (item.isSymbolicLink()) link(full, holdsPackages);
      else if (item.isDirectory()) descend(full, item.name, holdsPackages, packageFolder);
      else if (item.isFile() && isSource(item.name)) add(full, packageFolder);
    }
  }
  const sorted = [...entries.values()].sort((a, b) => (a.file < b.file ? -1 : 1));
  return { entries: sorted, unread: unread.sort((a, b) => (a.file < b.file ? -1 : 1)) };

  /**
   * @param {string} file
   * @param {string | null} packageFolder
   */
  function add(file, packageFolder) {
    if (!entries.has(file)) entries.set(file, { file, packageFolder });
  }

  /** @param {string} folder */
  function read(folder) {
    try {
      return fs.readdirSync(folder, { withFileTypes: true });
    } catch (error) {
      unread.push({ file: folder, message: `cannot be read (${codeOf(error)})` });
      return [];
    }
  }

  /**
   * @param {string} full
   * @param {string} name
   * @param {boolean} holdsPackages
   * @param {string | null} packageFolder
   */
  function descend(full, name, holdsPackages, packageFolder) {
    if (name === MODULES) {
      if (dependencies) open.push({ folder: full, packageFolder: null });
    } else if (holdsPackages) {
      const isStore = STORES.has(name) && path.basename(path.dirname(full)) === MODULES;
      if (name.startsWith('.') && !isStore) return;
      open.push({ folder: full, packageFolder: isStore || name.startsWith('@') ? null : full });
    } else if (!(packageFolder === null ? SKIPPED : SKIPPED_IN_PACKAGES).has(name)) {
      open.push({ folder: full, packageFolder });
    }
  }

  /**
   * @param {string} full
   * @param {boolean} holdsPackages
   */
  function link(full, holdsPackages) {
    let real;
    try {
      real = fs.realpathSync(full);
      if (!holdsPackages || !fs.statSync(real).isDirectory()) return;
    } catch (error) {
      // Links that lead nowhere are usual; those that lead back to themselves are not.
      if (codeOf(error) === 'ELOOP') unread.push({ file: full, message: 'a link that leads back to itself' });
      return;
    }
    // What is linked from outside of every node_modules (workspaces, `npm link`) is someone's working copy, not an
    // installed package: it is scanned where the paths that were given lead to it.
    const packageFolder = installedIn(real);
    if (packageFolder !== null && dependencies) open.push({ folder: real, packageFolder });
  }
}

/** @param {string} given */
function rootOf(given) {
  try {
    const real = fs.realpathSync(path.resolve(given));
    return { real, isFile: !fs.statSync(real).isDirectory() };
  } catch {
    throw new MissingPath(given);
  }
}

/**
 * Whether the folders in it are packages: node_modules, or a scope in it.
 *
 * @param {string} folder
 */
function isHolder(folder) {
  const name = path.basename(folder);
  return name === MODULES || (name.startsWith('@') && path.basename(path.dirname(folder)) === MODULES);
}

/**
 * The folder of the installed package that a path is in, by the path alone.
 *
 * @param {string} real
 * @returns {string | null}
 */
function installedIn(real) {
  const parts = real.split(path.sep);
  const last = parts.lastIndexOf(MODULES);
  if (last === -1 || last + 1 >= parts.length) return null;
  const name = parts[last + 1];
  if (STORES.has(name)) return null;
  const length = last + (name.startsWith('@') ? 3 : 2);
  return length > parts.length ? null : parts.slice(0, length).join(path.sep);
}

/** @param {unknown} error */
function codeOf(error) {
  return /** @type {any} */ (error).code ?? 'error';
}

module.exports = { MissingPath, listFiles };
