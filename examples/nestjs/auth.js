// @ts-check
'use strict';

// Who is asking: a guard that lets in those who are logged in, one for admins, and what routes take their user and
// their body by.

const { createParamDecorator, Inject } = require('@nestjs/common');
const { Problem } = require('holdfast/nestjs');
const { Store } = require('../notes/store.js');
const validate = require('../notes/validate.js');
const { decorate } = require('./decorate.js');

/** @typedef {import('@nestjs/common').ExecutionContext} ExecutionContext */

class LoggedIn {
  static { decorate(this, 'constructor', [], [Inject(Store)]); }
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
  }

  /** @param {ExecutionContext} context */
  canActivate(context) {
    const req = context.switchToHttp().getRequest();
    const user = this.store.owner(req.session);
    if (user === undefined) throw new Problem(401, 'log in first');
    req.user = user;
    return true;
  }
}

/** After LoggedIn: `@UseGuards(LoggedIn, AdminsOnly)`. */
class AdminsOnly {
  /** @param {ExecutionContext} context */
  canActivate(context) {
    if (context.switchToHttp().getRequest().user.role !== 'admin') throw new Problem(403, 'this is for admins');
    return true;
  }
}

const CurrentUser = createParamDecorator((_, context) => context.switchToHttp().getRequest().user);

/** As `@Body()`, for routes that take JSON and nothing else. */
const JsonBody = createParamDecorator((_, context) => validate.bodyOf(context.switchToHttp().getRequest()));

module.exports = { AdminsOnly, CurrentUser, JsonBody, LoggedIn };
