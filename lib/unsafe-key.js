// @ts-check
'use strict';

/**
 * What makes a key `constructor` dangerous to merge: an object with a key `prototype` under it. Sanitize and merge
 * ask it of values; of texts the native guard knows by itself.
 */

/** @param {unknown} value */
function hasPrototype(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, 'prototype');
}

module.exports = { hasPrototype };
