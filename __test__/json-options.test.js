'use strict';

/** What parseJson checks by option, and the other ways to call it: tryParseJson, scanJson, JsonGuard, a reviver. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { JsonError, JsonGuard, parseJson, scanJson, tryParseJson } = require('..');
const { JsonGenerator } = require('./support/json.js');
const { Random } = require('./support/random.js');
const cases = require('./json-options.cases.json');

const SEED = Number(process.env.HOLDFAST_SEED ?? 20_261_122);

/** The text as a string, as one that V8 holds in two bytes a character, as bytes, and as bytes that are shared. */
function forms(text) {
  const bytes = Buffer.from(text);
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return { text, wide: `${text}\u4e2d`.slice(0, -1), bytes, shared };
}

/** A text that means the same, far from the start and longer than any short cut takes. */
function padded(text) {
  return `[${'"some padding, more than enough to be no small text",'.repeat(20)}${text}]`;
}

function codeOf(call) {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof JsonError, String(error));
    return error.code;
  }
  return null;
}

describe('parseJson by option', () => {
  for (const { options, refused = [], taken = [], code } of cases.checks) {
    it(`${JSON.stringify(options)}: ${code}`, () => {
      const guard = new JsonGuard(options);
      for (const text of refused) {
        for (const input of [...Object.values(forms(text)), ...Object.values(forms(padded(text)))]) {
          const label = `${text} as ${typeof input}`;
          assert.equal(
            codeOf(() => parseJson(input, options)),
            code,
            label,
          );
          assert.equal(
            codeOf(() => guard.parse(input)),
            code,
            label,
          );
          const tried = tryParseJson(input, options);
          assert.deepEqual([tried.ok, tried.error?.code], [false, code], label);
          assert.ok(
            scanJson(input, options).some((finding) => finding.code === code),
            label,
          );
        }
        assert.equal(tryParseJson(text, { protoKey: 'ignore', constructorKey: 'ignore' }).ok, true, text);
      }
      for (const text of taken) {
        for (const input of Object.values(forms(text))) {
          assert.deepEqual(parseJson(input, options), JSON.parse(text), text);
          assert.deepEqual(guard.tryParse(input), { ok: true, value: JSON.parse(text) });
          assert.deepEqual(guard.scan(input), []);
        }
      }
    });
  }

  for (const { options, text, left } of cases.removals) {
    it(`${JSON.stringify(options)} makes ${left} of ${text}`, () => {
      for (const input of Object.values(forms(text))) {
        assert.deepEqual(parseJson(input, options), JSON.parse(left));
        assert.deepEqual(scanJson(input, options), []);
      }
    });
  }

  it('says where', () => {
    const text = '{"a":[1,\n {"b":1, "b":{"$c":12345678901234567890}}]}';
    const options = { duplicateKeys: 'error', operatorKeys: 'error', numbers: 'error' };
    assert.deepEqual(scanJson(text, options), [
      { code: 'ERR_JSON_DUPLICATE_KEY', path: ['a', 1, 'b'], pointer: '/a/1/b', offset: 18 },
      { code: 'ERR_JSON_FORBIDDEN_KEY', path: ['a', 1, 'b', '$c'], pointer: '/a/1/b/$c', offset: 23 },
      { code: 'ERR_JSON_NUMBER', path: ['a', 1, 'b', '$c'], pointer: '/a/1/b/$c', offset: 28 },
    ]);
    const { error } = tryParseJson(text, options);
    const { code, status, path, pointer, offset, line, column } = error;
    assert.deepEqual([code, status, path, pointer, offset, line, column], [
      'ERR_JSON_DUPLICATE_KEY', 400, ['a', 1, 'b'], '/a/1/b', 18, 2, 10,
    ]); // prettier-ignore
  });

  it('takes a number for lossy exactly when JSON.parse and a BigInt disagree', () => {
    const random = new Random(SEED);
    const counts = { lossy: 0, exact: 0 };
    for (let round = 0; round < 20_000; round++) {
      const length = 1 + random.below(random.below(20) === 0 ? 330 : 25);
      let digits = String(1 + random.below(9)) + random.list(length, () => random.below(10)).join('');
      if (random.below(3) === 0) digits = String(2n ** BigInt(random.below(80)) + BigInt(random.below(5)) - 2n);
      const literal = digits.startsWith('-') || random.below(2) === 0 ? digits : `-${digits}`;
      const value = JSON.parse(literal);
      const isLossy = !Number.isFinite(value) || BigInt(value) !== BigInt(literal);
      counts[isLossy ? 'lossy' : 'exact']++;
      for (const text of [literal, padded(literal)]) {
        const code = codeOf(() => parseJson(text, { numbers: 'error' }));
        assert.equal(code, isLossy ? 'ERR_JSON_NUMBER' : null, literal);
      }
    }
    assert.ok(Math.min(counts.lossy, counts.exact) > 2000, JSON.stringify(counts));
  });

  it('refuses a fraction or an exponent only where it overflows', () => {
    for (const literal of [
      '0.1',
      '1e308',
      '-1.7976931348623157e308',
      '1e-400',
      '9007199254740993.0',
      '6.02214076e23',
    ]) {
      assert.equal(parseJson(literal, { numbers: 'error' }), JSON.parse(literal));
    }
    for (const literal of ['1e309', '-1e400', '1.8e308', `${'9'.repeat(310)}.5`, `0.1e${'9'.repeat(50)}`]) {
      assert.equal(
        codeOf(() => parseJson(literal, { numbers: 'error' })),
        'ERR_JSON_NUMBER',
        literal,
      );
    }
  });

  it('finds a duplicate exactly where a map of keys does', () => {
    const random = new Random(SEED + 1);
    const generator = new JsonGenerator(random);
    const counts = { twice: 0, once: 0 };
    for (let round = 0; round < 20_000; round++) {
      const text = generator.text();
      const expected = hasDuplicate(text);
      counts[expected ? 'twice' : 'once']++;
      const options = { duplicateKeys: 'error', protoKey: 'ignore', constructorKey: 'ignore' };
      for (const input of [text, padded(text)]) {
        assert.equal(
          codeOf(() => parseJson(input, options)),
          expected ? 'ERR_JSON_DUPLICATE_KEY' : null,
          text,
        );
      }
      // As bytes, keys that differ in lone surrogates only are the same.
      const bytes = Buffer.from(text);
      const code = codeOf(() => parseJson(bytes, options));
      assert.equal(code, hasDuplicate(bytes.toString()) ? 'ERR_JSON_DUPLICATE_KEY' : null, text);
    }
    assert.ok(Math.min(counts.twice, counts.once) > 300, JSON.stringify(counts));
  });
});

/** A walk over a valid text's tokens, with V8 to unescape. */
function hasDuplicate(text) {
  const open = [];
  let expectsKey = false;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]/gs)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (token[0] === '"' && expectsKey) {
      const key = JSON.parse(token);
      if (open.at(-1).has(key)) return true;
      open.at(-1).add(key);
    }
    expectsKey = (token === '{' || token === ',') && open.at(-1) instanceof Set;
  }
  return false;
}

describe('a reviver', () => {
  it('runs as with JSON.parse', () => {
    const text = '{"a":[1,{"b":"2026-11-22"}],"c":null,"d":{"e":{}}}';
    const calls = (parse) => {
      const seen = [];
      const value = parse(text, function (key, value) {
        seen.push([key, value, JSON.stringify(this)]);
        return key === 'c' ? undefined : value;
      });
      return [value, seen];
    };
    assert.deepEqual(
      calls((json, reviver) => parseJson(json, { reviver })),
      calls((json, reviver) => JSON.parse(json, reviver)),
    );
    for (const input of Object.values(forms(text))) {
      const value = parseJson(input, { reviver: (key, value) => (key === 'b' ? new Date(value) : value) });
      assert.ok(value.a[1].b instanceof Date);
    }
  });

  it("'s result is checked again", () => {
    const poison = (key, value) => (key === 'x' ? JSON.parse('{"__proto__":{"admin":true}}') : value);
    assert.equal(
      codeOf(() => parseJson('{"x":1}', { reviver: poison })),
      'ERR_JSON_PROTO_KEY',
    );
    assert.deepEqual(parseJson('{"x":1}', { reviver: poison, protoKey: 'remove' }), { x: {} });
    const pollute = (key, value) => (key === 'x' ? { constructor: { prototype: { admin: true } } } : value);
    assert.equal(
      codeOf(() => parseJson('{"x":1}', { reviver: pollute })),
      'ERR_JSON_CONSTRUCTOR_KEY',
    );
    const infinite = (key, value) => (key === 'x' ? Infinity : value);
    assert.equal(
      codeOf(() => parseJson('{"x":1}', { reviver: infinite, numbers: 'error' })),
      'ERR_JSON_NUMBER',
    );
    const deep = (key, value) => (key === 'x' ? JSON.parse('['.repeat(20) + ']'.repeat(20)) : value);
    assert.equal(
      codeOf(() => parseJson('{"x":1}', { reviver: deep, limits: { depth: 10 } })),
      'ERR_JSON_LIMIT',
    );
    assert.equal({}.admin, undefined);
  });

  it('does not see what is removed', () => {
    const keys = [];
    const reviver = (key, value) => (keys.push(key), value);
    parseJson('{"__proto__":{"hidden":1},"a":1}', { reviver, protoKey: 'remove' });
    assert.deepEqual(keys, ['a', '']);
  });

  it('may throw what it likes', () => {
    for (const mine of [new Error('mine'), new SyntaxError('mine'), new RangeError('mine'), 'mine']) {
      const reviver = () => {
        throw mine;
      };
      for (const text of ['1', padded('1')]) {
        let thrown;
        try {
          parseJson(text, { reviver });
        } catch (error) {
          thrown = error;
        }
        assert.equal(thrown, mine);
      }
      assert.throws(() => parseJson('[1', { reviver }), { code: 'ERR_JSON_SYNTAX', offset: 2 });
    }
  });

  it('goes with a depth that V8 can recurse to', () => {
    const reviver = (key, value) => value;
    assert.throws(() => parseJson('1', { reviver, limits: { depth: 1001 } }), { code: 'ERR_INVALID_ARG_VALUE' });
    const text = '['.repeat(1000) + ']'.repeat(1000);
    assert.deepEqual(parseJson(text, { reviver, limits: { depth: 1000 } }), JSON.parse(text));
  });
});

describe('scanJson', () => {
  it('ends at what makes going on pointless', () => {
    const text = '{"__proto__":1,"a":[{"__proto__":2}],"b":[[[1]]],"c":';
    const codes = (options) => scanJson(text, options).map(({ code, offset }) => [code, offset]);
    assert.deepEqual(codes(), [
      ['ERR_JSON_PROTO_KEY', 1],
      ['ERR_JSON_PROTO_KEY', 21],
      ['ERR_JSON_SYNTAX', 53],
    ]);
    assert.deepEqual(codes({ limits: { depth: 3 } }), [
      ['ERR_JSON_PROTO_KEY', 1],
      ['ERR_JSON_PROTO_KEY', 21],
      ['ERR_JSON_LIMIT', 43],
    ]);
    assert.deepEqual(codes({ limits: { bytes: 3 } }), [['ERR_JSON_LIMIT', 0]]);
    assert.deepEqual(scanJson(Buffer.from([0x22, 0xff, 0x22])), [
      { code: 'ERR_JSON_ENCODING', path: [], pointer: '', offset: 1 },
    ]);
    assert.deepEqual(scanJson('{"a":[1,2]}'), []);
  });

  it('lists a hundred findings, and is done', () => {
    const text = `[${Array(1000).fill('{"__proto__":1}').join(',')}]`;
    const list = scanJson(text);
    assert.equal(list.length, 100);
    assert.deepEqual(list[99].path, [99, '__proto__']);
  });
});

describe('JsonGuard', () => {
  it('reads its options once', () => {
    const options = { forbiddenKeys: ['a'], limits: { depth: 2 } };
    const guard = new JsonGuard(options);
    options.forbiddenKeys.push('b');
    options.limits.depth = 1;
    assert.deepEqual(guard.parse('{"b":[]}'), { b: [] });
    assert.throws(() => guard.parse('{"a":1}'), { code: 'ERR_JSON_FORBIDDEN_KEY' });
    // Options by content must not be found again when the content has changed.
    assert.throws(() => parseJson('{"b":1}', options), { code: 'ERR_JSON_FORBIDDEN_KEY' });
    options.forbiddenKeys = ['c'];
    assert.deepEqual(parseJson('{"b":1}', options), { b: 1 });
  });

  it('reads options whose getters call with options of their own', () => {
    const inner = { limits: { depth: 3, keys: 5 }, forbiddenKeys: ['x', 'y', 'z'], duplicateKeys: 'error' };
    const options = {
      protoKey: 'ignore',
      get operatorKeys() {
        assert.deepEqual(parseJson('{"a":[1]}', inner), { a: [1] });
        assert.throws(() => parseJson('1', { limits: { depth: -1 } }), { code: 'ERR_OUT_OF_RANGE' });
        return 'error';
      },
      limits: { depth: 2 },
    };
    for (let round = 0; round < 3; round++) {
      assert.deepEqual(parseJson('{"x":[]}', options), { x: [] });
      assert.throws(() => parseJson('{"$x":1}', options), { code: 'ERR_JSON_FORBIDDEN_KEY' });
      assert.throws(() => parseJson('{"x":[[]]}', options), { code: 'ERR_JSON_LIMIT' });
      assert.throws(() => parseJson('{"x":1}', inner), { code: 'ERR_JSON_FORBIDDEN_KEY' });
    }
    const mine = new Error('mine');
    const throwing = {
      get limits() {
        throw mine;
      },
    };
    assert.throws(() => parseJson('1', throwing), mine);
    assert.deepEqual(parseJson('{"x":[]}', options), { x: [] });
  });

  it('may be made in any number, with any number of revivers, at little cost in memory', () => {
    const text = Buffer.from(`[${'{"id":1,"name":"n"},'.repeat(50)}0]`);
    const before = process.memoryUsage().rss;
    // None of them can be freed before this function returns.
    for (let count = 0; count < 20_000; count++) {
      parseJson(Buffer.from('{"a":1}'), { duplicateKeys: 'error', reviver: (key, value) => [count, value].at(1) });
      if (count % 10 === 0) new JsonGuard({ duplicateKeys: 'error', limits: { keys: 1000 + count } }).parse(text);
    }
    const grown = (process.memoryUsage().rss - before) / 2 ** 20;
    // A workspace for each guard would be 120 MiB.
    assert.ok(grown < 80, `${grown.toFixed()} MiB`);
  });

  it('is needed for its methods', () => {
    const { parse, scan } = new JsonGuard();
    assert.throws(() => parse('1'), TypeError);
    assert.throws(() => scan.call({}, '1'), TypeError);
    assert.throws(() => JsonGuard(), TypeError);
  });

  it('takes at most 1,000 forbidden keys', () => {
    const keys = Array.from({ length: 1000 }, (_, index) => `key ${index}`);
    const guard = new JsonGuard({ forbiddenKeys: keys });
    assert.throws(() => guard.parse('{"key 999":1}'), { code: 'ERR_JSON_FORBIDDEN_KEY' });
    assert.deepEqual(guard.parse('{"key 1000":1}'), { 'key 1000': 1 });
    assert.throws(() => new JsonGuard({ forbiddenKeys: [...keys, 'one'] }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => new JsonGuard({ forbiddenKeys: [1] }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => new JsonGuard({ forbiddenKeys: 'a' }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.deepEqual(new JsonGuard({ forbiddenKeys: [] }).parse('{"a":1}'), { a: 1 });
  });
});

describe('parseJson on what is large, in time linear in it', () => {
  const everything = {
    duplicateKeys: 'error',
    numbers: 'error',
    operatorKeys: 'error',
    forbiddenKeys: ['not here'],
    limits: { depth: 1_000_000, keys: 2 ** 24, keyLength: 2 ** 24, stringLength: 2 ** 26, arrayLength: 2 ** 26 },
  };
  // What is not linear takes hours on these: no clock is needed to tell.
  for (const [title, make] of [
    ['a million arrays inside each other', () => '['.repeat(1_000_000) + ']'.repeat(1_000_000)],
    ['a million objects inside each other', () => '{"":'.repeat(1_000_000) + '1' + '}'.repeat(1_000_000)],
    ['a million keys', () => `{${Array.from({ length: 1_000_000 }, (_, at) => `"${at.toString(36)}":0`).join()}}`],
    ['50 MB of numbers', () => `[${'0.12345678901234567,'.repeat(2_500_000)}1]`],
    ['50 MB in one key', () => `{"${'k'.repeat(50_000_000)}":1}`],
    ['a number of 20 MB', () => `0.${'1'.repeat(20_000_000)}`],
    ['10 MB of backslashes', () => `"${'\\\\'.repeat(5_000_000)}"`],
    ['10 MB of quotes', () => `[${'"",'.repeat(3_300_000)}0]`],
  ]) {
    it(title, () => {
      const text = make();
      const bytes = Buffer.from(text);
      const options =
        text.length > 2 ** 24 ? { ...everything, limits: { ...everything.limits, keyLength: 2 ** 26 } } : everything;
      const guard = new JsonGuard(options);
      assert.deepEqual(guard.scan(bytes), []);
      assert.deepEqual(guard.scan(text), []);
      assert.equal(guard.tryParse(bytes).ok, true);
      assert.equal(
        guard.tryParse(bytes.subarray(0, -1)).error?.code ?? 'fine',
        /^0/.test(text) ? 'fine' : 'ERR_JSON_SYNTAX',
      );
    });
  }

  it('a hundred thousand keys that collide in common hashes, and one of them twice', () => {
    // "Aa" and "BB" have the same hash in Java, and 2^17 strings of seventeen of them; in a sum or a xor of bytes all do.
    const keys = Array.from({ length: 131_072 }, (_, bits) =>
      Array.from({ length: 17 }, (_, bit) => ((bits >> bit) & 1 ? 'Aa' : 'BB')).join(''),
    );
    const text = `{${keys.map((key) => `"${key}":1`).join()}}`;
    const guard = new JsonGuard({ duplicateKeys: 'error' });
    assert.deepEqual(guard.scan(text), []);
    const twice = text.replace(/}$/, `,"${keys[70_000]}":2}`);
    assert.throws(() => guard.parse(twice), { code: 'ERR_JSON_DUPLICATE_KEY', offset: text.length });
    const all = `{${[...keys, ...keys].map((key) => `"${key}":1`).join()}}`;
    assert.equal(guard.scan(Buffer.from(all)).length, 100);
  });
});
