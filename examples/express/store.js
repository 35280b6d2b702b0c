// @ts-check
'use strict';

// Users and notes: what they are, how many there may be, and which change is a legal one. Called by app.js. Memory is
// the working copy, the journal the truth: a change is written first and shows in memory when it is on the disk, by
// the same function that replays it at the next start.

const { randomUUID } = require('node:crypto');
const { StartError } = require('./files.js');
const { Problem } = require('./problems.js');
const { JournalError } = require('./journal.js');

const LIMITS = Object.freeze({ users: 1000, notesPerUser: 100 });

/**
 * @typedef {{ id: string, text: string, created: string }} Note
 * @typedef {{ id: string, name: string, hash: string, epoch: number, notes: Map<string, Note> }} User
 * @typedef {Pick<import('./journal.js').Journal, 'append' | 'replay' | 'healthy'>} JournalLike
 */

class Store {
  #journal;
  #limits;
  /** @type {Map<string, User>} by id */
  #users = new Map();
  /** @type {Map<string, User>} */
  #byName = new Map();
  /** @type {Set<string>} names of sign-ups under way */
  #reserved = new Set();
  /** @type {Map<string, number>} notes on their way to the disk, by user id */
  #arriving = new Map();

  /**
   * @param {JournalLike} journal
   * @param {{ warn?: (message: string) => void, limits?: { users: number, notesPerUser: number } }} [options]
   */
  constructor(journal, { warn = () => {}, limits = LIMITS } = {}) {
    this.#journal = journal;
    this.#limits = limits;
    journal.replay((entry) => this.#apply(entry), warn);
  }

  get healthy() {
    return this.#journal.healthy;
  }

  get userCount() {
    return this.#users.size;
  }

  /** @param {string} id */
  user(id) {
    return this.#users.get(id);
  }

  /** @param {string} name */
  userByName(name) {
    return this.#byName.get(name);
  }

  /**
   * The name is taken from the first moment, so that of two sign-ups at once one loses before it costs a hash.
   * @param {string} name
   * @param {() => Promise<string>} hash computes the password's hash
   * @returns {Promise<User>}
   */
  async addUser(name, hash) {
    if (this.#byName.has(name) || this.#reserved.has(name)) throw new Problem(409, 'this name is taken');
    if (this.#users.size + this.#reserved.size >= this.#limits.users) {
      throw new Problem(503, 'this server takes no more users');
    }
    this.#reserved.add(name);
    try {
      const id = randomUUID();
      await this.#write({ type: 'user', id, name, hash: await hash() });
      return /** @type {User} */ (this.#users.get(id));
    } finally {
      this.#reserved.delete(name);
    }
  }

  /**
   * @param {User} user
   * @param {string} hash
   */
  async setHash(user, hash) {
    await this.#write({ type: 'hash', user: user.id, hash });
  }

  /**
   * Every session that names an earlier epoch is over.
   * @param {User} user
   */
  async endSessions(user) {
    await this.#write({ type: 'epoch', user: user.id, epoch: user.epoch + 1 });
  }

  /**
   * @param {User} user
   * @param {string} text
   * @returns {Promise<Note>}
   */
  async addNote(user, text) {
    const arriving = this.#arriving.get(user.id) ?? 0;
    if (user.notes.size + arriving >= this.#limits.notesPerUser) {
      throw new Problem(409, `there are ${this.#limits.notesPerUser} notes, which is the limit; delete one first`);
    }
    this.#arriving.set(user.id, arriving + 1);
    try {
      const note = { id: randomUUID(), text, created: new Date().toISOString() };
      await this.#write({ type: 'note', user: user.id, note });
      return note;
    } finally {
      const left = /** @type {number} */ (this.#arriving.get(user.id)) - 1;
      if (left === 0) this.#arriving.delete(user.id);
      else this.#arriving.set(user.id, left);
    }
  }

  /**
   * @param {User} user
   * @param {string} id
   */
  async deleteNote(user, id) {
    if (!user.notes.has(id)) throw new Problem(404, 'there is no such note');
    await this.#write({ type: 'delete', user: user.id, note: id });
  }

  /** @param {{ type: string, [name: string]: unknown }} entry */
  async #write(entry) {
    try {
      await this.#journal.append(entry);
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      if (error.reason === 'FULL') throw new Problem(507, 'the storage of this server is full', { cause: error });
      throw new Problem(503, 'nothing can be saved at the moment', { cause: error });
    }
    this.#apply(entry);
  }

  /**
   * Entries come from the journal, where only this class puts them, or have just been written to it. They arrive in
   * the same order both times.
   * @param {any} entry
   */
  #apply(entry) {
    if (entry.type === 'user') {
      const user = { id: entry.id, name: entry.name, hash: entry.hash, epoch: 0, notes: new Map() };
      this.#users.set(user.id, user);
      this.#byName.set(user.name, user);
      return;
    }
    const user = this.#users.get(entry.user);
    if (user === undefined) throw new StartError('a journal entry names a user that does not exist');
    if (entry.type === 'note') user.notes.set(entry.note.id, entry.note);
    else if (entry.type === 'delete') user.notes.delete(entry.note);
    else if (entry.type === 'hash') user.hash = entry.hash;
    else if (entry.type === 'epoch') user.epoch = entry.epoch;
    else throw new StartError('a journal entry is of a type that this version does not know');
  }
}

module.exports = { Store, LIMITS };
