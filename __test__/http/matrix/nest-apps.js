'use strict';

/** Two of the applications of the matrix: the same module and controller in Nest, on Express and on Fastify. */

require('../../support/reflect-metadata.js');
const common = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { ExpressAdapter } = require('@nestjs/platform-express');
const { FastifyAdapter } = require('@nestjs/platform-fastify');
const { HoldfastModule, PatternPipe, RateLimit, RateLimitGuard, SafeQuery } = require('../../../lib/nestjs/index.js');
const { FAILURES, ITEM, logIn, rules } = require('./rules.js');

async function onExpress() {
  return start(new ExpressAdapter(), (app) => app.set('trust proxy', 'loopback'));
}

async function onFastify() {
  return start(new FastifyAdapter({ trustProxy: 'loopback', routerOptions: { maxParamLength: 5000 } }), (app) => {
    const fastify = app.getHttpAdapter().getInstance();
    // Uploads are streams: nobody reads them before the route does.
    fastify.addContentTypeParser('application/octet-stream', (request, payload, done) => done(null, payload));
    for (const type of ['text/plain', 'application/xml', 'text/json']) {
      fastify.addContentTypeParser(type, (request, payload, done) => {
        payload.resume();
        done(null, undefined);
      });
    }
  });
}

async function start(adapter, configure) {
  const { general, login, small, ...options } = rules();
  const AppModule = decorate(class AppModule {}, [
    common.Module({
      imports: [HoldfastModule.forRoot({ ...options, rateLimit: general, limits: { login, small } })],
      controllers: [controller()],
    }),
  ]);
  const app = await NestFactory.create(AppModule, adapter, { logger: false });
  configure(app);
  await app.listen(0, '127.0.0.1');
  return { server: app.getHttpServer(), close: () => app.close() };
}

function controller() {
  const { All, Body, Controller, Delete, Get, Header, HttpCode, Param, Post, Put, Req, Res, UseGuards } = common;
  class Routes {
    health() {
      return { ok: true };
    }
    echo(body) {
      return { body: body ?? null };
    }
    rawType(body) {
      return { parsed: body !== undefined };
    }
    query(query) {
      return { query };
    }
    csrf(req) {
      return { token: req.csrfToken() };
    }
    limited() {
      return { ok: true };
    }
    login(body) {
      return logIn(body?.password);
    }
    item(id) {
      return { id };
    }
    page(res) {
      return `<script nonce="${(res.raw ?? res).locals.cspNonce}">1</script>`;
    }
    async upload(req) {
      let bytes = 0;
      for await (const chunk of req.raw ?? req) bytes += chunk.length;
      return { bytes };
    }
    session(req) {
      return { user: req.session.user ?? null, isNew: req.session.isNew };
    }
    begin(req) {
      req.session.user = req.body.user;
      return { ok: true };
    }
    end(req) {
      req.session.destroy();
      return { ok: true };
    }
    async fail(kind) {
      if (kind === 'async') await null;
      throw (FAILURES[kind] ?? FAILURES.sync)();
    }
  }
  method(Routes, 'health', [Get('health')]);
  method(Routes, 'echo', [All('echo'), HttpCode(200)], [Body()]);
  method(Routes, 'rawType', [Post('raw-type'), HttpCode(200)], [Body()]);
  method(Routes, 'query', [Get('query')], [SafeQuery()]);
  method(Routes, 'csrf', [Get('csrf')], [Req()]);
  method(Routes, 'limited', [Get('limited'), RateLimit('small')]);
  method(Routes, 'login', [Post('login'), HttpCode(200), RateLimit('login')], [Body()]);
  method(Routes, 'item', [Get('items/:id')], [Param('id', PatternPipe.of(ITEM))]);
  method(Routes, 'page', [Get('page'), Header('content-type', 'text/html; charset=utf-8')], [Res({ passthrough: true })]);
  method(Routes, 'upload', [Put('upload')], [Req()]);
  method(Routes, 'session', [Get('session')], [Req()]);
  method(Routes, 'begin', [Post('session'), HttpCode(200)], [Req()]);
  method(Routes, 'end', [Delete('session')], [Req()]);
  method(Routes, 'fail', [Get('fail/:kind')], [Param('kind')]);
  return decorate(Routes, [Controller(), UseGuards(RateLimitGuard)]);
}

/** What a compiler makes of `@a @b class`. */
function decorate(target, decorators) {
  for (const decorator of decorators.reverse()) decorator(target);
  return target;
}

/** What a compiler makes of `@a @b method(@c parameter)`. */
function method({ prototype }, name, decorators, parameters = []) {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  for (const [index, decorator] of parameters.entries()) decorator(prototype, name, index);
  for (const decorator of decorators.reverse()) decorator(prototype, name, descriptor);
}

module.exports = { onExpress, onFastify };
