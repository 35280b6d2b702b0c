// @ts-check
'use strict';

// Users, their notes and what is known of their files: what they are, how many there may be, and which change is a
// legal one. Memory is the working copy, the journal the truth: a change is written first and shows in memory when it
// is on the disk, by the same function that replays it at the next start.

const { randomUUID } = require('node:crypto');
const { StartError } = require('./files.js');
const { Problem } = require('holdfast/express');
const { JournalError } = require('./journal.js');

const MIB = 1024 * 1024;
const LIMITS = Object.freeze({
  users: 1000,
  notesPerUser: 100,
  filesPerUser: 20,
  bytesPerFile: 5 * MIB, // some 1.4 Mbit/s over the 30 s that a request may take
  bytesPerUser: 25 * MIB,
  bytes: 1024 * MIB,
});

/**
 * @typedef {'member' | 'admin'} Role
 * @typedef {{ id: string, text: string, created: string }} Note
 * @typedef {{ id: string, name: string, bytes: number, created: string }} File
 * @typedef {Pick<import('./journal.js').Journal, 'append' | 'replay' | 'healthy'>} JournalLike
 *
 * @typedef {object} User
 * @property {string} id
 * @property {string} name
 * @property {string} hash
 * @property {Role} role
 * @property {number} epoch what sessions and reset tokens name: those that name another one are over
 * @property {number} lastEpoch the highest that was given out, also to a change that is on its way to the disk
 * @property {Map<string, Note>} notes
 * @property {Map<string, File>} files
 * @property {{ notes: number, files: number, bytes: number }} arriving on their way to the disk
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
  /** @type {Set<User>} whose password is being changed */
  #changing = new Set();
  /** Of all files, also those that are on their way. */
  #bytes = 0;

  /**
   * @param {JournalLike} journal
   * @param {{ warn?: (message: string) => void, limits?: Partial<typeof LIMITS> }} [options]
   */
  constructor(journal, { warn = () => {}, limits = {} } = {}) {
    this.#journal = journal;
    this.#limits = { ...LIMITS, ...limits };
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

  users() {
    return this.#users.values();
  }

  /**
   * Whose session it is, if it began in this epoch.
   * @param {Record<string, any>} session
   * @returns {User | undefined}
   */
  owner({ user: id, epoch }) {
    const user = this.#users.get(id);
    return user !== undefined && user.epoch === epoch ? user : undefined;
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
   * The same password, hashed anew. What was hashed is of no use when the password has been changed meanwhile.
   * @param {User} user
   * @param {string} seen the hash that the password was found right by
   * @param {string} hash
   */
  async renewHash(user, seen, hash) {
    if (user.hash === seen && !this.#changing.has(user)) await this.#write({ type: 'hash', user: user.id, hash });
  }

  /**
   * A new password. It begins a new epoch: every session is over, and every reset token.
   * @param {User} user
   * @param {number} seen the epoch of what entitles to this: in another one it does not
   * @param {() => Promise<string>} hash computes the password's hash
   * @returns {Promise<number | undefined>} the new epoch; undefined when another change came first
   */
  async setPassword(user, seen, hash) {
    if (user.epoch !== seen || this.#changing.has(user)) return undefined;
    this.#changing.add(user);
    try {
      const password = await hash();
      if (user.epoch !== seen) return undefined;
      const epoch = user.lastEpoch += 1;
      await this.#write({ type: 'password', user: user.id, hash: password, epoch });
      return epoch;
    } finally {
      this.#changing.delete(user);
    }
  }

  /** @param {User} user */
  async endSessions(user) {
    await this.#write({ type: 'epoch', user: user.id, epoch: user.lastEpoch += 1 });
  }

  /**
   * One account is an admin's, or none. Who is given the role, or loses it, has to log in again.
   * @param {string | undefined} name
   */
  async setAdmin(name) {
    if (name !== undefined && !this.#byName.has(name)) {
      throw new StartError('ADMIN names no account. Start without it, sign up, and start again: '
        + 'otherwise whoever signs up first under this name would be the admin');
    }
    for (const user of this.#users.values()) {
      const role = user.name === name ? 'admin' : 'member';
      if (role !== user.role) await this.#write({ type: 'role', user: user.id, role, epoch: user.lastEpoch += 1 });
    }
  }

  /**
   * @param {User} user
   * @param {string} text
   * @returns {Promise<Note>}
   */
  async addNote(user, text) {
    if (user.notes.size + user.arriving.notes >= this.#limits.notesPerUser) {
      throw new Problem(409, `there are ${this.#limits.notesPerUser} notes, which is the limit; delete one first`);
    }
    user.arriving.notes += 1;
    try {
      const note = { id: randomUUID(), text, created: new Date().toISOString() };
      await this.#write({ type: 'note', user: user.id, note });
      return note;
    } finally {
      user.arriving.notes -= 1;
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

  /**
   * Before the first byte of a file is taken: room for it, which many uploads at once cannot have twice.
   * @param {User} user
   * @param {number} bytes
   * @returns {() => void} gives the room back, when the file is there or will not come
   */
  reserveFile(user, bytes) {
    const { filesPerUser, bytesPerFile, bytesPerUser } = this.#limits;
    if (bytes > bytesPerFile) throw new Problem(413, `a file can have ${bytesPerFile} bytes`);
    if (!this.healthy) throw new Problem(503, 'nothing can be saved at the moment');
    if (user.files.size + user.arriving.files >= filesPerUser) {
      throw new Problem(409, `there are ${filesPerUser} files, which is the limit; delete one first`);
    }
    if (bytesOf(user) + user.arriving.bytes + bytes > bytesPerUser) {
      throw new Problem(409, `all files together can have ${bytesPerUser} bytes; delete one first`);
    }
    if (this.#bytes + bytes > this.#limits.bytes) throw new Problem(507, 'the storage of this server is full');
    user.arriving.files += 1;
    user.arriving.bytes += bytes;
    this.#bytes += bytes;
    return () => {
      user.arriving.files -= 1;
      user.arriving.bytes -= bytes;
      this.#bytes -= bytes;
    };
  }

  /**
   * @param {User} user
   * @param {File} file
   */
  async addFile(user, file) {
    await this.#write({ type: 'file', user: user.id, file });
  }

  /**
   * @param {User} user
   * @param {string} id
   */
  async deleteFile(user, id) {
    await this.#write({ type: 'delete-file', user: user.id, file: id });
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
    if (entry.type === 'user') return this.#applyUser(entry);
    const user = this.#users.get(entry.user);
    if (user === undefined) throw new StartError('a journal entry names a user that does not exist');
    switch (entry.type) {
      case 'note':
        user.notes.set(entry.note.id, entry.note);
        break;
      case 'delete':
        user.notes.delete(entry.note);
        break;
      case 'file':
        user.files.set(entry.file.id, entry.file);
        this.#bytes += entry.file.bytes;
        break;
      case 'delete-file':
        this.#bytes -= user.files.get(entry.file)?.bytes ?? 0;
        user.files.delete(entry.file);
        break;
      case 'hash':
        user.hash = entry.hash;
        break;
      case 'password':
        user.hash = entry.hash;
        beginEpoch(user, entry.epoch);
        break;
      case 'role':
        user.role = entry.role;
        beginEpoch(user, entry.epoch);
        break;
      case 'epoch':
        beginEpoch(user, entry.epoch);
        break;
      default:
        throw new StartError('a journal entry is of a type that this version does not know');
    }
  }

  /** @param {{ id: string, name: string, hash: string }} entry */
  #applyUser({ id, name, hash }) {
    /** @type {User} */
    const user = {
      id, name, hash, role: 'member', epoch: 0, lastEpoch: 0, notes: new Map(), files: new Map(),
      arriving: { notes: 0, files: 0, bytes: 0 },
    };
    this.#users.set(id, user);
    this.#byName.set(name, user);
  }
}

/**
 * @param {User} user
 * @param {number} epoch
 */
function beginEpoch(user, epoch) {
  user.epoch = epoch;
  user.lastEpoch = Math.max(user.lastEpoch, epoch);
}

/** @param {User} user */
function bytesOf(user) {
  let bytes = 0;
  for (const file of user.files.values()) bytes += file.bytes;
  return bytes;
}

module.exports = { Store, LIMITS };
