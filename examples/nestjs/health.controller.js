// @ts-check
'use strict';

// For whoever watches the service, and for clients that need a CSRF token.

const { Controller, Get, Inject, Req } = require('@nestjs/common');
const { Problem } = require('holdfast/nestjs');
const { Store } = require('../notes/store.js');
const { decorate } = require('./decorate.js');

class HealthController {
  static { decorate(this, 'constructor', [Controller()], [Inject(Store)]); }
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
  }

  static { decorate(this, 'health', [Get('healthz')]); }
  health() {
    if (!this.store.healthy) throw new Problem(503, 'nothing can be saved at the moment');
    return { status: 'ok' };
  }

  /** For clients that send cookies but neither Origin nor Sec-Fetch-Site: to be sent back as x-csrf-token. */
  static { decorate(this, 'csrfToken', [Get('csrf-token')], [Req()]); }
  csrfToken(/** @type {any} */ req) {
    return { token: req.csrfToken() };
  }
}

module.exports = { HealthController };
