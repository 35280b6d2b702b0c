'use strict';

/**
 * SafeRegExp against the RegExp of the Node that runs: cases, and what a RegExp has to be. Generated patterns are in
 * regexp-differential.test.js, hostile texts in regexp-hostile.test.js.
 */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { types } = require('node:util');
const { SafeRegExp } = require('..');
const { observe: seen } = require('./support/observe.js');
const { PatternGenerator, hasReference } = require('./support/patterns.js');
const { Random } = require('./support/random.js');
const cases = require('./regexp.cases.json');

const SEED = Number(process.env.HOLDFAST_SEED ?? 20_261_121);

/** Everything that can be seen of one match. */
function observe(re, text, lastIndex) {
  re.lastIndex = lastIndex;
  const match = re.exec(text);
  const seen = { lastIndex: re.lastIndex, match: null };
  if (match !== null) {
    const groups = match.groups && [Object.getPrototypeOf(match.groups), ...Object.entries(match.groups)];
    const indices = match.indices && {
      spans: [...match.indices],
      groups: match.indices.groups && Object.entries(match.indices.groups),
    };
    seen.match = {
      values: [...match],
      index: match.index,
      input: match.input,
      groups,
      indices,
      keys: Object.keys(match),
    };
  }
  re.lastIndex = lastIndex;
  seen.test = re.test(text);
  seen.afterTest = re.lastIndex;
  return seen;
}

function observeAll(re, text) {
  re.lastIndex = 0;
  const all = re.global ? [...text.matchAll(re)].map((match) => [...match, match.index]) : [];
  re.lastIndex = 0;
  const replaced = text.replace(re, '[$&|$1|$<g1>]');
  re.lastIndex = 0;
  const found = text.match(re);
  re.lastIndex = 0;
  return {
    all,
    replaced,
    found: found && [...found],
    search: text.search(re),
    split: text.split(re),
    limited: text.split(re, 2),
  };
}

function isValid(source, flags) {
  try {
    return new RegExp(source, flags) instanceof RegExp;
  } catch {
    return false;
  }
}

describe('SafeRegExp gives the results of RegExp', () => {
  it('on every code unit, in every class and folding that is run', () => {
    for (const source of [
      '^\\s$',
      '^\\w$',
      '^\\d$',
      '^\\W$',
      '^.$',
      '^[^a-z]$',
      '^[a-z]$',
      '^k$',
      '^s$',
      '^[^k]$',
      '^[\\w-]$',
      '^\\S$',
      '^[^\\W]$',
      '^\\b',
      '\\B$',
      '^ſ$',
      '^[à-ÿ]$',
      '(?=\\w)',
      '(?<!\\s)$',
    ]) {
      for (const flags of ['', 'i', 'u', 'iu', 's', 'iv']) {
        if (!isValid(source, flags)) continue; // a class of the flag v
        const [ours, theirs] = [new SafeRegExp(source, flags), new RegExp(source, flags)];
        for (let unit = 0; unit <= 0xffff; unit++) {
          const text = String.fromCharCode(unit);
          if (ours.test(text) !== theirs.test(text)) assert.fail(`/${source}/${flags} on U+${unit.toString(16)}`);
        }
      }
    }
  });

  it('on the short-text tables, which take over after some tests', () => {
    const random = new Random(SEED + 1);
    const generator = new PatternGenerator(random);
    let compared = 0;
    while (compared < 300) {
      const pattern = generator.pattern();
      const { source } = pattern;
      const flags = pattern.flags.replace(/[gy]/g, '');
      if (!isValid(source, flags) || hasReference(source)) continue;
      const ours = new SafeRegExp(source, flags);
      const theirs = new RegExp(source, flags);
      for (let round = 0; round < 250; round++) {
        const text = Array.from({ length: round % 17 }, () =>
          random.pick(['a', 'b', 'c', 'A', 'k', 's', '0', '_', ' ', '-', '\n']),
        ).join('');
        if (ours.test(text) !== theirs.test(text)) assert.fail(`/${source}/${flags} on ${JSON.stringify(text)}`);
      }
      compared++;
    }
  });

  for (const { name, pattern, flags = '', texts } of cases.same) {
    it(`case: ${name}`, (t) => {
      if (!isValid(pattern, flags)) return t.skip(`Node ${process.version} does not know this syntax`);
      const [ours, theirs] = [new SafeRegExp(pattern, flags), new RegExp(pattern, flags)];
      for (const text of texts)
        assert.deepEqual(observe(ours, text, 0), observe(theirs, text, 0), JSON.stringify(text));
    });
  }
});

describe('SafeRegExp gives what was once different', () => {
  for (const { name, pattern, flags = '', texts, kind, arguments: given = [null], budget } of cases.operations) {
    it(`in the operation ${kind}: ${name}`, (t) => {
      if (!isValid(pattern, flags)) return t.skip(`Node ${process.version} does not know this syntax`);
      const options = budget === undefined ? undefined : { backreferences: { budget } };
      const [ours, theirs] = [new SafeRegExp(pattern, flags, options), new RegExp(pattern, flags)];
      for (const text of texts) {
        for (const value of given) {
          const how = { kind, lastIndex: 0, argument: value ?? undefined };
          assert.equal(seen(ours, text, how), seen(theirs, text, how), JSON.stringify({ text, value }));
        }
      }
    });
  }

  // V8 does not, in some of its versions.
  for (const { name, pattern, flags = '', text, match } of cases.standard) {
    it(`as the standard has it: ${name}`, (t) => {
      if (!isValid(pattern, flags)) return t.skip(`Node ${process.version} does not know this syntax`);
      assert.equal(new SafeRegExp(pattern, flags).exec(text)?.[0] ?? null, match);
    });
  }

  for (const { name, pattern, flags = '', text, match } of cases.bytes) {
    it(`in bytes: ${name}`, (t) => {
      if (!isValid(pattern, flags)) return t.skip(`Node ${process.version} does not know this syntax`);
      const [re, utf8] = [new SafeRegExp(pattern, flags), Buffer.from(text)];
      assert.equal(re.testBytes(utf8), match !== null);
      const found = re.execBytes(utf8);
      assert.deepEqual(found && [found.start, found.end], match);
    });
  }
});

describe('SafeRegExp refuses', () => {
  for (const { pattern, flags = '', code } of cases.refused) {
    it(`/${pattern}/${flags} with ${code}`, () => {
      assert.throws(() => new SafeRegExp(pattern, flags), { name: 'HoldfastError', code });
    });
  }

  it('patterns over the limits, quickly and without overflowing a stack', () => {
    const patterns = [
      '('.repeat(1000) + ')'.repeat(1000),
      '(?:a{1000}){1000}',
      'a{2000000000}',
      '[a-z]{262144}',
      `(${'a|'.repeat(40_000)}b)`,
    ];
    for (const pattern of patterns) {
      assert.throws(() => new SafeRegExp(pattern), { code: 'ERR_REGEXP_TOO_LARGE' }, pattern.slice(0, 20));
    }
  });

  it("invalid syntax with V8's own error", () => {
    for (const [pattern, flags] of [
      ['(', ''],
      ['a', 'gg'],
      ['[b-a]', ''],
      ['\\', ''],
    ]) {
      assert.throws(
        () => new SafeRegExp(pattern, flags),
        (error) => error instanceof SyntaxError && error.code === undefined,
      );
    }
  });
});

describe('SafeRegExp is a RegExp', () => {
  it('to instanceof, to types.isRegExp and to its own constructor', () => {
    const re = new SafeRegExp(/ab+c/gi);
    assert.ok(re instanceof RegExp && types.isRegExp(re));
    assert.equal(String(re), '/ab+c/gi');
    assert.deepEqual([re.source, re.flags, re.lastIndex, re.global], ['ab+c', 'gi', 0, true]);
    assert.equal(re.engine, 'automaton');
    assert.equal(new SafeRegExp('(?=a)b').engine, 'backtracker');
    assert.ok(new SafeRegExp(re) instanceof SafeRegExp);
    assert.equal(new SafeRegExp(re, 'y').flags, 'y');
    assert.throws(() => SafeRegExp('a'), TypeError);
    assert.throws(() => SafeRegExp.prototype.exec.call(/a/, 'a'), TypeError);
  });

  it('that converts what it is given as RegExp does', () => {
    assert.equal(new SafeRegExp('^null$').test(null), true);
    assert.equal(new SafeRegExp('^undefined$').test(), true);
    assert.equal(new SafeRegExp('^1,2$').exec([1, 2]).input, '1,2');
    assert.throws(() => new SafeRegExp('a').test(Symbol('a')), TypeError);
    assert.throws(
      () =>
        new SafeRegExp('a').exec({
          toString() {
            throw new RangeError('mine');
          },
        }),
      { message: 'mine' },
    );
  });

  it('whose lastIndex may be anything', () => {
    for (const lastIndex of [-1, 0.9, 1.5, NaN, Infinity, -Infinity, 2 ** 53, '1', null, { valueOf: () => 1 }]) {
      for (const flags of ['', 'g', 'y']) {
        const [ours, theirs] = [new SafeRegExp('a', flags), new RegExp('a', flags)];
        ours.lastIndex = theirs.lastIndex = lastIndex;
        assert.deepEqual(
          [ours.exec('aab'), ours.lastIndex],
          [theirs.exec('aab'), theirs.lastIndex],
          `${String(lastIndex)} ${flags}`,
        );
      }
    }
    for (const lastIndex of [1n, Symbol('1')]) {
      const re = new SafeRegExp('a');
      re.lastIndex = lastIndex;
      assert.throws(() => re.exec('a'), TypeError);
      assert.throws(() => re.test('a'), TypeError);
    }
    const frozen = Object.freeze(new SafeRegExp('a', 'g'));
    assert.throws(() => frozen.exec('b'), TypeError);
  });

  it('that can be compiled again and subclassed', () => {
    const re = new SafeRegExp('a');
    assert.equal(re.compile('(b)', 'g'), re);
    assert.deepEqual([...re.exec('ab')], ['b', 'b']);
    assert.throws(() => re.compile('(a)\\1'), { code: 'ERR_REGEXP_BACKREFERENCE' });
    assert.throws(() => re.compile('('), SyntaxError);
    re.lastIndex = 0;
    assert.deepEqual([re.source, re.flags, re.exec('ab').index], ['(b)', 'g', 1]);
    class Shouting extends SafeRegExp {
      exec(text) {
        return super.exec(text.toLowerCase());
      }
    }
    assert.equal(new Shouting('abc').test('ABC'), true);
    assert.ok('a-b'.split(new Shouting('-')).length === 2);
  });

  it('whose flags are those it was made with, whatever a subclass says of them', () => {
    class Lying extends SafeRegExp {
      get flags() {
        return 'gi';
      }
      get ignoreCase() {
        return true;
      }
      get source() {
        return 'b';
      }
    }
    assert.deepEqual(
      [new Lying('a').test('A'), new Lying('a').test('b'), new Lying('a').test('a')],
      [false, false, true],
    );
  });

  it('when exec is called from inside a replace function', () => {
    const [outer, inner] = [new SafeRegExp('(\\w)(\\d)', 'g'), new SafeRegExp('(\\d)(\\w)?')];
    const result = 'a1 b2'.replace(outer, (all, letter, digit) => `${digit}${letter}${inner.exec(all)[1]}`);
    assert.equal(result, '1a1 2b2');
  });

  it('when lastIndex is set into a surrogate pair', () => {
    const text = 'x😀😀ab😀z';
    for (const source of [
      '😀',
      '😀a',
      '😀😀',
      '(?:😀)',
      '(😀)',
      '[😀]',
      '😀|x',
      '😀?',
      '(?:😀)a',
      '',
      '.',
      '\\ude00',
      '\\ud83d',
    ]) {
      for (const flags of ['g', 'gu', 'guy', 'gsu', 'dgu']) {
        for (let lastIndex = 0; lastIndex <= text.length; lastIndex++) {
          const [ours, theirs] = [new SafeRegExp(source, flags), new RegExp(source, flags)];
          assert.deepEqual(
            observe(ours, text, lastIndex),
            observe(theirs, text, lastIndex),
            `/${source}/${flags} ${lastIndex}`,
          );
        }
      }
    }
  });

  it('on long texts and at their ends', () => {
    const text = `${'x'.repeat(100_000)}é${'y'.repeat(100_000)}`;
    for (const part of [text, text.slice(0, 100_000)]) {
      for (const source of ['x(é)?y', '(y+)$', '^(x+)', 'z', '(x)(?:é|$)']) {
        for (const flags of ['', 'u', 'g']) {
          assert.deepEqual(
            observe(new SafeRegExp(source, flags), part, 0),
            observe(new RegExp(source, flags), part, 0),
          );
        }
      }
    }
    for (let length = 250; length < 262; length++) {
      for (const last of ['a', 'é']) {
        const edge = 'b'.repeat(length) + last;
        assert.deepEqual(observe(new SafeRegExp('[aé]$'), edge, 0), observe(/[aé]$/, edge, 0));
      }
    }
  });
});

describe('SafeRegExp goes through a long text', () => {
  const words = { ascii: 'ab, cd; ', 'Latin-1': 'ab, çd; ', 'two-byte': 'ab, 中d; ', astral: 'ab, 😀d; ' };
  for (const [name, unit] of Object.entries(words)) {
    it(`of ${name} as RegExp does, forwards, backwards and with another text in between`, () => {
      const text = unit.repeat(60);
      for (const [source, flags] of [
        ['(\\w+)(,)?', 'g'],
        ['[^,;]+|.', 'gu'],
        ['(?:ab|[^a])', 'gy'],
        ['x*', 'g'],
        [';', 'gu'],
        ['😀', 'gu'],
      ]) {
        const [ours, theirs] = [new SafeRegExp(source, flags), new RegExp(source, flags)];
        assert.deepEqual(observeAll(ours, text), observeAll(theirs, text), `/${source}/${flags}`);
        for (const [part, lastIndex] of [
          [text, 300],
          [text, 20],
          [text.slice(1), 20],
          [text, 21],
          ['', 0],
          [text, 0],
        ]) {
          assert.deepEqual(
            observe(ours, part, lastIndex),
            observe(theirs, part, lastIndex),
            `/${source}/${flags} ${lastIndex}`,
          );
        }
      }
    });
  }

  it('which is not the text of another SafeRegExp with the same pattern', () => {
    const [one, other] = [new SafeRegExp('b', 'g'), new SafeRegExp('b', 'g')];
    const [text, otherText] = ['ab'.repeat(300), 'xxxb'.repeat(300)];
    for (let match = 0; match < 5; match++) {
      assert.equal(one.exec(text).index, 2 * match + 1);
      assert.equal(other.exec(otherText).index, 4 * match + 3);
    }
  });

  it('and compiles once what split and matchAll make anew', () => {
    // Measured: 7 MiB; 156 MiB when every call compiles, as nothing is freed before the event loop turns.
    const [comma, before] = [new SafeRegExp(','), process.memoryUsage().rss];
    for (let line = 0; line < 20_000; line++) assert.equal('a,b'.split(comma).length, 2);
    assert.ok(process.memoryUsage().rss - before < 64 * 2 ** 20);
  });

  it('of a million characters with a match at each: the text is not copied for every match', () => {
    // 500,000 copies of a megabyte would take minutes.
    const text = 'a,'.repeat(500_000);
    assert.equal(text.replace(new SafeRegExp(',', 'g'), ';'), 'a;'.repeat(500_000));
    const upper = (all, letter, comma, index) => `${letter.toUpperCase()}${index % 7}${comma ?? '-'}`;
    for (const length of [0, 2, 8_190, 10_922, 10_924, 16_384, 40_001]) {
      const part = text.slice(0, length);
      const expected = part.replace(/(a)(?:(,)|$)/g, upper);
      assert.equal(part.replace(new SafeRegExp('(a)(?:(,)|$)', 'g'), upper), expected);
      assert.equal(part.replace(new SafeRegExp('', 'g'), () => 'é中'), part.replace(/(?:)/g, () => 'é中'));
      assert.equal(part.replace(new SafeRegExp('[^]', 'g'), () => ''), '');
    }
    assert.equal([...`é${text}`.matchAll(new SafeRegExp('(a)', 'g'))].length, 500_000);
    assert.equal(text.slice(0, 200_000).split(new SafeRegExp(',')).length, 100_001);
  });
});

describe('SafeRegExp on hostile input', () => {
  for (const { pattern, flags = '', attack } of cases.hostile) {
    it(`/${pattern}/${flags} answers on a million characters`, () => {
      const text = attack.prefix + attack.pump.repeat(Math.ceil(1_000_000 / attack.pump.length)) + attack.suffix;
      const re = new SafeRegExp(pattern, flags);
      // A backtracking engine takes longer than the age of the universe, or hours: no clock is needed to tell.
      assert.equal(re.test(text), attack.matches);
    });
  }
});
