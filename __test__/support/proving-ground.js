'use strict';

/** The proving ground in an application of its own, and its events. */

const http = require('node:http');
const express = require('express');
const { provingGround } = require('../../examples/express/proving-ground');
const { harden, hardenServer } = require('../../lib/express');

/** Short, as no figure matters here but whether there is one. */
const SHORT = { calmMs: 200, attackMs: 400, afterMs: 200 };

/**
 * @param {object} [options] of provingGround
 * @param {{ host?: string, isHardened?: boolean }} [how] where it listens, and whether the application is hardened
 */
async function startGround(options = SHORT, { host = '127.0.0.1', isHardened = false } = {}) {
  const violations = [];
  const app = express();
  if (isHardened) {
    harden(app, { headers: { contentSecurityPolicy: { 'report-uri': '/violations' } } });
    app.post('/violations', express.json({ type: () => true }), (req, res) => {
      violations.push(req.body);
      res.status(204).end();
    });
  }
  app.use('/proving-ground', provingGround(options));
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
