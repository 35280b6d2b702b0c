'use strict';

/** The iterator that matchAll returns: it is the language's, and its own `next` does what the inherited one does. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { inspect } = require('node:util');
const { SafeRegExp } = require('..');

class Plain extends RegExp {}

const prototype = Object.getPrototypeOf(''.matchAll(/a/g));
const { next: inherited } = prototype;
const TEXTS = [
  '',
  'ab,cd;ef gh-ij',
  '\u4e2db,cd;ef \ud83d\ude00h-ij',
  'ab,cd;ef gh-ij'.repeat(40),
  '\ud83d\ude00h-ij \u4e2d'.repeat(40),
];
const PATTERNS = [
  ['(?<x>\\w)(?<y>\\w)?', 'g'],
  ['\\w|[^]', 'gy'],
  ['[^]', 'gy'],
  ['\\w*', 'gd'],
  ['', 'g'],
  ['', 'gu'],
  ['(?:)', 'gv'],
  ['i', 'gu'],
  ['nothing', 'g'],
  ['(h)-(i)|(z)', 'gi'],
];

/** The iterators of both classes, for every pattern and text and some starts. */
function* both() {
  for (const [source, flags] of PATTERNS) {
    for (const text of TEXTS) {
      for (const lastIndex of [0, 1, 9, text.length, text.length + 1]) {
        yield [Plain, SafeRegExp].map((Base) => {
          const re = Object.assign(new Base(source, flags), { lastIndex });
          return { iterator: text.matchAll(re), re, label: `/${source}/${flags} from ${lastIndex}` };
        });
      }
    }
  }
}

describe('the iterator of matchAll', () => {
  it('gives what that of a subclass that changes nothing gives, to the end and after it', () => {
    let compared = 0;
    for (const [theirs, ours] of both()) {
      for (let result, after = 0; after < 3; after += result.done ? 1 : 0) {
        result = theirs.iterator.next();
        assert.deepEqual(ours.iterator.next(), result, theirs.label);
        compared++;
      }
      assert.equal(ours.re.lastIndex, theirs.re.lastIndex);
    }
    assert.ok(compared > 10_000, String(compared));
  });

  it('goes on where it is whichever next is called', () => {
    for (const seed of [1, 2, 3]) {
      for (const [theirs, ours] of both()) {
        let state = seed;
        for (let result = { done: false }, after = 0; after < 3; after += result.done ? 1 : 0) {
          result = theirs.iterator.next();
          state = (state * 48_271) % 2_147_483_647;
          const next = state % 3 === 0 ? inherited : ours.iterator.next;
          assert.deepEqual(next.call(ours.iterator), result, theirs.label);
        }
      }
    }
  });

  it("is the language's, with a next that cannot be enumerated", () => {
    const iterator = 'ab'.matchAll(new SafeRegExp('.', 'g'));
    assert.equal(Object.getPrototypeOf(iterator), prototype);
    assert.equal(inspect(iterator), inspect('ab'.matchAll(/./g)));
    assert.equal(iterator[Symbol.iterator](), iterator);
    const { value, ...attributes } = Object.getOwnPropertyDescriptor(iterator, 'next');
    assert.deepEqual(attributes, { configurable: true, enumerable: false, writable: true });
    assert.deepEqual([value.name, value.length], [inherited.name, inherited.length]);
    assert.throws(() => new value(), TypeError);
    assert.throws(() => value.call({}), TypeError);
    assert.throws(() => value.call(undefined), TypeError);
    assert.deepEqual(value.call('xy'.matchAll(/y/g)).value.index, 1);
    delete iterator.next;
    assert.equal([...iterator].length, 2);
  });

  it('keeps apart iterators and other uses of the same pattern and text', () => {
    for (const text of ['a1b2c3', 'a1b2c3'.repeat(100)]) {
      const re = new SafeRegExp('([a-z])(\\d)', 'g');
      const expected = [...text.matchAll(/([a-z])(\d)/g)];
      const [one, other] = [text.matchAll(re), text.matchAll(re)];
      const seen = [];
      for (const match of one) {
        seen.push(match);
        if (seen.length % 2 === 0) assert.deepEqual(other.next().value, expected[seen.length / 2 - 1]);
        assert.equal('x9'.replace(re, '$2$1'), '9x');
        assert.equal([...'y8z7'.matchAll(re)].length, 2);
        re.lastIndex = 1;
        assert.equal(re.exec(text).index, 2);
      }
      assert.deepEqual(seen, expected);
    }
  });

  it('calls an exec, or an inherited next, that was put in place on the way or before', () => {
    const { exec } = SafeRegExp.prototype;
    const iterator = 'abcd'.matchAll(new SafeRegExp('[a-z]', 'g'));
    assert.equal(iterator.next().value[0], 'a');
    SafeRegExp.prototype.exec = function (text) {
      const match = exec.call(this, text);
      if (match !== null) match.seen = this instanceof SafeRegExp && text === 'abcd';
      return match;
    };
    try {
      const { value } = iterator.next();
      assert.deepEqual([value[0], value.index, value.seen], ['b', 1, true]);
      assert.equal('abcd'.matchAll(new SafeRegExp('[a-z]', 'g')).next().value.seen, true);
    } finally {
      SafeRegExp.prototype.exec = exec;
    }
    assert.deepEqual([...iterator].map(({ index }) => index), [2, 3]);

    prototype.next = () => ({ value: undefined, done: true });
    try {
      assert.deepEqual([...'abcd'.matchAll(new SafeRegExp('[a-z]', 'g'))], []);
    } finally {
      prototype.next = inherited;
    }
  });

  it('looks no further than it has to', () => {
    // What comes after the first match takes more than the budget.
    const re = new SafeRegExp('b|(a*)*\\1c', 'g', { backreferences: { budget: 20_000 } });
    for (const text of [`b${'a'.repeat(100)}`, `b${'a'.repeat(3000)}`]) {
      const iterator = text.matchAll(re);
      assert.equal(iterator.next().value[0], 'b');
      assert.throws(() => iterator.next(), { code: 'ERR_REGEXP_BUDGET' });
      assert.throws(() => iterator.next(), { code: 'ERR_REGEXP_BUDGET' });
    }
  });
});
