// @ts-check
'use strict';

// The same functions with Holdfast. Started by side.js; the page shows these regions as they are here.

const { JsonGuard, Keyring, PasswordHasher, RateLimiter, SafeRegExp } = require('holdfast');
const { generateKey, merge, parseJson } = require('holdfast');
const { serve } = require('./victim.js');

// #region redos
const ADDRESS = new SafeRegExp(/^\w+([\.-]?\w+)*@\w+([\.-]?\w+)*(\.\w{2,3})+$/);

/** @param {string} text */
function isAddress(text) {
  return ADDRESS.test(text);
}
// #endregion

// #region pollution
/**
 * @param {object} settings
 * @param {Buffer} body
 */
function saveSettings(settings, body) {
  /** @type {any} */
  const changes = parseJson(body);
  return merge(settings, changes);
}
// #endregion

// #region deep-json
const comments = new JsonGuard({
  operatorKeys: 'remove',
  limits: { bytes: 5_000_000, depth: 32 },
});

/** @param {Buffer} body */
function readComment(body) {
  return comments.parse(body);
}
// #endregion

// #region login-storm
// The parameters of crypto.scrypt: a hash is as much work on either side.
const hasher = new PasswordHasher({
  algorithm: 'scrypt',
  scrypt: { logN: 14, r: 8, p: 1 },
  maxQueue: 16,
});

/** @param {string} password */
function enroll(password) {
  return hasher.hash(password);
}

/**
 * @param {string} stored
 * @param {string} password
 */
async function isPassword(stored, password) {
  return (await hasher.verify(stored, password)).valid;
}
// #endregion

// #region token-tampering
const keyring = new Keyring({ primary: 'k1', keys: { k1: generateKey() } });

/**
 * @param {string} user
 * @param {string} purpose
 * @param {number} ttlMs
 */
function issueToken(user, purpose, ttlMs) {
  return keyring.sealToken({ user }, { purpose, ttlMs });
}

/** @param {string} token */
function userOf(token) {
  /** @type {any} */
  const claims = keyring.openToken(token, { purpose: 'session' });
  return claims.user;
}
// #endregion

// #region flood
const limiter = new RateLimiter({
  limit: 10,
  windowMs: 15 * 60_000,
  maxKeys: 50_000,
});

/** @param {string} account */
function isLimited(account) {
  return !limiter.consume(account).allowed;
}
// #endregion

serve({
  isAddress,
  saveSettings,
  readComment,
  enroll,
  isPassword,
  issueToken,
  userOf,
  isLimited,
  nativeBytes: () => limiter.stats().bytes,
});
