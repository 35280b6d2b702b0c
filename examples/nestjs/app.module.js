// @ts-check
'use strict';

// The notes service as a Nest application: HoldfastModule, what the service keeps, and the controllers. The same
// routes and answers as in ../express, on Express or on Fastify.

const { Module } = require('@nestjs/common');
const { APP_GUARD } = require('@nestjs/core');
const { HoldfastModule, RateLimitGuard } = require('holdfast/nestjs');
const { MOST_HASHES } = require('../notes/accounts.js');
const { logLine } = require('../notes/log.js');
const { LIMITS } = require('../notes/store.js');
const { isUpload } = require('../notes/uploads.js');
const { AccountsController } = require('./accounts.controller.js');
const { AdminController } = require('./admin.controller.js');
const { DATA, DataModule } = require('./data.module.js');
const { decorate } = require('./decorate.js');
const { FilesController } = require('./files.controller.js');
const { HealthController } = require('./health.controller.js');
const { NotesController } = require('./notes.controller.js');

const JSON_LIMITS = Object.freeze({ bytes: 10 * 1024, depth: 32 });
const IDLE_MS = 30 * 60_000;

class AppModule {
  static { decorate(this, 'constructor', [Module({})]); }

  /** @param {Readonly<import('../notes/config.js').Config>} config */
  static forRoot(config) {
    return {
      module: AppModule,
      imports: [
        DataModule.forRoot(config),
        HoldfastModule.forRootAsync({
          inject: [DATA],
          useFactory: (/** @type {import('../notes/data.js').Data} */ data) => hardening(data, config),
        }),
      ],
      controllers: [HealthController, AccountsController, NotesController, FilesController, AdminController],
      providers: [{ provide: APP_GUARD, useClass: RateLimitGuard }],
    };
  }
}

/**
 * @param {import('../notes/data.js').Data} data
 * @param {Readonly<import('../notes/config.js').Config>} config
 * @returns {import('holdfast/nestjs').HoldfastModuleOptions}
 */
function hardening({ keyring, limits, store }, { sessionTtlMs }) {
  return {
    keyring,
    body: { maxBytes: (req) => (isUpload(req) ? LIMITS.bytesPerFile : JSON_LIMITS.bytes) },
    json: { limits: JSON_LIMITS, urlencoded: false }, // other sites can send forms without asking the browser first
    session: {
      absoluteMs: sessionTtlMs,
      idleMs: Math.min(sessionTtlMs, IDLE_MS),
      validate: (session) => store.owner(session) !== undefined, // log-out, a new password: over at once
    },
    limits, // the controllers name them: @RateLimit('login')
    passwords: { maxQueue: MOST_HASHES },
    problems: { log: logLine },
  };
}

module.exports = { AppModule };
