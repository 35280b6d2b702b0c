// @ts-check
'use strict';

// The ordinary way: Node and nothing else, each part as guides, answers and real repositories have it. None of it is
// written to fail: it passes its tests, and does what it should for everybody who means well. The page shows these
// regions as they are here. Started by side.js.

const { createHmac, randomBytes, scrypt, timingSafeEqual } = require('node:crypto');
const { promisify } = require('node:util');
const { serve } = require('./victim.js');

// #region redos
const ADDRESS = /^\w+([\.-]?\w+)*@\w+([\.-]?\w+)*(\.\w{2,3})+$/;

/** @param {string} text */
function isAddress(text) {
  return ADDRESS.test(text);
}
// #endregion

// #region pollution
/**
 * @param {any} target
 * @param {any} source
 */
function merge(target, source) {
  for (const key in source) {
    if (typeof source[key] === 'object' && source[key] !== null) {
      target[key] = merge(target[key] ?? {}, source[key]);
    } else {
      target[key] = source[key];
    }
  }
  return target;
}

/**
 * @param {object} settings
 * @param {Buffer} body
 */
function saveSettings(settings, body) {
  return merge(settings, JSON.parse(body.toString()));
}
// #endregion

// #region deep-json
/** @type {(value: any) => any} */
function withoutOperators(value) {
  if (Array.isArray(value)) return value.map(withoutOperators);
  if (typeof value !== 'object' || value === null) return value;
  /** @type {any} */
  const clean = {};
  for (const key of Object.keys(value)) {
    if (key.startsWith('$')) continue;
    clean[key] = withoutOperators(value[key]);
  }
  return clean;
}

/** @param {Buffer} body */
function readComment(body) {
  return withoutOperators(JSON.parse(body.toString()));
}
// #endregion

// #region login-storm
const hash = promisify(scrypt);

/** @param {string} password */
async function enroll(password) {
  const salt = randomBytes(16);
  return { salt, key: await hash(password, salt, 64) };
}

/**
 * @param {{ salt: Buffer, key: Buffer }} stored
 * @param {string} password
 */
async function isPassword(stored, password) {
  return timingSafeEqual(await hash(password, stored.salt, 64), stored.key);
}
// #endregion

// #region token-tampering
const SECRET = process.env.JWT_SECRET || 'secret';

/** @param {object} value */
function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** @param {string} text */
function decode(text) {
  return JSON.parse(Buffer.from(text, 'base64url').toString());
}

/** @param {string} text */
function signature(text) {
  return createHmac('sha256', SECRET).update(text).digest('base64url');
}

/** @param {object} claims */
function sign(claims) {
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${text}.${signature(text)}`;
}

/** @param {string} token */
function verify(token) {
  const [header, payload, given] = token.split('.');
  const { alg } = decode(header);
  if (alg !== 'none' && given !== signature(`${header}.${payload}`)) {
    throw new Error('invalid signature');
  }
  const claims = decode(payload);
  if (claims.exp < Date.now() / 1000) throw new Error('token expired');
  return claims;
}
// #endregion

// #region flood
const WINDOW_MS = 15 * 60_000;
/** @type {Map<string, number[]>} */
const attempts = new Map();

/** @param {string} account */
function isLimited(account) {
  const now = Date.now();
  const recent = (attempts.get(account) ?? [])
    .filter((time) => time > now - WINDOW_MS);
  recent.push(now);
  attempts.set(account, recent);
  return recent.length > 10;
}
// #endregion

serve({
  isAddress,
  saveSettings,
  readComment,
  enroll,
  isPassword,
  issueToken: (user, purpose, ttlMs) => sign({ user, purpose, exp: (Date.now() + ttlMs) / 1000 }),
  userOf: (token) => verify(token).user,
  isLimited,
});
