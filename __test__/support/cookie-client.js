'use strict';

/**
 * A client with a cookie jar, by hand, and servers to ask: real HTTP. `chain` runs middleware as connect does, on what
 * node:http gives, and `hardenedBy` in an Express application.
 */

const http = require('node:http');
const { once } = require('node:events');
const express = require('express');
const { Agent, request } = require('undici');

/** Every server and connection of a test file, for `closeAll`. */
const open = new Set();

/**
 * Listens on a free port of this host.
 *
 * @param {any} listener A request listener, or a server.
 * @returns {Promise<{ origin: string, port: number, server: http.Server }>}
 */
async function listen(listener) {

  const made = typeof listener.setTimeout === "function" ? listener : http.createServer(listener);
  made.listen(0, '127.0.0.1');
  await once(made, 'listening');
  const { port } = made.address();
  open.add(made);
  const scheme = made.setSecureContext === undefined ? 'http' : 'https';
  return { origin: `${scheme}://127.0.0.1:${port}`, port, server: made };
}

/** For `after`. */
async function closeAll() {
  await Promise.all(Array.from(open, (one) => closeOne(one)));
  open.clear();
}

async function closeOne(one) {
  if (one instanceof Agent) return one.destroy();
  const closed = once(one, 'close');
  one.close();
  one.closeAllConnections?.();
  await closed;
}

/**
 * A request listener of middleware and a route, which may be asynchronous. An error is answered as text with its status
 * and kept in `errors`.
 */
function chain(middlewares, route) {
  const errors = [];
  const listener = (req, res) => {
    let at = 0;
    const next = (error) => {
      if (error !== undefined && error !== null) return fail(error);
      const middleware = middlewares[at++];
      try {
        if (middleware !== undefined) return middleware(req, res, next);
        Promise.resolve(route(req, res)).catch(fail);
      } catch (thrown) {
        fail(thrown);
      }
    };
    const fail = (error) => {
      errors.push(error);
      if (res.headersSent) return res.destroy();
      res.statusCode = error.status ?? 500;
      res.end(error.code ?? String(error));
    };
    next();
  };
  return Object.assign(listener, { errors });
}

/** The same in an Express application that trusts the proxy in front of it. */
function hardenedBy(middlewares, route) {
  const app = express();
  const errors = [];
  app.set('trust proxy', true);
  for (const middleware of middlewares) app.use(middleware);
  app.use((req, res) => route(req, res));
  app.use((error, req, res, next) => {
    errors.push(error);
    if (res.headersSent) return next(error);
    res.status(error.status ?? 500).end(error.code ?? String(error));
  });
  return Object.assign(app, { errors });
}

/** What a browser keeps of `Set-Cookie`, for one host and one scheme. */
class Jar {
  constructor() {
    this.cookies = new Map();
  }

  take(setCookies) {
    for (const line of setCookies) {
      const [pair, ...attributes] = line.split('; ');
      const equals = pair.indexOf('=');
      const name = pair.slice(0, equals);
      if (attributes.includes('Max-Age=0')) this.cookies.delete(name);
      else this.cookies.set(name, pair.slice(equals + 1));
    }
  }

  get header() {
    return Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join('; ');
  }

  copy() {
    const jar = new Jar();
    for (const [name, value] of this.cookies) jar.cookies.set(name, value);
    return jar;
  }
}

const agent = new Agent({ connect: { rejectUnauthorized: false } });

/**
 * Asks, with the cookies of the jar, which then takes what is set.
 *
 * @param {{ origin: string }} server
 * @param {string} path
 * @param {{ method?: string, headers?: any, body?: any, jar?: Jar }} [options]
 */
async function ask(server, path = '/', { method = 'GET', headers = {}, body, jar } = {}) {
  open.add(agent);
  const cookie = jar?.header;
  const answer = await request(`${server.origin}${path}`, {
    method,
    headers: cookie ? { ...headers, cookie } : headers,
    body,
    dispatcher: agent,
  });
  const text = await answer.body.text();
  const given = answer.headers['set-cookie'] ?? [];
  const setCookies = Array.isArray(given) ? given : [given];
  jar?.take(setCookies);
  return { status: answer.statusCode, headers: answer.headers, setCookies, text };
}

module.exports = { Jar, ask, chain, closeAll, hardenedBy, listen };
