'use strict';

/** Servers of node:http on a free port, and clients that send bytes as they like. */

const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const tls = require('node:tls');
const { once } = require('node:events');
const { channel } = require('node:diagnostics_channel');
const { setTimeout: sleep } = require('node:timers/promises');

const GIVE_UP_MS = 20_000;

/** TLS by a key that both have: nothing that expires lies in a file. */
const PSK = {
  ciphers: 'PSK-AES128-GCM-SHA256',
  maxVersion: 'TLSv1.2',
  pskCallback: () => Buffer.alloc(16, 1),
};
const CLIENT_PSK = {
  ...PSK,
  pskCallback: () => ({ psk: Buffer.alloc(16, 1), identity: 'test' }),
  checkServerIdentity: () => undefined,
};

const started = new Set();

/** Listens on a free port of the loopback interface. Closed by `closeAll`. */
async function listen(server) {
  started.add(server);
  server.sockets = new Set();
  server.on('connection', (socket) => {
    server.sockets.add(socket);
    socket.on('close', () => server.sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

function createServer(kind, listener, options = {}) {
  return kind === 'https' ? https.createServer({ ...PSK, ...options }, listener) : http.createServer(options, listener);
}

async function closeAll() {
  for (const server of started) {
    server.close();
    for (const socket of server.sockets) socket.destroy();
  }
  started.clear();
  for (const client of clients) client.destroy();
  clients.clear();
}

const clients = new Set();

/** A connection: what it received, and how it ended. */
class RawClient {
  text = '';
  /** 'end' when the server closed it, 'reset' when it cut it. */
  ending = undefined;

  constructor(socket) {
    this.socket = socket;
    clients.add(socket);
    socket.on('data', (chunk) => (this.text += chunk.toString('latin1')));
    socket.on('end', () => (this.ending ??= 'end'));
    socket.on('error', () => (this.ending ??= 'reset'));
    this.closed = new Promise((resolve) =>
      socket.on('close', () => {
        clients.delete(socket);
        resolve(this);
      }),
    );
  }

  static async connect(port, { kind = 'http', ...options } = {}) {
    const secure = { ...CLIENT_PSK, ...options, port, host: '127.0.0.1' };
    const socket = kind === 'https' ? tls.connect(secure) : net.connect({ port, host: '127.0.0.1', ...options });
    const client = new RawClient(socket);
    const connected = once(socket, kind === 'https' ? 'secureConnect' : 'connect');
    await Promise.race([connected.catch(() => client.closed), client.closed]);
    return client;
  }

  send(text) {
    if (!this.socket.destroyed) this.socket.write(text);
    return this;
  }

  /** Sends the same again and again, until it is closed. */
  trickle(text, ms = 100) {
    const timer = setInterval(() => this.send(text), ms);
    void this.closed.then(() => clearInterval(timer));
    return this;
  }

  get isClosed() {
    return this.socket.destroyed || this.ending !== undefined;
  }

  /** Resolves when it has received this. */
  async received(pattern) {
    await until(() => pattern.test(this.text) || this.isClosed, String(pattern));
    if (!pattern.test(this.text)) throw new Error(`closed without ${pattern}: ${this.text}`);
    return this.text;
  }

  get statuses() {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));
  }

  /** The document of the last answer. */
  get problem() {
    return JSON.parse(this.text.slice(this.text.lastIndexOf('\r\n\r\n')));
  }
}

async function until(isSo, what = isSo) {
  const end = performance.now() + GIVE_UP_MS;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`it did not come to ${what}`);
    await sleep(5);
  }
}

/** Collects security events until `stop` is called. */
function collectEvents() {
  const events = [];
  const security = channel('holdfast:security');
  const collect = (event) => events.push(event);
  security.subscribe(collect);
  events.stop = () => security.unsubscribe(collect);
  events.reasons = () => events.map(({ reason }) => reason);
  return events;
}

const get = (path = '/', more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;

module.exports = { RawClient, closeAll, collectEvents, createServer, get, listen, until };
