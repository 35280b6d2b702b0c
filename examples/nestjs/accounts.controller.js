// @ts-check
'use strict';

// Sign-up, log-in, log-out, and new passwords.

const { Controller, Get, HttpCode, Inject, Post, Req, Res, UseGuards } = require('@nestjs/common');
const { RateLimit } = require('holdfast/nestjs');
const { Accounts } = require('../notes/accounts.js');
const { Devices } = require('../notes/devices.js');
const validate = require('../notes/validate.js');
const { CurrentUser, JsonBody, LoggedIn } = require('./auth.js');
const { decorate } = require('./decorate.js');

/** @typedef {import('../notes/store.js').User} User */

class AccountsController {
  static { decorate(this, 'constructor', [Controller()], [Inject(Accounts), Inject(Devices)]); }
  /**
   * @param {Accounts} accounts
   * @param {Devices} devices
   */
  constructor(accounts, devices) {
    this.accounts = accounts;
    this.devices = devices;
  }

  static { decorate(this, 'signUp', [Post('signup'), RateLimit('signup')], [JsonBody(), Req(), Response()]); }
  async signUp(/** @type {unknown} */ body, /** @type {any} */ req, /** @type {any} */ res) {
    const { user, epoch } = await this.accounts.signUp(validate.credentials(body));
    this.#startSession(req, res, user, epoch);
    return { name: user.name };
  }

  static {
    decorate(this, 'logIn', [
      Post('login'), HttpCode(200), RateLimit('login'), RateLimit('login-address'), RateLimit('login-account'),
    ], [JsonBody(), Req(), Response()]);
  }
  async logIn(/** @type {unknown} */ body, /** @type {any} */ req, /** @type {any} */ res) {
    const { user, epoch } = await this.accounts.logIn(validate.credentials(body));
    this.#startSession(req, res, user, epoch);
    return { name: user.name };
  }

  static { decorate(this, 'logOut', [Post('logout'), HttpCode(204), UseGuards(LoggedIn)], [CurrentUser(), Req()]); }
  async logOut(/** @type {User} */ user, /** @type {any} */ req) {
    await this.accounts.endSessions(user);
    req.session.destroy();
  }

  static { decorate(this, 'account', [Get('account'), UseGuards(LoggedIn)], [CurrentUser()]); }
  account(/** @type {User} */ { name, role }) {
    return { name, role };
  }

  static {
    decorate(this, 'change', [Post('password/change'), HttpCode(204), RateLimit('change'), UseGuards(LoggedIn)],
      [CurrentUser(), JsonBody(), Req(), Response()]);
  }
  async change(/** @type {User} */ user, /** @type {unknown} */ body, /** @type {any} */ req, /** @type {any} */ res) {
    const { epoch } = await this.accounts.changePassword(user, validate.newPassword(body));
    this.#startSession(req, res, user, epoch); // the one session that goes on
  }

  static { decorate(this, 'forgot', [Post('password/forgot'), HttpCode(202), RateLimit('forgot')], [JsonBody()]); }
  forgot(/** @type {unknown} */ body) {
    this.accounts.forgot(validate.forgotten(body));
    return { status: 'if there is such an account, a token is on its way' };
  }

  static {
    decorate(this, 'reset', [Post('password/reset'), HttpCode(204), RateLimit('reset')],
      [JsonBody(), Req(), Response()]);
  }
  async reset(/** @type {unknown} */ body, /** @type {any} */ req, /** @type {any} */ res) {
    const user = await this.accounts.reset(validate.reset(body));
    this.devices.remember(req, res, user); // and no session: whoever has the new password logs in with it
  }

  /**
   * Whoever was there before, this is a session with an id of its own.
   * @param {any} req
   * @param {any} res
   * @param {User} user
   * @param {number} epoch
   */
  #startSession(req, res, user, epoch) {
    req.session.regenerate();
    req.session.user = user.id;
    req.session.epoch = epoch;
    this.devices.remember(req, res, user);
  }
}

/** For a header; the answer is still what the method returns. */
function Response() {
  return Res({ passthrough: true });
}

module.exports = { AccountsController };
