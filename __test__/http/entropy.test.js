'use strict';

/** estimateBits: what is not random is found out, and what is random is never taken for something else. */

const assert = require('node:assert/strict');
const { randomBytes, randomUUID } = require('node:crypto');
const { describe, it } = require('node:test');
const { estimateBits } = require('../../lib/http/entropy.js');
const { isExample } = require('../../lib/http/example-secrets.js');
const { surprises } = require('../../lib/http/predictability.js');
const { weak, strong } = require('./entropy.cases.json');
const { Random } = require('../support/random.js');

const NEEDED = 128;
const RANDOM_KEYS = 1000;

describe('what does not start a server', () => {
  for (const [kind, texts] of Object.entries(weak)) {
    for (const text of texts) {
      it(`${kind}: ${text.slice(0, 60)}`, () => {
        const bits = estimateBits(text);
        assert.ok(Number.isInteger(bits) && bits >= 0 && bits < NEEDED, String(bits));
        if (kind.startsWith('examples')) assert.equal(bits, 0);
      });
    }
  }
});

describe('what does', () => {
  for (const [what, text, bits] of strong) {
    it(what, () => assert.ok(estimateBits(text) >= bits, String(estimateBits(text))));
  }

  const FORMS = [
    ['hex of 32 bytes', () => randomBytes(32).toString('hex'), 256],
    ['base64 of 32 bytes', () => randomBytes(32).toString('base64'), 256],
    ['base64url of 32 bytes', () => randomBytes(32).toString('base64url'), 256],
    ['hex of 16 bytes', () => randomBytes(16).toString('hex'), 128],
    ['hex of 16 bytes in capitals', () => randomBytes(16).toString('hex').toUpperCase(), 128],
  ];
  for (const [what, make, bits] of FORMS) {
    it(`${RANDOM_KEYS} random keys, ${what}: ${bits} bits each`, () => {
      for (let count = 0; count < RANDOM_KEYS; count++) {
        const key = make();
        assert.equal(estimateBits(key), bits, key);
      }
    });
  }

  it('1000 random keys, base64 of 16 bytes: 128 bits each, or more where there are no capitals by accident', () => {
    for (let count = 0; count < RANDOM_KEYS; count++) {
      const key = randomBytes(16).toString('base64');
      assert.ok(estimateBits(key) >= 128, key);
    }
  });

  it('1000 random UUIDs: 122 bits each, too few for 128 and enough for 112', () => {
    for (let count = 0; count < RANDOM_KEYS; count++) assert.equal(estimateBits(randomUUID()), 122);
  });
});

describe('the estimate', () => {
  it('never becomes more by what says nothing', () => {
    const key = randomBytes(8).toString('hex');
    assert.equal(estimateBits(key), 64);
    assert.ok(estimateBits(key.repeat(4)) < NEEDED);
    assert.ok(estimateBits(key + '0'.repeat(48)) < NEEDED);
    assert.ok(estimateBits(key + key.split('').reverse().join('')) <= NEEDED);
  });

  it('takes a bounded time, whatever the length', () => {
    const long = [
      'x'.repeat(10_000_000),
      randomBytes(100_000).toString('hex'),
      'a1'.repeat(1_000_000),
      'password'.repeat(100_000),
      '\ud800'.repeat(100_000),
    ];
    for (const text of long) assert.ok(Number.isInteger(estimateBits(text)));
  });

  it('takes whatever is text', () => {
    const texts = ['', ' ', '\0', '\n\n', '=', '-', ':', 'é', '__proto__', 'constructor'];
    for (const text of [...texts, '日本語'.repeat(20), '😀'.repeat(40)]) {
      assert.ok(estimateBits(text) >= 0 && estimateBits(text) < NEEDED, text);
    }
  });

  it('is one of probabilities: after whatever text, those of all next characters sum up to at most 1', () => {
    const random = new Random(7);
    const characters = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));
    const beginnings = ['', 'a', 'abc', 'abcabc', 'qwe', '1a2b', 'prod', 'Pr0d', 'this is ', 'aaa', '000102', 'Xk9#'];
    for (let count = 0; count < 40; count++) {
      beginnings.push(Array.from({ length: random.below(30) }, () => characters[random.below(95)]).join(''));
    }
    for (const beginning of beginnings) {
      const sum = characters.reduce((total, next) => total + 2 ** -surprises(beginning + next).at(-1), 0);
      assert.ok(sum <= 1 + 1e-9 && sum > 0.2, `${beginning}: ${sum}`);
    }
  });

  it('knows an example whatever is around it', () => {
    for (const text of ['xxCHANGE-MExx', 'c.h.a.n.g.e.m.e', 'pa55word', 'S_E_C_R_E_T', '4eC39HqLyjWDarjtT1zdp7dc']) {
      assert.equal(isExample(text), true, text);
    }
    for (const text of ['', 'a', 'secre', 'exampl', 'sesame']) assert.equal(isExample(text), false, text);
  });
});
