'use strict';

/** RateLimiter, call by call: answers, several keys at once, kinds of keys, wrong arguments, and the clock. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { RateLimiter, ipKey } = require('..');
const { traces } = require('./limiter.cases.json');
const limiters = require('./support/limiters.js');

const TYPE = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const RANGE = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

/** A limiter whose clock is `limiter.clock.now`. */
function timed(options) {
  const { limiter, clock } = limiters.timed(options);
  return Object.assign(limiter, { clock });
}

/** An answer as a list: what every limiter here has as its limit is left out. */
function fields({ allowed, remaining, retryAfterMs, resetMs }) {
  return [allowed, remaining, retryAfterMs, resetMs];
}

describe('a trace of calls', () => {
  for (const { name, options, steps } of traces) {
    it(name, () => {
      const limiter = timed(options);
      for (const { at, do: call, cost, answer } of steps) {
        limiter.clock.now = at;
        const result = call === 'consume' || call === 'refund' ? limiter[call]('key', cost) : limiter[call]('key');
        // JSON has no Infinity.
        const expected = answer?.map((value) => value ?? Infinity);
        assert.deepEqual(result && fields(result), expected, `${call}(${cost ?? ''}) at ${at}`);
        if (result) assert.equal(result.limit, options.limit);
      }
    });
  }
});

describe('peek', () => {
  it('tells what consume will, and changes nothing', () => {
    const limiter = timed({ limit: 7, windowMs: 1000, burst: 3 });
    for (let step = 0; step < 500; step++) {
      limiter.clock.now = step * 37;
      const before = [limiter.peek('a'), limiter.peek('a'), limiter.stats()];
      assert.deepEqual(before[0], before[1]);
      const consumed = limiter.consume('a');
      assert.equal(consumed.allowed, before[0].allowed);
      if (consumed.allowed) assert.equal(consumed.remaining, before[0].remaining - 1);
      else assert.deepEqual(consumed, before[0]);
    }
    const { keys } = limiter.stats();
    assert.equal(limiter.peek('never seen').remaining, 3);
    assert.equal(limiter.stats().keys, keys, 'peek makes no key');
    limiter.consume('with nothing', 0);
    limiter.refund('never seen');
    limiter.reset('never seen');
    assert.equal(limiter.stats().keys, keys);
  });
});

describe('consumeMany', () => {
  const RATE = { limit: 3, windowMs: 3000 };

  it('takes from every key, and answers for the one that is nearest to its limit', () => {
    const limiter = timed(RATE);
    limiter.consume('b');
    assert.deepEqual(fields(limiter.consumeMany(['a', 'b', 'c'])), [true, 1, 0, 2000]);
    assert.deepEqual(
      ['a', 'b', 'c'].map((key) => limiter.peek(key).remaining),
      [2, 1, 2],
    );
  });

  it('takes nothing when one of them refuses, wherever it stands', () => {
    for (const place of [0, 1, 2]) {
      const limiter = timed(RATE);
      const keys = ['a', 'b', 'c'];
      limiter.consume(keys[place], 3);
      limiter.consume(keys[(place + 1) % 3], 1);
      const before = keys.map((key) => limiter.peek(key));
      limiter.clock.now = 0;
      assert.deepEqual(fields(limiter.consumeMany(keys)), [false, 0, 1000, 3000]);
      assert.deepEqual(
        keys.map((key) => limiter.peek(key)),
        before,
      );
    }
  });

  it('takes twice from a key that stands twice, or not at all', () => {
    const limiter = timed(RATE);
    assert.deepEqual(fields(limiter.consumeMany(['a', 'a'])), [true, 1, 0, 2000]);
    assert.deepEqual(fields(limiter.consumeMany(['a', 'a'])), [false, 1, 1000, 2000]);
    assert.equal(limiter.peek('a').remaining, 1);
    limiter.clock.now = 999;
    assert.deepEqual(fields(limiter.consumeMany(['a', 'a'])), [false, 1, 1, 1001]);
    limiter.clock.now = 1000;
    assert.deepEqual(fields(limiter.consumeMany(['a', 'a'])), [true, 0, 0, 3000]);
  });

  it('says when all of them can be taken, and Infinity when they never can', () => {
    const limiter = timed(RATE);
    assert.deepEqual(fields(limiter.consumeMany(['a', 'a', 'a', 'a'])), [false, 3, Infinity, 0]);
    limiter.consume('a', 2);
    limiter.consume('b', 3);
    assert.deepEqual(fields(limiter.consumeMany(['a', 'b', 'a'])), [false, 0, 1000, 3000]);
    assert.deepEqual(fields(limiter.consumeMany(['a', 'a', 'b', 'a'])), [false, 0, 2000, 3000]);
    limiter.clock.now = 2000;
    assert.deepEqual(fields(limiter.consumeMany(['a', 'a', 'b', 'a'])), [true, 0, 0, 3000]);
    assert.deepEqual([limiter.peek('a').remaining, limiter.peek('b').remaining], [0, 1]);
  });

  it('takes nothing when it refuses, not even where there is no memory to give it back', () => {
    const limiter = timed({ ...RATE, maxKeys: 1 });
    // All cells of the only set.
    for (let index = 0; index < 14; index++) limiter.consume(`used up ${index}`, 3);
    for (let index = 0; index < 10; index++) {
      assert.equal(limiter.consumeMany([`victim`, `another ${index}`, 'used up 0']).allowed, false);
    }
    assert.deepEqual([limiter.peek('victim').remaining, limiter.stats().evictions], [3, 0]);
  });

  it('takes an address and its neighbour in IPv6 for one', () => {
    const limiter = timed(RATE);
    assert.equal(limiter.consumeMany(['2001:db8::1', '2001:db8::2', ipKey('2001:db8::3')]).remaining, 0);
    assert.deepEqual(fields(limiter.consumeMany(['203.0.113.7', '2001:db8::4'])), [false, 0, 1000, 3000]);
    assert.equal(limiter.peek('203.0.113.7').remaining, 3);
    const four = limiter.consumeMany(['203.0.113.7', '::ffff:203.0.113.7', '203.0.113.7', '::ffff:cb00:7107']);
    assert.deepEqual(fields(four), [false, 3, Infinity, 0]);
  });

  it('has a cost for each of the keys', () => {
    const limiter = timed(RATE);
    assert.deepEqual(fields(limiter.consumeMany(['a', 'b'], 2)), [true, 1, 0, 2000]);
    assert.deepEqual(fields(limiter.consumeMany(['c', 'b'], 2)), [false, 1, 1000, 2000]);
    assert.equal(limiter.peek('c').remaining, 3);
    assert.deepEqual(fields(limiter.consumeMany(['a', 'c'], 0)), [true, 1, 0, 2000]);
    assert.deepEqual(fields(limiter.consumeMany(['c', 'd'], 4)), [false, 3, Infinity, 0]);
  });

  it('works by the clock of the system too, and never says to try again at once', () => {
    const limiter = new RateLimiter({ limit: 1, windowMs: 3_600_000 });
    assert.equal(limiter.consumeMany(['a', 'b']).allowed, true);
    const { allowed, retryAfterMs } = limiter.consumeMany(['c', 'a']);
    assert.deepEqual([allowed, retryAfterMs > 3_500_000], [false, true]);
    assert.equal(limiter.peek('c').remaining, 1);
    const fast = new RateLimiter({ limit: 1e9, windowMs: 1, burst: 1 });
    for (let round = 0; round < 1000; round++) {
      const result = fast.consumeMany(['a', 'a', 'a']);
      if (!result.allowed) assert.ok(result.retryAfterMs >= 1);
    }
  });

  it('takes 1 to 64 keys, and reads them once', () => {
    const limiter = timed(RATE);
    for (const keys of [[], Array(65).fill('a'), new Array(2 ** 32 - 1)]) {
      assert.throws(() => limiter.consumeMany(keys), RANGE);
    }
    for (const keys of [undefined, null, 'ab', new Set(['a']), { length: 1, 0: 'a' }, [1], ['a', null], ['a', , 'b']]) {
      assert.throws(() => limiter.consumeMany(keys), TYPE);
    }
    assert.throws(() => limiter.consumeMany(['a', 'x'.repeat(65_537)]), RANGE);
    assert.equal(limiter.stats().keys, 0, 'what was wrong took nothing');
    const numbered = Array.from({ length: 64 }, (_, index) => `key ${index}`);
    assert.equal(limiter.consumeMany(numbered).allowed, true);
    for (const key of numbered) assert.ok(limiter.peek(key).remaining < 3, key);
    let reads = 0;
    const keys = Object.defineProperty(['a', 'b'], 1, { get: () => (reads++, limiter.reset('a'), 'b') });
    keys[Symbol.iterator] = () => assert.fail('not asked');
    assert.equal(limiter.consumeMany(keys).allowed, true);
    assert.equal(reads, 1);
    const growing = new Proxy(['a', 'b'], {
      get: (target, name) => (name === 'length' && target.push('c'), Reflect.get(target, name)),
    });
    assert.equal(limiter.consumeMany(growing).allowed, true);
  });
});

describe('keys', () => {
  it('of every kind are told apart', () => {
    const { limiter } = limiters.roomy({ limit: 1, windowMs: 1000 });
    const long = 'k'.repeat(65_535);
    const keys = [
      ...['', '\0', '\0\0', ' ', 'a', 'A', 'a\0', '\0a'],
      // The same low bytes, and the same bytes in UTF-8 or UTF-16.
      ...['\u0161', '\u0261', '\u6161', 'aa', '\u00e9', '\u01e9', '\u00c3\u00a9', 'e\u0301', 'a\0b\0', '\u{10061}'],
      // Lone surrogates, and what UTF-8 would make of all of them.
      ...['\ud800', '\ud801', '\udfff', '\ufffd', '\ud800\ud800', '\udc00\ud800', '\u{10000}', '\ud800a', 'a\ud800'],
      ...['key', 'key ', 'kéy', 'k\u0435y', '中', '中中', '\ufeffkey', 'constructor', '__proto__'],
      ...[`${long}a`, `${long}b`, `${long}中`, `${long}\ud800`, `中${long}`],
    ];
    for (const key of keys) assert.equal(limiter.consume(key).allowed, true, JSON.stringify(key.slice(0, 20)));
    for (const key of keys) assert.equal(limiter.peek(key).allowed, false, JSON.stringify(key.slice(0, 20)));
    for (const key of keys) {
      limiter.reset(key);
      assert.equal(limiter.peek(key).allowed, true);
    }
  });

  it('are what they say, however V8 holds them', () => {
    const limiter = timed({ limit: 1, windowMs: 1000 });
    for (const text of ['user-0123456789-0123456789', '2001:db8:1234:5678:1:2:3:4', 'ä-0123456789-0123456789']) {
      const forms = [
        text,
        `中${text}`.slice(1), // two bytes for each character, and part of another string
        Buffer.from(text, 'utf16le').toString('utf16le'),
        [...text].join(''),
        text.slice(0, 13) + text.slice(13),
        JSON.parse(JSON.stringify(text)),
      ];
      for (const form of forms) {
        limiter.reset(text);
        limiter.consume(form);
        for (const other of forms) assert.equal(limiter.peek(other).allowed, false);
        assert.equal(ipKey(form), ipKey(text));
      }
    }
  });

  it('have at most 65,536 code units', () => {
    const limiter = timed({ limit: 1, windowMs: 1000 });
    for (const unit of ['k', '中', '\ud800']) {
      assert.equal(limiter.consume(unit.repeat(65_536)).allowed, true);
      for (const call of ['consume', 'peek', 'refund', 'reset']) {
        assert.throws(() => limiter[call](unit.repeat(65_537)), {
          ...RANGE,
          message: 'key must be a string of at most 65536 UTF-16 code units',
        });
      }
    }
    assert.throws(() => limiter.consume('k'.repeat(2 ** 28)), RANGE);
  });

  it('of two limiters have nothing to do with each other', () => {
    const [first, second] = [timed({ limit: 1, windowMs: 1000 }), timed({ limit: 1, windowMs: 1000 })];
    assert.equal(first.consume('a').allowed, true);
    assert.equal(first.consume('a').allowed, false);
    assert.equal(second.consume('a').allowed, true);
    first.reset('a');
    assert.equal(second.consume('a').allowed, false);
    assert.deepEqual([first.stats().keys, second.stats().keys], [1, 1]);
  });
});

describe('wrong arguments', () => {
  const wrong = [undefined, null, 0, 1, true, 1n, Symbol('x'), {}, ['a'], () => 'a', Buffer.from('a'), new String('a')];

  it('are refused as Node does, and take nothing', () => {
    for (const limiter of [new RateLimiter({ limit: 5, windowMs: 1000 }), timed({ limit: 5, windowMs: 1000 })]) {
      for (const key of wrong) {
        for (const call of ['consume', 'peek', 'refund', 'reset']) {
          assert.throws(() => limiter[call](key), { ...TYPE, message: 'key must be a string' });
        }
      }
      for (const cost of [null, '1', true, 1n, {}, [1], new Number(1), { valueOf: () => 1 }]) {
        for (const call of ['consume', 'refund']) assert.throws(() => limiter[call]('a', cost), TYPE);
        assert.throws(() => limiter.consumeMany(['a'], cost), { ...TYPE, message: 'cost must be a number' });
      }
      for (const cost of [-1, 0.5, 1.5, NaN, Infinity, -Infinity, 1e9 + 1, 2 ** 32, 2 ** 53, -0.1]) {
        for (const call of ['consume', 'refund']) assert.throws(() => limiter[call]('a', cost), RANGE);
        const message = 'cost must be an integer from 0 to 1000000000';
        assert.throws(() => limiter.consumeMany(['a'], cost), { ...RANGE, message });
      }
      assert.deepEqual(limiter.stats().keys, 0);
      for (const cost of [-0, 0, undefined, 1e9]) limiter.consume('a', cost);
      assert.equal(limiter.peek('a').remaining, 4, 'undefined is 1');
    }
  });

  it('of the constructor say what is missing', () => {
    for (const options of [{}, { limit: 1 }, { windowMs: 1 }, { limit: null, windowMs: 1 }]) {
      assert.throws(() => new RateLimiter(options), {
        ...TYPE,
        message: /^options\.(limit|windowMs) must be a number$/,
      });
    }
    assert.throws(() => new RateLimiter(), TYPE);
    assert.throws(() => RateLimiter({ limit: 1, windowMs: 1 }), TypeError);
    for (const now of [null, 1, Date, 'now', {}].filter((value) => typeof value !== 'function')) {
      assert.throws(() => new RateLimiter({ limit: 1, windowMs: 1, now }), { ...TYPE, message: /^options\.now / });
    }
  });

  it('a bucket has to be full again within 142 years', () => {
    const year = 365 * 86_400_000;
    new RateLimiter({ limit: 1, windowMs: year, burst: 142 });
    for (const options of [
      { limit: 1, windowMs: year, burst: 143 },
      { limit: 1, windowMs: 366 * 86_400_000, burst: 1e9 },
      { limit: 3, windowMs: year, burst: 1e9 },
    ]) {
      assert.throws(() => new RateLimiter(options), { ...RANGE, message: /^options\.burst must be small enough/ });
    }
  });

  it('methods need a limiter', () => {
    const { consume, peek, stats } = RateLimiter.prototype;
    for (const method of [consume, peek, stats]) assert.throws(() => method.call({}, 'a'), TypeError);
    assert.deepEqual(Object.getOwnPropertyNames(RateLimiter).sort(), ['length', 'name', 'prototype']);
  });
});

describe('the clock', () => {
  const RATE = { limit: 2, windowMs: 1000 };

  it('is read once for each call, and not for statistics', () => {
    const limiter = timed(RATE);
    const calls = [
      () => limiter.consume('a'),
      () => limiter.consume('a', 2),
      () => limiter.consumeMany(['b', 'c', 'd']),
      () => limiter.consumeMany(['b', 'b', 'b']),
      () => limiter.peek('a'),
      () => limiter.refund('a'),
      () => limiter.reset('a'),
    ];
    calls.forEach((call, index) => {
      call();
      assert.equal(limiter.clock.reads, index + 1);
    });
    limiter.stats();
    assert.throws(() => limiter.consume(1), TYPE);
    assert.equal(limiter.clock.reads, calls.length);
  });

  it('that throws or returns no time fails the call, which takes nothing', () => {
    const limiter = timed(RATE);
    const values = [undefined, null, NaN, '5', -1, -0.001, Infinity, 2 ** 42 + 1, 5n, new Date(), Symbol('x'), {}, [5]];
    const calls = ['consume', 'peek', 'refund', 'reset'].map((call) => () => limiter[call]('a'));
    calls.push(() => limiter.consumeMany(['a', 'b']));
    for (const now of values) {
      limiter.clock.now = now;
      const message = 'options.now must return milliseconds, from 0 to 2^42';
      for (const call of calls) assert.throws(call, { ...RANGE, message });
    }
    const mine = new Error('mine');
    const throwing = new RateLimiter({
      ...RATE,
      now() {
        throw mine;
      },
    });
    assert.throws(() => throwing.consume('a'), mine);
    assert.deepEqual([limiter.stats().keys, throwing.stats().keys], [0, 0]);
    limiter.clock.now = 2 ** 42;
    assert.equal(limiter.consume('a').remaining, 1);
    limiter.clock.now = -0;
    assert.equal(limiter.consume('a').remaining, 0);
  });

  it('may call the limiter', () => {
    let depth = 0;
    const answers = [];
    const limiter = new RateLimiter({
      limit: 5,
      windowMs: 1000,
      now() {
        if (depth < 2) {
          depth++;
          answers.push(limiter.consume('a').remaining, limiter.peek('a').remaining);
          limiter.stats();
          depth--;
        }
        return 0;
      },
    });
    assert.equal(limiter.consume('a').allowed, true);
    assert.equal(limiter.peek('a').remaining, Math.min(...answers.slice(-2)));
    const endless = new RateLimiter({ ...RATE, now: () => endless.consume('a').resetMs });
    assert.throws(() => endless.consume('a'), { name: 'RangeError', message: /call stack/ });
    assert.equal(endless.stats().keys, 0);
  });

  it('has no receiver and no arguments', () => {
    let seen;
    const options = {
      ...RATE,
      now(...given) {
        seen = [this, given];
        return 0;
      },
    };
    new RateLimiter(options).consume('a');
    assert.deepEqual(seen, [undefined, []]);
  });

  it('of the system: what was refused is allowed after a wait, on both ways through consume', async () => {
    const limiter = new RateLimiter({ limit: 10, windowMs: 100 });
    for (const cost of [1, 2]) {
      let refused;
      // A slow machine may need more rounds than there are tokens.
      for (let round = 0; round < 1e6 && refused === undefined; round++) {
        const answer = limiter.consume('a', cost);
        if (!answer.allowed) refused = answer;
      }
      assert.ok(refused.retryAfterMs >= 1 && refused.retryAfterMs <= 20, JSON.stringify(refused));
      assert.ok(refused.resetMs >= refused.retryAfterMs && refused.resetMs <= 100);
      // Timers have whole milliseconds, and may be one early.
      await sleep(refused.retryAfterMs + 2);
      assert.equal(limiter.peek('a').allowed, true);
      assert.equal(limiter.consume('a', cost).allowed, true);
      await sleep(110);
      assert.deepEqual(fields(limiter.peek('a')), [true, 10, 0, 0]);
    }
  });

  it('of the system does not follow Date', (t) => {
    const limiter = new RateLimiter({ limit: 1, windowMs: 3_600_000 });
    limiter.consume('a');
    let now = 0;
    t.mock.method(Date, 'now', () => now);
    assert.equal(limiter.peek('a').allowed, false);
    now = 1e13;
    assert.equal(limiter.peek('a').allowed, false);
  });
});
