// @ts-check
'use strict';

/**
 * The Permissions-Policy (W3C, section 5.2): a dictionary of structured fields (RFC 9651) that says which origins may
 * use a feature of the browser. What is not in it stays as the browser has it.
 */

const { wrongType, wrongValue } = require('../errors.js');
const { readOrigins } = require('./origins.js');

/** What an ordinary site never asks for. */
const DEFAULT_OFF = [
  'accelerometer',
  'camera',
  'display-capture',
  'geolocation',
  'gyroscope',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'usb',
];

/**
 * A reader for `readOptions`.
 *
 * @param {unknown} value Features with those that may use them, in addition to the defaults, or instead of them.
 * @param {string} name
 * @returns {string | undefined} The header's value.
 */
function readPermissions(value, name) {
  if (value === false) return undefined;
  const given = value === undefined ? {} : value;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw wrongType(name, 'an object of features, or false');
  }
  const features = new Map(DEFAULT_OFF.map((feature) => [feature, '()']));
  for (const feature of Object.keys(given)) {
    // Names of features are spelt so, and so are keys of structured fields.
    if (!/^[a-z][a-z0-9-]*$/.test(feature)) {
      throw wrongValue(name, "an object of features as browsers spell them, such as 'display-capture'");
    }
    features.set(feature, readAllowed(/** @type {any} */ (given)[feature], `${name}['${feature}']`));
  }
  return Array.from(features, ([feature, allowed]) => `${feature}=${allowed}`).join(', ');
}

/**
 * @param {unknown} value
 * @param {string} name
 */
function readAllowed(value, name) {
  if (!Array.isArray(value)) throw wrongType(name, "an array: [] for nobody, ['self'], or origins");
  if (value.length === 1 && value[0] === '*') return '*';
  const members = value.map((member) => {
    if (member === 'self' || member === 'src') return member;
    readOrigins([member], name); // throws
    return `"${member}"`;
  });
  return `(${members.join(' ')})`;
}

module.exports = { readPermissions };
