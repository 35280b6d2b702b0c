'use strict';

/**
 * Applications of Nest on both of its platforms, on a free port of 127.0.0.1, and requests to them. What a compiler
 * makes of decorators is done by functions.
 */

require('./reflect-metadata.js');
const common = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { ExpressAdapter } = require('@nestjs/platform-express');
const { FastifyAdapter } = require('@nestjs/platform-fastify');
const { Agent, request } = require('undici');
const { HoldfastModule } = require('../../lib/nestjs/index.js');

/** Adapters by platform; a proxy on this machine is believed. */
const PLATFORMS = {
  Express: () => {
    const adapter = new ExpressAdapter();
    adapter.set('trust proxy', 'loopback');
    return adapter;
  },
  Fastify: (options) => new FastifyAdapter({ trustProxy: 'loopback', ...options }),
};

/** `@a @b class` */
function decorate(target, ...decorators) {
  for (const decorator of decorators.reverse()) decorator(target);
  return target;
}

/** `@a @b method(@c first, @d second)` */
function decorateMethod({ prototype }, name, decorators, parameters = []) {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  for (const [index, decorator] of parameters.entries()) decorator(prototype, name, index);
  for (const decorator of [...decorators].reverse()) decorator(prototype, name, descriptor);
}

/**
 * A controller: `{ read: [Get('notes/:id'), UseGuards(X), (id) => …, Param('id')] }`, where the function comes
 * between the method's decorators and those of its parameters.
 *
 * @param {Record<string, any[]>} routes
 * @param {...any} decorators Of the class, besides Controller.
 */
function controller(routes, ...decorators) {
  class Routes {}
  for (const [name, parts] of Object.entries(routes)) {
    const at = parts.findIndex((part) => Object.hasOwn(part, 'handler'));
    const { handler } = parts[at];
    Object.defineProperty(Routes.prototype, name, { value: handler, configurable: true, writable: true });
    decorateMethod(Routes, name, parts.slice(0, at), parts.slice(at + 1));
  }
  return decorate(Routes, common.Controller(), ...decorators);
}

/** Marks the function of a route. */
function run(handler) {
  return { handler };
}

/**
 * @param {string} platform
 * @param {object} [how]
 * @param {any} [how.options] Of HoldfastModule. `false`: without it.
 * @param {any} [how.imported] The module, in place of forRoot(options).
 * @param {any} [how.module] More of the module's metadata.
 * @param {any} [how.create] Of NestFactory.create.
 * @param {any} [how.adapter] Of FastifyAdapter.
 * @param {(app: any) => unknown} [how.configure] Before it listens.
 * @param {(consumer: any) => void} [how.middleware]
 */
async function start(
  platform,
  { options = {}, imported, module = {}, create = {}, adapter, configure, middleware } = {},
) {
  class App {
    configure(consumer) {
      middleware?.(consumer);
    }
  }
  const ours = options === false ? [] : [imported ?? HoldfastModule.forRoot({ problems: { log() {} }, ...options })];
  decorate(App, common.Module({ ...module, imports: [...ours, ...(module.imports ?? [])] }));
  const app = await NestFactory.create(App, PLATFORMS[platform](adapter), {
    logger: false,
    abortOnError: false,
    ...create,
  });
  await configure?.(app);
  await app.listen(0, '127.0.0.1');
  return clientOf(app);
}

function clientOf(app) {
  const { port } = app.getHttpServer().address();
  const origin = `http://127.0.0.1:${port}`;
  const dispatcher = new Agent({ connections: 1 });
  const send = async (
    method,
    path,
    { json, headers = {}, body = json === undefined ? undefined : JSON.stringify(json) } = {},
  ) => {
    const type = json === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await request(origin + path, { method, body, headers: { ...type, ...headers }, dispatcher });
    return read(answer);
  };
  return {
    app,
    port,
    origin,
    send,
    get: (path, headers) => send('GET', path, { headers }),
    post: (path, json, headers) => send('POST', path, { json, headers }),
    close: async () => {
      await dispatcher.destroy();
      app.getHttpServer().closeAllConnections?.();
      await app.close();
    },
  };
}

async function read({ statusCode: status, headers, body }) {
  const text = await body.text();
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status, headers, text, json, cookies: [headers['set-cookie'] ?? []].flat() };
}

module.exports = { PLATFORMS, clientOf, common, controller, decorate, decorateMethod, run, start };
