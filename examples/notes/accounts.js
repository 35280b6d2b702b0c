// @ts-check
'use strict';

// Who may be who: sign-up, log-in, a new password, and a way back in for those who have forgotten theirs. A session
// and a reset token name the account's epoch, so that one entry in the journal ends all of them. No answer tells
// whether an account exists, nor does the time it takes, save that of sign-up, which has to.

const { HoldfastError, RateLimiter } = require('holdfast');
const { Problem } = require('holdfast/express');

const MOST_HASHES = 128; // that wait: at some 10 ms each nobody waits longer than a second or two
const PURPOSE = 'password-reset';
const TOKEN_MS = 15 * 60_000;
const MESSAGE_MS = 5 * 60_000; // less than a token lives: the one before is still good
const REFUSALS = new Set(['ERR_DECRYPT', 'ERR_UNKNOWN_KEY', 'ERR_TOKEN_EXPIRED']);

/**
 * @typedef {import('./store.js').User} User
 * @typedef {{ user: User, epoch: number }} Entry what a session is made of
 */

class Accounts {
  #store;
  #hasher;
  #keyring;
  #outbox;
  /** Nobody's mailbox is filled by others, and what others ask for does not keep the owner from a token. */
  #messages = new RateLimiter({ limit: 1, windowMs: MESSAGE_MS, maxKeys: 10_000 });

  /**
   * @param {object} parts
   * @param {import('./store.js').Store} parts.store
   * @param {import('holdfast').PasswordHasher} parts.hasher
   * @param {import('holdfast').Keyring} parts.keyring seals the reset tokens
   * @param {Pick<import('./outbox.js').Outbox, 'send'>} parts.outbox
   */
  constructor({ store, hasher, keyring, outbox }) {
    this.#store = store;
    this.#hasher = hasher;
    this.#keyring = keyring;
    this.#outbox = outbox;
  }

  /**
   * @param {{ name: string, password: string }} credentials
   * @returns {Promise<Entry>}
   */
  async signUp({ name, password }) {
    const user = await this.#store.addUser(name, () => this.#hasher.hash(password));
    return { user, epoch: user.epoch };
  }

  /**
   * @param {{ name: string, password: string }} credentials
   * @returns {Promise<Entry>}
   */
  async logIn({ name, password }) {
    const user = this.#store.userByName(name);
    const { hash, epoch } = user ?? { hash: null, epoch: 0 };
    // Without a user the hasher does the work of a real one: the time of the answer does not tell who exists.
    const { valid, needsRehash } = await this.#hasher.verify(hash, password);
    if (user === undefined || !valid) throw new Problem(401, 'name or password is wrong');
    if (needsRehash) await this.#store.renewHash(user, /** @type {string} */ (hash), await this.#hasher.hash(password));
    return { user, epoch }; // as it was before: a password that was changed meanwhile ends this session too
  }

  /** @param {User} user */
  async endSessions(user) {
    await this.#store.endSessions(user);
  }

  /**
   * Asks for the password although there is a session: somebody else may sit before it.
   * @param {User} user
   * @param {{ current: string, password: string }} passwords
   * @returns {Promise<Entry>} for the session that goes on, in a new epoch
   */
  async changePassword(user, { current, password }) {
    const before = user.epoch;
    const { valid } = await this.#hasher.verify(user.hash, current);
    if (!valid) throw new Problem(403, 'the current password is wrong');
    const epoch = await this.#store.setPassword(user, before, () => this.#hasher.hash(password));
    if (epoch === undefined) throw new Problem(409, 'the password was changed in the same moment; log in again');
    this.#outbox.send({ kind: 'password-changed', to: user.name });
    return { user, epoch };
  }

  /**
   * Returns at once: what happens then, if there is such a user, is nothing that the answer waits for.
   * @param {{ name: string }} request
   */
  forgot({ name }) {
    setImmediate(() => {
      const user = this.#store.userByName(name);
      const { id, epoch } = user ?? { id: '', epoch: 0 };
      const token = this.#keyring.sealToken({ user: id, epoch }, { purpose: PURPOSE, ttlMs: TOKEN_MS });
      if (user === undefined || !this.#messages.consume(`${id} ${epoch}`).allowed) return;
      this.#outbox.send({ kind: 'password-reset', to: name, token, minutes: TOKEN_MS / 60_000 });
    });
  }

  /**
   * A token is good once: the new password begins another epoch than the one that it names.
   * @param {{ token: string, password: string }} reset
   * @returns {Promise<User>}
   */
  async reset({ token, password }) {
    const { user: id, epoch: seen } = this.#openToken(token);
    const user = this.#store.user(id);
    const epoch = user && await this.#store.setPassword(user, seen, () => this.#hasher.hash(password));
    if (user === undefined || epoch === undefined) throw badToken();
    this.#outbox.send({ kind: 'password-changed', to: user.name });
    return user;
  }

  /**
   * @param {string} token
   * @returns {{ user: string, epoch: number }}
   */
  #openToken(token) {
    try {
      return /** @type {any} */ (this.#keyring.openToken(token, { purpose: PURPOSE }));
    } catch (error) {
      if (error instanceof HoldfastError && REFUSALS.has(error.code)) throw badToken(error);
      throw error;
    }
  }
}

/** @param {unknown} [cause] */
function badToken(cause) {
  return new Problem(400, 'the token is not valid or no longer valid; ask for another one', { cause });
}

module.exports = { Accounts, MOST_HASHES };
