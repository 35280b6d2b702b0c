// @ts-check
'use strict';

/**
 * The session of one request: opened when it is first read, and sealed when the head of the answer is written, if there
 * is something new in it. Until then nothing has happened to the client's cookie, and what fails leaves it as it is.
 */

const { randomBytes } = require('node:crypto');
const { beforeHead } = require('./before-head.js');
const { forbidSharing, varyByCookie } = require('./caching.js');
const { publish } = require('./events.js');
const { SealedSession, removeMembers, textOf, tooLate } = require('./session-object.js');
const { Refusal } = require('./session-token.js');

/** 128 bits. */
const ID_BYTES = 16;

/** A session in which nothing changed is sealed anew when this part of its idle time is over. */
const RENEWED_AFTER = 0.1;

/** The text of a session without members, which is no session. */
const EMPTY = '{}';

const NO_MEMBERS = Object.freeze(Object.create(null));

/**
 * @typedef {object} SessionSettings
 * @property {number} idleMs
 * @property {readonly string[]} privileges
 * @property {import('./before-head.js').Answer} answer To a session that cannot be sealed.
 * @property {(code: string, message: string) => void} warn Once for each code.
 */

class SessionState {
  #settings;
  #req;
  #res;
  /** Nothing where a session cannot be started. @type {import('./session-token.js').SessionTokens | undefined} */
  #tokens;
  /** @type {SealedSession} */
  #session;
  /** @type {string | undefined} */
  #id;
  /** @type {string | null} */
  #idFromClient = null;
  #createdAt = 0;
  #isNew = true;
  /** Whether the client has a cookie: one that opens, or another, which is removed. */
  #isBrought = false;
  /** The members as the client has them; of a new session, as none. */
  #text = EMPTY;
  /** The privileges that the id stands for, where they are no longer those of #text. @type {string | undefined} */
  #privileges;
  /** When it was sealed last. */
  #lastSeen = 0;
  #isStale = false;
  /** Why it got another id. @type {string | undefined} */
  #rotation;
  #isSent;
  #isAbandoned = false;

  /**
   * @param {SessionSettings} settings
   * @param {import('./session-token.js').SessionTokens | undefined} tokens
   * @param {any} req
   * @param {any} res
   */
  constructor(settings, tokens, req, res) {
    this.#settings = settings;
    this.#tokens = tokens;
    this.#req = req;
    this.#res = res;
    this.#isSent = res.headersSent;
    const content = this.#open();
    this.#session = new SealedSession(this, content?.members ?? NO_MEMBERS);
    if (content === undefined) this.#begin();
    else this.#continue(content);
    if (this.#isSent) this.#watch(this.#text);
    else beforeHead(req, res, () => this.#commit(), settings.answer);
  }

  /** The object that is `req.session`. */
  get session() {
    return this.#session;
  }

  get id() {
    this.#rotateByPrivileges();
    return this.#anId();
  }

  get createdAt() {
    this.#rotateByPrivileges();
    return this.#createdAt;
  }

  get isNew() {
    return this.#isNew;
  }

  /** The id that came, or null. */
  get idFromClient() {
    return this.#idFromClient;
  }

  /** The id that the client will have, as it is now; null where there will be no session. */
  get idForClient() {
    return this.#tokens === undefined || textOf(this.#session) === EMPTY ? null : this.id;
  }

  regenerate() {
    if (this.#isSent) throw tooLate('call regenerate()');
    this.#rotate('regenerate');
  }

  destroy() {
    if (this.#isSent) throw tooLate('call destroy()');
    this.#end();
  }

  /** Finds out whether the session can be sealed, where a route can still do something about it. */
  save() {
    if (this.#isSent) throw tooLate('call save()');
    const text = textOf(this.#session);
    if (text !== EMPTY) this.#seal(text, Date.now());
  }

  /**
   * Ends a session that the application does not want.
   *
   * @param {string} reason
   */
  refuse(reason) {
    this.#refused(new Refusal(reason));
    this.#end();
  }

  /** Forgets the session for this request, and leaves the cookie as it is. */
  abandon() {
    this.#end();
    this.#isAbandoned = true;
  }

  #open() {
    const tokens = this.#tokens;
    if (tokens === undefined) return undefined;
    const values = tokens.cookie.valuesIn(this.#req);
    if (values.length === 0) return undefined;
    this.#isBrought = true;
    const content = values.length === 1 ? tokens.open(values[0]) : new Refusal('doubled');
    if (content instanceof Refusal) return this.#refused(content);
    this.#isStale = tokens.isStale(values[0]);
    return content;
  }

  /** @param {Refusal} refusal @returns {undefined} */
  #refused({ reason, code }) {
    publish('session.refused', this.#req, { code, reason });
  }

  #end() {
    // Members that cannot be deleted stay in an object that is no session any more.
    if (!removeMembers(this.#session)) this.#session = new SealedSession(this, NO_MEMBERS);
    this.#begin();
  }

  #begin() {
    this.#id = undefined;
    this.#idFromClient = null;
    this.#createdAt = Date.now();
    this.#isNew = true;
    this.#text = EMPTY;
    this.#rotation = undefined;
  }

  /** @param {import('./session-token.js').Content} content */
  #continue({ id, createdAt, lastSeen, members }) {
    this.#id = id;
    this.#idFromClient = id;
    this.#createdAt = createdAt;
    this.#lastSeen = lastSeen;
    this.#isNew = false;
    this.#text = JSON.stringify(members);
  }

  // Made when it is asked for: most requests without a session leave without one.
  #anId() {
    this.#id ??= newId();
    return this.#id;
  }

  /** @param {string} reason */
  #rotate(reason) {
    this.#id = undefined;
    this.#createdAt = Date.now();
    // The id of a session that nobody knows yet needs no other.
    if (this.#isNew) return;
    this.#privileges = this.#privilegesIn(this.#session);
    this.#rotation ??= reason;
  }

  #rotateByPrivileges() {
    if (this.#isNew || this.#isSent) return;
    this.#privileges ??= this.#privilegesIn(JSON.parse(this.#text));
    if (this.#privilegesIn(this.#session) !== this.#privileges) this.#rotate('privilege');
  }

  /** @param {object} members */
  #privilegesIn(members) {
    const own = /** @type {Record<string, unknown>} */ (members);
    const values = this.#settings.privileges.map((name) => (Object.hasOwn(own, name) ? own[name] : null));
    try {
      return JSON.stringify(values);
    } catch {
      return ''; // Not JSON: said when the session is sealed, and not to whoever asks for its id.
    }
  }

  /** Right before the head of the answer. */
  #commit() {
    try {
      if (!this.#isAbandoned) this.#send();
    } finally {
      this.#isSent = true;
    }
  }

  #send() {
    const text = textOf(this.#session);
    if (this.#tokens === undefined) {
      if (text !== EMPTY) this.#settings.warn('HOLDFAST_SESSION_TLS', NOT_OVER_TLS);
      return;
    }
    const header = this.#headerFor(text, this.#tokens.cookie);
    if (header !== undefined) {
      this.#res.appendHeader('Set-Cookie', header);
      forbidSharing(this.#res);
    }
    varyByCookie(this.#res);
    this.#watch(text);
    if (this.#rotation !== undefined) publish('session.rotated', this.#req, { reason: this.#rotation });
  }

  /**
   * @param {string} text
   * @param {import('./cookies.js').Cookie} cookie
   * @returns {string | undefined}
   */
  #headerFor(text, cookie) {
    const cleared = this.#isBrought ? cookie.cleared : undefined;
    if (text === EMPTY) return cleared;
    if (text !== this.#text) this.#rotateByPrivileges();
    const now = Date.now();
    const isRenewed = now - this.#lastSeen >= this.#settings.idleMs * RENEWED_AFTER;
    const isChanged = text !== this.#text || this.#rotation !== undefined;
    if (!isChanged && !isRenewed && !this.#isStale) return undefined;
    return this.#seal(text, now) ?? cleared;
  }

  /**
   * @param {string} text
   * @param {number} now
   */
  #seal(text, now) {
    // Another process whose clock is ahead may have begun it.
    const lastSeen = Math.max(now, this.#createdAt);
    const content = { id: this.#anId(), createdAt: this.#createdAt, lastSeen, members: this.#session };
    return this.#tokens?.seal(content, text.length);
  }

  /**
   * What changes after the head has been sent is lost, and nobody would know.
   *
   * @param {string} sent
   */
  #watch(sent) {
    const look = () => {
      if (!this.#isUnchanged(sent)) this.#settings.warn('HOLDFAST_SESSION_LATE', CHANGED_LATE);
    };
    // The answer is closed before what a route awaited in the meantime goes on.
    this.#res.once('close', () => setImmediate(look));
  }

  /** @param {string} sent */
  #isUnchanged(sent) {
    try {
      return textOf(this.#session) === sent;
    } catch {
      return false;
    }
  }
}

const NOT_OVER_TLS =
  'a session was not started: the option secure is true, and the request did not come over TLS. Behind a proxy that ' +
  'ends TLS, the application has to be told to trust it';

const CHANGED_LATE =
  'req.session was changed after the head of the answer had been sent: the change is lost. Change it before the answer';

function newId() {
  return randomBytes(ID_BYTES).toString('base64url');
}

module.exports = { SessionState };
