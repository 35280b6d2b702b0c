// @ts-check
'use strict';

/**
 * Time-outs and counts for a server of node:http or node:https, against clients that send slowly, read slowly, never
 * end, or come too often. Works on a server that listens already. What never reaches the application (no HTTP, too
 * late, too many headers) is answered with a problem document. docs/server.md says why each default is what it is.
 */

const { outOfRange } = require('../errors.js');
const { ipKey } = require('../ip-key.js');
const { integer, readOptions, table } = require('../options.js');
const { checkServer, connectionsOf } = require('./connections.js');
const { publishRefusal, refuseRequest, refuseSocket } = require('./refusal.js');
const { SlowClients } = require('./slow-clients.js');

const HOUR_MS = 60 * 60 * 1000;
const HEADERS_TIMEOUT_MS = 10_000;

/** What node:http calls it. */
const TIMEOUT = 'ERR_HTTP_REQUEST_TIMEOUT';

const OPTIONS = table({
  headersTimeoutMs: integer(1, HOUR_MS, 0),
  requestTimeoutMs: integer(1, 24 * HOUR_MS, 30_000),
  keepAliveTimeoutMs: integer(1, HOUR_MS, 5_000),
  maxRequestsPerSocket: integer(1, 2 ** 31 - 1, 1_000),
  maxHeadersCount: integer(1, 10_000, 64),
  maxConnections: integer(1, 10_000_000, 10_000),
  maxConnectionsPerAddress: integer(1, 10_000_000, 0),
});

/**
 * @template {import('node:http').Server | import('node:https').Server} S
 * @param {S} server
 * @param {unknown} [options]
 * @returns {S}
 */
function hardenServer(server, options) {
  checkServer(server);
  const settings = readSettings(options);
  let hardening = hardened.get(server);
  if (hardening === undefined) {
    hardening = new Hardening(server, settings);
    hardened.set(server, hardening);
  }
  hardening.set(settings);
  return server;
}

/** @type {WeakMap<object, Hardening>} */
const hardened = new WeakMap();

/** @param {unknown} options */
function readSettings(options) {
  const settings = readOptions(options, OPTIONS);
  const { headersTimeoutMs, requestTimeoutMs } = settings;
  // node:http asks for the same, and takes the shorter one as the default.
  if (headersTimeoutMs === 0) settings.headersTimeoutMs = Math.min(HEADERS_TIMEOUT_MS, requestTimeoutMs);
  if (headersTimeoutMs > requestTimeoutMs) {
    throw outOfRange('options.headersTimeoutMs', 'at most options.requestTimeoutMs, which includes it');
  }
  return settings;
}

/** @typedef {import('./connections.js').Connection} Connection */

class Hardening {
  #server;
  #settings;
  #connections;
  #slowClients;
  /** That of the connection that is being ended. @type {Error | undefined} */
  #timeout;
  /** Of the addresses that have any, how many connections. @type {Map<string, number>} */
  #counts = new Map();

  /**
   * @param {import('node:http').Server} server
   * @param {ReturnType<typeof readSettings>} settings
   */
  constructor(server, settings) {
    this.#server = server;
    this.#settings = settings;
    this.#connections = connectionsOf(server);
    this.#slowClients = new SlowClients(this.#connections, settings, (connection, slowness) =>
      this.#expired(connection, slowness),
    );
    this.#connections.admissions.push((connection) => this.#admits(connection));
    this.#connections.acceptances.push((req, res, connection) => this.#accepts(req, res, connection));
    this.#connections.upgrades.push((req) => this.#upgrades(req));
    this.#connections.farewells.push((connection) => this.#uncount(connection));
    this.#listen();
    if (this.#connections.open.size > 0) this.#slowClients.watch();
  }

  /** @param {ReturnType<typeof readSettings>} settings */
  set(settings) {
    this.#settings = settings;
    this.#slowClients.deadlines = settings;
    const server = this.#server;
    server.headersTimeout = settings.headersTimeoutMs;
    server.requestTimeout = settings.requestTimeoutMs;
    server.keepAliveTimeout = settings.keepAliveTimeoutMs;
    server.maxRequestsPerSocket = settings.maxRequestsPerSocket;
    // One more, to see that there are more: where node:http leaves out the rest (Node 20), it does so without a word.
    server.maxHeadersCount = settings.maxHeadersCount + 1;
    server.maxConnections = settings.maxConnections;
    if (settings.maxConnectionsPerAddress !== 0) {
      for (const connection of this.#connections.open) this.#count(connection);
    }
  }

  /** An application that listens itself answers itself. */
  #listen() {
    const server = this.#server;
    server.on('clientError', (error, socket) => {
      if (server.listenerCount('clientError') > 1) return;
      const connection = this.#connections.of(socket);
      if (connection !== undefined) {
        if (connection.isRefused) return; // each chunk that comes meanwhile is one more error
        // node:http counts the time that this process was busy.
        if (isTimeout(error) && error !== this.#timeout) return;
        this.#slowClients.linger(connection);
      }
      refuseSocket(error, socket, connection);
    });
    server.on('checkExpectation', (req, res) => {
      if (server.listenerCount('checkExpectation') > 1) return;
      refuseRequest(417, 'expectation', req, res);
    });
    server.on('drop', (ends) => {
      publishRefusal('max-connections', undefined, ends);
    });
    server.on('dropRequest', (req) => {
      publishRefusal('max-requests-per-socket', req, req.socket);
    });
  }

  /** @param {Connection} connection */
  #admits(connection) {
    const most = this.#settings.maxConnectionsPerAddress;
    if (most !== 0 && this.#count(connection) > most) {
      this.#uncount(connection);
      publishRefusal('max-connections-per-address', undefined, connection.raw);
      return false;
    }
    this.#slowClients.watch();
    return true;
  }

  /**
   * @param {Connection} connection
   * @returns {number} How many its address has. Those without one, of a Unix socket, are not counted.
   */
  #count(connection) {
    const { remoteAddress } = connection.raw;
    if (remoteAddress === undefined || connection.group !== undefined) return 0;
    connection.group = ipKey(remoteAddress);
    const count = (this.#counts.get(connection.group) ?? 0) + 1;
    this.#counts.set(connection.group, count);
    return count;
  }

  /** @param {Connection} connection */
  #uncount(connection) {
    const { group } = connection;
    if (group === undefined) return;
    connection.group = undefined;
    const count = /** @type {number} */ (this.#counts.get(group)) - 1;
    if (count === 0) this.#counts.delete(group);
    else this.#counts.set(group, count);
  }

  /**
   * @param {any} req
   * @param {any} res
   * @param {Connection} connection
   */
  #accepts(req, res, connection) {
    const { maxHeadersCount, maxRequestsPerSocket } = this.#settings;
    if (req.rawHeaders.length > 2 * maxHeadersCount) {
      refuseRequest(431, 'max-headers-count', req, res);
      return false;
    }
    // node:http says so by itself, and then leaves it to the client.
    if (connection.requests >= maxRequestsPerSocket) res.setHeader('Connection', 'close');
    return true;
  }

  /** @param {any} req */
  #upgrades(req) {
    if (req.rawHeaders.length <= 2 * this.#settings.maxHeadersCount) return true;
    publishRefusal('max-headers-count', req, req.socket, { status: 431 });
    req.socket.on('error', () => {});
    req.socket.end('HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    req.socket.destroySoon();
    return false;
  }

  /**
   * @param {Connection} connection
   * @param {import('./slow-clients.js').Slowness} slowness
   */
  #expired(connection, slowness) {
    const { raw, socket, req } = connection;
    if (slowness === 'handshake-timeout' || slowness === 'reader-timeout') {
      publishRefusal(slowness, req, raw);
      raw.destroy();
      return;
    }
    // As node:http's own check does, which comes every 30 s: who has something to say about it says it in one place.
    const error = Object.assign(new Error('Request timeout'), { code: TIMEOUT });
    this.#timeout = error;
    this.#server.emit('clientError', error, socket);
    this.#timeout = undefined;
    this.#slowClients.linger(connection);
    // What is left of a body may be read while the client is told; of a head nothing is.
    if (slowness === 'headers-timeout') socket.destroySoon?.();
  }
}

/** @param {NodeJS.ErrnoException} error */
function isTimeout(error) {
  return error?.code === TIMEOUT;
}

module.exports = { hardenServer };
