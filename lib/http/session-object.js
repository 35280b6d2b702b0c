// @ts-check
'use strict';

/**
 * `req.session`: an object whose members are the user's, but for a few names that are its own. It inherits nothing
 * else, so that a polluted Object.prototype cannot make anybody an administrator.
 */

const { createError, wrongType, wrongValue } = require('../errors.js');

/**
 * What a session asks of whoever keeps it.
 *
 * @typedef {object} SessionKeeper
 * @property {string} id
 * @property {number} createdAt
 * @property {boolean} isNew
 * @property {() => void} regenerate
 * @property {() => void} destroy
 * @property {() => void} save
 */

class SealedSession {
  #keeper;

  /**
   * @param {SessionKeeper} keeper
   * @param {Record<string, unknown>} members
   */
  constructor(keeper, members) {
    this.#keeper = keeper;
    const own = /** @type {any} */ (this);
    for (const name of Object.keys(members)) own[name] = members[name];
  }

  get id() {
    return this.#keeper.id;
  }

  get createdAt() {
    return this.#keeper.createdAt;
  }

  get isNew() {
    return this.#keeper.isNew;
  }

  /** @param {unknown} [done] */
  regenerate(done) {
    run(done, () => this.#keeper.regenerate());
  }

  /** @param {unknown} [done] */
  destroy(done) {
    run(done, () => this.#keeper.destroy());
  }

  /** @param {unknown} [done] */
  save(done) {
    run(done, () => this.#keeper.save());
  }

  /** @param {unknown} value */
  static isSession(value) {
    return typeof value === 'object' && value !== null && #keeper in value;
  }
}

const { isSession } = SealedSession;
// @ts-expect-error Not for users.
delete SealedSession.isSession;

/** The names that no member may have. */
const RESERVED = new Set([...Object.getOwnPropertyNames(SealedSession.prototype), '__proto__', 'toJSON']);

// Whoever assigns to one of them is told, where V8 says nothing or something else.
for (const name of RESERVED) {
  const { get, value } = Object.getOwnPropertyDescriptor(SealedSession.prototype, name) ?? { value: undefined };
  const method = name === 'constructor' ? undefined : value;
  const set = () => {
    throw reservedName(name);
  };
  const accessor = { __proto__: null, configurable: false, enumerable: false, get: get ?? (() => method), set };
  Object.defineProperty(SealedSession.prototype, name, accessor);
}
Object.freeze(Object.setPrototypeOf(SealedSession.prototype, null));

/** @param {string} name */
function reservedName(name) {
  return wrongValue('req.session', `without a member named ${name}, which the session has itself`);
}

/**
 * The text of the members, by which a change is told.
 *
 * @param {SealedSession} session
 * @returns {string}
 * @throws {TypeError} What is not JSON, or has a name that is the session's.
 */
function textOf(session) {
  for (const name of Object.getOwnPropertyNames(session)) {
    if (RESERVED.has(name)) throw reservedName(name);
  }
  let member = '';
  /** @this {unknown} @param {string} name @param {unknown} value */
  function check(name, value) {
    if (this === session) member = name;
    const type = typeof value;
    if (type === 'function' || type === 'symbol' || type === 'bigint') {
      throw wrongValue(`req.session.${member.slice(0, 40)}`, `JSON: it is, or holds, a ${type}`);
    }
    return value;
  }
  try {
    return JSON.stringify(session, check);
  } catch (error) {
    // As V8 says it, with the names of members all the way down.
    const isCycle = error instanceof TypeError && !Object.hasOwn(error, 'code');
    if (!isCycle && !(error instanceof RangeError)) throw error;
    throw wrongValue(`req.session.${member.slice(0, 40)}`, 'JSON: it holds itself, or is nested too deeply');
  }
}

/**
 * Removes the members; false where some have been made to stay.
 *
 * @param {SealedSession} session
 */
function removeMembers(session) {
  let isEmpty = true;
  for (const name of Object.getOwnPropertyNames(session)) isEmpty = Reflect.deleteProperty(session, name) && isEmpty;
  return isEmpty;
}

/**
 * Some libraries, passport among them, expect to be called back.
 *
 * @param {unknown} done
 * @param {() => void} body
 */
function run(done, body) {
  if (done === undefined) return body();
  if (typeof done !== 'function') throw wrongType('done', 'a function, or nothing');
  let failure = null;
  try {
    body();
  } catch (error) {
    failure = error;
  }
  process.nextTick(done, failure);
}

/** @param {string} call */
function tooLate(call) {
  return createError('ERR_CLOSED', `the head of the answer has been sent, and the session with it: ${call} before`);
}

module.exports = { RESERVED, SealedSession, isSession, removeMembers, textOf, tooLate };
