// @ts-check
'use strict';

/**
 * Headers of security: helmet's, a Permissions-Policy, and `Cache-Control` for answers that say nothing themselves.
 * helmet is asked once, when the middleware is made: what it sets never changes, but for the nonce in the policy, which
 * is made for the answers that read `res.locals.cspNonce`.
 */

const { wrongType, wrongValue } = require('../errors.js');
const { integer, readOptions, table } = require('../options.js');
const { NONCE, POLICY, frameOptionsFor, readPolicy } = require('./content-security-policy.js');
const { offerNonce } = require('./nonce.js');
const { loadPeer } = require('./peers.js');
const { readPermissions } = require('./permissions-policy.js');
const { isSecure } = require('./request.js');

const TRANSPORT = 'strict-transport-security';

const A_YEAR = 31_536_000;

const TRANSPORT_OPTIONS = table({
  maxAge: integer(0, 2 ** 31 - 1, A_YEAR),
  includeSubDomains: flag(true),
  preload: flag(false),
});

const OPTIONS = table({
  contentSecurityPolicy: readPolicy,
  strictTransportSecurity: readTransport,
  permissionsPolicy: readPermissions,
  referrerPolicy: readReferrerPolicy,
  cacheControl: readCacheControl,
});

/**
 * @param {unknown} [options]
 * @returns {(req: any, res: any, next: (error?: unknown) => void) => void}
 */
function headers(options) {
  const { middleware, prepare } = createHeaders(options);
  return function headers(req, res, next) {
    prepare(res);
    middleware(req, res, next);
  };
}

/**
 * For an application that is hardened as a whole: what is added to answers, apart, as it is cheaper before Express has
 * seen them.
 *
 * @param {unknown} options
 */
function createHeaders(options) {
  const settings = readOptions(options, OPTIONS);
  const set = headersOf(settings);
  const transport = set.get(TRANSPORT);
  set.delete(TRANSPORT);
  const parts = set.get(POLICY)?.split(NONCE);
  const policy = parts && { parts, withoutNonce: parts.join('') };
  if (policy !== undefined) set.set(POLICY, policy.withoutNonce);
  const names = [...set.keys()];
  const values = [...set.values()];
  const { cacheControl } = settings;

  /** @type {(req: any, res: any, next: (error?: unknown) => void) => void} */
  function middleware(req, res, next) {
    for (let at = 0; at < names.length; at++) res.setHeader(names[at], values[at]);
    if (transport !== undefined && isSecure(req)) res.setHeader(TRANSPORT, transport);
    next();
  }

  /** @param {any} res */
  function prepare(res) {
    offerNonce(res, policy);
    const { writeHead } = res;
    res.writeHead = function writeFinishedHead() {
      finishHead(this);
      return Reflect.apply(writeHead, this, arguments);
    };
  }

  /**
   * What is only known when the head is written: whether the answer says how long it may be kept, as express.static
   * does, which looks whether somebody else has said it; and whether Express has named itself in an application that is
   * mounted.
   *
   * @param {any} res
   */
  function finishHead(res) {
    if (cacheControl !== undefined && !res.hasHeader('cache-control')) res.setHeader('cache-control', cacheControl);
    if (res.getHeader('x-powered-by') === 'Express') res.removeHeader('x-powered-by');
  }

  return { middleware, prepare };
}

/**
 * What helmet sets, and the Permissions-Policy. The names are in lower case, in which node:http keeps them: it takes a
 * quarter less time to set them so.
 *
 * @param {{ [K in keyof typeof OPTIONS]: ReturnType<OPTIONS[K]> }} settings
 * @returns {Map<string, string>}
 */
function headersOf({ contentSecurityPolicy, strictTransportSecurity, referrerPolicy, permissionsPolicy }) {
  const helmet = loadPeer('helmet', 'headers() sets its headers; harden() does without them by headers: false.');
  const action = frameOptionsFor(contentSecurityPolicy);
  const directives = contentSecurityPolicy && withoutPrototype(Object.fromEntries(contentSecurityPolicy));
  const settings = {
    __proto__: null,
    contentSecurityPolicy: directives === undefined ? false : withoutPrototype({ useDefaults: false, directives }),
    strictTransportSecurity: strictTransportSecurity ?? false,
    referrerPolicy: withoutPrototype({ policy: referrerPolicy }),
    xFrameOptions: action === undefined ? false : withoutPrototype({ action }),
  };
  /** @type {Map<string, string>} */
  const set = new Map();
  const recorder = {
    /** @type {(name: string, value: unknown) => void} */
    setHeader: (name, value) => void set.set(name.toLowerCase(), String(value)),
    removeHeader() {},
  };
  accepted(() => helmet(settings))({}, recorder, () => {});
  if (permissionsPolicy !== undefined) set.set('permissions-policy', permissionsPolicy);
  return set;
}

/**
 * @template T
 * @param {() => T} construct
 */
function accepted(construct) {
  try {
    return construct();
  } catch (cause) {
    const expected = "directives as helmet takes them: keywords in quotes, 'self'";
    throw Object.assign(wrongValue('options.contentSecurityPolicy', expected), { cause });
  }
}

/**
 * @param {unknown} value
 * @param {string} name
 */
function readTransport(value, name) {
  if (value === false) return undefined;
  const read = readOptions(value, TRANSPORT_OPTIONS, name);
  if (read.preload && !(read.includeSubDomains && read.maxAge >= A_YEAR)) {
    throw wrongValue(name, `with includeSubDomains and a maxAge of at least ${A_YEAR} for preload (hstspreload.org)`);
  }
  return read;
}

const REFERRER_POLICIES = [
  'no-referrer',
  'no-referrer-when-downgrade',
  'origin',
  'origin-when-cross-origin',
  'same-origin',
  'strict-origin',
  'strict-origin-when-cross-origin',
  'unsafe-url',
];

/**
 * One policy, or several separated by commas, of which a browser takes the last that it knows.
 *
 * @type {import('../options.js').Reader<string[]>}
 */
function readReferrerPolicy(value, name) {
  if (value === undefined) return ['no-referrer'];
  if (typeof value !== 'string') throw wrongType(name, 'a string');
  const policies = value.split(',').map((policy) => policy.trim());
  if (!policies.every((policy, at) => REFERRER_POLICIES.includes(policy) && policies.indexOf(policy) === at)) {
    throw wrongValue(name, `one or more of ${REFERRER_POLICIES.join(', ')}`);
  }
  return policies;
}

/** @type {import('../options.js').Reader<string | undefined>} */
function readCacheControl(value, name) {
  if (value === false) return undefined;
  if (value === undefined) return 'no-store';
  if (typeof value !== 'string') throw wrongType(name, 'a string or false');
  // RFC 9111 section 5.2: directives, with or without a value.
  if (!/^[a-z-]+(?:=(?:\d+|"[\w ,-]*"))?(?:, *[a-z-]+(?:=(?:\d+|"[\w ,-]*"))?)*$/.test(value)) {
    throw wrongValue(name, "directives of Cache-Control, such as 'no-store' or 'private, max-age=60'");
  }
  return value;
}

/**
 * @param {boolean} fallback
 * @returns {import('../options.js').Reader<boolean>}
 */
function flag(fallback) {
  return (value, name) => {
    if (value === undefined) return fallback;
    if (typeof value !== 'boolean') throw wrongType(name, 'true or false');
    return value;
  };
}

/**
 * @template {object} T
 * @param {T} object
 * @returns {T}
 */
function withoutPrototype(object) {
  return Object.setPrototypeOf(object, null);
}

module.exports = { createHeaders, headers };
