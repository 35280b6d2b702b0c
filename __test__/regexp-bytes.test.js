'use strict';

/** testBytes and execBytes: what test and exec find in the decoded text, with offsets in bytes. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const vm = require('node:vm');
const { SafeRegExp } = require('..');
const { Random } = require('./support/random.js');

const CHARACTERS = ['a', 'b', '0', '_', ' ', '\n', '\u00e9', '\u00ff', '\u4e2d', '\u2028', '\u{1f600}', '\u{10ffff}'];
const PATTERNS = [
  ['(a)|(b)', ''],
  ['[^]', ''],
  ['.', 's'],
  ['.+?b', 'u'],
  ['(?<word>\\w+)\\b', 'u'],
  ['^(.*)$', 'm'],
  ['[^\\u0000-\\u007f]+', 'u'],
  ['\\u{1f600}', 'u'],
  ['(?<=\u00e9)(\u4e2d)?', ''],
  ['(?=(\u4e2d))', ''],
  ['', ''],
  ['$', ''],
  ['(?:)', 'y'],
  ['a', 'y'],
  ['(a*)*', ''],
  ['(?:(a)|(b))+', ''],
  ['\u00c9', 'iu'],
  ['nothing', ''],
];

/** What `make` gives, so many times, joined. */
function repeated(length, make) {
  return Array.from({ length }, make).join('');
}

describe('SafeRegExp on bytes', () => {
  it('finds what RegExp finds in the decoded text', () => {
    const random = new Random(20_261_121);
    let matched = 0;
    for (let round = 0; round < 4000; round++) {
      const [source, flags] = random.pick(PATTERNS);
      const text = repeated(random.below(round % 50 === 0 ? 400 : 9), () => random.pick(CHARACTERS));
      const bytes = Buffer.from(text);
      const [theirs, ours] = [new RegExp(source, `${flags}d`), new SafeRegExp(source, flags)];
      const match = theirs.exec(text);
      const label = `/${source}/${flags} on ${JSON.stringify(text)}`;
      assert.equal(ours.testBytes(bytes), match !== null, label);
      // Between the halves of a surrogate pair, as patterns without `u` may match there, lie two bytes of four.
      const at = (unit) => {
        const isInside = /[\udc00-\udfff]/.test(text[unit] ?? '') && /[\ud800-\udbff]/.test(text[unit - 1] ?? '');
        return isInside ? Buffer.byteLength(text.slice(0, unit - 1)) + 2 : Buffer.byteLength(text.slice(0, unit));
      };
      const expected = match && {
        start: at(match.indices[0][0]),
        end: at(match.indices[0][1]),
        captures: match.indices.slice(1).map((span) => span?.map(at)),
      };
      assert.deepEqual(ours.execBytes(bytes), expected, label);
      if (match !== null) matched++;
    }
    assert.ok(matched > 1000);
  });

  it('starts where it is told, and leaves lastIndex alone', () => {
    const re = new SafeRegExp('a', 'g');
    re.lastIndex = 7;
    const bytes = Buffer.from('a\u00e9a');
    assert.deepEqual(re.execBytes(bytes), { start: 0, end: 1, captures: [] });
    assert.deepEqual(re.execBytes(bytes, 1), { start: 3, end: 4, captures: [] });
    assert.deepEqual(re.execBytes(bytes, 2), { start: 3, end: 4, captures: [] }); // inside a character
    assert.equal(re.execBytes(bytes, 4), null);
    assert.equal(re.testBytes(bytes), true);
    assert.equal(re.lastIndex, 7);
    const sticky = new SafeRegExp('a', 'y');
    assert.equal(sticky.execBytes(bytes, 1), null);
    assert.deepEqual(sticky.execBytes(bytes, 3), { start: 3, end: 4, captures: [] });
    // What is before the start is seen by assertions.
    assert.deepEqual(new SafeRegExp('(?<=a)b').execBytes(Buffer.from('ab'), 1), { start: 1, end: 2, captures: [] });
    assert.equal(new SafeRegExp('^b').execBytes(Buffer.from('ab'), 1), null);
  });

  it('matches nothing across bytes that are not UTF-8', () => {
    const invalid = {
      'a lone continuation': [0x80],
      'a lead without its continuation': [0xe2, 0x82],
      'an overlong form': [0xc0, 0xaf],
      'a surrogate': [0xed, 0xa0, 0x80],
      'over U+10FFFF': [0xf4, 0x90, 0x80, 0x80],
      'no lead at all': [0xff],
    };
    for (const [name, bad] of Object.entries(invalid)) {
      const bytes = Buffer.from([0x61, 0x62, ...bad, 0x63, 0x64]);
      for (const flags of ['', 's', 'u', 'su']) {
        const label = `${name}, ${flags}`;
        assert.equal(new SafeRegExp('b[^]c', flags).testBytes(bytes), false, label);
        assert.equal(new SafeRegExp('b[^]+c', flags).testBytes(bytes), false, label);
        assert.equal(new SafeRegExp('^[^]*$', flags).testBytes(bytes), false, label);
        assert.deepEqual(new SafeRegExp('[^]+', flags).execBytes(bytes), { start: 0, end: 2, captures: [] }, label);
        const after = 2 + bad.length;
        const rest = { start: after, end: after + 2, captures: [[after + 1, after + 2]] };
        assert.deepEqual(new SafeRegExp('c(d)', flags).execBytes(bytes), rest, label);
      }
    }
  });

  it('survives any bytes', () => {
    const random = new Random(7);
    for (let round = 0; round < 3000; round++) {
      const [source, flags] = random.pick(PATTERNS);
      const bytes = Uint8Array.from({ length: random.below(12) }, () => random.below(256));
      const match = new SafeRegExp(source, flags).execBytes(bytes);
      if (match === null) continue;
      assert.ok(match.start >= 0 && match.start <= match.end && match.end <= bytes.length);
    }
  });

  it('takes every Uint8Array, and nothing else', () => {
    const re = new SafeRegExp('(b)');
    const shared = new Uint8Array(new SharedArrayBuffer(3));
    shared.set([0x61, 0x62, 0x63]);
    const inside = Buffer.from('xxabc').subarray(2);
    for (const bytes of [Buffer.from('abc'), shared, inside, vm.runInNewContext('Uint8Array.of(97, 98, 99)')]) {
      assert.deepEqual(re.execBytes(bytes), { start: 1, end: 2, captures: [[1, 2]] });
      assert.equal(re.testBytes(bytes), true);
    }
    for (const bytes of ['abc', [97], new ArrayBuffer(1), new Uint16Array(1), null, undefined, {}]) {
      assert.throws(() => re.execBytes(bytes), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
      assert.throws(() => re.testBytes(bytes), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
    for (const from of [-1, 4, 0.5, NaN]) {
      assert.throws(() => re.execBytes(Buffer.from('abc'), from), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
    }
    assert.throws(() => re.execBytes(Buffer.from('abc'), '1'), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});
