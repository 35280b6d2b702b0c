// @ts-check
'use strict';

/**
 * The open connections of a server, and what each of them is doing: for harden-server.js, which ends those that take
 * too long, and graceful-shutdown.js, which waits for them. Whatever the server emits about a connection or a request
 * passes here before it reaches node:http or the application, which alone can refuse it there; a request costs two
 * fields and no listener. Of node:http nothing private is read: a byte that came since the last answer is seen by
 * `bytesRead`.
 */

const http = require('node:http');
const https = require('node:https');
const tls = require('node:tls');
const { wrongType } = require('../errors.js');

/** What a connection is doing. */
const PHASES = Object.freeze({
  /** Of TLS. */
  HANDSHAKE: 0,
  /** No byte of a request has come. */
  IDLE: 1,
  HEAD: 2,
  BODY: 3,
  ANSWER: 4,
  /** It speaks another protocol, WebSocket most likely, or nobody knows what it is for. */
  UNKNOWN: 5,
});

class Connection {
  /** What was accepted: of TLS the socket below. */
  raw;
  /** What speaks HTTP, once there is one. @type {any} */
  socket;
  /** The last request. @type {import('node:http').IncomingMessage | undefined} */
  req;
  /** @type {import('node:http').ServerResponse | undefined} */
  res;
  /** Whether there may be an answer due before the last one. */
  isPipelined = false;
  isUnknown = false;
  /** It has had its last answer, and is closed as soon as that is read. */
  isRefused = false;
  /** How many requests came. */
  requests = 0;
  /** @type {number | undefined} */
  #bytesAtRest;
  /** Under which its handshake is found. @type {string | undefined} */
  handshake;

  // What slow-clients.js saw when it looked last.
  since = 0;
  phaseSeen = -1;
  requestsSeen = -1;
  /** What waits to be sent. */
  queuedSeen = 0;
  /** When it became less the last time. */
  queuedThen = 0;
  /** Whether all of it was sent since. */
  hasDrained = false;
  /** Whose number of connections it counts for. @type {string | undefined} */
  group;

  /** @param {any} raw */
  constructor(raw) {
    this.raw = raw;
  }

  /** @param {any} socket */
  speaksHttp(socket) {
    this.socket = socket;
    this.#bytesAtRest = socket.bytesRead;
  }

  /** One of PHASES. When an answer is over, that is noticed here. */
  phase() {
    if (this.isUnknown) return PHASES.UNKNOWN;
    const { req, socket } = this;
    if (socket === undefined) return PHASES.HANDSHAKE;
    if (req !== undefined) {
      if (!req.complete) return PHASES.BODY;
      if (!this.isAnswered) return PHASES.ANSWER;
      this.req = undefined;
      this.res = undefined;
      this.isPipelined = false;
      this.#bytesAtRest = socket.bytesRead;
      return PHASES.IDLE;
    }
    return socket.bytesRead === this.#bytesAtRest ? PHASES.IDLE : PHASES.HEAD;
  }

  /** Whether all requests that came have their whole answers: they are answered in turn. */
  get isAnswered() {
    const { res } = this;
    return res === undefined || res.writableFinished || res.destroyed;
  }
}

/**
 * @typedef {(connection: Connection) => boolean} Admission Whether the connection may stay.
 * @typedef {(req: any, res: any, connection: Connection) => boolean} Acceptance Whether the application gets the
 *   request: otherwise it has been answered.
 */

class Connections {
  /** @type {Set<Connection>} */
  open = new Set();
  /** @type {Admission[]} */
  admissions = [];
  /** @type {Acceptance[]} */
  acceptances = [];
  /** @type {((req: any, connection: Connection) => boolean)[]} */
  upgrades = [];
  /** @type {((connection: Connection) => void)[]} */
  farewells = [];
  #isTls;
  /** @type {WeakMap<object, Connection>} */
  #bySocket = new WeakMap();
  /** @type {Map<string, Connection>} */
  #handshakes = new Map();
  /** Whether it can be told to which connection a TLS socket belongs. */
  #canPair = true;

  /** @param {import('node:http').Server} server */
  constructor(server) {
    this.#isTls = server instanceof tls.Server;
    this.#listen(server);
  }

  /**
   * @param {any} socket
   * @returns {Connection | undefined}
   */
  of(socket) {
    return this.#bySocket.get(socket);
  }

  /**
   * Takes the place of `server.emit`, as a listener cannot keep an event from the others, and some listeners would
   * change what node:http does by being there ('upgrade', 'checkContinue').
   *
   * @param {any} server
   */
  #listen(server) {
    const { emit } = server;
    const connections = this;
    /**
     * @param {string | symbol} name
     * @param {any[]} values
     */
    function watchedEmit(name, ...values) {
      if (connections.#sees(name, values)) return Reflect.apply(emit, server, [name, ...values]);
      return true;
    }
    const method = { __proto__: null, value: watchedEmit, configurable: true, enumerable: false, writable: true };
    Object.defineProperty(server, 'emit', method);
  }

  /**
   * @param {string | symbol} name
   * @param {any[]} values
   * @returns {boolean} Whether others see it.
   */
  #sees(name, values) {
    switch (name) {
      case 'request':
      case 'checkContinue':
      case 'checkExpectation':
        // Whoever plays a request through an application may have no connection for it.
        return !isSocket(values[0]?.socket) || this.#requested(values[0], values[1]);
      case 'connection':
        return !isSocket(values[0]) || this.#accepted(values[0]);
      case 'secureConnection':
        if (isSocket(values[0])) this.#secured(values[0]);
        return true;
      case 'upgrade':
      case 'connect':
        return !isSocket(values[0]?.socket) || this.#upgraded(values[0]);
      default:
        return true;
    }
  }

  /** @param {any} socket */
  #accepted(socket) {
    if (!this.#isTls) return this.#opened(socket, socket).isRefused === false;
    const key = endsOf(socket);
    // Without addresses the TLS socket is not known to belong to it: what is above is counted when it is there.
    if (key === undefined) return true;
    const connection = this.#opened(socket, undefined);
    connection.handshake = key;
    connection.isUnknown = !this.#canPair;
    if (!connection.isRefused) this.#handshakes.set(key, connection);
    return !connection.isRefused;
  }

  #cannotPair() {
    this.#canPair = false;
    for (const connection of this.#handshakes.values()) connection.isUnknown = true;
  }

  /** @param {any} socket */
  #secured(socket) {
    const key = endsOf(socket);
    const connection = key === undefined ? undefined : this.#handshakes.get(key);
    if (connection === undefined) {
      // The addresses below are not those above: whoever makes the connections has a way of its own. Of none that is
      // open it can be said any more that its handshake is not over.
      if (key !== undefined) this.#cannotPair();
      this.#opened(socket, socket);
      return;
    }
    this.#handshakes.delete(/** @type {string} */ (key));
    this.#bySocket.set(socket, connection);
    connection.isUnknown = false;
    connection.speaksHttp(socket);
    socket.on('drain', this.#drained);
  }

  /**
   * @param {any} raw
   * @param {any} socket
   */
  #opened(raw, socket) {
    const connection = new Connection(raw);
    for (const admits of this.admissions) {
      if (admits(connection)) continue;
      connection.isRefused = true;
      raw.destroy();
      return connection;
    }
    this.open.add(connection);
    this.#bySocket.set(raw, connection);
    raw.on('close', this.#closed);
    if (socket !== undefined) {
      connection.speaksHttp(socket);
      socket.on('drain', this.#drained);
    }
    return connection;
  }

  /**
   * @param {any} req
   * @param {any} res
   */
  #requested(req, res) {
    const { socket } = req;
    // There may have been connections before anybody asked for them.
    const connection = this.#bySocket.get(socket) ?? this.#opened(socket, socket);
    if (connection.isRefused) return false;
    // A listener of 'checkContinue' emits 'request'.
    if (connection.req !== req) {
      connection.isPipelined = !connection.isAnswered;
      connection.req = req;
      connection.res = res;
      connection.requests++;
      const { acceptances } = this;
      for (let at = 0; at < acceptances.length; at++) {
        if (!acceptances[at](req, res, connection)) return false;
      }
    }
    return true;
  }

  /** @param {any} req */
  #upgraded(req) {
    const { socket } = req;
    const connection = this.#bySocket.get(socket) ?? this.#opened(socket, socket);
    if (connection.isRefused) return false;
    for (const upgrades of this.upgrades) {
      if (!upgrades(req, connection)) return false;
    }
    connection.isUnknown = true;
    connection.req = undefined;
    connection.res = undefined;
    return true;
  }

  /** Listeners that need no function for each socket. */
  #closed = methodOfSocket(this.#bySocket, (connection) => {
    this.open.delete(connection);
    const { handshake } = connection;
    if (handshake !== undefined && this.#handshakes.get(handshake) === connection) this.#handshakes.delete(handshake);
    for (const say of [...this.farewells]) say(connection);
  });

  #drained = methodOfSocket(this.#bySocket, (connection) => {
    connection.hasDrained = true;
  });
}

/** @type {WeakMap<object, Connections>} */
const known = new WeakMap();

/**
 * The same object for the same server, whoever asks first.
 *
 * @param {import('node:http').Server} server
 */
function connectionsOf(server) {
  let connections = known.get(server);
  if (connections === undefined) {
    connections = new Connections(server);
    known.set(server, connections);
  }
  return connections;
}

/**
 * @param {unknown} server
 * @returns {asserts server is import('node:http').Server}
 */
function checkServer(server) {
  if (server instanceof http.Server || server instanceof https.Server) return;
  throw wrongType('server', 'an http.Server or https.Server of Node (HTTP/2 is for the proxy in front)');
}

/**
 * @param {WeakMap<object, Connection>} bySocket
 * @param {(connection: Connection) => void} act
 */
function methodOfSocket(bySocket, act) {
  /** @this {any} */
  return function listener() {
    const connection = bySocket.get(this);
    if (connection !== undefined) act(connection);
  };
}

/** @param {any} value */
function isSocket(value) {
  return typeof value?.on === 'function' && typeof value.destroy === 'function';
}

/**
 * Both ends of a TCP connection, which no other has at the same time.
 *
 * @param {any} socket
 */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }) {
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

module.exports = { Connection, Connections, PHASES, checkServer, connectionsOf };
