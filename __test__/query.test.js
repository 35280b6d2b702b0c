'use strict';

/** parseQuery against URLSearchParams and a decoder by the book; what it refuses, and where it ends. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const vm = require('node:vm');
const { parseQuery } = require('..');
const { runNode } = require('./support/child.js');
const { attempt, encode, ordinary } = require('./support/query.js');
const { Random } = require('./support/random.js');
const cases = require('./query.cases.json');

const ROUNDS = Math.max(30_000, Number(process.env.HOLDFAST_QUERIES ?? 0));
const SEED = Number(process.env.HOLDFAST_SEED ?? 20_261_122);
const NESTED = { nested: true };
const NO_LIMITS = { bytes: 2 ** 30 - 1, parameters: 2 ** 24, depth: 1_000_000, arrayLength: 2 ** 24 };

/** Names and values as URLSearchParams has them, each name with one value, or all. */
function collected(pairs) {
  const result = Object.create(null);
  for (const [name, value] of pairs) {
    if (result[name] === undefined) result[name] = value;
    else if (Array.isArray(result[name])) result[name].push(value);
    else result[name] = [result[name], value];
  }
  return ordinary(result);
}

const CHARACTERS = [
  'a',
  'b',
  'c',
  '1',
  '0',
  ' ',
  '-',
  '.',
  ';',
  '?',
  '#',
  '/',
  '[',
  ']',
  'é',
  '中',
  '😀',
  '\0',
  '\ufeff',
  '%',
  '+',
  '&',
  '=',
];
const DELIMITERS = ['&', '&', '=', '+', 'a', '?', ';', 'é', '😀', '[', ']'];

function word(random) {
  return random.list(4, () => random.pick(CHARACTERS)).join('');
}

describe('parseQuery and URLSearchParams', () => {
  for (const { query, result, code } of cases.flat) {
    it(`agree on ${JSON.stringify(query)}`, () => {
      assert.deepEqual(
        attempt(() => parseQuery(query)),
        code ? { code } : { result },
      );
      if (!code) assert.deepEqual(collected(new URLSearchParams(query)), result);
    });
  }

  it(`agree on ${ROUNDS} random queries, in which every escape is right`, () => {
    const random = new Random(SEED);
    for (let round = 0; round < ROUNDS; round++) {
      const query = random
        .list(8, () => (random.below(3) > 0 ? random.pick(DELIMITERS) : encode(word(random), random)))
        .join('');
      const pairs = [...new URLSearchParams(query)];
      assert.deepEqual(
        attempt(() => parseQuery(query, { duplicates: 'array' })),
        { result: collected(pairs) },
        query,
      );
      assert.deepEqual(
        attempt(() => parseQuery(query)),
        { result: Object.fromEntries(pairs) },
        query,
      );
      const first = Object.fromEntries(pairs.toReversed());
      assert.deepEqual(
        attempt(() => parseQuery(query, { duplicates: 'first' })),
        { result: first },
        query,
      );
      const isRepeated = new Set(pairs.map(([name]) => name)).size < pairs.length;
      const strict = isRepeated ? { code: 'ERR_QUERY_DUPLICATE' } : { result: first };
      assert.deepEqual(
        attempt(() => parseQuery(query, { duplicates: 'error' })),
        strict,
        query,
      );
      const marked = attempt(() => parseQuery(`?${query}`));
      assert.deepEqual(marked, { result: Object.fromEntries(new URLSearchParams(`?${query}`)) }, query);
    }
  });

  it('agree on texts of every length', () => {
    for (let length = 1; length < 150; length++) {
      const text = 'a+%2B%C3%A9+'
        .repeat(length)
        .slice(0, length)
        .replace(/%[^%]{0,1}$|%C3(?:%.?)?$/, '');
      const query = `${text}=${text}&x=${text}`;
      assert.deepEqual(ordinary(parseQuery(query)), Object.fromEntries(new URLSearchParams(query)));
    }
  });

  it('give text back that was encoded by URLSearchParams and by encodeURIComponent', () => {
    const random = new Random(SEED + 1);
    for (let round = 0; round < 5000; round++) {
      const entries = Object.fromEntries(random.list(4, () => [word(random), word(random)]));
      assert.deepEqual(ordinary(parseQuery(`?${new URLSearchParams(entries)}`)), entries);
      const pairs = Object.entries(entries).map((pair) => pair.map(encodeURIComponent).join('='));
      assert.deepEqual(ordinary(parseQuery(pairs.join('&'))), entries);
    }
  });
});

describe('percent-encoding', () => {
  /** Bytes by hand, and the platform's decoder for what is UTF-8. */
  function decoded(text) {
    const bytes = [];
    for (let at = 0; at < text.length;) {
      if (text[at] === '%') {
        if (!/^[0-9a-f]{2}$/i.test(text.slice(at + 1, at + 3))) return undefined;
        bytes.push(parseInt(text.slice(at + 1, at + 3), 16));
        at += 3;
      } else {
        const character = String.fromCodePoint(text.codePointAt(at));
        bytes.push(...Buffer.from(character === '+' ? ' ' : character));
        at += character.length;
      }
    }
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
    } catch {
      return undefined;
    }
  }

  it(`is read, or refused, as by the book, on ${ROUNDS} random values`, (t) => {
    const random = new Random(SEED + 2);
    const parts = [
      '%',
      '%%',
      '%4',
      '%41',
      '%c3%a9',
      '%C3',
      '%A9',
      '%E4%B8%AD',
      '%E4',
      '%B8',
      '%F0%9F%98%80',
      '%F0',
      '%9F',
      '%ED',
      '%A0',
      '%80',
      '%00',
    ];
    parts.push('a', 'F', '0', '+', 'é', '😀', '%FF', '%C0', '%F4', '%90', '%EF%BB%BF');
    const counts = { read: 0, refused: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const text = random.list(5, () => random.pick(parts)).join('');
      const expected = decoded(text);
      counts[expected === undefined ? 'refused' : 'read']++;
      const outcome = (name, value) =>
        expected === undefined ? { code: 'ERR_QUERY_ENCODING' } : { result: { [name]: value } };
      assert.deepEqual(
        attempt(() => parseQuery(`a=${text}`)),
        outcome('a', expected),
        text,
      );
      assert.deepEqual(
        attempt(() => parseQuery(`x${text}=1`)),
        outcome(`x${expected}`, '1'),
        text,
      );
    }
    t.diagnostic(JSON.stringify(counts));
    assert.ok(Math.min(...Object.values(counts)) > ROUNDS / 5, 'both kinds must be tried');
  });

  for (const text of cases.encoding) {
    it(`that is wrong is refused in every place: ${JSON.stringify(text)}`, () => {
      const refusal = { name: 'HoldfastError', code: 'ERR_QUERY_ENCODING', status: 400, expose: true };
      for (const query of [
        text,
        `a=${text}`,
        `${text}=a`,
        `a=1&b=2&c=x${text}&d`,
        `a=1&${text}&d=3`,
        `a[b]=${text}&c`,
        `?${text}`,
      ]) {
        for (const options of [undefined, NESTED]) {
          // What is no name is refused for that, where brackets count.
          assert.throws(() => parseQuery(query, options), refusal, query);
        }
      }
    });
  }

  it('that is wrong is found in a parameter that does not count', () => {
    assert.throws(() => parseQuery('a=1&a=%FF', { duplicates: 'first' }), { code: 'ERR_QUERY_ENCODING' });
    assert.throws(() => parseQuery('a=%FF&a=1'), { code: 'ERR_QUERY_ENCODING' });
    assert.throws(() => parseQuery('a=1&b=2&c=%'), { message: /^parameter 3 / });
    assert.throws(() => parseQuery('&&a=1&&b=%'), { message: /^parameter 2 / });
  });
});

describe('repeated names', () => {
  const query = 'a=1&b=2&a=3&a=4';
  it('are read as asked', () => {
    assert.deepEqual(ordinary(parseQuery(query)), { a: '4', b: '2' });
    assert.deepEqual(ordinary(parseQuery(query, { duplicates: 'last' })), { a: '4', b: '2' });
    assert.deepEqual(ordinary(parseQuery(query, { duplicates: 'first' })), { a: '1', b: '2' });
    assert.deepEqual(ordinary(parseQuery(query, { duplicates: 'array' })), { a: ['1', '3', '4'], b: '2' });
    const refusal = {
      name: 'HoldfastError',
      code: 'ERR_QUERY_DUPLICATE',
      status: 400,
      expose: true,
      message: /^parameter 3 /,
    };
    assert.throws(() => parseQuery(query, { duplicates: 'error' }), refusal);
    assert.throws(() => parseQuery('a=1&%61=2', { duplicates: 'error' }), { code: 'ERR_QUERY_DUPLICATE' });
    assert.throws(() => parseQuery('a=&a', { duplicates: 'error' }), { code: 'ERR_QUERY_DUPLICATE' });
    assert.throws(() => parseQuery('a[b]=1&a%5bb]=2', { duplicates: 'error', nested: true }), {
      code: 'ERR_QUERY_DUPLICATE',
    });
    assert.deepEqual(ordinary(parseQuery('a=1&A=2&a[b]=3', { duplicates: 'error' })), { a: '1', A: '2', 'a[b]': '3' });
  });

  it('are arrays where they are said to be, whatever else is said', () => {
    for (const duplicates of ['last', 'first', 'array', 'error', undefined]) {
      for (const nested of [false, true]) {
        const options = { duplicates, nested, arrays: ['a', 'toString', 'never'] };
        assert.deepEqual(ordinary(parseQuery('a=1&b=2', options)), { a: ['1'], b: '2' });
        assert.deepEqual(ordinary(parseQuery('a=1&b=2&a=3', options)), { a: ['1', '3'], b: '2' });
        assert.deepEqual(ordinary(parseQuery('toString', options)), { toString: [''] });
      }
    }
    const options = { nested: true, arrays: ['a', 'b[c]'], duplicates: 'error' };
    assert.deepEqual(ordinary(parseQuery('a=1&a[]=2&b[c]=3&b[c][]=4', options)), {
      a: ['1', '2'],
      b: { c: ['3', '4'] },
    });
    assert.throws(() => parseQuery('a[0]=1&a=2', options), { code: 'ERR_QUERY_KEY' });
    assert.deepEqual(ordinary(parseQuery('a[]=1', { arrays: ['a', 'a[]'] })), { 'a[]': ['1'] });
  });

  it('of arrays are checked when they are given', () => {
    for (const arrays of ['a', {}, 1, new Set(['a']), { length: 1, 0: 'a' }, ['a', 1], [null], [['a']], [,]]) {
      assert.throws(() => parseQuery('', { arrays }), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
    assert.deepEqual(ordinary(parseQuery('a=1', vm.runInNewContext('({ arrays: ["a"] })'))), { a: ['1'] });
    for (const nested of [0, 1, 'true', null, {}]) {
      assert.throws(() => parseQuery('', { nested }), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
  });
});

describe('dangerous names', () => {
  it('are refused, however they are encoded, at every place and under every option', () => {
    const random = new Random(SEED + 4);
    const refusal = { name: 'HoldfastError', code: 'ERR_QUERY_KEY', status: 400, expose: true };
    const optionSets = [
      undefined,
      NESTED,
      { duplicates: 'array' },
      { nested: true, duplicates: 'first' },
      { arrays: cases.dangerous },
    ];
    for (const name of cases.dangerous) {
      for (let round = 0; round < 40; round++) {
        const spelt = round === 0 ? name : encode(name, random);
        for (const query of [`${spelt}=1`, spelt, `?${spelt}=`, `a=1&b=2&${spelt}=3`, `&&${spelt}=x&c=4`]) {
          for (const options of optionSets) assert.throws(() => parseQuery(query, options), refusal, query);
        }
      }
    }
    assert.equal({}.x, undefined);
  });

  it('are values like others', () => {
    assert.deepEqual(ordinary(parseQuery('a=__proto__&b[c]=constructor[prototype]', NESTED)), {
      a: '__proto__',
      b: { c: 'constructor[prototype]' },
    });
  });

  it('cannot be put together from harmless ones', () => {
    const random = new Random(SEED + 5);
    const steps = ['a', 'constructor', 'prototype', '__proto__', 'x', '0', ''];
    for (let round = 0; round < ROUNDS; round++) {
      const names = random.list(4, () => random.pick(steps) + random.list(3, () => `[${random.pick(steps)}]`).join(''));
      const query = names.map((name) => `${encode(name, random)}=1`).join('&');
      const { result } = attempt(() => parseQuery(query, NESTED));
      if (result !== undefined) assertHarmless(result, query);
    }
  });

  /** Neither a key nor a constructor with a prototype, anywhere. */
  function assertHarmless(value, label) {
    if (typeof value !== 'object') return;
    assert.ok(!Object.hasOwn(value, '__proto__'), label);
    const { constructor } = Object.assign(Object.create(null), value);
    assert.ok(!(typeof constructor === 'object' && Object.hasOwn(constructor, 'prototype')), label);
    for (const key of Object.keys(value)) assertHarmless(value[key], label);
  }
});

describe('limits', () => {
  const refusal = { name: 'HoldfastError', code: 'ERR_QUERY_LIMIT', status: 413, expose: true };

  it('hold exactly', () => {
    const many = (count) => Array.from({ length: count }, (_, place) => `p${place}=1`).join('&');
    const rows = [
      ['abc', 'abcd', { bytes: 3 }],
      ['é=', 'é=a', { bytes: 3 }],
      ['中', '中中', { bytes: 5 }],
      ['😀=', '😀=é', { bytes: 6 }],
      ['a'.repeat(2 ** 20), 'a'.repeat(2 ** 20 + 1), {}],
      ['', 'a', { bytes: 0 }],
      ['&&a=1&&b=2&&', 'a&b&c', { parameters: 2 }],
      ['&&&', 'a', { parameters: 0 }],
      [many(1000), many(1001), {}],
      ['a=1&'.repeat(1000), 'a=1&'.repeat(1001), {}],
      ['a[b][c]=1', 'a[b][c][d]=1', { depth: 2 }],
      ['a[b][]=1', 'a[b][c][]=1', { depth: 2 }],
      ['a=1', 'a[]=1', { depth: 0 }],
      ['a[1][2][3][4][5]=x', 'a[1][2][3][4][5][6]=x', {}],
      ['a[]=1&a[]=2', 'a[]=1&a[]=2&a[]=3', { arrayLength: 2 }],
      ['a[0]=1&a[1]=2', 'a[2]=0&a[0]=1&a[1]=2', { arrayLength: 2 }],
      ['a[3]=1&a[x]=2', 'a[0]=1&a[1]=2&a[2]=3', { arrayLength: 2 }],
      ['a=1', 'a[]=1', { arrayLength: 0 }],
      ['a[]=1&'.repeat(1000), 'a[]=1&'.repeat(1001), { parameters: 5000 }],
    ];
    for (const [good, bad, limits] of rows) {
      parseQuery(good, { nested: true, limits });
      assert.throws(() => parseQuery(bad, { nested: true, limits }), refusal, bad.slice(0, 60));
    }
    for (const duplicates of ['array', 'last']) {
      const options = { duplicates, arrays: duplicates === 'last' ? ['a'] : [], limits: { arrayLength: 2 } };
      parseQuery('a=1&a=2&b=3', options);
      assert.throws(() => parseQuery('a=1&a=2&b=3&a=4', options), { ...refusal, message: /^parameter 4 / });
    }
    parseQuery('a=1&a=2&a=3', { limits: { arrayLength: 0 } });
    parseQuery('a[b][c]=1', { limits: { depth: 0 } });
  });

  it('come before what they protect', () => {
    assert.throws(() => parseQuery(`${'a&'.repeat(1000)}a=%FF`), refusal);
    assert.throws(() => parseQuery('\ud800'.repeat(10), { limits: { bytes: 29 } }), refusal);
  });

  it('raised, leave time linear in the query, whatever the query', () => {
    const shapes = {
      '&': 1, 'a&': 1, '=&': 1, 'a=': 1, 'a=1&': 1, '+': 1, 'a+&': 1, '%41': 1, 'a=%41&': 1, 'a%41&': 1, '?': 1,
      'é': 1, '[': 0, ']': 0, 'a[': 0, '[]': 0, '][': 0, 'a[]&': 1, 'a[b]=&': 1, 'a[0]&': 1, 'a[b][c]&': 1, '%5B': 0, '&%41&+=': 1,
    }; // prettier-ignore
    for (const [shape, isName] of Object.entries(shapes)) {
      const query = shape.repeat(Math.ceil(1_000_000 / shape.length));
      for (const duplicates of ['last', 'array']) {
        parseQuery(query, { duplicates, limits: NO_LIMITS });
        if (isName) parseQuery(query, { duplicates, nested: true, limits: NO_LIMITS });
        else
          assert.throws(() => parseQuery(query, { nested: true, limits: NO_LIMITS }), { code: 'ERR_QUERY_KEY' }, shape);
      }
    }
    const names = Array.from({ length: 300_000 }, (_, place) => `k${place}`).join('&');
    assert.equal(Object.keys(parseQuery(names, { limits: NO_LIMITS })).length, 300_000);
    const indices = Array.from({ length: 300_000 }, (_, place) => `a[${299_999 - place}]=${place}`).join('&');
    const { a } = parseQuery(indices, { nested: true, limits: NO_LIMITS });
    assert.deepEqual([a.length, a[0], a[299_999]], [300_000, '299999', '0']);
  });

  it('raised, leave a million levels', () => {
    let value = parseQuery(`a${'[b]'.repeat(1_000_000)}=leaf`, { nested: true, limits: NO_LIMITS }).a;
    for (let level = 0; level < 1_000_000; level++) value = value.b;
    assert.equal(value, 'leaf');
  });

  it('aside, an index takes no room for those before it', async () => {
    // With 12 KB for each the process would end: V8 has 64 MB here, and the result is kept.
    const source = `
      const { parseQuery } = require(holdfast);
      const query = Array.from({ length: 50_000 }, (_, place) => 'a' + place + '[1000]=x').join('&');
      const result = parseQuery(query, { nested: true, limits: { parameters: 50_000 } });
      console.log(JSON.stringify([result.a0, result.a49999]));`;
    const { code, stdout, stderr } = await runNode(source, { flags: ['--max-old-space-size=64'] });
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(JSON.parse(stdout), [{ 1000: 'x' }, { 1000: 'x' }]);
  });
});

describe('parseQuery', () => {
  it('takes a string and nothing else', () => {
    for (const query of [
      undefined,
      null,
      0,
      true,
      {},
      [],
      ['a=1'],
      Buffer.from('a=1'),
      new String('a=1'),
      new URLSearchParams('a=1'),
      () => 'a',
      Symbol('a'),
    ]) {
      assert.throws(() => parseQuery(query), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
    assert.throws(() => parseQuery(), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('reads a URL of this and of another kind of string', () => {
    const { search } = new URL('https://example.org/a?b=c d&e=é#f=g');
    assert.deepEqual(ordinary(parseQuery(search)), { b: 'c d', e: 'é' });
    const rope = ['a=', 'x'.repeat(20), '&b=', 'y'.repeat(20)].reduce((text, part) => text + part);
    assert.deepEqual(ordinary(parseQuery(rope)), { a: 'x'.repeat(20), b: 'y'.repeat(20) });
    assert.deepEqual(ordinary(parseQuery(`中${rope}`.slice(1))), { a: 'x'.repeat(20), b: 'y'.repeat(20) });
  });

  it('says in a message which parameter it was, and nothing that stood there', () => {
    const marker = 'hunter2';
    const queries = [
      `${marker}=%`,
      `${marker}=1&${marker}=2`,
      `${marker}[=1`,
      `__proto__=${marker}`,
      `${marker}[b]=1&${marker}=${marker}`,
      `${marker}[b][c]=1`,
    ];
    for (const query of queries) {
      const options = { nested: true, duplicates: 'error', limits: { depth: 1 } };
      assert.throws(
        () => parseQuery(query, options),
        (error) => /^parameter [12] /.test(error.message) && !error.stack.includes(marker),
        query,
      );
    }
  });

  it('ignores what Object.prototype has been polluted with', () => {
    const names =
      'a b c 0 1 duplicates arrays nested limits bytes parameters depth arrayLength list items then length name'.split(
        ' ',
      );
    const query = 'a=1&a=2&b[c]=3&b[0]=4&d[]=5&e[1]=6&e[0]=7&b[2000]=8';
    const run = () =>
      [undefined, {}, { limits: {} }, NESTED, { duplicates: 'array', nested: true }].map((options) =>
        attempt(() => parseQuery(query, options)),
      );
    const expected = run();
    assert.deepEqual(expected[4].result.a, ['1', '2']);
    for (const name of names) {
      for (const value of ['error', true, 0, ['a'], { bytes: 0 }, () => assert.fail('called')]) {
        Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true });
        let seen;
        try {
          seen = run();
        } finally {
          delete Object.prototype[name];
        }
        assert.deepEqual(seen, expected, name);
      }
    }
  });

  for (const [how, flags, prelude] of [
    ['--frozen-intrinsics', ['--frozen-intrinsics', '--no-warnings'], ''],
    [
      'frozen prototypes',
      [],
      'for (const p of [Object, Array, Function, Map, Set, String, Error]) Object.freeze(p.prototype);',
    ],
    ['--disable-proto=delete', ['--disable-proto=delete'], ''],
    ['--disable-proto=throw', ['--disable-proto=throw'], ''],
  ]) {
    it(`works with ${how}`, async () => {
      const source = `${prelude}
        const { parseQuery } = require(holdfast);
        const result = parseQuery('toString=1&a[valueOf]=%C3%A9&b[]=2&c[1]=y&c[0]=x&d[5000]=z', { nested: true });
        const codes = ['__proto__=1', 'a=%FF', 'a[b'].map((query) => {
          try { parseQuery(query, { nested: true }) } catch (error) { return error.code }
        });
        console.log(JSON.stringify([result, codes]));`;
      const { code, stdout, stderr } = await runNode(source, { flags });
      assert.deepEqual([code, stderr], [0, '']);
      const result = { toString: '1', a: { valueOf: 'é' }, b: ['2'], c: ['x', 'y'], d: { 5000: 'z' } };
      assert.deepEqual(JSON.parse(stdout), [result, ['ERR_QUERY_KEY', 'ERR_QUERY_ENCODING', 'ERR_QUERY_KEY']]);
    });
  }
});
