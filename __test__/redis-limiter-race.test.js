'use strict';

/** Two processes on one Redis, with one client each: never more is allowed than the rate allows, and never less. */

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const { promisify } = require('node:util');
const { CLIENTS, callsOf, skip, startRedis } = require('./support/redis.js');

const CALLS = 50_000;
const YEAR = 366 * 86_400_000;

async function race(port, options) {
  const script = path.join(__dirname, 'support', 'redis-racer.js');
  const racers = Object.keys(CLIENTS).map((kind) => {
    const args = [script, String(port), kind, String(CALLS), JSON.stringify(options)];
    return promisify(execFile)(process.execPath, args, { timeout: 300_000, killSignal: 'SIGKILL' });
  });
  const results = (await Promise.all(racers)).map(({ stdout }) => JSON.parse(stdout));
  for (const result of results) {
    const { answered, failed, local } = result;
    assert.deepEqual({ answered, failed, local }, { answered: CALLS, failed: 0, local: 0 });
  }
  const elapsed = Math.max(...results.map(({ end }) => end)) - Math.min(...results.map(({ start }) => start));
  return { allowed: results.map(({ allowed }) => allowed), elapsed };
}

describe('two processes', { skip }, () => {
  let server;
  let connected;
  before(async () => {
    server = await startRedis();
    connected = await CLIENTS.ioredis(server.port);
  });
  after(() => {
    connected.close();
    server.kill();
  });

  it('are allowed exactly the burst of a rate that is too slow to give anything back', async (t) => {
    // A token in 26 minutes.
    const { allowed } = await race(server.port, { limit: 20_000, windowMs: YEAR, prefix: 'slow:' });
    t.diagnostic(`${allowed.join(' + ')} of ${2 * CALLS}`);
    assert.equal(allowed[0] + allowed[1], 20_000);
  });

  it('are allowed no more than the burst and what came back, by the clock of the server', async (t) => {
    const { allowed, elapsed } = await race(server.port, { limit: 700, windowMs: 99, burst: 50, prefix: 'fast:' });
    const most = 50 + Math.floor((elapsed * 700) / 99_000);
    t.diagnostic(`${allowed.join(' + ')} of ${2 * CALLS}; at most ${most}`);
    assert.ok(allowed[0] + allowed[1] <= most);
    assert.ok(allowed[0] + allowed[1] > 50, 'some came back');
  });

  it('have sent the script no more often than there are processes', async () => {
    assert.ok((await callsOf(connected.send, 'eval')) <= 2);
    assert.ok((await callsOf(connected.send, 'evalsha')) >= 4 * CALLS);
  });
});
