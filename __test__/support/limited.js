'use strict';

/**
 * Servers whose requests pass some middleware, on node:http alone, Express, and Fastify's middleware engine: real ones,
 * on a free port of 127.0.0.1. What the middleware refuses is answered with its `status` and its `code` as JSON.
 */

const diagnostics = require('node:diagnostics_channel');
const { once } = require('node:events');
const http = require('node:http');
const { createRequire } = require('node:module');
const express = require('express');
const { request } = require('undici');
const { sequence } = require('../../lib/http/sequence.js');

/**
 * @typedef {{ origin: string, port: number, server: http.Server, close: () => Promise<unknown> }} Running
 * @typedef {{ trust?: unknown, route?: (req: any, res: any) => unknown }} How `trust`: of proxies.
 */

/** @type {Record<string, (middlewares: any[], how?: How) => Promise<Running>>} */
const SERVERS = {
  'node:http alone': (middlewares, { route = greet } = {}) => {
    const all = sequence(middlewares);
    const answer = (req, res, error) => (error === undefined ? route(req, res) : refuse(error, res));
    return listen(http.createServer((req, res) => all(req, res, (error) => answer(req, res, error))));
  },
  Express: (middlewares, { trust, route } = {}) => listen(http.createServer(expressApp(middlewares, trust, route))),
  'Fastify with middie': async (middlewares, { trust = false, route = greet } = {}) => {
    const requireForNest = createRequire(require.resolve('@nestjs/platform-fastify'));
    const app = requireForNest('fastify')({ trustProxy: trust });
    await app.register(requireForNest('@fastify/middie'));
    for (const middleware of middlewares) app.use(middleware);
    app.setErrorHandler((error, _, reply) => {
      reply.hijack();
      refuse(error, reply.raw);
    });
    app.all('/*', (incoming, reply) => {
      reply.hijack();
      route(incoming.raw, reply.raw);
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    return running(app.server, () => app.close());
  },
};

function expressApp(middlewares, trust = false, route = greet) {
  const app = express();
  app.set('trust proxy', trust);
  app.use(...middlewares);
  app.use((req, res) => route(req, res));
  app.use((error, req, res, next) => refuse(error, res, next));
  return app;
}

/** @param {http.Server} server */
async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return running(server, () => new Promise((resolve) => server.close(resolve)));
}

/** @returns {Running} */
function running(server, close) {
  const { port } = server.address();
  const closeAll = () => {
    server.closeAllConnections();
    return close();
  };
  return { origin: `http://127.0.0.1:${port}`, port, server, close: closeAll };
}

function greet(req, res) {
  res.end('hello');
}

function refuse(error, res) {
  res.statusCode = error.status ?? 500;
  res.setHeader('content-type', 'application/json');
  res.end(JSON.stringify({ code: error.code, message: error.message }));
}

/** One request; its body is read. */
async function ask(origin, { path = '/', method = 'GET', headers = {}, body } = {}) {
  const answer = await request(origin + path, { method, headers, body });
  const text = await answer.body.text();
  const json = /json/.test(String(answer.headers['content-type'])) ? JSON.parse(text) : undefined;
  return { status: answer.statusCode, headers: answer.headers, text, code: json?.code, message: json?.message };
}

/** So many requests at once, and how often each status came. */
async function flood(origin, count, how = () => ({})) {
  const answers = await Promise.all(Array.from({ length: count }, (_, index) => ask(origin, how(index))));
  return counted(answers.map(({ status }) => status));
}

/** @param {(string | number)[]} values */
function counted(values) {
  const counts = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

/** What is published on the channel while `run` runs. */
async function eventsDuring(run) {
  const events = [];
  const collect = (event) => events.push(event);
  diagnostics.subscribe('holdfast:security', collect);
  try {
    await run();
  } finally {
    diagnostics.unsubscribe('holdfast:security', collect);
  }
  return events;
}

/** Calls a middleware with what is not there, where no server is needed. Resolves with what `next` got. */
function pass(middleware, req = {}, res = {}) {
  const incoming = { method: 'GET', url: '/', headers: {}, socket: { remoteAddress: '203.0.113.7' }, ...req };
  const outgoing = { headersSent: false, getHeader() {}, setHeader() {}, on() {}, removeListener() {}, ...res };
  return new Promise((resolve, reject) => {
    let calls = 0;
    middleware(incoming, outgoing, (error) => {
      calls++;
      if (calls > 1) reject(new Error('next was called twice'));
      setImmediate(resolve, error);
    });
  });
}

module.exports = { SERVERS, ask, counted, eventsDuring, expressApp, flood, listen, pass };
