// @ts-check
'use strict';

// The settings of the service, read from the environment once, by server.js. Every value is checked here; what comes
// out is frozen and can be trusted by the rest. A setting that is present and wrong stops the start: a typing error
// must not turn into a default.

const path = require('node:path');

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * @typedef {object} Config
 * @property {number} port 0 lets the system choose
 * @property {string} host
 * @property {string} dataDir absolute
 * @property {number} sessionTtlMs
 * @property {false | 'loopback' | number} trustProxy whose X-Forwarded-* headers to believe; a number counts proxies
 */

/** A setting that is wrong. Its message is for the operator. */
class ConfigError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'ConfigError';
  }
}

/**
 * @param {Record<string, string | undefined>} env
 * @returns {Readonly<Config>}
 */
function readConfig(env) {
  return Object.freeze({
    port: integer(env, 'PORT', 0, 65535, 3000),
    host: host(env),
    dataDir: path.resolve(text(env, 'DATA_DIR') ?? path.join(__dirname, 'data')),
    sessionTtlMs: integer(env, 'SESSION_TTL_MS', 1, 30 * DAY_MS, DAY_MS / 2),
    trustProxy: trustProxy(env),
  });
}

/**
 * An empty variable counts as absent, as shells and compose files make them.
 * @param {Record<string, string | undefined>} env
 * @param {string} name
 */
function text(env, name) {
  const value = env[name];
  if (value === undefined || value === '') return undefined;
  if (value.includes('\0')) throw new ConfigError(`${name} must not contain a NUL character`);
  return value;
}

/**
 * @param {Record<string, string | undefined>} env
 * @param {string} name
 * @param {number} least
 * @param {number} most
 * @param {number} fallback
 */
function integer(env, name, least, most, fallback) {
  const value = text(env, name);
  if (value === undefined) return fallback;
  // Digits only: Number() alone would take ' 80', '8e1' and '0x50'.
  const number = /^[0-9]{1,15}$/.test(value) ? Number(value) : NaN;
  if (!(number >= least && number <= most)) {
    throw new ConfigError(`${name} must be a whole number from ${least} to ${most}`);
  }
  return number;
}

/** @param {Record<string, string | undefined>} env */
function host(env) {
  const value = text(env, 'HOST') ?? '127.0.0.1';
  if (value.length > 253 || !/^[0-9A-Za-z.:%_-]+$/.test(value)) {
    throw new ConfigError('HOST must be an IP address or a host name, without a port or brackets');
  }
  return value;
}

/** @param {Record<string, string | undefined>} env */
function trustProxy(env) {
  const value = text(env, 'TRUST_PROXY');
  if (value === undefined) return false;
  if (value === 'loopback') return value;
  if (/^[1-9]$/.test(value)) return Number(value);
  throw new ConfigError('TRUST_PROXY must be "loopback" or the number of proxies in front, 1 to 9');
}

module.exports = { readConfig, ConfigError };
