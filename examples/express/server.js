// @ts-check
'use strict';

// Starts the notes service, and ends it. Run by `npm start`. Order of the start: settings, lock, keys, journal, port.
// Order of the end, on SIGTERM or SIGINT: requests under way are answered, the journal is flushed, the lock is
// released.

const http = require('node:http');
const path = require('node:path');
const { PasswordHasher } = require('holdfast');
const { gracefulShutdown, hardenServer } = require('holdfast/express');
const { Accounts, MOST_HASHES } = require('../notes/accounts.js');
const { announce } = require('../notes/announce.js');
const { readConfig } = require('../notes/config.js');
const { openData } = require('../notes/data.js');
const { StartError } = require('../notes/files.js');
const { logLine, logSecurityEvents } = require('../notes/log.js');
const { createApp } = require('./app.js');
const { provingGround } = require('./proving-ground/index.js');

const MOST_HEADER_BYTES = 8 * 1024; // as proxies take; Node's own is twice that
const SHUTDOWN_MS = 8000; // orchestrators kill after 10 s or more

start().catch((error) => {
  const { code, message, syscall } = error;
  if (!(error instanceof StartError || code === 'ERR_ENVIRONMENT' || syscall !== undefined)) throw error;
  fail(message);
});

async function start() {
  const config = readConfig(process.env, { dataDir: path.join(__dirname, 'data') });
  logSecurityEvents();
  const data = await openData(config);
  const hasher = new PasswordHasher({ maxQueue: MOST_HASHES });
  const app = createApp({ ...data, accounts: new Accounts({ ...data, hasher }) }, {
    ...config,
    log: logLine,
    provingGround: config.development ? provingGround() : undefined,
  });

  const server = http.createServer({ maxHeaderSize: MOST_HEADER_BYTES }, app);
  hardenServer(server, { maxConnections: 1000 });
  gracefulShutdown(server, { timeoutMs: SHUTDOWN_MS, onClose });
  server.on('error', (error) => {
    if (!server.listening) fail(`cannot listen on ${config.host}, port ${config.port}: ${error.message}`);
    logLine({ level: 'error', error: error.stack }); // a connection that could not be accepted
  });
  server.listen(config.port, config.host, () => {
    const address = /** @type {import('node:net').AddressInfo} */ (server.address());
    announce(address, config.dataDir, data.store, config.development ? ['/proving-ground'] : []);
  });

  async function onClose() {
    await data.close();
    await hasher.close();
  }
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  process.stderr.write(`Notes service: ${message}.\n`);
  process.exit(1);
}
