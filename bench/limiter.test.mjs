// Tests of what limiter.mjs and limiter-memory.mjs compare: a limiter that does less than count must not be measured,
// and no key may come twice where all are to be new. Needs neither the addon nor the peers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshIpv4, ipv4, ipv6, passKeys, Texts } from './limiter-keys.mjs';
import { assertCounts } from './limiter-peers.mjs';

/** A limiter that counts. `remaining` and `runAddresses` rest on the same counters. */
function counting({ limit }) {
  const hits = new Map();
  const hit = (key) => {
    hits.set(key, (hits.get(key) ?? 0) + 1);
    return hits.get(key) <= limit;
  };
  return {
    run: async (keys) => keys.filter(hit).length,
    runAddresses: async (keys) => keys.map((key) => key.slice(0, '2001:db8:1:2'.length)).filter(hit).length,
    async runPairs(keys) {
      let allowed = 0;
      for (let index = 0; index < keys.length; index += 2) {
        if ([hit(keys[index]), hit(keys[index + 1])].every(Boolean)) allowed++;
      }
      return allowed;
    },
    prime: (key, count) => void hits.set(key, count),
    remaining: (key) => Math.max(0, limit - (hits.get(key) ?? 0)),
    close() {},
  };
}

test('a limiter that counts is let through, one without addresses too', async () => {
  await assertCounts('counting', counting);
  await assertCounts('no addresses', (settings) => ({ ...counting(settings), runAddresses: undefined }));
});

const LESS = {
  'does not count': (limiter) => ({ run: async (keys) => keys.length, remaining: limiter.remaining }),
  'counts all keys as one': (limiter) => ({ run: (keys) => limiter.run(keys.map(() => 'one')) }),
  'counts a key once in a batch': (limiter) => ({ run: (keys) => limiter.run([...new Set(keys)]) }),
  'refuses nobody': (limiter) => ({ run: (keys) => limiter.run(keys).then(() => keys.length) }),
  'is not awaited': (limiter) => ({ run: (keys) => keys.filter((key) => limiter.run([key]) <= 3).length }),
  'allows one more': (_, settings) => counting({ limit: settings.limit + 1 }),
  'takes only the first key of a pair': (limiter) => ({
    runPairs: (keys) => limiter.run(keys.filter((_, index) => index % 2 === 0)),
  }),
  'takes each address for itself': (limiter) => ({ runAddresses: limiter.run }),
  'takes a key to be new again': () => ({ prime() {} }),
};

for (const [what, change] of Object.entries(LESS)) {
  test(`a limiter that ${what} is refused by name`, async () => {
    const less = (settings) => {
      const limiter = counting(settings);
      return { ...limiter, ...change(limiter, settings) };
    };
    await assert.rejects(assertCounts('lesser', less), (error) => {
      assert.ok(error instanceof assert.AssertionError);
      assert.match(error.message, /lesser/);
      return true;
    });
  });
}

test('texts come back as they were, each as a string of its own', () => {
  const words = ['', 'a', '203.0.113.7', 'user:12'];
  const texts = new Texts(words.length, (index) => words[index]);
  assert.equal(texts.length, 4);
  assert.deepEqual(
    words.map((_, index) => texts.fresh(index)),
    words,
  );
});

test('no address comes twice, and the quick way to write one is the same', () => {
  const count = 200_000;
  const indices = Array.from({ length: count }, (_, index) => index + 2 ** 31 - count / 2);
  assert.equal(new Set(indices.map(ipv4)).size, count);
  for (const index of indices) assert.equal(freshIpv4(index), ipv4(index));
  const networks = new Set(indices.map((index) => ipv6(index).split('::')[0]));
  assert.equal(networks.size, count);
});

test('keys are passed on once each until something says stop, and a refusal is an error', async () => {
  const seen = [];
  const limiter = { run: async (keys) => seen.push(...keys) && keys.length };
  const after = (done) => (done === 3000 ? 'enough' : undefined);
  assert.deepEqual(await passKeys(limiter, { from: 5, count: 10_000, after }), { done: 3000, stopped: 'enough' });
  assert.deepEqual(
    seen,
    Array.from({ length: 3000 }, (_, index) => ipv4(index + 5)),
  );
  assert.deepEqual(await passKeys(limiter, { from: 0, count: 2000 }), { done: 2000, stopped: null });
  await assert.rejects(passKeys({ run: (keys) => keys.length - 1 }, { from: 0, count: 1000 }), /999 of 1000/);
});
