'use strict';

/** Cookies by hand: lib/http/cookies.js. The cases are in cookies.cases.json. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { Cookie, cookieDomain, cookieName, cookiePath, cookieValues } = require('../../lib/http/cookies.js');
const cases = require('./cookies.cases.json');
const { Random } = require('../support/random.js');

const SEED = Number(process.env.HOLDFAST_SEED ?? 20_261_122);

/** As RFC 6265bis has servers read what browsers send (section 4.2), word by word. */
function slowValues(header, name) {
  return header
    .split(';')
    .map((pair) => pair.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((pair) => pair.includes('=') && pair.slice(0, pair.indexOf('=')) === name)
    .map((pair) => pair.slice(pair.indexOf('=') + 1).replace(/^[ \t]+/, ''));
}

describe('cookieValues', () => {
  for (const { header, name = 'session', values, note = '' } of cases.values) {
    it(`finds ${JSON.stringify(values)} for ${name} in ${JSON.stringify(header)} ${note}`, () => {
      assert.deepEqual([...cookieValues(header, name)], values);
      assert.deepEqual(slowValues(header, name), values);
    });
  }

  it('finds what is found by splitting', () => {
    const random = new Random(SEED);
    const parts = ['s', 'ss', '=', ';', ' ', '\t', 'x', ',', 's=', '; s=', 'a=1'];
    let found = 0;
    for (let round = 0; round < 20_000; round++) {
      const header = Array.from({ length: random.below(12) }, () => parts[random.below(parts.length)]).join('');
      const name = random.below(2) === 0 ? 's' : 'ss';
      const values = [...cookieValues(header, name)];
      assert.deepEqual(values, slowValues(header, name), `seed ${SEED}, ${name} in ${JSON.stringify(header)}`);
      found += values.length;
    }
    assert.ok(found > 2000, `${found}`);
  });

  it('reads long headers in one go', () => {
    // Were it quadratic, this would take minutes.
    const header = `${'s '.repeat(500_000)}; ${' '.repeat(500_000)}s=1; ${'s=2;'.repeat(200_000)}`;
    assert.equal(cookieValues(header, 's').length, 200_001);
  });
});

describe('Cookie', () => {
  for (const { name, options, header, cleared } of cases.made) {
    it(`is set by ${header}`, () => {
      const cookie = new Cookie(name, options);
      assert.equal(cookie.withValue('v', 60_000), header);
      assert.equal(cookie.cleared, cleared);
      assert.equal(cookie.name, header.slice(0, header.indexOf('=')));
    });
  }

  it('lasts as long as its content, rounded up, or until the browser is closed', () => {
    const cookie = new Cookie('s', { isSecure: false, sameSite: 'lax' });
    assert.match(cookie.withValue('v', 1), /^s=v; Max-Age=1; /);
    assert.match(cookie.withValue('v', 1000), /^s=v; Max-Age=1; /);
    assert.match(cookie.withValue('v', 1001), /^s=v; Max-Age=2; /);
    assert.equal(cookie.withValue('v'), 's=v; Path=/; HttpOnly; SameSite=Lax');
  });

  it('is read from the header of the request, and not from a polluted prototype', () => {
    const cookie = new Cookie('s', { isSecure: false, sameSite: 'lax' });
    assert.deepEqual([...cookie.valuesIn({ headers: { cookie: 's=1; s=2' } })], ['1', '2']);
    Object.prototype.cookie = 's=polluted';
    try {
      assert.deepEqual([...cookie.valuesIn({ headers: {} })], []);
    } finally {
      delete Object.prototype.cookie;
    }
  });
});

describe('options of cookies', () => {
  const readers = { names: cookieName('fallback'), paths: cookiePath, domains: cookieDomain };
  for (const [what, read] of Object.entries(readers)) {
    it(`takes ${what} as they are`, () => {
      for (const text of cases[what].taken) assert.equal(read(text, 'options.x'), text);
    });

    for (const text of cases[what].refused) {
      it(`refuses among ${what} ${JSON.stringify(text)}`, () => {
        const expected = { code: 'ERR_INVALID_ARG_VALUE', message: /^options\.x must be / };
        assert.throws(() => read(text, 'options.x'), expected);
      });
    }

    it(`refuses what is no string among ${what}`, () => {
      for (const value of [null, 1, {}, ['a'], true, Symbol('a')]) {
        assert.throws(() => read(value, 'options.x'), { code: 'ERR_INVALID_ARG_TYPE' });
      }
    });
  }

  it('have defaults', () => {
    assert.equal(cookieName('fallback')(undefined, 'x'), 'fallback');
    assert.equal(cookiePath(undefined, 'x'), '/');
    assert.equal(cookieDomain(undefined, 'x'), undefined);
  });
});
