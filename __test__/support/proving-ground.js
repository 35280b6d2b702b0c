'use strict';

/** The proving ground in an application of its own, and its events. */

const http = require('node:http');
const express = require('express');
const { provingGround } = require('../../examples/express/proving-ground');
const { csrf } = require('../../lib/http/csrf.js');
const { hardenServer } = require('../../lib/http/harden-server.js');
const { headers } = require('../../lib/http/headers.js');
const { limitBody } = require('../../lib/http/limit-body.js');
const { problemHandler } = require('../../lib/http/problem.js');
const { rateLimit } = require('../../lib/http/rate-limit.js');
const { safeJson } = require('../../lib/http/safe-json.js');
const { safeQuery } = require('../../lib/http/safe-query.js');

/** Short, as no figure matters here but whether there is one. */
const SHORT = { calmMs: 200, attackMs: 400, afterMs: 200 };

/**
 * @param {object} [options] of provingGround
 * @param {{ host?: string, isHardened?: boolean }} [how] where it listens, and whether it stands behind what harden()
 *   puts in front of an application
 */
async function startGround(options = SHORT, { host = '127.0.0.1', isHardened = false } = {}) {
  const violations = [];
  const app = express();
  if (isHardened) {
    app.use(headers({ contentSecurityPolicy: { 'report-uri': '/violations' } }));
    app.post('/violations', express.json({ type: () => true }), (req, res) => {
      violations.push(req.body);
      res.status(204).end();
    });
    app.use(rateLimit(), limitBody(), safeJson(), safeQuery(), csrf());
  }
  app.use('/proving-ground', provingGround(options));
  if (isHardened) app.use(problemHandler());
  const server = http.createServer(app);
  if (isHardened) hardenServer(server);
  await new Promise((resolve) => server.listen(0, host, () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}/proving-ground`,
    violations,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * @param {Response} response
 * @returns {AsyncGenerator<{ event: string, data: any }>}
 */
async function* eventsIn(response) {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    const messages = (text + decoder.decode(chunk, { stream: true })).split('\n\n');
    text = messages.pop();
    for (const message of messages) {
      const [, event, data] = /^event: (\S+)\ndata: (.*)$/.exec(message);
      yield { event, data: JSON.parse(data) };
    }
  }
}

module.exports = { SHORT, eventsIn, startGround };
