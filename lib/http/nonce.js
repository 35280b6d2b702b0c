// @ts-check
'use strict';

/**
 * `res.locals.cspNonce`, which views of Express see as `cspNonce`: made when it is first read, and put into the policy
 * of the answer then.
 */

const { randomBytes } = require('node:crypto');
const { wrongValue } = require('../errors.js');
const { NONCE, POLICY } = require('./content-security-policy.js');

const NONCE_BYTES = 16; // CSP Level 3 section 8.1: at least 128 bits

/**
 * A policy, in the parts that nonces stand between.
 *
 * @typedef {{ parts: readonly string[], withoutNonce: string }} Policy
 */

/**
 * What Express puts into `res.locals`, an object without a prototype to speak of, with the nonce as a member of its
 * own: views copy own members. One getter serves all of them: with a closure for each, V8 gives each a hidden class,
 * which was measured to take 6 µs of an answer.
 */
class Locals {
  #res;
  #policy;
  /** @type {string | undefined} */
  #nonce;

  /**
   * @param {any} res
   * @param {Policy | undefined} policy
   */
  constructor(res, policy) {
    this.#res = res;
    this.#policy = policy;
    Object.defineProperty(this, 'cspNonce', MEMBER);
  }

  /** @param {any} object Locals, or what inherits from them. */
  static nonceOf(object) {
    let locals = object;
    while (!(#res in locals)) locals = Object.getPrototypeOf(locals);
    return (locals.#nonce ??= locals.#make());
  }

  #make() {
    const res = this.#res;
    if (res.writableEnded) return undefined; // for a log of what there is: no page is made of it any more
    if (res.headersSent) throw wrongValue('res.locals.cspNonce', 'read before the head of the answer is sent');
    const nonce = randomBytes(NONCE_BYTES).toString('base64');
    const policy = this.#policy;
    // A route may have set a policy of its own, in which this nonce means nothing.
    if (policy !== undefined && res.getHeader(POLICY) === policy.withoutNonce) {
      res.setHeader(POLICY, policy.parts.join(NONCE.replace('{nonce}', nonce)));
    }
    return nonce;
  }
}
Object.setPrototypeOf(Locals.prototype, null);
// @ts-expect-error As of objects without a prototype.
delete Locals.prototype.constructor;

const MEMBER = Object.freeze({
  __proto__: null,
  configurable: true,
  enumerable: true,
  /** @this {any} */
  get() {
    return Locals.nonceOf(this);
  },
  set: undefined,
});

/**
 * @param {any} res
 * @param {Policy | undefined} policy
 */
function offerNonce(res, policy) {
  const locals = new Locals(res, policy);
  if (!Object.hasOwn(res, 'locals')) {
    res.locals = locals;
    return;
  }
  // Somebody's own: they keep what they are, if they can.
  if (!Object.isExtensible(res.locals)) res.locals = Object.assign(Object.create(null), res.locals);
  const member = { ...MEMBER, get: () => Locals.nonceOf(locals) };
  Object.defineProperty(res.locals, 'cspNonce', Object.setPrototypeOf(member, null));
}

module.exports = { offerNonce };
