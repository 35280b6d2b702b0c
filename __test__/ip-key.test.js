'use strict';

/** ipKey, and that limiters take keys as it does: a table of texts, and every prefix against another computation. */

const assert = require('node:assert/strict');
const net = require('node:net');
const { describe, it } = require('node:test');
const { RateLimiter, ipKey } = require('..');
const { roomy } = require('./support/limiters.js');
const { Random } = require('./support/random.js');
const { addresses, others } = require('./limiter.cases.json');

/** The value of an IPv6 address, by the URL parser, which knows no zones. */
function valueOf(address) {
  const [head, tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const words = (part) => (part ? part.split(':') : []);
  const [first, last] = [words(head), words(tail)];
  const zeros = tail === undefined ? [] : Array(8 - first.length - last.length).fill('0');
  return [...first, ...zeros, ...last].reduce((value, word) => (value << 16n) | BigInt(`0x${word}`), 0n);
}

/** An address in full. */
function written(value) {
  const hex = value.toString(16).padStart(32, '0');
  return hex.match(/.{4}/g).join(':');
}

function expected(address, prefix) {
  const value = valueOf(address);
  if (value >> 32n === 0xffffn) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  const rest = BigInt(128 - prefix);
  const { hostname } = new URL(`http://[${written((value >> rest) << rest)}]/`);
  return `${hostname.slice(1, -1)}/${prefix}`;
}

/** Whether two texts are one key of a limiter. */
function areOne(first, second, ipv6Prefix) {
  const limiter = new RateLimiter({ limit: 1, windowMs: 1000, ipv6Prefix, now: () => 0 });
  limiter.consume(first);
  return !limiter.peek(second).allowed;
}

describe('ipKey', () => {
  for (const { text, prefix, key, note = 'plainly' } of addresses) {
    it(`${text}, ${prefix ?? 'default'}: ${key}, ${note}`, () => {
      assert.equal(ipKey(text, prefix), key);
      assert.equal(ipKey(key, prefix), key, 'a key stays what it is');
      assert.ok(areOne(text, key, prefix) && areOne(key, text, prefix), 'so do limiters take it');
      assert.ok(!areOne(text, `${key} `, prefix));
    });
  }

  it('returns texts that are no addresses as they are', () => {
    for (const text of [...others, '\ud800', '::\ud800', '::1'.repeat(20_000), 'x'.repeat(65_536)]) {
      for (const prefix of [undefined, 1, 128]) assert.equal(ipKey(text, prefix), text);
    }
  });

  it('and limiters tell all of these apart', () => {
    const { limiter } = roomy({ limit: 1, windowMs: 1000 });
    const texts = [...new Set([...others, ...addresses.map(({ key }) => key)])];
    for (const text of texts) assert.ok(limiter.consume(text).allowed, text);
    for (const text of texts) assert.ok(!limiter.peek(text).allowed, text);
  });

  it('masks any address at any prefix, in any spelling', () => {
    const random = new Random(6);
    const word = () => random.pick([0, 0, 1, 0xffff, random.below(0x10000)]);
    for (let round = 0; round < 1000; round++) {
      const words = Array.from({ length: 8 }, word).map((value) => value.toString(16));
      const full = words.map((text) => text.padStart(4, '0')).join(':');
      const { hostname } = new URL(`http://[${full}]/`);
      const prefix = 1 + random.below(128);
      const key = expected(full, prefix);
      const short = hostname.slice(1, -1);
      for (const text of [full, words.join(':'), full.toUpperCase(), short, `${short}%lo`]) {
        assert.equal(ipKey(text, prefix), key, `${text} / ${prefix}`);
      }
    }
  });

  it('takes for IPv6 what Node takes for it', () => {
    const random = new Random(7);
    const parts = [':', ':', '::', '0', '1', 'f', 'ffff', '00000', '1.2.3.4', '1.2.3', '.', 'g', '%', ' ', '256.1.1.1'];
    let taken = 0;
    for (let round = 0; round < 20_000; round++) {
      const text = random.list(12, () => random.pick(parts)).join('');
      // Node wants a zone after %, and looks at its characters.
      const [address] = text.split('%');
      const isAddress = net.isIPv6(address);
      taken += Number(isAddress);
      assert.equal(ipKey(text), isAddress ? expected(address, 56) : text);
    }
    assert.ok(taken > 200, String(taken));
  });

  it('has every prefix from 1 to 128', () => {
    const address = 'a5a5:a5a5:a5a5:a5a5:a5a5:a5a5:a5a5:a5a5';
    const keys = Array.from({ length: 128 }, (_, index) => ipKey(address, index + 1));
    assert.equal(new Set(keys).size, 128);
    keys.forEach((key, index) => assert.equal(key, expected(address, index + 1)));
    assert.equal(ipKey(address), keys[55]);
  });

  it('refuses what is no text, and no prefix', () => {
    for (const value of [undefined, null, 1, 1n, {}, ['::1'], Symbol('x'), Buffer.from('::1'), new String('::1')]) {
      assert.throws(() => ipKey(value), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: /^address / });
    }
    for (const prefix of [null, '56', true, 56n, {}]) {
      assert.throws(() => ipKey('::1', prefix), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
    for (const prefix of [0, 129, -1, 56.5, NaN, Infinity, 2 ** 32 + 56]) {
      const refused = {
        name: 'RangeError',
        code: 'ERR_OUT_OF_RANGE',
        message: 'ipv6Prefix must be an integer from 1 to 128',
      };
      assert.throws(() => ipKey('::1', prefix), refused);
    }
    assert.throws(() => ipKey('x'.repeat(65_537)), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
  });
});
