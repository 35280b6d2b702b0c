// @ts-check
'use strict';

/**
 * The end of a server as a load balancer expects it: answers say `Connection: close`, requests under way are
 * finished, idle connections closed, what does not end in time is cut, and then `onClose` is awaited, for a time that
 * is bounded, too. Begun by a signal or by close(), once; a second signal ends the process. Signals are in
 * shutdown-signals.js.
 */

const { AbortError, wrongType, wrongValue } = require('../errors.js');
const { integer, readOptions, table } = require('../options.js');
const { PHASES, checkServer, connectionsOf } = require('./connections.js');
const { publish } = require('./events.js');
const { forgetSignals, listenForSignals, readSignals } = require('./shutdown-signals.js');

/** For requests that are in the system's buffers when it begins. */
const GRACE_MS = 100;

/** Between two looks for connections that have become idle. */
const LOOK_MS = 50;

/** For a head that is on its way when it begins: the application knows nothing of such a request. */
const HEAD_MS = 2000;

/** For the connections that were cut to be gone. */
const CUT_MS = 1000;

const MOST_REASON = 100;

const OPTIONS = table({
  timeoutMs: integer(1, 60 * 60 * 1000, 10_000),
  onClose: readOnClose,
  signals: readSignals,
  exit: readExit,
});

/**
 * @param {unknown} server
 * @param {unknown} [options]
 */
function gracefulShutdown(server, options) {
  checkServer(server);
  return new GracefulShutdown(server, readOptions(options, OPTIONS));
}

/**
 * @typedef {object} ShutdownReport
 * @property {string} reason
 * @property {number} finished
 * @property {number} cut
 * @property {unknown} [error]
 */

class GracefulShutdown {
  #server;
  #connections;
  #timeoutMs;
  #onClose;
  /** @type {Promise<ShutdownReport> | undefined} */
  #report;
  #finished = 0;
  /** Those whose answer that says `Connection: close` is due. @type {WeakSet<object>} */
  #last = new WeakSet();
  /** Ends the wait for connections, or for what is left of them. */
  #stopWaiting = ignore;

  /**
   * @param {import('node:http').Server} server
   * @param {{ timeoutMs: number, onClose?: () => unknown, signals: readonly NodeJS.Signals[], exit: boolean }} settings
   */
  constructor(server, { timeoutMs, onClose, signals, exit }) {
    this.#server = server;
    this.#connections = connectionsOf(server);
    this.#timeoutMs = timeoutMs;
    this.#onClose = onClose;
    listenForSignals(this, signals, exit);
  }

  /**
   * @param {unknown} [reason]
   * @returns {Promise<ShutdownReport>}
   */
  close(reason = 'close') {
    if (typeof reason !== 'string') throw wrongType('reason', 'a string');
    if (reason.length > MOST_REASON) throw wrongValue('reason', `a string of at most ${MOST_REASON} UTF-16 code units`);
    this.#report ??= this.#end(reason);
    return this.#report;
  }

  get isClosing() {
    return this.#report !== undefined;
  }

  /** @param {string} reason */
  async #end(reason) {
    const { acceptances } = this.#connections;
    acceptances.push(this.#accept);
    this.#announce();
    const closed = this.#closed();
    const cut = (await within(this.#timeoutMs, closed)) ? 0 : await this.#cut(closed);
    this.#stopWaiting();
    acceptances.splice(acceptances.indexOf(this.#accept), 1);
    const failure = await this.#finish();
    forgetSignals(this);
    const finished = this.#finished;
    publish('server.shutdown', undefined, { reason, finished, cut, failed: failure !== undefined });
    return failure === undefined ? { reason, finished, cut } : { reason, finished, cut, error: failure.error };
  }

  /** @type {import('./connections.js').Acceptance} */
  #accept = (req, res, connection) => {
    // Its answer would stand behind one that ends the connection, and is never sent.
    if (this.#last.has(connection)) return false;
    this.#isLast(res, connection);
    return true;
  };

  /** To those with a request under way; #accept tells the others. */
  #announce() {
    for (const connection of this.#connections.open) {
      const phase = connection.phase();
      // Of several answers that are due only the last says so: what is behind one that does is never sent.
      if (phase === PHASES.BODY || phase === PHASES.ANSWER) this.#isLast(connection.res, connection);
    }
  }

  /** @param {any} res @param {object} connection */
  #isLast(res, connection) {
    if (!res.headersSent) {
      res.setHeader('Connection', 'close');
      this.#last.add(connection);
    }
    res.once('finish', () => this.#finished++);
  }

  /**
   * Resolves when the server takes no connections any more, and has none.
   *
   * @returns {Promise<void>}
   */
  #closed() {
    const { open, farewells } = this.#connections;
    return new Promise((resolve) => {
      let isClosed = false;
      // node:http says that it is closed when the last sockets still are about to be.
      const look = () => {
        if (isClosed && open.size === 0) resolve();
      };
      farewells.push(look);
      /** @type {NodeJS.Timeout | undefined} */
      let timer;
      this.#stopWaiting = () => {
        clearInterval(timer);
        farewells.splice(farewells.indexOf(look), 1);
      };
      // Closing cuts idle connections, also one whose next request has arrived and was not read yet. For a moment every
      // answer ends its connection instead; the setImmediate lets a process that was held up read before it closes.
      setTimeout(setImmediate, Math.min(GRACE_MS, this.#timeoutMs), () => {
        timer = setInterval(setImmediate, LOOK_MS, this.#closerOfUnused());
        // An error says that it did not listen, or does not any more. Its connections are waited for all the same.
        this.#server.close(() => {
          isClosed = true;
          look();
        });
      });
    });
  }

  /**
   * Closes connections that have no request, again and again: one that was idle at the last look, too, as what has just
   * had an answer may send a request at once; and one that has not sent a head in all the time.
   */
  #closerOfUnused() {
    /** How many requests had come on those that were idle. @type {WeakMap<object, number>} */
    let idle = new WeakMap();
    let waited = 0;
    return () => {
      waited += LOOK_MS;
      const wereIdle = idle;
      idle = new WeakMap();
      for (const connection of this.#connections.open) {
        const phase = connection.phase();
        if (phase === PHASES.IDLE) {
          if (wereIdle.get(connection) === connection.requests) connection.raw.destroy();
          else idle.set(connection, connection.requests);
        } else if (phase === PHASES.HEAD || phase === PHASES.HANDSHAKE) {
          if (waited >= HEAD_MS) connection.raw.destroy();
        }
      }
    };
  }

  /**
   * @param {Promise<void>} closed
   * @returns {Promise<number>} How many connections.
   */
  async #cut(closed) {
    const { open } = this.#connections;
    const { size } = open;
    for (const { raw } of open) raw.destroy();
    this.#server.closeAllConnections();
    // What was open before anybody looked, and speaks another protocol, nobody can cut.
    return (await within(CUT_MS, closed)) ? size : Math.max(size, 1);
  }

  /** @returns {Promise<{ error: unknown } | undefined>} */
  async #finish() {
    const onClose = this.#onClose;
    if (onClose === undefined) return undefined;
    try {
      if (await within(this.#timeoutMs, Promise.resolve(onClose()))) return undefined;
      return { error: new AbortError(new Error('options.onClose took longer than options.timeoutMs')) };
    } catch (error) {
      return { error };
    }
  }
}

/**
 * Whether it was fulfilled in time. The timer keeps the process: an end that nobody waits for would not be one.
 *
 * @param {number} ms
 * @param {Promise<unknown>} promise
 * @returns {Promise<boolean>}
 */
function within(ms, promise) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms, false);
    promise.then(
      () => {
        clearTimeout(timer);
        resolve(true);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

function ignore() {}

/** @type {import('../options.js').Reader<(() => unknown) | undefined>} */
function readOnClose(value, name) {
  if (value !== undefined && typeof value !== 'function') throw wrongType(name, 'a function');
  return /** @type {any} */ (value);
}

/** @type {import('../options.js').Reader<boolean>} */
function readExit(value, name) {
  if (value !== undefined && typeof value !== 'boolean') throw wrongType(name, 'a boolean');
  return value !== false;
}

module.exports = { gracefulShutdown };
