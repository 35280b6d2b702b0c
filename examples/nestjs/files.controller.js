// @ts-check
'use strict';

// Files of the one who is logged in, in both directions as streams.

const { Controller, Delete, Get, HttpCode, Inject, Param, Post, Req, Res, StreamableFile, UseGuards } =
  require('@nestjs/common');
const { RateLimit, SafeQuery } = require('holdfast/nestjs');
const { Uploads, downloadHeaders } = require('../notes/uploads.js');
const validate = require('../notes/validate.js');
const { CurrentUser, LoggedIn } = require('./auth.js');
const { decorate } = require('./decorate.js');

/** @typedef {import('../notes/store.js').User} User */

class FilesController {
  static { decorate(this, 'constructor', [Controller('files'), UseGuards(LoggedIn)], [Inject(Uploads)]); }
  /** @param {Uploads} uploads */
  constructor(uploads) {
    this.uploads = uploads;
  }

  static { decorate(this, 'list', [Get()], [CurrentUser()]); }
  list(/** @type {User} */ user) {
    return { files: [...user.files.values()] };
  }

  static { decorate(this, 'save', [Post(), RateLimit('upload')], [CurrentUser(), SafeQuery(), Req()]); }
  async save(/** @type {User} */ user, /** @type {Record<string, unknown>} */ query, /** @type {any} */ req) {
    const name = validate.fileName(query);
    return this.uploads.save(user, name, validate.fileLength(req.headers), req.raw ?? req); // Fastify's is inside
  }

  static { decorate(this, 'open', [Get(':id')], [CurrentUser(), Param('id'), Res({ passthrough: true })]); }
  async open(/** @type {User} */ user, /** @type {string} */ id, /** @type {any} */ res) {
    const { file, stream } = await this.uploads.open(user, id);
    for (const [name, value] of Object.entries(downloadHeaders(file))) res.header(name, value);
    return new StreamableFile(stream); // what fails in the middle cuts the connection
  }

  static { decorate(this, 'remove', [Delete(':id'), HttpCode(204)], [CurrentUser(), Param('id')]); }
  async remove(/** @type {User} */ user, /** @type {string} */ id) {
    await this.uploads.remove(user, id);
  }
}

module.exports = { FilesController };
