'use strict';

/**
 * One table of requests and what has to be answered, on four applications: Express with every piece put in by hand, Express
 * with harden(), Nest on Express, and Nest on Fastify. The expectations are the same for all.
 */

const assert = require('node:assert/strict');
const http = require('node:http');
const { once } = require('node:events');
const { after, before, describe, it } = require('node:test');
const { hardenServer } = require('../../lib/express/index.js');
const { runCase, runRaw } = require('./matrix/client.js');
const { hardened, pieces } = require('./matrix/express-apps.js');
const { onExpress, onFastify } = require('./matrix/nest-apps.js');
const { TIMEOUTS } = require('./matrix/rules.js');
const groups = require('./matrix/matrix.cases.json');

const LEAST_CASES = 200;

const APPLICATIONS = {
  'Express, piece by piece': () => listening(pieces()),
  'Express with harden()': () => listening(hardened()),
  'Nest on Express': onExpress,
  'Nest on Fastify': onFastify,
};

async function listening(app) {
  const server = http.createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, close: () => new Promise((resolve) => server.close(resolve)) };
}

it(`the matrix has at least ${LEAST_CASES} cases, each with a name of its own`, () => {
  const names = groups.flatMap(({ group, cases }) => cases.map(({ name }) => `${group}: ${name}`));
  assert.ok(names.length >= LEAST_CASES, String(names.length));
  assert.equal(new Set(names).size, names.length);
});

for (const [application, start] of Object.entries(APPLICATIONS)) {
  describe(application, () => {
    let running;
    let clients = 0;
    before(async () => {
      running = await start();
      hardenServer(running.server, TIMEOUTS);
    });
    after(async () => {
      running?.server.closeAllConnections();
      await running?.close();
    });

    for (const { group, cases } of groups) {
      describe(group, () => {
        for (const one of cases) {
          it(one.name, async () => {
            const { port } = running.server.address();
            if (one.raw !== undefined) return runRaw(one, port);
            // An address of its own, so that no case uses up the limits of another.
            clients++;
            await runCase(one, port, `203.0.${113 + (clients >> 8)}.${clients & 255}`);
          });
        }
      });
    }

    it('has polluted no prototype', () => {
      assert.equal({}.isAdmin, undefined);
      assert.deepEqual(Object.keys(Object.prototype), []);
    });
  });
}
