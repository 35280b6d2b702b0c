// @ts-check
'use strict';

/**
 * The clients that people have, `ioredis` and `redis` (node-redis), as the three commands that a limiter sends. Each is
 * about one key, so that a cluster knows where it belongs. The client stays its owner's: it is not connected here, not
 * closed, and not listened to.
 */

const { wrongType } = require('./errors.js');

/**
 * @typedef {object} Commands
 * @property {(digest: string, key: string, values: string[]) => Promise<unknown>} evalsha
 * @property {(script: string, key: string, values: string[]) => Promise<unknown>} eval
 * @property {(key: string) => Promise<unknown>} del
 */

/**
 * What kind of client it is, by the methods it has.
 *
 * @param {unknown} value
 * @param {string} name
 * @returns {Commands}
 */
function readClient(value, name) {
  const client = /** @type {any} */ (value);
  if (typeof client === 'object' && client !== null && hasMethods(client, ['eval', 'del'])) {
    if (hasMethods(client, ['evalSha'])) return nodeRedis(client);
    // redis 3 has `evalsha` too, with callbacks; it has no `defineCommand`.
    if (hasMethods(client, ['evalsha', 'defineCommand'])) return ioredis(client);
  }
  throw wrongType(name, 'a client of ioredis, or of redis (node-redis) 4 or newer');
}

/** @param {any} client @param {string[]} names */
function hasMethods(client, names) {
  return names.every((name) => typeof client[name] === 'function');
}

/**
 * `new Redis()`, `new Redis.Cluster()`.
 *
 * @param {any} client
 * @returns {Commands}
 */
function ioredis(client) {
  return {
    evalsha: (digest, key, values) => promised(() => client.evalsha(digest, 1, key, ...values)),
    eval: (script, key, values) => promised(() => client.eval(script, 1, key, ...values)),
    del: (key) => promised(() => client.del(key)),
  };
}

/**
 * `createClient()`, `createCluster()`, `createClientPool()`, `createSentinel()`.
 *
 * @param {any} client
 * @returns {Commands}
 */
function nodeRedis(client) {
  return {
    evalsha: (digest, key, values) => promised(() => client.evalSha(digest, given(key, values))),
    eval: (script, key, values) => promised(() => client.eval(script, given(key, values))),
    del: (key) => promised(() => client.del(key)),
  };
}

/** @param {string} key @param {string[]} values */
function given(key, values) {
  return { __proto__: null, keys: [key], arguments: values };
}

/**
 * A client that throws has failed like one that rejects.
 *
 * @param {() => unknown} send
 * @returns {Promise<unknown>}
 */
function promised(send) {
  try {
    return Promise.resolve(send());
  } catch (error) {
    return Promise.reject(error);
  }
}

module.exports = { readClient };
