'use strict';

/** A pattern that tested many short texts walks through texts in JavaScript: what it says then is what RegExp says. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { SafeRegExp } = require('..');
const { DEFAULTS } = require('../lib/regexp-options.js');
const { programOf } = require('../lib/regexp-program.js');

const ATOMS = [
  ...['a', 'b?', '\u4e2d', '[^a]', '.', '\\w', '[b\u4e2d]'],
  ...['(?:a\u4e2d|b)', '\u00e9', '[^\\0-\\xff]', '\\b', '(?:a|\u4e2d)*'],
];
const CHARACTERS = ['a', 'b', 'a', 'b', '\u4e2d', '\u00e9', '\n'];

describe('test by the table', () => {
  it('says what RegExp says, of texts that it walks through and of longer ones', (t) => {
    let seed = 11;
    const below = (limit) => (seed = (seed * 48_271) % 2_147_483_647) % limit;
    const pick = (list) => list[below(list.length)];
    const series = (length, list) => Array.from({ length }, () => pick(list)).join('');
    let tables = 0;
    for (let turn = 0; turn < 300; turn++) {
      const source = `${pick(['^', '^', '^', ''])}${series(1 + below(4), ATOMS)}${pick(['$', ''])}`;
      const flags = pick(['', 'i', 'u', 's']);
      const [theirs, ours] = [new RegExp(source, flags), new SafeRegExp(source, flags)];
      for (let time = 0; time < 200; time++) ours.test('abc');
      if (programOf(source, flags, DEFAULTS).table !== undefined) tables++;
      for (let time = 0; time < 50; time++) {
        const text = `${series(below(60), CHARACTERS)}${pick(['', 'x'.repeat(40), 'a'.repeat(300)])}`;
        assert.equal(ours.test(text), theirs.test(text), `/${source}/${flags} on ${JSON.stringify(text)}`);
      }
    }
    t.diagnostic(`${tables} of 300 patterns with a table`);
    assert.ok(tables > 200);
  });
});
