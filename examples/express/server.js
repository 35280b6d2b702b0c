// @ts-check
'use strict';

// Starts the notes service, and ends it. Run by `npm start`. Order of the start: settings, lock, keys, journal, port.
// Order of the end, on SIGTERM or SIGINT: requests under way are answered, no new connections, the journal is flushed,
// the lock is released, exit code 0. A second signal ends the process at once; what was answered 201 is on the disk.

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { randomUUID } = require('node:crypto');
const { PasswordHasher } = require('holdfast');
const { createApp } = require('./app.js');
const { readConfig, ConfigError } = require('./config.js');
const { StartError } = require('./files.js');
const { Journal } = require('./journal.js');
const { openKeyring } = require('./keyfile.js');
const { lock } = require('./lockfile.js');
const { problemBytes, describe, logLine, TYPE } = require('./problems.js');
const { Store } = require('./store.js');

const GRACE_MS = 100; // for requests that are in the system's buffers when the signal comes
const SHUTDOWN_MS = 8000; // then the connections that are left are cut: orchestrators kill after 10 s or more
const SAME_SIGNAL_MS = 1000;
const LINGER_MS = 1000;
const REFUSAL_STATUS = new Map([['HPE_HEADER_OVERFLOW', 431], ['ERR_HTTP_REQUEST_TIMEOUT', 408]]);

try {
  start();
} catch (error) {
  const { message, syscall } = /** @type {NodeJS.ErrnoException} */ (error);
  if (!(error instanceof ConfigError || error instanceof StartError || syscall !== undefined)) throw error;
  fail(message);
}

function start() {
  const config = readConfig(process.env);
  fs.mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const unlock = lock(path.join(config.dataDir, 'notes.lock'));
  process.once('exit', unlock); // however it ends, short of a kill
  const journalFile = path.join(config.dataDir, 'notes.journal');
  const keyring = openKeyring(path.join(config.dataDir, 'notes.keys'), { journalExists: fs.existsSync(journalFile) });
  const journal = new Journal(journalFile, keyring);
  const store = new Store(journal, { warn: (message) => logLine({ level: 'warn', message }) });
  const hasher = new PasswordHasher({ maxQueue: 128 }); // at some 10 ms each, nobody waits longer than a second or two
  const app = createApp({ store, keyring, hasher, sessionTtlMs: config.sessionTtlMs, trustProxy: config.trustProxy });

  const server = createServer(app);
  const stop = shutdown(server, async () => {
    await journal.close();
    await hasher.close();
  });
  server.on('error', (error) => {
    if (!server.listening) fail(`cannot listen on ${config.host}, port ${config.port}: ${error.message}`);
    logLine({ level: 'error', error: describe(error) }); // a connection that could not be accepted
  });
  server.listen(config.port, config.host, () => {
    for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, stop);
    announce(server, config.dataDir, store);
  });
}

/**
 * A client that sends slowly, or keeps a connection without using it, loses it.
 * @param {http.RequestListener} app
 */
function createServer(app) {
  const server = http.createServer({
    headersTimeout: 10_000,
    requestTimeout: 15_000,
    keepAliveTimeout: 5_000,
    connectionsCheckingInterval: 1_000,
    maxHeaderSize: 8 * 1024,
    requireHostHeader: false, // app.js does, with a problem document
  }, app);
  server.maxHeadersCount = 64;
  server.maxConnections = 1000;
  // These never reach Express: what is not HTTP, and what expects something other than 100-continue.
  server.on('clientError', (error, socket) => {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code ?? '';
    if (!socket.writable || code === 'ECONNRESET') return socket.destroy();
    const { status, headers, body } = refusal(REFUSAL_STATUS.get(code) ?? 400, code);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
    setTimeout(() => socket.destroy(), LINGER_MS).unref(); // time to read the answer, and no more
  });
  server.on('checkExpectation', (req, res) => {
    const { status, headers, body } = refusal(417, 'checkExpectation');
    res.writeHead(status, headers).end(body);
  });
  return server;
}

/**
 * @param {number} status
 * @param {string} code why, for the log
 */
function refusal(status, code) {
  const errorId = randomUUID();
  logLine({ level: 'info', errorId, status, code, error: 'refused before it reached the application' });
  const body = problemBytes({ status }, errorId);
  const headers = {
    'Content-Type': TYPE, 'Content-Length': body.length, 'Cache-Control': 'no-store', Connection: 'close',
  };
  return { status, headers, body };
}

/**
 * @param {http.Server} server
 * @param {() => Promise<void>} finish what to do when the last connection is gone
 * @returns {(signal: string) => void}
 */
function shutdown(server, finish) {
  /** @type {Set<http.ServerResponse>} */
  const open = new Set();
  let stoppedAt = 0;
  server.prependListener('request', (req, res) => {
    open.add(res);
    res.once('close', () => open.delete(res));
    if (stoppedAt !== 0) res.setHeader('Connection', 'close');
  });
  return (signal) => {
    const now = performance.now();
    // Ctrl-C under npm reaches a process more than once: from the terminal, from npm, and when the shell between them
    // is gone. That is one signal.
    if (stoppedAt !== 0 && now - stoppedAt < SAME_SIGNAL_MS) return;
    if (stoppedAt !== 0) process.exit(1);
    stoppedAt = now;
    logLine({ level: 'info', message: `${signal}: finishing ${open.size} requests` });
    for (const res of open) {
      if (!res.headersSent) res.setHeader('Connection', 'close');
    }
    setTimeout(() => server.closeAllConnections(), SHUTDOWN_MS).unref();
    // Closing cuts idle connections, also one whose next request has arrived and was not read yet. For a moment every
    // answer ends its connection instead; the setImmediate lets a process that was held up read before it closes.
    setTimeout(setImmediate, GRACE_MS, () => server.close(async () => {
      await finish();
      process.exit(0);
    }));
  };
}

/**
 * @param {http.Server} server
 * @param {string} dataDir
 * @param {Store} store
 */
function announce(server, dataDir, store) {
  const { address, family, port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const anywhere = address === '0.0.0.0' || address === '::';
  const host = anywhere ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  const url = `http://${host}:${port}`;
  const name = store.userByName('ada') === undefined ? 'ada' : `ada-${store.userCount + 1}`;
  const json = (/** @type {object} */ value) => quote(JSON.stringify(value));
  const curl = `curl -sS -w ${quote('\\n')}`; // every answer on a line of its own
  const type = `-H ${quote('content-type: application/json')}`;
  process.stdout.write(`Notes service on ${url}, data in ${dataDir}
Try:
  ${curl} -c cookies.txt ${type} -d ${json({ name, password: 'correct horse battery staple' })} ${url}/signup
  ${curl} -b cookies.txt ${type} -d ${json({ text: 'hello' })} ${url}/notes
  ${curl} -b cookies.txt ${url}/notes
`);
}

/**
 * For the shell of the system: single quotes in a POSIX shell, doubled ones with escapes in cmd.exe.
 * @param {string} text without single quotes
 */
function quote(text) {
  return process.platform === 'win32' ? `"${text.replaceAll('"', '\\"')}"` : `'${text}'`;
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  process.stderr.write(`Notes service: ${message}.\n`);
  process.exit(1);
}
