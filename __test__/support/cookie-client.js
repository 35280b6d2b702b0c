'use strict';

/** Clients with cookies, kept by hand, and what they ask: for the tests of sessions and CSRF tokens. */

const express = require('express');
const { listener, send, serve } = require('./serving.js');

/** What a browser keeps of `Set-Cookie`, for one host and one scheme. */
class Jar {
  constructor(cookies = []) {
    this.cookies = new Map(cookies);
  }

  take(setCookies) {
    for (const line of setCookies) {
      const { name, value, attributes } = readSetCookie(line);
      if (attributes.includes('Max-Age=0')) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
  }

  get header() {
    return Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join('; ');
  }

  copy() {
    return new Jar(this.cookies);
  }
}

/** @param {string} line */
function readSetCookie(line) {
  const [pair, ...attributes] = line.split('; ');
  const equals = pair.indexOf('=');
  return { name: pair.slice(0, equals), value: pair.slice(equals + 1), attributes };
}

/**
 * Asks with the cookies of the jar, which then takes what is set. `secure`: as a proxy says that ended TLS.
 *
 * @param {{ port: number }} server
 * @param {string} path
 * @param {{ jar?: Jar, secure?: boolean, method?: string, headers?: any, body?: any, agent?: any }} [options]
 */
async function ask(server, path, { jar, secure = false, headers = {}, ...options } = {}) {
  const all = { ...headers };
  if (jar !== undefined && jar.cookies.size > 0) all.cookie = jar.header;
  if (secure) all['x-forwarded-proto'] = 'https';
  const answer = await send(server.port, { ...options, path, headers: all });
  const setCookies = answer.headers['set-cookie'] ?? [];
  jar?.take(setCookies);
  return { ...answer, setCookies };
}

/** The ways to run middleware: on node:http alone, and in Express, which trusts the proxy in front of it. */
const platforms = {
  'node:http': (middlewares, route, fail) => serve(listener(middlewares, caught(route, fail), fail)),
  Express: (middlewares, route, fail) => {
    const app = express();
    app.set('trust proxy', true);
    app.use(...middlewares);
    app.use((req, res) => route(req, res));
    // Four parameters, by which Express knows it.
    app.use((error, req, res, next) => (fail ?? answerWithCode)(error, req, res, next));
    return serve(app);
  },
};

/** As Express does with what a route throws, at once or later. */
function caught(route, fail = answerWithCode) {
  return async (req, res) => {
    try {
      await route(req, res);
    } catch (error) {
      fail(error, req, res);
    }
  };
}

function answerWithCode(error, req, res) {
  if (res.headersSent) return res.destroy();
  res.statusCode = error.status ?? 500;
  res.end(JSON.stringify({ code: error.code, message: error.message }));
}

module.exports = { Jar, ask, platforms, readSetCookie };
