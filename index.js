// @ts-check
'use strict';

/** The public entry for CommonJS. `index.mjs` re-exports it, so that every class has one identity. */

const { AesGcmKey, aesGcmDecrypt, aesGcmEncrypt, generateKey } = require('./lib/aead.js');
const { deriveKey, keyFromPassphrase } = require('./lib/derived-keys.js');
const { HoldfastError, JsonError } = require('./lib/errors.js');
const { HoldfastStore } = require('./lib/express-rate-limit-store.js');
const { ipKey } = require('./lib/ip-key.js');
const { JsonGuard, parseJson, scanJson, tryParseJson } = require('./lib/json.js');
const { Keyring } = require('./lib/keyring.js');
const { createKeyring, loadKeyring, rotateKeyring } = require('./lib/key-file.js');
const { RateLimiter } = require('./lib/limiter.js');
const { createMerge, merge } = require('./lib/merge.js');
const { mergeJson } = require('./lib/merge-json.js');
const { HoldfastThrottlerStorage } = require('./lib/nest-throttler-storage.js');
const { PasswordHasher } = require('./lib/password.js');
const { calibrate, hashPassword, parseHash, verifyPassword } = require('./lib/password-functions.js');
const { parseQuery } = require('./lib/query.js');
const { RedisRateLimiter } = require('./lib/redis-limiter.js');
const { analyzeRegExp } = require('./lib/redos.js');
const { SafeRegExp } = require('./lib/regexp.js');
const { SafeRegExpSet } = require('./lib/regexp-set.js');
const { sanitize } = require('./lib/sanitize.js');

module.exports = {
  AesGcmKey,
  HoldfastError,
  HoldfastStore,
  HoldfastThrottlerStorage,
  JsonError,
  JsonGuard,
  Keyring,
  PasswordHasher,
  RateLimiter,
  RedisRateLimiter,
  SafeRegExp,
  SafeRegExpSet,
  aesGcmDecrypt,
  aesGcmEncrypt,
  analyzeRegExp,
  calibrate,
  createKeyring,
  createMerge,
  deriveKey,
  generateKey,
  hashPassword,
  ipKey,
  keyFromPassphrase,
  loadKeyring,
  merge,
  mergeJson,
  parseHash,
  parseJson,
  parseQuery,
  rotateKeyring,
  sanitize,
  scanJson,
  tryParseJson,
  verifyPassword,
};
