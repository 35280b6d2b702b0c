// @ts-check
'use strict';

/**
 * Ends connections whose client takes too long: to send a head or a body, to read an answer, to use what it opened. One
 * look at all of them twice a second, while there are any, by a timer that keeps no process alive. Time counts as it is
 * seen here: a process that was busy for ten seconds has not waited for its clients meanwhile. What is slow on the
 * application's side, or has nothing to say (server-sent events), is left alone.
 */

const { PHASES } = require('./connections.js');

const LOOK_MS = 500;

/** Of the time between two looks no more counts. */
const MOST_STEP_MS = 2 * LOOK_MS;

/** The client may send on a connection until it knows that it is closed; node:http waits as long. */
const IDLE_BUFFER_MS = 1000;

/** For whoever was refused to read why. */
const LINGER_MS = 1000;

/** Bytes that the system may hold of a connection besides: while a client reads those, nothing is seen here. */
const SYSTEM_BUFFER = 2 * 2 ** 20;

/**
 * What was written at once is on its way as a whole, and of its parts nothing is known. So the client has longer for
 * more (Kestrel's MinResponseDataRate is the same, with 240 bytes a second): a millisecond for so many bytes, up to
 * so many times what it has anyway.
 */
const SLOWEST_READER = 16.384;
const MOST_PATIENCE = 10;

/**
 * @typedef {import('./connections.js').Connection} Connection
 * @typedef {'handshake-timeout' | 'headers-timeout' | 'request-timeout' | 'reader-timeout'} Slowness
 * @typedef {object} Deadlines
 * @property {number} headersTimeoutMs
 * @property {number} requestTimeoutMs
 * @property {number} keepAliveTimeoutMs
 */

class SlowClients {
  /** @type {Deadlines} */
  deadlines;
  #connections;
  #expire;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  #clock = 0;
  #lookedAt = 0;

  /**
   * @param {import('./connections.js').Connections} connections
   * @param {Deadlines} deadlines
   * @param {(connection: Connection, slowness: Slowness) => void} expire
   */
  constructor(connections, deadlines, expire) {
    this.#connections = connections;
    this.deadlines = deadlines;
    this.#expire = expire;
  }

  /** There is a connection to look at. */
  watch() {
    if (this.#timer !== undefined) return;
    this.#lookedAt = performance.now();
    this.#timer = setInterval(() => this.#lookAtAll(), LOOK_MS).unref();
  }

  #lookAtAll() {
    const now = performance.now();
    this.#clock += Math.min(now - this.#lookedAt, MOST_STEP_MS);
    this.#lookedAt = now;
    for (const connection of this.#connections.open) this.#lookAt(connection);
    if (this.#connections.open.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  /** @param {Connection} connection */
  #lookAt(connection) {
    if (connection.isRefused) {
      if (this.#clock - connection.since >= LINGER_MS) connection.raw.destroy();
      return;
    }
    const phase = connection.phase();
    if (phase === PHASES.UNKNOWN) return;
    if (phase !== connection.phaseSeen || connection.requests !== connection.requestsSeen) {
      this.#hasChanged(connection, phase);
    }
    const waited = this.#clock - connection.since;
    const { headersTimeoutMs, requestTimeoutMs, keepAliveTimeoutMs } = this.deadlines;
    switch (phase) {
      case PHASES.HANDSHAKE:
        if (waited >= headersTimeoutMs) this.#expire(connection, 'handshake-timeout');
        return;
      case PHASES.IDLE:
        // Without a word: it is no mistake, and an answer would be taken for that of the next request.
        if (waited >= (connection.requests === 0 ? headersTimeoutMs : keepAliveTimeoutMs + IDLE_BUFFER_MS)) {
          connection.raw.destroy();
        }
        return;
      case PHASES.HEAD:
        if (waited >= headersTimeoutMs) this.#expire(connection, 'headers-timeout');
        return;
      case PHASES.BODY: {
        const { req } = connection;
        // As much has come as the application lets in: it is who is slow.
        if (req !== undefined && req.readableLength >= req.readableHighWaterMark) {
          connection.since = this.#clock;
          return;
        }
        if (waited >= requestTimeoutMs) this.#expire(connection, 'request-timeout');
        return;
      }
      default:
        this.#lookAtReader(connection, waited);
    }
  }

  /**
   * @param {Connection} connection
   * @param {number} phase
   */
  #hasChanged(connection, phase) {
    const { phaseSeen, requestsSeen, requests, isPipelined } = connection;
    connection.phaseSeen = phase;
    connection.requestsSeen = requests;
    // The body of the request whose head was seen; or the answer that was due before is still due.
    if (phaseSeen === PHASES.HEAD && phase === PHASES.BODY && requests === requestsSeen + 1) return;
    if (phaseSeen === PHASES.ANSWER && phase === PHASES.ANSWER && isPipelined) return;
    connection.since = this.#clock;
    connection.queuedSeen = 0;
  }

  /**
   * While it is answered, only what waits to be sent tells anything of the client, and only if it does not become less.
   *
   * @param {Connection} connection
   * @param {number} waited
   */
  #lookAtReader(connection, waited) {
    const { requestTimeoutMs } = this.deadlines;
    const { queuedSeen, hasDrained } = connection;
    const queued = connection.socket.writableLength;
    connection.queuedSeen = queued;
    connection.hasDrained = false;
    if (queuedSeen === 0 || queued < queuedSeen || hasDrained) {
      connection.since = this.#clock;
      connection.queuedThen = queued;
      return;
    }
    const patienceMs = Math.min((connection.queuedThen + SYSTEM_BUFFER) / SLOWEST_READER, MOST_PATIENCE * requestTimeoutMs);
    if (waited >= requestTimeoutMs + patienceMs) this.#expire(connection, 'reader-timeout');
  }

  /**
   * It was refused: time to read why, and no more.
   *
   * @param {Connection} connection
   */
  linger(connection) {
    connection.isRefused = true;
    connection.since = this.#clock;
  }
}

module.exports = { SlowClients };
