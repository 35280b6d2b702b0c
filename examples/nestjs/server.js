// @ts-check
'use strict';

// Starts the notes service, and ends it. Run by `npm start` in this folder, `npm run start:nest` in the repository's
// root. PLATFORM=fastify takes the other platform.

require('reflect-metadata');
const path = require('node:path');
const { NestFactory } = require('@nestjs/core');
const { gracefulShutdown, hardenServer } = require('holdfast/nestjs');
const { announce } = require('../notes/announce.js');
const { readConfig } = require('../notes/config.js');
const { StartError } = require('../notes/files.js');
const { logLine, logSecurityEvents } = require('../notes/log.js');
const { Store } = require('../notes/store.js');
const { AppModule } = require('./app.module.js');

const SHUTDOWN_MS = 8000; // orchestrators kill after 10 s or more

/** What Nest itself has to say, in the same log. */
const nestLog = {
  log() {},
  warn: (/** @type {unknown} */ message) => logLine({ level: 'warn', message: String(message) }),
  error(/** @type {any} */ error) {
    const isSaidAbove = error instanceof StartError || error?.syscall === 'listen';
    if (!isSaidAbove) logLine({ level: 'error', error: error?.stack ?? String(error) });
  },
};

start().catch((error) => {
  const { code, message, syscall } = error;
  if (!(error instanceof StartError || code === 'ERR_ENVIRONMENT' || syscall !== undefined)) throw error;
  process.stderr.write(`Notes service: ${message}.\n`);
  process.exit(1);
});

async function start() {
  const config = readConfig(process.env, { dataDir: path.join(__dirname, 'data') });
  logSecurityEvents();
  const app = await NestFactory.create(AppModule.forRoot(config), adapter(config), {
    logger: nestLog,
    abortOnError: false, // what is wrong is said above
  });
  const server = hardenServer(app.getHttpServer(), { maxConnections: 1000 });
  gracefulShutdown(server, { timeoutMs: SHUTDOWN_MS, onClose: () => app.close() });
  await app.listen(config.port, config.host).catch((/** @type {Error} */ { message }) => {
    throw new StartError(`cannot listen on ${config.host}, port ${config.port}: ${message}`);
  });
  announce(server.address(), config.dataDir, app.get(Store));
}

/** @param {Readonly<import('../notes/config.js').Config>} config */
function adapter({ platform, trustProxy }) {
  if (platform === 'fastify') {
    const { FastifyAdapter } = require('@nestjs/platform-fastify');
    const fastify = new FastifyAdapter({ trustProxy: /** @type {any} */ (trustProxy) }); // its type lacks numbers
    // Bodies that HoldfastModule does not read are left as they are, for the route that takes a file.
    fastify.getInstance().removeContentTypeParser('text/plain');
    fastify.getInstance().addContentTypeParser('*', (request, payload, done) => done(null));
    return fastify;
  }
  const { ExpressAdapter } = require('@nestjs/platform-express');
  const express = new ExpressAdapter();
  express.getInstance().set('trust proxy', trustProxy);
  express.getInstance().disable('etag'); // nothing is cached
  return express;
}
