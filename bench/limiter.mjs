// Benchmarks of RateLimiter: the time of a hit. All keys are strings that were not seen before, made before the time is
// taken, as each request of a server brings its own; one case has the very same string each time, which is the best
// that can happen to a JavaScript Map. Peers are awaited, hit by hit, as by their middleware: see limiter-peers.mjs.
//
// Keys have used half of a limit that nobody reaches, so that no cell of Holdfast's recovers during a case, which would
// make the next hit that of a new key. Windows are long enough for no peer to begin another one.
//
// @nestjs/throttler takes time for each hit of a key that is in its window: before every sample it is left one of each
// key, and what more of them cost is a case of its own.
import assert from 'node:assert/strict';
import { randomFrom } from './generate.mjs';
import { REFERENCE } from './harness.mjs';
import { freshIpv4, ipv4, ipv6, Texts } from './limiter-keys.mjs';
import { limitersOf } from './limiter-peers.mjs';

const MINUTE = 60_000;
const WINDOW = 15 * MINUTE;
const LIMIT = 1_000_000;
const HITS = 20_000;
const LINEAR = '@nestjs/throttler';
const thousands = (number) => number.toLocaleString('en-US');

const SEEN = 'A hit on a key seen before';
const NEW = 'Every key new';
const KEPT = 'How many hits a key has already';

export const cases = [
  ...[1000, 10_000, 100_000, 1_000_000].map((count) =>
    seen({
      title: `${thousands(count)} keys`,
      headline: count === 100_000 ? 'rate limit: a hit, 100,000 keys in use' : undefined,
      count,
    }),
  ),
  sameString(),
  seen({ title: '10,000 IPv6 addresses, by their /56', count: 10_000, textOf: ipv6, method: 'runAddresses' }),
  seen({ title: '10,000 keys over their limit: refused', count: 10_000, isRefused: true }),
  flood(),
  floodOfFullTable(),
  ...[1, 1000, 1_000_000].map(hitsSoFar),
  pairs(),
];

function seen({ title, headline, count, textOf = ipv4, method = 'run', isRefused = false }) {
  return {
    group: SEEN,
    title,
    headline,
    operations: HITS,
    async setup(tools) {
      // The refused have a token in six minutes.
      const settings = isRefused ? { limit: 10, windowMs: 60 * MINUTE } : { limit: LIMIT, windowMs: WINDOW };
      const limiters = await limitersOf(tools, settings);
      const texts = new Texts(count, textOf);
      if (method === 'runAddresses') await primeAddresses(limiters, texts);
      else await prime(limiters, texts, isRefused ? settings.limit : LIMIT / 2);
      const { keys, fill } = batchOf(texts);
      const { contestants, excluded } = contestantsOf(limiters, method, keys);
      return {
        contestants,
        excluded,
        check: (outputs) => assertAll(outputs, isRefused ? 0 : HITS),
        renew(name) {
          fill();
          if (count <= HITS && !isRefused) limiters[name].forget?.();
        },
        close() {
          const { keys: used, evictions } = limiters.holdfast.own.stats();
          assert.deepEqual({ used, evictions }, { used: count, evictions: 0 }, 'all keys are in use to the end');
          closeAll(limiters);
        },
      };
    },
  };
}

function sameString() {
  return {
    group: SEEN,
    title: '1 key, the very same string each time',
    operations: 1000,
    async setup(tools) {
      const limiters = await limitersOf(tools, { limit: 1e8, windowMs: WINDOW });
      const keys = new Array(1000).fill(ipv4(1));
      const { contestants, excluded } = contestantsOf({ ...limiters, [LINEAR]: undefined }, 'run', keys);
      return {
        contestants,
        excluded: { ...excluded, [LINEAR]: 'it would show how many hits are in the window, which is a case below' },
        check: (outputs) => assertAll(outputs, 1000),
        close: () => closeAll(limiters),
      };
    },
  };
}

// From nothing, so that all growing is in it. What was filled is given back before the next sample.
function flood() {
  const count = 1_000_000;
  return {
    group: NEW,
    title: `${thousands(count)} keys, from none`,
    headline: `rate limit: a hit of a flood, ${thousands(count)} new keys`,
    operations: count,
    rounds: 5,
    async setup(tools) {
      const settings = { limit: 100, windowMs: 24 * 60 * MINUTE };
      const limiters = await limitersOf(tools, settings);
      const texts = new Texts(count, ipv4);
      const keys = new Array(count);
      return {
        contestants: mapValues(limiters, (_, name) => () => limiters[name].run(keys)),
        check: (outputs) => assertAll(outputs, count),
        async renew(name) {
          closeAll(limiters);
          Object.assign(limiters, await limitersOf(tools, settings, [name]));
          for (let index = 0; index < count; index++) keys[index] = texts.fresh(index);
          globalThis.gc?.(); // what the one before left behind is not this one's work
        },
        close: () => closeAll(limiters),
      };
    },
  };
}

function floodOfFullTable() {
  const maxKeys = 100_000;
  return {
    group: NEW,
    title: `a table for ${thousands(maxKeys)} keys, all in use`,
    note:
      'A full table has no room, so that the key that recovers first makes way; the others have no bound, and ' +
      'grow on from as many keys.',
    operations: HITS,
    async setup(tools) {
      const limiters = await limitersOf(tools, { limit: 100, windowMs: 24 * 60 * MINUTE, maxKeys });
      const positions = mapValues(limiters, () => 0);
      const keys = new Array(HITS);
      const next = (name) => {
        for (let index = 0; index < HITS; index++) keys[index] = freshIpv4(positions[name]++);
      };
      for (const [name, limiter] of present(limiters)) {
        for (let done = 0; done < 2 * maxKeys; done += HITS) {
          next(name);
          await limiter.run(keys);
        }
      }
      return {
        contestants: contestantsOf(limiters, 'run', keys).contestants,
        // A new key is taken to have as many hits as the one that made way: one more each time all were replaced, which
        // is a dozen times here.
        check: (outputs) => assertAll(outputs, HITS),
        renew: next,
        close() {
          const { evictions } = limiters.holdfast.own.stats();
          assert.ok(evictions > 0.9 * (positions.holdfast - 2 * maxKeys), `${evictions} keys made way`);
          closeAll(limiters);
        },
      };
    },
  };
}

function hitsSoFar(hits) {
  const KEYS = 400;
  const EACH = 50;
  return {
    group: KEPT,
    title: `${thousands(hits)}, and up to ${EACH} more`,
    operations: KEYS * EACH,
    async setup(tools) {
      // A token in two milliseconds: the state of a million hits is still a small integer, as it is at usual limits.
      const limiters = await limitersOf(tools, { limit: 1_100_000, windowMs: 2_200_000 });
      const names = Array.from({ length: KEYS }, (_, index) => ipv4(index));
      const keys = Array.from({ length: KEYS * EACH }, (_, index) => names[index % KEYS]);
      const isTooMany = hits > 1000;
      const taking = isTooMany ? { ...limiters, [LINEAR]: undefined } : limiters;
      const { contestants, excluded } = contestantsOf(taking, 'run', keys);
      return {
        contestants,
        excluded: isTooMany ? { ...excluded, [LINEAR]: 'it looks at each of a million hits again' } : excluded,
        check: (outputs) => assertAll(outputs, KEYS * EACH),
        async renew(name) {
          for (const key of names) await limiters[name].prime(key, hits);
        },
        close: () => closeAll(limiters),
      };
    },
  };
}

function pairs() {
  const count = 10_000;
  return {
    group: 'Two keys of one request, an address and an account',
    title: '10,000 of each',
    operations: HITS / 2,
    async setup(tools) {
      const limiters = await limitersOf(tools, { limit: LIMIT, windowMs: WINDOW });
      const apart = (await limitersOf(tools, { limit: LIMIT, windowMs: WINDOW }, [REFERENCE])).holdfast;
      const all = { ...limiters, 'holdfast, two calls': apart };
      const addresses = new Texts(count, ipv4);
      const accounts = new Texts(count, (index) => `user:${1_000_000 + index * 7}`);
      for (const texts of [addresses, accounts]) await prime(all, texts, LIMIT / 2);
      const random = randomFrom(1);
      const keys = new Array(HITS);
      const { contestants, excluded } = contestantsOf(limiters, 'runPairs', keys);
      return {
        // What a request may do is as much as both say, and then consumeMany takes from neither.
        contestants: { ...contestants, 'holdfast, two calls': () => apart.run(keys) / 2 },
        excluded,
        check: (outputs) => assertAll(outputs, HITS / 2),
        renew(name) {
          for (let index = 0; index < HITS; index += 2) {
            keys[index] = addresses.fresh(Math.floor(random() * count));
            keys[index + 1] = accounts.fresh(Math.floor(random() * count));
          }
          all[name].forget?.();
        },
        close: () => closeAll(all),
      };
    },
  };
}

// ------------------------------------------------------------------------------------------------------------- helpers

async function prime(limiters, texts, hits) {
  for (const [name, limiter] of present(limiters)) {
    // Over its limit or not is all that this one can be: hits of a key are what it takes time for.
    const most = name === LINEAR ? Math.min(hits, 10) : hits;
    for (let index = 0; index < texts.length; index++) await limiter.prime(texts.fresh(index), most);
  }
}

// Ours takes the address as it is, and the others one that they have made a prefix of.
async function primeAddresses(limiters, texts) {
  const addresses = Array.from({ length: texts.length }, (_, index) => texts.fresh(index));
  for (const [name, limiter] of present(limiters)) {
    if (name === REFERENCE) for (const address of addresses) limiter.prime(address, LIMIT / 2);
    else await limiter.runAddresses?.(addresses);
  }
}

/** The keys of a sample: `fill` makes new strings of them, in random order. */
function batchOf(texts) {
  const random = randomFrom(texts.length);
  const keys = new Array(HITS);
  return {
    keys,
    fill() {
      for (let index = 0; index < HITS; index++) keys[index] = texts.fresh(Math.floor(random() * texts.length));
    },
  };
}

/** Those that can; `excluded` names the others. A package that is missing is null, one that is left out undefined. */
function contestantsOf(limiters, method, keys) {
  const contestants = {};
  const excluded = {};
  for (const [name, limiter] of Object.entries(limiters)) {
    if (limiter === undefined) continue;
    if (limiter === null || limiter[method]) contestants[name] = limiter && (() => limiter[method](keys));
    else excluded[name] = 'it takes an address as any other text';
  }
  return { contestants, excluded };
}

function assertAll(outputs, expected) {
  for (const [name, allowed] of Object.entries(outputs)) assert.equal(allowed, expected, `${name}: hits allowed`);
}

function present(limiters) {
  return Object.entries(limiters).filter(([, limiter]) => limiter);
}

function closeAll(limiters) {
  for (const [, limiter] of present(limiters)) limiter.close();
}

function mapValues(object, change) {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, value === null ? null : change(value, name)]),
  );
}
