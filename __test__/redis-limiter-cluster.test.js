'use strict';

/** RedisRateLimiter on a cluster: keys go where they belong, each node learns the script, and one of three may fail. */

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const { after, before, describe, it } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { promisify } = require('node:util');
const { RedisRateLimiter } = require('..');
const { CLIENTS, Server, callsOf, end, freePort, skip } = require('./support/redis.js');

const RATE = { limit: 5, windowMs: 366 * 86_400_000 };
const NODES = 3;
/** A node listens at its port and 10,000 above it. */
const HIGHEST_PORT = 55_535;

async function startNode() {
  for (;;) {
    const port = await freePort();
    if (port > HIGHEST_PORT) continue;
    // One node may be away without the others refusing everything.
    const settings = ['--cluster-enabled', 'yes', '--cluster-require-full-coverage', 'no'];
    const server = new Server({ port, settings });
    try {
      return await server.start();
    } catch (error) {
      server.kill();
      if (!/in use/.test(String(error))) throw error;
    }
  }
}

const CLUSTERS = {
  ioredis(ports) {
    const { Cluster } = require('ioredis');
    const nodes = ports.map((port) => ({ host: '127.0.0.1', port }));
    const client = new Cluster(nodes, { clusterRetryStrategy: () => 50, redisOptions: { maxRetriesPerRequest: 1 } });
    client.on('error', () => {});
    return { client, close: () => client.disconnect() };
  },
  async redis(ports) {
    const { createCluster } = require('redis');
    const client = createCluster({ rootNodes: ports.map((port) => ({ socket: { host: '127.0.0.1', port } })) });
    client.on('error', () => {});
    await client.connect();
    return { client, close: () => end(client) };
  },
};

describe('RedisRateLimiter on a cluster', { skip, timeout: 240_000 }, () => {
  const servers = [];
  const direct = [];
  let ports;
  before(async () => {
    while (servers.length < NODES) servers.push(await startNode());
    ports = servers.map(({ port }) => port);
    const nodes = ports.map((port) => `127.0.0.1:${port}`);
    await promisify(execFile)('redis-cli', [
      '--cluster',
      'create',
      ...nodes,
      '--cluster-replicas',
      '0',
      '--cluster-yes',
    ]);
    for (const port of ports) direct.push(await CLIENTS.ioredis(port));
    for (const { send } of direct) while (!/cluster_state:ok/.test(await send('CLUSTER', 'INFO'))) await sleep(20);
  });
  after(() => {
    for (const { close } of direct) close();
    for (const server of servers) server.kill();
  });

  const total = async (command) => {
    let sum = 0;
    for (const { send } of direct) sum += await callsOf(send, command);
    return sum;
  };

  for (const [name, connect] of Object.entries(CLUSTERS)) {
    it(`with ${name}: spreads keys over all nodes, whatever is in them, and holds the rate on each`, async () => {
      for (const { send } of direct) await send('SCRIPT', 'FLUSH');
      const { client, close } = await connect(ports);
      try {
        const limiter = new RedisRateLimiter({ client, ...RATE, prefix: `${name}:`, timeoutMs: 10_000 });
        const keys = Array.from({ length: 300 }, (_, key) => (key % 2 === 0 ? `user ${key}` : `{same}${key}`));
        const whole = await total('eval');
        for (let round = 0; round < 6; round++) {
          const answers = await Promise.all(keys.map((key) => limiter.consume(key)));
          assert.ok(answers.every(({ allowed }) => allowed === round < 5));
        }
        const { answered, failed, local } = limiter.stats();
        assert.deepEqual({ answered, failed, local }, { answered: 1800, failed: 0, local: 0 });
        const sent = (await total('eval')) - whole;
        assert.ok(sent >= NODES && sent <= keys.length, 'in the first round at most');
        const settled = await total('eval');
        await Promise.all(keys.map((key) => limiter.consume(key)));
        assert.equal(await total('eval'), settled);
        for (const { send } of direct) {
          const held = (await send('KEYS', `${name}:*`)).length;
          assert.ok(held > 50 && held < 150, `${held} of ${keys.length} keys on one node`);
        }
        await limiter.reset('{same}1');
        assert.equal((await limiter.peek('{same}1')).remaining, 5);
      } finally {
        await close();
      }
    });
  }

  it('is one store: while a node is away every call is answered, and when it is back by Redis', async () => {
    const { client, close } = await CLUSTERS.ioredis(ports);
    try {
      const limiter = new RedisRateLimiter({ client, ...RATE, prefix: 'less:', timeoutMs: 100 });
      const keys = Array.from({ length: 60 }, (_, key) => `user ${key}`);
      await Promise.all(keys.map((key) => limiter.consume(key)));
      await servers[0].crash();
      for (let round = 0; round < 10; round++) {
        await Promise.all(keys.map((key) => limiter.consume(key, 0)));
        await sleep(20);
      }
      assert.ok(limiter.stats().failed > 0 && limiter.stats().local > 0);
      await servers[0].start();
      // Half of what a store that is well answers, of keys on all nodes.
      for (let answered = 0; answered < 30;) {
        const before = limiter.stats().answered;
        await Promise.all(keys.map((key) => limiter.consume(key, 0)));
        answered = limiter.stats().answered - before;
        await sleep(20);
      }
    } finally {
      await close();
    }
  });
});
