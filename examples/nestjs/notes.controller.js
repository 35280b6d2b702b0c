// @ts-check
'use strict';

// Notes of the one who is logged in. Nobody else's can be named.

const { Controller, Delete, Get, HttpCode, Inject, Param, Post, UseGuards } = require('@nestjs/common');
const { Store } = require('../notes/store.js');
const validate = require('../notes/validate.js');
const { CurrentUser, JsonBody, LoggedIn } = require('./auth.js');
const { decorate } = require('./decorate.js');

/** @typedef {import('../notes/store.js').User} User */

class NotesController {
  static { decorate(this, 'constructor', [Controller('notes'), UseGuards(LoggedIn)], [Inject(Store)]); }
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
  }

  static { decorate(this, 'list', [Get()], [CurrentUser()]); }
  list(/** @type {User} */ user) {
    return { notes: [...user.notes.values()] };
  }

  static { decorate(this, 'add', [Post()], [CurrentUser(), JsonBody()]); }
  async add(/** @type {User} */ user, /** @type {unknown} */ body) {
    return this.store.addNote(user, validate.note(body).text);
  }

  static { decorate(this, 'remove', [Delete(':id'), HttpCode(204)], [CurrentUser(), Param('id')]); }
  async remove(/** @type {User} */ user, /** @type {string} */ id) {
    await this.store.deleteNote(user, id);
  }
}

module.exports = { NotesController };
