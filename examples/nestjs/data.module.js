// @ts-check
'use strict';

// What the service keeps, for whoever injects it: opened when the application is made, closed when it has ended.

const { Global, Inject, Module } = require('@nestjs/common');
const { PasswordHasher } = require('holdfast');
const { Accounts } = require('../notes/accounts.js');
const { openData } = require('../notes/data.js');
const { Devices } = require('../notes/devices.js');
const { Store } = require('../notes/store.js');
const { Uploads } = require('../notes/uploads.js');
const { decorate } = require('./decorate.js');

const DATA = 'notes:data';

/** @typedef {import('../notes/data.js').Data} Data */

class DataModule {
  static { decorate(this, 'constructor', [Global(), Module({})], [Inject(DATA)]); }
  /** @param {Data} data */
  constructor(data) {
    this.data = data;
  }

  /** @param {Readonly<import('../notes/config.js').Config>} config */
  static forRoot(config) {
    const providers = [
      { provide: DATA, useFactory: () => openData(config) },
      { provide: Store, inject: [DATA], useFactory: (/** @type {Data} */ { store }) => store },
      { provide: Uploads, inject: [DATA], useFactory: (/** @type {Data} */ { uploads }) => uploads },
      { provide: Devices, inject: [DATA], useFactory: (/** @type {Data} */ { devices }) => devices },
      {
        provide: Accounts,
        inject: [DATA, PasswordHasher], // the hasher is HoldfastModule's, which also ends its threads
        useFactory: (/** @type {Data} */ data, /** @type {PasswordHasher} */ hasher) =>
          new Accounts({ ...data, hasher }),
      },
    ];
    return { module: DataModule, providers, exports: providers.map(({ provide }) => provide) };
  }

  /** When the last request has been answered. */
  async onApplicationShutdown() {
    await this.data.close();
  }
}

module.exports = { DATA, DataModule };
