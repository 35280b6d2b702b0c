// @ts-check
'use strict';

/** The name and version of installed packages, from their manifests, each read once. */

const fs = require('node:fs');
const path = require('node:path');

/** Bytes. No manifest is larger; what is, is not one. */
const MAX_MANIFEST = 1024 * 1024;

/** @typedef {{ name: string, version: string | null }} Package */

/** @returns {(folder: string | null) => Package | null} */
function packageReader() {
  /** @type {Map<string, Package>} */
  const known = new Map();
  return (folder) => {
    if (folder === null) return null;
    let found = known.get(folder);
    if (found === undefined) known.set(folder, (found = readPackage(folder)));
    return found;
  };
}

/** @param {string} folder */
function readPackage(folder) {
  const fallback = { name: nameOf(folder), version: null };
  try {
    const file = path.join(folder, 'package.json');
    if (fs.statSync(file).size > MAX_MANIFEST) return fallback;
    const { name, version } = JSON.parse(fs.readFileSync(file, 'utf8'));
    return {
      name: typeof name === 'string' && name !== '' ? name : fallback.name,
      version: typeof version === 'string' ? version : null,
    };
  } catch {
    return fallback;
  }
}

/** @param {string} folder */
function nameOf(folder) {
  const [scope, name] = folder.split(path.sep).slice(-2);
  return scope.startsWith('@') ? `${scope}/${name}` : name;
}

module.exports = { packageReader };
