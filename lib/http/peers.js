// @ts-check
'use strict';

/** The one way to an optional package (helmet, cors, @nestjs/common): loaded when used, with an error that says what to install. */

const { createError } = require('../errors.js');

/**
 * @param {string} name
 * @param {string} purpose What needs it, and how to do without: "harden() needs it for its headers; …".
 * @returns {any}
 */
function loadPeer(name, purpose) {
  try {
    return require(name);
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code !== 'MODULE_NOT_FOUND' || isInstalled(name)) throw error;
    throw createError('ERR_PEER', `the package ${name} is not installed. ${purpose} Run: npm install ${name}`);
  }
}

/** Whether the package is there, and something that it requires is not. @param {string} name */
function isInstalled(name) {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

module.exports = { loadPeer };
