// @ts-check
'use strict';

// For admins: who there is, and the end of somebody's sessions.

const { Controller, Get, HttpCode, Inject, Param, Post, UseGuards } = require('@nestjs/common');
const { PatternPipe, Problem } = require('holdfast/nestjs');
const { Accounts } = require('../notes/accounts.js');
const { Store } = require('../notes/store.js');
const validate = require('../notes/validate.js');
const { AdminsOnly, LoggedIn } = require('./auth.js');
const { decorate } = require('./decorate.js');

class AdminController {
  static {
    decorate(this, 'constructor', [Controller('admin'), UseGuards(LoggedIn, AdminsOnly)],
      [Inject(Store), Inject(Accounts)]);
  }
  /**
   * @param {Store} store
   * @param {Accounts} accounts
   */
  constructor(store, accounts) {
    this.store = store;
    this.accounts = accounts;
  }

  static { decorate(this, 'users', [Get('users')]); }
  users() {
    const users = Array.from(this.store.users(), ({ name, role, notes, files }) =>
      ({ name, role, notes: notes.size, files: files.size }));
    return { users };
  }

  static {
    decorate(this, 'endSessions', [Post('users/:name/sessions/end'), HttpCode(204)],
      [Param('name', PatternPipe.of(validate.LOGIN_NAME))]);
  }
  async endSessions(/** @type {string} */ name) {
    const user = this.store.userByName(name);
    if (user === undefined) throw new Problem(404, 'there is no such user');
    await this.accounts.endSessions(user);
  }
}

module.exports = { AdminController };
