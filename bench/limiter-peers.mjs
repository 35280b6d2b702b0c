// The limiters that limiter.mjs and limiter-memory.mjs compare, each driven as its middleware drives it: Holdfast is
// called, the others are awaited, hit by hit. Their windows are fixed ones and Holdfast's is GCRA, so that what they
// answer is the same as long as no token comes back: `assertCounts` asks for that, of the very loops that are measured.
//
// What is measured is the store, where the counting is. The middleware around it makes its key from the request:
// express-rate-limit of the address alone, and @nestjs/throttler of a SHA-256 of class, method and address.
import assert from 'node:assert/strict';
import { isolate } from './harness.mjs';

/** Of an IPv6 address: the default of Holdfast and of express-rate-limit. */
const PREFIX = 56;

/**
 * @typedef {object} Limiter
 * @property {(keys: string[]) => number | Promise<number>} run  a hit on every key; how many of them were allowed
 * @property {(keys: string[]) => number | Promise<number>} runAddresses  the same for IPv6 addresses, by their /56
 * @property {(keys: string[]) => number | Promise<number>} runPairs  a hit on each two keys that follow each other, as
 *   one request has them; how many requests were allowed
 * @property {(key: string) => unknown} hit  a single one, for where each is looked at
 * @property {(key: string, hits: number) => void | Promise<void>} prime  makes it a key with so many hits
 * @property {(key: string) => number | Promise<number>} remaining
 * @property {() => void} [forget]  leaves one hit of each key, where the time of a hit depends on how many there are
 * @property {(key: string) => void} drop
 * @property {() => void} close
 * @property {any} [own]  Holdfast's RateLimiter
 *
 * @typedef {{ limit: number, windowMs: number, maxKeys?: number }} Settings
 */

/**
 * What makes a limiter, from the module that has it.
 * @type {Record<string, (module: any, settings: Settings) => Limiter>}
 */
export const LIMITERS = {
  holdfast({ RateLimiter }, { limit, windowMs, maxKeys }) {
    const limiter = new RateLimiter({ limit, windowMs, maxKeys, ipv6Prefix: PREFIX });
    const run = isolate((limiter, kept) => (keys) => {
      let allowed = 0;
      for (let i = 0; i < keys.length; i++) {
        const answer = limiter.consume(keys[i]);
        kept.answer = answer;
        if (answer.allowed) allowed++;
      }
      return allowed;
    })(limiter, {});
    return {
      own: limiter,
      run,
      runAddresses: run,
      runPairs: isolate((limiter, kept) => (keys) => {
        let allowed = 0;
        for (let i = 0; i < keys.length; i += 2) {
          const answer = limiter.consumeMany([keys[i], keys[i + 1]]);
          kept.answer = answer;
          if (answer.allowed) allowed++;
        }
        return allowed;
      })(limiter, {}),
      hit: (key) => limiter.consume(key),
      prime(key, hits) {
        limiter.reset(key);
        limiter.consume(key, hits);
      },
      remaining: (key) => limiter.peek(key).remaining,
      drop: (key) => limiter.reset(key),
      close() {},
    };
  },

  'express-rate-limit'({ MemoryStore, ipKeyGenerator }, { limit, windowMs }) {
    const store = new MemoryStore();
    store.init({ windowMs });
    return {
      run: isolate((store, limit, kept) => async (keys) => {
        let allowed = 0;
        for (let i = 0; i < keys.length; i++) {
          const answer = await store.increment(keys[i]);
          kept.answer = answer;
          if (answer.totalHits <= limit) allowed++;
        }
        return allowed;
      })(store, limit, {}),
      runAddresses: isolate((store, limit, kept, ipKeyGenerator, prefix) => async (keys) => {
        let allowed = 0;
        for (let i = 0; i < keys.length; i++) {
          const answer = await store.increment(ipKeyGenerator(keys[i], prefix));
          kept.answer = answer;
          if (answer.totalHits <= limit) allowed++;
        }
        return allowed;
      })(store, limit, {}, ipKeyGenerator, PREFIX),
      runPairs: isolate((store, limit, kept) => async (keys) => {
        let allowed = 0;
        for (let i = 0; i < keys.length; i += 2) {
          const first = await store.increment(keys[i]);
          const second = await store.increment(keys[i + 1]);
          kept.answer = second;
          if (first.totalHits <= limit && second.totalHits <= limit) allowed++;
        }
        return allowed;
      })(store, limit, {}),
      hit: (key) => store.increment(key),
      async prime(key, hits) {
        await store.resetKey(key);
        const client = await store.increment(key);
        client.totalHits = hits;
      },
      remaining: async (key) => Math.max(0, limit - ((await store.get(key))?.totalHits ?? 0)),
      drop: (key) => void store.resetKey(key),
      close: () => store.shutdown(),
    };
  },

  'rate-limiter-flexible'({ RateLimiterMemory, RateLimiterRes }, { limit, windowMs }) {
    const limiter = new RateLimiterMemory({ points: limit, duration: windowMs / 1000 });
    return {
      run: isolate((limiter, RateLimiterRes, kept) => async (keys) => {
        let allowed = 0;
        for (let i = 0; i < keys.length; i++) {
          try {
            kept.answer = await limiter.consume(keys[i]);
            allowed++;
          } catch (refusal) {
            if (!(refusal instanceof RateLimiterRes)) throw refusal;
            kept.answer = refusal;
          }
        }
        return allowed;
      })(limiter, RateLimiterRes, {}),
      runPairs: isolate((limiter, RateLimiterRes, kept) => async (keys) => {
        let allowed = 0;
        for (let i = 0; i < keys.length; i += 2) {
          try {
            kept.answer = await limiter.consume(keys[i]);
            kept.answer = await limiter.consume(keys[i + 1]);
            allowed++;
          } catch (refusal) {
            if (!(refusal instanceof RateLimiterRes)) throw refusal;
            kept.answer = refusal;
          }
        }
        return allowed;
      })(limiter, RateLimiterRes, {}),
      hit: (key) => limiter.consume(key),
      async prime(key, hits) {
        await limiter.delete(key);
        await limiter.consume(key, hits);
      },
      remaining: async (key) => (await limiter.get(key))?.remainingPoints ?? limit,
      drop: (key) => void limiter.delete(key),
      // Each key has a timer, which keeps it and the store in memory until the window is over.
      close() {
        for (const { key } of limiter.dump().storage) void limiter.delete(key);
      },
    };
  },

  '@nestjs/throttler'({ ThrottlerStorageService, normalizeIp }, { limit, windowMs }) {
    const storage = new ThrottlerStorageService();
    const drop = (key) => {
      storage.storage.delete(key);
      storage.hitExpirations.delete(key);
    };
    const forgetAllBut = (key, hits) => {
      storage.hitExpirations.get(key)?.set('default', new Array(hits).fill(Date.now() + windowMs));
    };
    return {
      // Its guard has `blockDuration` at the time of a window where nothing else is said.
      run: isolate((storage, limit, ttl, kept) => async (keys) => {
        let allowed = 0;
        for (let i = 0; i < keys.length; i++) {
          const answer = await storage.increment(keys[i], ttl, limit, ttl, 'default');
          kept.answer = answer;
          if (!answer.isBlocked) allowed++;
        }
        return allowed;
      })(storage, limit, windowMs, {}),
      runAddresses: isolate((storage, limit, ttl, kept, normalizeIp, prefix) => async (keys) => {
        let allowed = 0;
        for (let i = 0; i < keys.length; i++) {
          const answer = await storage.increment(normalizeIp(keys[i], prefix), ttl, limit, ttl, 'default');
          kept.answer = answer;
          if (!answer.isBlocked) allowed++;
        }
        return allowed;
      })(storage, limit, windowMs, {}, normalizeIp, PREFIX),
      runPairs: isolate((storage, limit, ttl, kept) => async (keys) => {
        let allowed = 0;
        for (let i = 0; i < keys.length; i += 2) {
          const first = await storage.increment(keys[i], ttl, limit, ttl, 'default');
          const second = await storage.increment(keys[i + 1], ttl, limit, ttl, 'default');
          kept.answer = second;
          if (!first.isBlocked && !second.isBlocked) allowed++;
        }
        return allowed;
      })(storage, limit, windowMs, {}),
      hit: (key) => storage.increment(key, windowMs, limit, windowMs, 'default'),
      async prime(key, hits) {
        drop(key);
        await storage.increment(key, windowMs, limit, windowMs, 'default');
        forgetAllBut(key, hits);
        storage.storage.get(key).totalHits.set('default', hits);
      },
      remaining: (key) => Math.max(0, limit - (storage.storage.get(key)?.totalHits.get('default') ?? 0)),
      forget() {
        for (const key of storage.hitExpirations.keys()) forgetAllBut(key, 1);
      },
      drop,
      close: () => storage.onApplicationShutdown(),
    };
  },
};

/**
 * All limiters of a case; null for a package that is not available. Each has been seen to count.
 * @param {Settings} settings
 * @returns {Promise<Record<string, Limiter | null>>}
 */
export async function limitersOf({ holdfast, peer }, settings, names = Object.keys(LIMITERS)) {
  const limiters = {};
  for (const name of names) {
    const module = name === 'holdfast' ? holdfast : await peer(name);
    if (module) await assertCounts(name, (strict) => LIMITERS[name](module, strict));
    limiters[name] = module && LIMITERS[name](module, settings);
  }
  return limiters;
}

/**
 * Throws when a limiter does less than to count the hits of each key, and to refuse those over the limit.
 * @param {string} name
 * @param {(settings: Settings) => Limiter} make
 */
export async function assertCounts(name, make) {
  // A token in eight hours: none comes back meanwhile.
  const settings = { limit: 3, windowMs: 24 * 3600 * 1000, maxKeys: 1000 };
  const [a, b, c] = ['203.0.113.7', '203.0.113.8', '203.0.113.9'];
  await fresh(async (limiter) => {
    assert.equal(await limiter.run([a, a, b]), 3, `${name} allows three hits`);
    assert.equal(await limiter.remaining(a), 1, `${name}: what remains of 3 after 2 hits`);
    assert.equal(await limiter.remaining(b), 2, `${name}: what remains of 3 after 1 hit`);
    assert.equal(await limiter.run([a, a, b, a, c]), 3, `${name} refuses the fourth and fifth hit of a key`);
    assert.equal(await limiter.remaining(a), 0, `${name}: what remains of 3 after 5 hits`);
    assert.equal(await limiter.run([a, c, c, c]), 2, `${name} goes on refusing`);
    for (const [hits, allowed] of [
      [3, 0],
      [1, 2],
    ]) {
      await limiter.prime(b, hits);
      assert.equal(await limiter.run([b, b]), allowed, `${name} takes a key to have the hits it was given`);
    }
  });
  await fresh(async (limiter) => {
    assert.equal(await limiter.runPairs([a, b, a, c]), 2, `${name} allows two pairs`);
    assert.equal(await limiter.remaining(a), 1, `${name}: what remains of a key of two pairs`);
    assert.equal(await limiter.remaining(c), 2, `${name}: what remains of a key of one pair`);
    assert.equal(await limiter.runPairs([a, b, b, a]), 1, `${name} refuses a pair of which one key is over the limit`);
  });
  await fresh(async (limiter) => {
    if (!limiter.runAddresses) return;
    const [one, same, other] = ['2001:db8:1:200::7', '2001:db8:1:2ff:1::7', '2001:db8:1:300::7'];
    assert.equal(await limiter.runAddresses([one, same, other, same]), 4, `${name} allows three hits of a /56`);
    assert.equal(await limiter.runAddresses([one, same, other]), 1, `${name} takes the addresses of a /56 together`);
  });

  async function fresh(use) {
    const limiter = make(settings);
    await use(limiter);
    limiter.close();
  }
}
