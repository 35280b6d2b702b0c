'use strict';

/**
 * RedisRateLimiter, script and all, against GCRA in exact fractions. The clock is the test's: the script is sent as it
 * is but for its function `now`, which reads one more argument. HOLDFAST_SEED and HOLDFAST_TRACES choose other traces.
 */

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const { RedisRateLimiter } = require('..');
const { SCRIPT } = require('../lib/redis-script.js');
const { Random } = require('./support/random.js');
const { CLIENTS, skip, startRedis } = require('./support/redis.js');

const TRACES = Number(process.env.HOLDFAST_TRACES ?? 150);
const SEED = Number(process.env.HOLDFAST_SEED ?? 1);
const STEPS = 60;

const NOW = /local function now\(\)\n[^]*?\nend\n/;
const CLOCKED = SCRIPT.replace(NOW, 'local function now() return tonumber(ARGV[4]) end\n');

/** Sends the script with a time of its own, and has what it wrote kept until it is read again. */
class ClockedClient {
  now = 0;
  #client;

  constructor(client) {
    this.#client = client;
  }

  defineCommand() {}

  async evalsha(_, count, key, ...values) {
    const job = this.#client.multi().eval(CLOCKED, count, key, ...values, String(this.now));
    const [[error, answer], [, persisted]] = await job.persist(key).exec();
    if (error) throw error;
    this.persisted = persisted === 1;
    return answer;
  }

  eval() {
    throw new Error('not used');
  }

  async del(key) {
    return this.#client.del(key);
  }
}

/** In fractions of a microsecond, of which `limit` are one: a token takes `windowMs * 1000` of them. */
class Model {
  full = 0n;

  constructor({ limit, windowMs, burst }) {
    this.limit = BigInt(limit);
    this.token = BigInt(windowMs) * 1000n;
    this.burst = BigInt(burst);
    this.capacity = this.burst * this.token;
  }

  level(now) {
    const level = this.full - BigInt(now) * this.limit;
    if (level < 0n) return 0n;
    return level > this.capacity ? this.capacity : level;
  }

  consume(now, cost) {
    const [level, wanted] = [this.level(now), BigInt(cost) * this.token];
    const allowed = cost === 0 || level + wanted <= this.capacity;
    const next = allowed ? level + wanted : level;
    if (cost > 0) this.keep(now, next);
    const wait = allowed ? 0n : level + wanted - this.capacity;
    return this.result(allowed, next, wanted > this.capacity ? Infinity : this.milliseconds(wait));
  }

  peek(now) {
    const missing = this.level(now) + this.token - this.capacity;
    return this.result(missing <= 0n, this.level(now), missing <= 0n ? 0 : this.milliseconds(missing));
  }

  refund(now, cost) {
    const level = this.level(now) - BigInt(cost) * this.token;
    if (cost > 0) this.keep(now, level > 0n ? level : 0n);
  }

  /** A bucket that was full and stays full is not touched, and one that gets full is as if it had never been used. */
  keep(now, level) {
    if (this.full <= BigInt(now) * this.limit && level === 0n) return;
    this.full = level === 0n ? 0n : BigInt(now) * this.limit + level;
  }

  result(allowed, level, retryAfterMs) {
    const remaining = Number((this.capacity - level) / this.token);
    return { allowed, limit: Number(this.limit), remaining, retryAfterMs, resetMs: this.milliseconds(level) };
  }

  /** Rounded up. */
  milliseconds(level) {
    return Number((level + this.limit * 1000n - 1n) / (this.limit * 1000n));
  }
}

const gcd = (a, b) => (b === 0 ? a : gcd(b, a % b));

/** Of all sizes; those that a double cannot hold exactly are for crates/limiter, which rounds them. */
function randomRate(random) {
  for (;;) {
    const limit = random.pick([1, 2, 3, 7, 10, 13, 60, 100, 997, 1000, 1 + random.below(5000), 1 + random.below(1e6)]);
    const windowMs = random.pick([1, 7, 1000, 60_000, 3_600_000, 86_400_000, 1 + random.below(1e7)]);
    const burst = random.pick([limit, 1, 2, 1 + random.below(2 * limit)]);
    const unit = gcd(windowMs * 1000, limit);
    if (limit / unit <= 2 ** 20 && burst * ((windowMs * 1000) / unit) <= 2 ** 52) return { limit, windowMs, burst };
  }
}

/** Microseconds on the clock until the next call; sometimes it goes backwards. */
function randomStep(random, { limit, windowMs, burst }) {
  const token = (windowMs * 1000) / limit;
  const recovery = token * burst;
  const most = random.pick([0, 1, 3, token / 2, token, token * 2, recovery, recovery * 2]);
  const step = random.below(Math.ceil(Math.min(most, 2 ** 31)) + 1);
  return random.below(12) === 0 ? -step : step;
}

describe('RedisRateLimiter and exact arithmetic', { skip }, () => {
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

  it('replaces the clock of the script, and nothing else', () => {
    const [, start, end] = /^([^]*?)local function now\(\)[^]*?\nend\n([^]*)$/.exec(SCRIPT);
    assert.equal(CLOCKED, `${start}local function now() return tonumber(ARGV[4]) end\n${end}`);
    assert.equal(CLOCKED.includes('TIME'), false);
  });

  it(`agree on ${TRACES} random traces of ${STEPS} calls`, async (t) => {
    const random = new Random(SEED);
    const seen = { allowed: 0, refused: 0, fractions: 0, written: 0 };
    for (let trace = 0; trace < TRACES; trace++) {
      const rate = randomRate(random);
      const client = new ClockedClient(connected.client);
      const options = { client, ...rate, prefix: `${trace}:`, timeoutMs: 60_000, onStoreError: 'closed' };
      const [limiter, model] = [new RedisRateLimiter(options), new Model(rate)];
      client.now = 1_700_000_000_000_000 + random.below(2 ** 31);
      for (let step = 0; step < STEPS; step++) {
        client.now += randomStep(random, rate);
        const cost = random.pick([0, 1, 1, 1, 1, 2, 1 + random.below(rate.burst), rate.burst, rate.burst + 1, 1e9]);
        const method = random.pick(['consume', 'consume', 'consume', 'consume', 'peek', 'refund']);
        const expected = model[method](client.now, cost);
        const label = `seed ${SEED}, trace ${trace}, step ${step}: ${method} ${cost} at ${JSON.stringify(rate)}`;
        assert.deepEqual(await limiter[method]('a', cost), expected, label);
        if (expected !== undefined) seen[expected.allowed ? 'allowed' : 'refused']++;
        if (client.persisted) seen.written++;
      }
      const state = String(await connected.send('GET', `${trace}:a`));
      assert.match(state, /^(null|\d{16}(:[1-9]\d*)?)$/);
      if (state.includes(':')) seen.fractions++;
    }
    t.diagnostic(JSON.stringify(seen));
    // All that the traces are for has happened.
    for (const [what, count] of Object.entries(seen)) assert.ok(count > TRACES / 10, `${what}: ${count}`);
  });

  it('agree where numbers are as large as they get', async () => {
    const year = 366 * 86_400_000;
    for (const rate of [
      { limit: 1, windowMs: year, burst: 142 },
      { limit: 1_000_000_000, windowMs: 1000, burst: 1_000_000_000 },
      { limit: 1_048_576, windowMs: 1_000_003, burst: 2_097_152 },
      { limit: 999_983, windowMs: 4_503, burst: 1_000_000 },
    ]) {
      const client = new ClockedClient(connected.client);
      const prefix = `large ${rate.limit}:`;
      const limiter = new RedisRateLimiter({ client, ...rate, prefix, timeoutMs: 60_000, onStoreError: 'closed' });
      const model = new Model(rate);
      client.now = 1_795_000_000_123_457;
      for (const [step, cost] of [
        [0, 1],
        [1, 1],
        [12_345, Math.ceil(rate.burst / 2)],
        [7, Math.floor(rate.burst / 3)],
        [3, rate.burst],
        [999, 1],
        [100_000_000, 2],
      ]) {
        client.now += step;
        const label = `${cost} after ${step} µs at ${JSON.stringify(rate)}`;
        assert.deepEqual(await limiter.consume('a', cost), model.consume(client.now, cost), label);
        assert.deepEqual(await limiter.peek('a'), model.peek(client.now), label);
      }
    }
  });

  it('keep a key for a second longer than it takes to recover, by the clock of the server', async () => {
    const { send, client } = connected;
    for (const [limit, windowMs, burst, taken] of [
      [7, 1000, 7, 3],
      [1, 1, 1, 1],
      [3, 86_400_000, 50, 49],
    ]) {
      const prefix = `kept ${limit}:`;
      const limiter = new RedisRateLimiter({ client, limit, windowMs, burst, prefix });
      await limiter.consume('a', taken);
      const [[, ttl], [, state], [, [seconds, microseconds]]] = await client
        .multi()
        .pttl(`${prefix}a`)
        .get(`${prefix}a`)
        .time()
        .exec();
      const left = Number(BigInt(state.split(':')[0]) - BigInt(seconds) * 1_000_000n - BigInt(microseconds)) / 1000;
      assert.ok(ttl >= left && ttl <= Math.ceil((taken * windowMs) / limit) + 1000, `${ttl} ms, ${left} ms`);
      await send('DEL', `${prefix}a`);
    }
  });
});
