'use strict';

/** SafeRegExpSet: which patterns match, as the RegExps of the Node that runs say one by one. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { isUtf8 } = require('node:buffer');
const { describe, it } = require('node:test');
const vm = require('node:vm');
const { SafeRegExp, SafeRegExpSet } = require('..');
const { PatternSetGenerator } = require('./support/pattern-sets.js');
const { Random } = require('./support/random.js');

/** More with HOLDFAST_SETS, for a nightly run. */
const SETS = Number(process.env.HOLDFAST_SETS ?? 600);
const SEED = Number(process.env.HOLDFAST_SEED ?? 20_261_121);

/** What the answer has to be. */
function oneByOne(patterns, flags, input) {
  return patterns.flatMap((pattern, index) => (new RegExp(pattern, flags).test(input) ? [index] : []));
}

function assertSame(patterns, flags, input, options) {
  const set = new SafeRegExpSet(patterns, flags, options);
  const expected = oneByOne(patterns, flags, input);
  assert.deepEqual(set.match(input), expected);
  assert.equal(set.test(input), expected.length > 0);
  return set;
}

/** The text, with U+FFFF where the bytes are no UTF-8. */
function withMarks(bytes) {
  // None of the inputs has a U+FFFF of its own.
  let text = '';
  for (let place = 0; place < bytes.length;) {
    const length = [1, 2, 3, 4].find((count) => isUtf8(bytes.subarray(place, place + count)));
    text += length === undefined ? '\uffff' : bytes.subarray(place, place + length).toString();
    place += length ?? 1;
  }
  return text;
}

function isRefused(pattern) {
  try {
    new SafeRegExpSet([pattern]);
    return false;
  } catch (error) {
    if (error.code?.startsWith('ERR_REGEXP_')) return true;
    throw error;
  }
}

describe('SafeRegExpSet gives the results of RegExp', () => {
  it(`on ${SETS} generated sets, in strings and in bytes`, async (t) => {
    const random = new Random(SEED);
    const generator = new PatternSetGenerator(random);
    const counts = { sets: 0, patterns: 0, refused: 0, pairs: 0, matches: 0 };
    while (counts.sets < SETS) {
      // Node frees what native code holds only between turns of the event loop.
      await new Promise(setImmediate);
      const patterns = [];
      const wanted = 1 + random.below(12);
      while (patterns.length < wanted) {
        const { source, flags } = generator.pattern();
        const pattern = new RegExp(source, flags);
        if (isRefused(pattern)) counts.refused += 1;
        else patterns.push(pattern);
      }
      counts.sets += 1;
      counts.patterns += patterns.length;
      // Two bounds of memory: one that is never reached, and one that throws matchers away all the time.
      const set = new SafeRegExpSet(patterns, undefined, random.below(4) === 0 ? { memoryLimit: 65_536 } : undefined);
      for (let texts = 0; texts < 6; texts++) {
        const text = generator.text();
        const expected = oneByOne(patterns, undefined, text);
        const context = () => JSON.stringify({ patterns: patterns.map(String), text });
        assert.deepEqual(set.match(text), expected, context());
        assert.equal(set.test(text), expected.length > 0, context());
        const bytes = Buffer.from(text);
        const decoded = bytes.toString();
        const inBytes = decoded === text ? expected : oneByOne(patterns, undefined, decoded);
        assert.deepEqual(set.match(bytes), inBytes, context());
        assert.equal(set.test(bytes), inBytes.length > 0, context());
        counts.pairs += patterns.length;
        counts.matches += expected.length;
      }
    }
    t.diagnostic(`seed ${SEED}: ${JSON.stringify(counts)}`);
    assert.ok(counts.matches > counts.pairs / 50, 'the texts have to match often enough');
  });

  it('where windows meet: assertions, folding, gaps, both ends', () => {
    const patterns = [
      /key\d{0,3}$/,
      /^key/,
      /\bkey\b/,
      /\Bkey/,
      /key[a-z]{0,3}\b/,
      /[a-z]{0,4}key[a-z]{0,4}!/,
      /key.{0,5}key.{0,5}end/,
      /key/iu,
      /sskk/iu,
      /(?:key|token)\s*=\s*\w{3,}/i,
      /\w*key\w*!/,
      /[^]*key[^]*end/,
      /😀key/u,
      /.key/u,
      /.{2}key.{2}$/u,
      /key😀{2}$/u,
      /[\ud83d]key/,
      /key/y,
      /[^]/y,
      /(?:)/,
      /[]/,
      /[]key/,
      /k{5}/,
      /(?:ab){3}/,
      /(?:ab|cd){2,}e/,
      /-----BEGIN [A-Z ]{0,20}KEY-----[^]+?-----END/,
    ];
    const texts = [
      '',
      'key',
      'KEY',
      'xkey12',
      'key12 key',
      'key12x key9',
      'keykeykeykeykey!',
      `${'x'.repeat(300)}key${'y'.repeat(300)}!`,
      `${'key '.repeat(100)}end`,
      'token =   abc',
      'key = ab, token=\n\tabc',
      'SſKk',
      '\u212aey',
      '😀key😀😀',
      '\ude00key\ud83d',
      '\ud83dkey😀',
      'kkkkk',
      'ababab abcde ababcde',
      `-----BEGIN EC PRIVATE KEY-----\n${'A'.repeat(2000)}\n-----END EC PRIVATE KEY-----`,
      'é key é',
    ];
    const accepted = patterns.filter((pattern) => !isRefused(pattern));
    assert.ok(accepted.length > 20);
    for (const text of texts) {
      assertSame(accepted, undefined, text);
      for (const pattern of accepted) assertSame([pattern], undefined, text);
    }
  });

  it('on long texts that have the strings everywhere', () => {
    const patterns = [/ab{0,50}c/, /(?:ab)+c/, /abab.{0,100}z/, /b\w*ab!/, /ba[ab]*$/, /ab\s/, /^ab/];
    for (const text of ['ab'.repeat(4000), `${'ab'.repeat(4000)}c`, `${'ab '.repeat(3000)}abab zz`]) {
      assertSame(patterns, undefined, text);
      assertSame(patterns, undefined, `${text}中`);
    }
  });
});

describe('the 221 rules for secrets', async () => {
  const { rules, secretOf, KEYWORDS } = await import('../bench/gitleaks-style.mjs');
  const source = fs.readFileSync(path.join(__dirname, '..', 'lib', 'regexp.js'), 'utf8');

  for (const style of ['older', 'newer']) {
    const patterns = rules(style);
    const set = new SafeRegExpSet(patterns);

    it(`find each its own secret in source text (${style} style)`, () => {
      assert.equal(set.size, 221);
      const clean = new Set(oneByOne(patterns, undefined, source));
      for (const index of patterns.keys()) {
        const secret = secretOf(index);
        const middle = source.indexOf('\n', source.length / 2);
        const text = `${source.slice(0, middle)}\n${secret}\n${source.slice(middle)}`;
        const found = set.match(text);
        assert.ok(found.includes(index), String(index));
        assert.deepEqual(set.match(secret), oneByOne(patterns, undefined, secret));
        // Which others match can only depend on the line that is new.
        const others = oneByOne(patterns, undefined, `\n${secret}\n`);
        assert.deepEqual(
          found.filter((other) => !clean.has(other)),
          others.filter((other) => !clean.has(other)),
        );
      }
    });

    it(`agree with RegExp on text full of their words (${style} style)`, () => {
      const words = KEYWORDS.map((word, index) => `${word}_key = "${'0123456789abcdef'.repeat(index % 5)}";`);
      assertSame(patterns, undefined, words.join('\n'));
    });
  }
});

describe('a set', () => {
  it('takes flags that replace those of RegExps, as new RegExp does', () => {
    const patterns = ['key', /KEY/, /kEy/i, new SafeRegExp('k.y', 's')];
    assertSame(patterns, undefined, 'KEY');
    assertSame(patterns, 'i', 'KEY');
    assertSame(patterns, '', 'KEY');
    assert.deepEqual(new SafeRegExpSet(patterns, 'y').match(' key'), []);
    assert.deepEqual(new SafeRegExpSet(patterns, 'g').match(' key'), [0, 3]);
  });

  it('has what V8 knows of characters', () => {
    const input = 'É \u{1f468}\u200d\u{1f469}\u200d\u{1f467}';
    assertSame(['x', '\\p{Lu}', '\\p{Ll}', '^É'], 'u', input);
    assertSame(['x', 'é', 'ſ|\\u212a'], 'i', input);
    assertSame(['x', '[\\p{L}--[a-z]]', '\\p{RGI_Emoji_ZWJ_Sequence}$'], 'v', input);
    // More classes than are remembered between patterns.
    const classes = Array.from({ length: 300 }, (_, index) => `[[a-z]--[b\\u{${(0x1000 + index).toString(16)}}]]`);
    assertSame(classes, 'v', 'b');
    assertSame(classes.slice(0, 9), 'v', 'a');
    assert.throws(() => new SafeRegExpSet(['x', '(é)\\1'], 'i'), { message: /^patterns\[1\]: / });
  });

  it('knows its size and its sources', () => {
    const set = new SafeRegExpSet(['a/b', /c/gi, '', 'a/b']);
    assert.equal(set.size, 4);
    assert.deepEqual(set.sources, [String.raw`a\/b`, 'c', '(?:)', String.raw`a\/b`]);
    assert.throws(() => set.sources.push('d'), TypeError);
    assert.deepEqual(set.match('a/b'), [0, 2, 3]);
  });

  it('may be empty', () => {
    const set = new SafeRegExpSet([]);
    assert.equal(set.size, 0);
    assert.equal(set.test('text'), false);
    assert.deepEqual(set.match(Buffer.from('text')), []);
  });

  it('leaves lastIndex alone and keeps none', () => {
    const pattern = /a/g;
    pattern.lastIndex = 5;
    const set = new SafeRegExpSet([pattern]);
    assert.deepEqual([set.match('a'), set.match('a')], [[0], [0]]);
    assert.equal(pattern.lastIndex, 5);
  });

  it('takes RegExps and bytes of another realm', () => {
    const set = new SafeRegExpSet([vm.runInNewContext('/b+/')]);
    assert.equal(set.test(vm.runInNewContext('new Uint8Array([97, 98])')), true);
  });

  it('reads bytes as UTF-8, and what is none matches nothing', () => {
    // Each with what it is where U+FFFF stands for bytes that are no UTF-8.
    const patterns = [
      [/\ufffd/, /\ufffd/],
      [/a.b/, /a(?!\uffff).b/],
      [/^a[^]b$/, /^a[^\uffff]b$/],
      [/é+$/, /é+$/],
      [/é.?中/, /é(?:(?!\uffff).)?中/],
      [/😀/u, /😀/u],
      [/^.{3}$/u, /^(?:(?!\uffff).){3}$/u],
      [/[\ude00]a/, /[\ude00]a/],
      [/\bab\b/, /\bab\b/],
      [/ab\W/, /ab(?!\uffff)\W/],
      [/\W?ab\W{0,2}$/u, /(?:(?!\uffff)\W)?ab(?:(?!\uffff)\W){0,2}$/u],
    ];
    const set = new SafeRegExpSet(patterns.map(([pattern]) => pattern));
    const oracle = patterns.map(([, pattern]) => pattern);
    const random = new Random(SEED);
    const bytes = [
      '61', '61', '62', '6162', '80', 'bf', 'c3', 'a9', 'c3a9', 'e4', 'e4b8ad', 'eda080',
      'f09f9880', 'ff', 'efbfbd',
    ];
    for (let round = 0; round < 5000; round++) {
      const input = Buffer.from(random.list(8, () => random.pick(bytes)).join(''), 'hex');
      const expected = oneByOne(oracle, undefined, withMarks(input));
      assert.deepEqual(set.match(input), expected, input.toString('hex'));
      assert.equal(set.test(input), expected.length > 0, input.toString('hex'));
    }
    assert.equal(set.test(new Uint8Array(new SharedArrayBuffer(4))), false);
  });

  it('takes patterns that name no strings in one pass', () => {
    const patterns = [
      /\d{3}-\d{4}/,
      /[A-Z]{4,}/,
      /\w@\w+\.\w/,
      /[α-ω]{2}/i,
      /\s$/,
      /^\W/,
      /\b\w\b/,
      /[^]/u,
      /.{3}\d/u,
      /[a-f\d]{8}/iu,
      /\u{1f600}?[x]\d/u,
      /[\ud83d]/,
      /[\ud83d]/u,
      /[]/,
      /x*/,
    ].filter((pattern) => !isRefused(pattern));
    assert.ok(patterns.length > 10);
    const texts = [
      '', ' ', 'a', 'x1', '555-1234', 'me@example.org', 'αβ', '😀x1', '\ud83d', 'ABCD\n',
      'deadBEEF', '\uffff',
    ];
    const gap = '\n,;\n'.repeat(20_000);
    for (const text of texts) {
      const set = assertSame(patterns, undefined, text);
      for (const long of [`${gap}${text}`, `${text}${gap}`, `${gap}${text}${gap}`]) {
        assert.deepEqual(set.match(long), oneByOne(patterns, undefined, long), JSON.stringify(text));
        assert.deepEqual(set.match(Buffer.from(long)), oneByOne(patterns, undefined, Buffer.from(long).toString()));
      }
      assert.deepEqual(set.match(text), oneByOne(patterns, undefined, text));
    }
  });

  it('goes on one by one where one pass needs too much memory', () => {
    const patterns = Array.from({ length: 12 }, (_, index) => new RegExp(`[ab]\\w{${10 + index}}[c${index % 10}]\\d`));
    const random = new Random(SEED);
    const text = Array.from({ length: 60_000 }, () => random.pick(['a', 'b', 'c', 'ab', ' '])).join('');
    const set = assertSame(patterns, undefined, text);
    const matching = `${text}${'a'.repeat(30)}c1`;
    assert.deepEqual(set.match(matching), oneByOne(patterns, undefined, matching));
  });

  it('holds ten thousand patterns, and finds those that match', () => {
    const patterns = Array.from({ length: 10_000 }, (_, index) => `\\bword${index}x[a-z]{2,5}\\b`);
    patterns.push('\\d{7}', 'word12x\\w+');
    const set = new SafeRegExpSet(patterns);
    const text = `${'some words, '.repeat(1000)} word12xab WORD13xab word9999xabcde 1234567`;
    assert.deepEqual(set.match(text), [12, 9999, 10_000, 10_001]);
    assert.deepEqual(set.match(`${text}中`), [12, 9999, 10_000, 10_001]);
  });

  it('stays within memoryLimit between searches, with the same results', () => {
    const patterns = Array.from({ length: 300 }, (_, index) => new RegExp(`key${index}[^x]{0,30}x|z${index}y`));
    const text = patterns.map((_, index) => `key${index} ${index % 3 === 0 ? 'x' : ''} ${'.'.repeat(40)}`).join('\n');
    const large = assertSame(patterns, undefined, text);
    const small = assertSame(patterns, undefined, text, { memoryLimit: 65_536 });
    assert.deepEqual(small.match(text), large.match(text));
  });
});

describe('a set refuses', () => {
  const refuses = (make, expected) => assert.throws(make, expected);

  it('what V8 refuses, with its error', () => {
    for (const [patterns, flags] of [[['a', '('], undefined], [['a'], 'gg'], [[/a/, '\\u{1'], 'u']]) {
      const theirs = (() => {
        try {
          for (const pattern of patterns) new RegExp(pattern, flags);
        } catch (error) {
          return error;
        }
      })();
      refuses(() => new SafeRegExpSet(patterns, flags), { name: 'SyntaxError', message: theirs.message });
    }
  });

  it('what SafeRegExp refuses, and says where', () => {
    const refused = { code: 'ERR_REGEXP_BACKREFERENCE', message: /^patterns\[2\]: / };
    refuses(() => new SafeRegExpSet(['a', /b/, '(a)\\1']), refused);
    refuses(() => new SafeRegExpSet(['a', `a{${2 ** 31}}`.repeat(3)]), { message: /^patterns\[1\]: / });
  });

  it('arguments of other types', () => {
    const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
    for (const patterns of [undefined, null, 'a', /a/, {}, new Set(['a'])]) {
      refuses(() => new SafeRegExpSet(patterns), wrongType);
    }
    for (const pattern of [undefined, null, 1, {}, ['a'], Object.create(RegExp.prototype)]) {
      refuses(() => new SafeRegExpSet(['a', pattern]), { ...wrongType, message: /^patterns\[1\] / });
    }
    refuses(() => new SafeRegExpSet(['a'], 1), wrongType);
    refuses(() => new SafeRegExpSet(['a'], null), wrongType);
    refuses(() => new SafeRegExpSet(['a'], '', { limit: 1 }), { code: 'ERR_INVALID_ARG_VALUE' });
    refuses(() => new SafeRegExpSet(['a'], '', { memoryLimit: 1 }), { code: 'ERR_OUT_OF_RANGE' });
    const set = new SafeRegExpSet(['a']);
    for (const input of [undefined, null, 1, ['a'], new String('a'), new Uint16Array(1), new ArrayBuffer(1)]) {
      refuses(() => set.test(input), wrongType);
      refuses(() => set.match(input), wrongType);
    }
  });

  it('more than it can hold', () => {
    refuses(() => new SafeRegExpSet(new Array(65_537).fill('a')), { code: 'ERR_OUT_OF_RANGE' });
    refuses(() => new SafeRegExpSet(new Array(600).fill('a'.repeat(30_000))), { code: 'ERR_OUT_OF_RANGE' });
  });
});
