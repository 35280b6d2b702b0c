'use strict';

/** The proving ground in an application of its own, under the policy that harden() sets; and its events. */

const express = require('express');
const { provingGround } = require('../../examples/express/proving-ground');

/** Short, as no figure matters here but whether there is one. */
const SHORT = { calmMs: 200, attackMs: 400, afterMs: 200 };

const POLICY = [
  "default-src 'self'",
  "base-uri 'none'",
  "object-src 'none'",
  "frame-ancestors 'none'",
  "form-action 'self'",
  "script-src 'self' 'nonce-AAAAAAAAAAAAAAAAAAAAAA'",
  "style-src 'self' 'nonce-AAAAAAAAAAAAAAAAAAAAAA'",
  "img-src 'self' data:",
  'report-uri /violations',
].join('; ');

/**
 * @param {object} [options] of provingGround
 * @param {string} [host] to listen on
 */
async function startGround(options = SHORT, host = '127.0.0.1') {
  const violations = [];
  const app = express();
  app.use((req, res, next) => {
    res.setHeader('Content-Security-Policy', POLICY);
    next();
  });
  app.post('/violations', express.json({ type: () => true }), (req, res) => {
    violations.push(req.body);
    res.status(204).end();
  });
  app.use('/proving-ground', provingGround(options));
  const server = await new Promise((resolve) => {
    const listening = app.listen(0, host, () => resolve(listening));
  });
  const { port } = server.address();
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
