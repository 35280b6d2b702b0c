'use strict';

/** Lists of origins in options: lib/http/origins.js. The cases are in origins.cases.json. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { readOrigins } = require('../../lib/http/origins.js');
const { origins, refused } = require('./origins.cases.json');

describe('readOrigins', () => {
  it('takes origins as browsers send them, in a copy', () => {
    const given = [...origins, origins[0]];
    const read = readOrigins(given, 'options.origins');
    given.push('https://later.example');
    assert.deepEqual([...read], origins);
  });

  it('is not given, or empty', () => {
    assert.equal(readOrigins(undefined, 'options.origins'), undefined);
    assert.deepEqual([...readOrigins([], 'options.origins')], []);
  });

  for (const { text, note } of refused) {
    it(`refuses ${JSON.stringify(text)}: ${note}`, () => {
      assert.throws(() => readOrigins([origins[0], text], 'options.origins'), (error) => {
        assert.equal(error.code, 'ERR_INVALID_ARG_VALUE');
        assert.match(error.message, /^options\.origins\[1\] must be an origin as browsers send it/);
        return true;
      });
    });
  }

  it('refuses what is no array of strings', () => {
    const lists = ['https://app.example', null, {}, new Set(origins), 7];
    const wrong = [...lists, [undefined], [null], [/x/], [new String(origins[0])], [, origins[0]]];
    for (const value of wrong) {
      assert.throws(() => readOrigins(value, 'options.origins'), { code: 'ERR_INVALID_ARG_TYPE' });
    }
  });
});
