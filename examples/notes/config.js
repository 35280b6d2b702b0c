// @ts-check
'use strict';

// The settings of the services, read from the environment once. Every value is checked here; what comes out is frozen
// and can be trusted by the rest. A setting that is present and wrong stops the start: a typing error must not turn
// into a default. Whatever is wrong is told at once, by name, and without its value.

const path = require('node:path');
const { isIP } = require('node:net');
const { requireEnv } = require('holdfast/express');
const { z } = require('zod');
const { isLoginName } = require('./validate.js');

const DAY_MS = 24 * 60 * 60 * 1000;

const SETTINGS = {
  PORT: whole(0, 65535, 3000), // 0 lets the system choose
  HOST: setting(z.string().regex(/^[0-9A-Za-z.:%_-]{1,253}$/,
    'must be an IP address or a host name, without a port or brackets'), '127.0.0.1'),
  DATA_DIR: setting(z.string().refine((value) => !value.includes('\0'), 'must not contain a NUL character')),
  SESSION_TTL_MS: whole(1000, 30 * DAY_MS, DAY_MS / 2),
  // Whose X-Forwarded-* headers to believe. Never "true": then a client's address is what the client says.
  TRUST_PROXY: setting(z.string().regex(/^(?:loopback|[1-9])$/,
    'must be "loopback" or the number of proxies in front, 1 to 9')),
  ADMIN: setting(z.string().refine(isLoginName, 'must be the name of an account')),
  PLATFORM: setting(z.enum(['express', 'fastify'], 'must be "express" or "fastify"'), 'express'), // of the Nest service
  NODE_ENV: setting(z.string()),
};

/**
 * @typedef {object} Config
 * @property {number} port
 * @property {string} host
 * @property {string} dataDir absolute
 * @property {number} sessionTtlMs
 * @property {false | 'loopback' | number} trustProxy a number counts proxies
 * @property {string | undefined} admin the name of an account
 * @property {'express' | 'fastify'} platform
 * @property {boolean} development on this machine, for this machine
 */

/**
 * @param {Record<string, string | undefined>} env
 * @param {{ dataDir: string }} defaults where a service keeps its data unless DATA_DIR says otherwise
 * @returns {Readonly<Config>}
 */
function readConfig(env, defaults) {
  const read = requireEnv(SETTINGS, { env });
  return Object.freeze({
    port: read.PORT,
    host: read.HOST,
    dataDir: path.resolve(read.DATA_DIR ?? defaults.dataDir),
    sessionTtlMs: read.SESSION_TTL_MS,
    trustProxy: trust(read.TRUST_PROXY),
    admin: read.ADMIN,
    platform: read.PLATFORM,
    development: read.NODE_ENV !== 'production' && isLoopback(read.HOST),
  });
}

/**
 * @param {import('zod').ZodType<any>} type
 * @param {unknown} [fallback]
 */
function setting(type, fallback) {
  return fallback === undefined ? type.optional() : type.default(fallback);
}

/**
 * Digits only: Number() alone would take ' 80', '8e1' and '0x50'.
 * @param {number} least
 * @param {number} most
 * @param {number} fallback
 */
function whole(least, most, fallback) {
  const message = `must be a whole number from ${least} to ${most}`;
  const type = z.string().regex(/^[0-9]{1,15}$/, message).transform(Number)
    .refine((number) => number >= least && number <= most, message);
  return setting(type, fallback);
}

/** @param {string | undefined} value */
function trust(value) {
  if (value === undefined) return false;
  return value === 'loopback' ? value : Number(value);
}

/** @param {string} host */
function isLoopback(host) {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

module.exports = { readConfig };
