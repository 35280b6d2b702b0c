'use strict';

/** The options of SafeRegExp, and its static escape. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { SafeRegExp } = require('..');

describe("SafeRegExp's memoryLimit", () => {
  it('ends a search that needs more, and the next one works', () => {
    const re = new SafeRegExp('(a|b|ab)*c', '', { memoryLimit: 65_536 });
    assert.throws(() => re.exec('ab'.repeat(500_000)), { name: 'HoldfastError', code: 'ERR_REGEXP_MEMORY' });
    assert.equal(re.exec('ababc')[1], 'b');
    assert.throws(() => 'ab'.repeat(500_000).replace(re, ''), { code: 'ERR_REGEXP_MEMORY' });
    assert.equal(re.lastIndex, 0);
  });

  it('is an integer from 64 KiB to 4 GiB', () => {
    for (const memoryLimit of [65_536, 2 ** 32, undefined]) new SafeRegExp('a', '', { memoryLimit });
    for (const memoryLimit of [65_535, 2 ** 32 + 1, 1e5 + 0.5, NaN, Infinity]) {
      assert.throws(() => new SafeRegExp('a', '', { memoryLimit }), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
    }
    for (const memoryLimit of ['65536', 65_536n, null]) {
      assert.throws(() => new SafeRegExp('a', '', { memoryLimit }), { code: 'ERR_INVALID_ARG_TYPE' });
    }
  });
});

describe("SafeRegExp's backreferences", () => {
  it('are refused unless a budget is given', () => {
    for (const options of [undefined, {}, { backreferences: 'error' }, { backreferences: undefined }]) {
      assert.throws(() => new SafeRegExp('(a)\\1', '', options), { code: 'ERR_REGEXP_BACKREFERENCE' });
    }
    const re = new SafeRegExp('(?<q>["\']).*?\\k<q>', 'g', { backreferences: { budget: 100_000 } });
    assert.deepEqual(`say "it's" or 'so'`.match(re), [`"it's"`, "'so'"]);
  });

  it('end with the budget', () => {
    const re = new SafeRegExp('(a*)*\\1b', '', { backreferences: { budget: 10_000 } });
    assert.throws(() => re.test('a'.repeat(40)), { name: 'HoldfastError', code: 'ERR_REGEXP_BUDGET' });
    assert.equal(re.test('aab'), true);
  });

  it('take an integer budget and nothing else', () => {
    for (const budget of [0, -1, 1.5, NaN, 2 ** 53]) {
      assert.throws(() => new SafeRegExp('a', '', { backreferences: { budget } }), { code: 'ERR_OUT_OF_RANGE' });
    }
    for (const backreferences of ['allow', true, 5, null, [], {}, { budget: '5' }]) {
      assert.throws(() => new SafeRegExp('a', '', { backreferences }), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    assert.throws(() => new SafeRegExp('a', '', { backreferences: { budget: 5, steps: 5 } }), {
      code: 'ERR_INVALID_ARG_VALUE',
    });
  });
});

describe("SafeRegExp's options", () => {
  it('have known names only', () => {
    assert.throws(() => new SafeRegExp('a', '', { memory: 1 }), { code: 'ERR_INVALID_ARG_VALUE', message: /'memory'/ });
    for (const options of [null, 5, 'x', []]) {
      assert.throws(() => new SafeRegExp('a', '', options), { code: 'ERR_INVALID_ARG_TYPE' });
    }
  });

  it('go over to what is made from a SafeRegExp, unless others are given', () => {
    const re = new SafeRegExp('(a)\\1', 'g', { backreferences: { budget: 1000 } });
    assert.equal(new SafeRegExp(re).test('aa'), true);
    assert.equal(new SafeRegExp(re, 'y').test('aa'), true);
    assert.equal([...'aaaa'.matchAll(re)].length, 2);
    assert.deepEqual('xaay'.split(re), ['x', 'a', 'y']);
    assert.equal(re.compile('(b)\\1').test('bb'), true);
    assert.throws(() => new SafeRegExp(re, '', {}), { code: 'ERR_REGEXP_BACKREFERENCE' });
    assert.throws(() => new SafeRegExp(/(a)\1/), { code: 'ERR_REGEXP_BACKREFERENCE' });
  });

  it('come after the syntax, which V8 checks', () => {
    assert.throws(() => new SafeRegExp('(', '', { memory: 1 }), SyntaxError);
  });
});

describe('SafeRegExp.escape', () => {
  it('gives what RegExp.escape gives', { skip: RegExp.escape === undefined && 'this Node has none' }, () => {
    for (let unit = 0; unit <= 0xffff; unit++) {
      const character = String.fromCharCode(unit);
      for (const text of [character, `_${character}`, `${character}a`, `\ud83d${character}\ude00`]) {
        if (SafeRegExp.escape(text) !== RegExp.escape(text)) assert.fail(`U+${unit.toString(16)}`);
      }
    }
  });

  it('gives what the standard says', () => {
    // ECMA-262, §22.2.5.1, and its tables.
    for (const [text, pattern] of [
      ['', ''],
      ['abc', '\\x61bc'],
      ['0', '\\x30'],
      ['_a', '_a'],
      ['.*+?^${}()|[]\\/', '\\.\\*\\+\\?\\^\\$\\{\\}\\(\\)\\|\\[\\]\\\\\\/'],
      ['\t\n\v\f\r', '\\t\\n\\v\\f\\r'],
      [' \u00a0\ufeff\u2028', '\\x20\\xa0\\ufeff\\u2028'],
      ['-=,', '\\x2d\\x3d\\x2c'],
      ['\ud83d\ude00', '\ud83d\ude00'],
      ['\ude00\ud83d', '\\ude00\\ud83d'],
      ['\u00e9', '\u00e9'],
    ]) {
      assert.equal(SafeRegExp.escape(text), pattern);
    }
  });

  it('matches the text and nothing else', () => {
    const texts = ['1+1=2?', 'a.b', '\\d', '[x]', '\ud83d\ude00!', '\ude00', ' \n', '</script>', 'caf\u00e9 & co'];
    for (const flags of ['', 'u', 'v']) {
      for (const text of texts) {
        const re = new SafeRegExp(`^${SafeRegExp.escape(text)}$`, flags);
        for (const other of texts) assert.equal(re.test(other), other === text, `${text} ${other} ${flags}`);
      }
    }
    assert.equal(new SafeRegExp(`(a)\\0${SafeRegExp.escape('1')}`).test('a\x001'), true);
  });

  it('takes strings only', () => {
    for (const text of [undefined, null, 5, {}, ['a']]) {
      assert.throws(() => SafeRegExp.escape(text), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
  });
});
