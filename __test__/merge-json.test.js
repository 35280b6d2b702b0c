'use strict';

/** mergeJson against the merge of the parsed values; what it copies, it copies to the letter. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const vm = require('node:vm');
const { JsonError, merge, mergeJson, parseJson } = require('..');
const { JsonGenerator, spell } = require('./support/json.js');
const { Random } = require('./support/random.js');
const cases = require('./merge-json.cases.json');

/** More with HOLDFAST_DOCUMENTS, for a nightly run. */
const DOCUMENTS = Math.max(12_000, Number(process.env.HOLDFAST_DOCUMENTS ?? 0));
const SEED = Number(process.env.HOLDFAST_SEED ?? 20_261_122);

const OPTIONS = [undefined, { arrays: 'concat' }, { mode: 'patch' }];

/**
 * A key with a backslash in it. V8 13.6 and later read escapes in the keys of texts that follow wrongly
 * (nodejs/node#63785), so that there is nothing to compare with; the Rust tests have such keys.
 */
const BACKSLASH_KEY = /"(?:[^"\\]|\\.)*\\\\(?:[^"\\]|\\.)*"\s*:/;

function attempt(call) {
  try {
    return { value: call() };
  } catch (error) {
    return { error };
  }
}

/** Texts that meet: objects in objects, a few keys in all spellings, any value. */
class MeetingTexts {
  #random;
  #generator;

  /** @param {Random} random */
  constructor(random) {
    this.#random = random;
    this.#generator = new JsonGenerator(random);
  }

  /** A few of them with what parseJson refuses. */
  text() {
    for (;;) {
      const text = this.#random.below(10) === 0 ? this.#generator.text() : this.#object(1 + this.#random.below(4));
      if (BACKSLASH_KEY.test(text)) continue;
      if (this.#random.below(20) === 0 || 'value' in attempt(() => parseJson(text))) return text;
    }
  }

  #object(depth) {
    const random = this.#random;
    const members = random.list(6, () => {
      const key = spell(random.pick(['a', 'b', 'c', 'd', 'é', '😀', '', '1']), (most) => random.below(most));
      const value = depth > 0 && random.below(2) === 0 ? this.#object(depth - 1) : this.#value();
      return `${this.#space()}${key}${this.#space()}:${value}`;
    });
    return `${this.#space()}{${members.join(',')}${members.length > 0 ? '' : this.#space()}}${this.#space()}`;
  }

  #value() {
    return this.#random.below(4) === 0 ? 'null' : this.#generator.text();
  }

  #space() {
    return this.#random.pick(['', '', '', ' ', '\n ']);
  }
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The merge of two values, in the words of RFC 7396, section 2, or without its nulls. */
function naive(target, patch, options = {}) {
  if (Array.isArray(target) && Array.isArray(patch) && options.arrays === 'concat') return [...target, ...patch];
  if (!isObject(patch) || (!isObject(target) && options.mode !== 'patch')) return patch;
  const result = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (options.mode === 'patch' && value === null) delete result[key];
    else if (Object.hasOwn(result, key)) result[key] = naive(result[key], value, options);
    else result[key] = options.mode === 'patch' ? naive(undefined, value, options) : value;
  }
  return result;
}

/** UTF-8 has no halves of surrogate pairs: they are escaped. */
function encode(text) {
  return Buffer.from(text.replace(/[\ud800-\udfff]/gu, (half) => `\\u${half.charCodeAt(0).toString(16)}`));
}

/** As strings; as bytes; and one of each. All have to come to the same text. */
function mergeBoth(target, patch, options) {
  const text = mergeJson(target, patch, options);
  const bytes = mergeJson(encode(target), encode(patch), options);
  assert.equal(typeof text, 'string');
  assert.ok(Buffer.isBuffer(bytes));
  assert.deepEqual(bytes, encode(text));
  assert.deepEqual(encode(mergeJson(target, encode(patch), options)), bytes);
  assert.deepEqual(mergeJson(new Uint8Array(encode(target)), patch, options), bytes);
  return text;
}

describe('mergeJson', () => {
  it(`of ${DOCUMENTS} generated pairs parses as the merge of the parsed, in the same order`, (t) => {
    const random = new Random(SEED);
    const texts = new MeetingTexts(random);
    const counts = { merged: 0, refused: 0, verbatim: 0 };
    for (let round = 0; round < DOCUMENTS; round++) {
      const [target, patch] = [texts.text(), texts.text()];
      const options = random.pick(OPTIONS);
      const label = JSON.stringify([target, patch, options]);
      const checked = [target, patch].map((text) => attempt(() => parseJson(text)));
      const broken = checked.find(({ error }) => error !== undefined);
      if (broken !== undefined) {
        const { error } = attempt(() => mergeJson(target, patch, options));
        assert.deepEqual([error?.code, error?.path], [broken.error.code, broken.error.path], label);
        counts.refused++;
        continue;
      }
      const [into, from] = checked.map(({ value }) => value);
      const result = mergeBoth(target, patch, options);
      const value = JSON.parse(result);
      const expected = naive(into, from, options);
      assert.deepEqual(value, expected, label);
      assert.equal(JSON.stringify(value), JSON.stringify(expected), label);
      assert.ok(result.length <= target.length + patch.length, label);
      if (options === undefined && isObject(into) && isObject(from)) {
        assert.deepEqual(value, merge(into, from), label);
      }
      if (result === target) counts.verbatim++;
      counts.merged++;
    }
    t.diagnostic(JSON.stringify(counts));
    assert.ok(counts.merged > DOCUMENTS * 0.8 && counts.refused > DOCUMENTS / 100);
  });

  it('does what the examples of RFC 7396, appendix A, do', () => {
    assert.equal(cases.rfc7396.length, 15);
    for (const [target, patch, result] of cases.rfc7396) {
      const text = mergeBoth(JSON.stringify(target), JSON.stringify(patch), { mode: 'patch' });
      assert.equal(text, JSON.stringify(result));
      assert.deepEqual(naive(target, patch, { mode: 'patch' }), result, 'the oracle');
    }
  });

  for (const { of: what, target, patch, options, result } of cases.texts) {
    it(`${what}`, () => {
      assert.equal(mergeBoth(target, patch, options), result);
      // The same in a string of two bytes a character.
      const [wide, wider] = [target, patch].map((text) => `{"中":1,"x":${text},"y":"${'ü'.repeat(300)}"}`);
      assert.equal(
        mergeBoth(wide, `{"x":${patch.trim()}}`, options),
        wide.replace(target, () => `${/^\s*/.exec(target)[0]}${result.trim()}${/\s*$/.exec(target)[0]}`),
      );
      assert.deepEqual(JSON.parse(mergeBoth(wide, wider, options)).y, 'ü'.repeat(300));
    });
  }

  it('takes every kind of string as it is', () => {
    const long = 'x'.repeat(1000);
    for (const text of ['é', 'ÿ', '中', '😀', '\u2028', '\ufeff']) {
      const [plain, marked] = [`{"a":"${long}"}`, `{"b":"${text}${long}"}`];
      assert.equal(mergeBoth(plain, marked), `{"a":"${long}","b":"${text}${long}"}`);
      assert.equal(mergeBoth(marked, plain), `{"b":"${text}${long}","a":"${long}"}`);
      assert.equal(mergeBoth(marked, '{"b":1}'), '{"b":1}');
    }
  });

  it('keeps a half of a surrogate pair, as an escape where bytes come out', () => {
    for (const half of ['\ud83d', '\ude00', '\ude00\ud83d', 'x\ud83dy']) {
      const [target, patch] = [`{"${half}":1,"a":2}`, `{"${half}":"${half}"}`];
      const escaped = JSON.stringify(half);
      assert.equal(mergeJson(target, patch), `{"${half}":"${half}","a":2}`);
      assert.equal(mergeJson(Buffer.from(`{${escaped}:1}`), patch).toString(), `{${escaped}:${escaped}}`);
      assert.equal(mergeJson(`{"${half}":1}`, Buffer.from(`{${escaped}:2}`)), `{"${half}":2}`);
    }
    // Halves that meet: raw and escaped.
    assert.equal(mergeJson('{"\ud83d\\ude00":1}', '{"😀":2}'), '{"\ud83d\\ude00":2}');
    assert.equal(mergeJson(Buffer.from('{"😀":1}'), '{"\ud83d\\ude00":2}').toString(), '{"😀":2}');
  });

  it('gives a Buffer for any Uint8Array, of its own memory', () => {
    const bytes = Buffer.from('..{"a":1}..');
    const shared = new Uint8Array(new SharedArrayBuffer(9));
    shared.set(bytes.subarray(2, 9));
    const foreign = vm.runInNewContext(`new Uint8Array([${[...bytes.subarray(2, 9)]}])`);
    for (const target of [bytes.subarray(2, 9), shared.subarray(0, 7), foreign]) {
      const copy = Buffer.from(target);
      for (const patch of ['{"b":2}', shared.subarray(0, 7), foreign]) {
        const result = mergeJson(target, patch);
        assert.ok(Buffer.isBuffer(result));
        assert.deepEqual(JSON.parse(result.toString()), patch === '{"b":2}' ? { a: 1, b: 2 } : { a: 1 });
        result.fill(0);
        assert.deepEqual(Buffer.from(target), copy);
      }
    }
  });

  it('drops byte order marks', () => {
    const [target, patch] = ['\ufeff{"a":1}', '\ufeff {"b":2}'].map((text) => Buffer.from(text));
    assert.equal(mergeJson(target, patch).toString(), '{"a":1,"b":2}');
    assert.equal(mergeJson(target, '[]').toString(), '[]');
    assert.equal(mergeJson('{}', patch), '{"b":2}');
    assert.throws(() => mergeJson('\ufeff{}', '{}'), { code: 'ERR_JSON_SYNTAX', offset: 0 });
  });

  it('keeps no more memory than the result needs', () => {
    const target = Buffer.from(`{"a":"${'x'.repeat(1_000_000)}"}`);
    assert.ok(mergeJson(target, '{"a":1}').buffer.byteLength < 100_000);
  });
});

describe('mergeJson refuses', () => {
  const unsafe = [
    ['{"__proto__":{"admin":true}}', 'ERR_JSON_PROTO_KEY', ['__proto__']],
    ['{"a":[{"\\u005f\\u005fproto\\u005f\\u005f":1}]}', 'ERR_JSON_PROTO_KEY', ['a', 0, '__proto__']],
    ['{"constructor":{"prototype":{}}}', 'ERR_JSON_CONSTRUCTOR_KEY', ['constructor']],
    ['[{"constructor":{"x":1,"prototyp\\u0065":1}}]', 'ERR_JSON_CONSTRUCTOR_KEY', [0, 'constructor']],
  ];
  const malformed = ['', ' ', '{', '{"a":1,}', '{"a" 1}', '[1', '{} {}', 'nul', '"\\x"', '{"a":1}}', "{'a':1}"];

  /** Every way to pass `bad` as target or as patch beside `good`. */
  function eachWay(bad, good, check) {
    const forms = typeof bad === 'string' ? [bad, Buffer.from(bad)] : [bad];
    for (const given of forms) {
      for (const other of [good, Buffer.from(good), `${good.slice(0, -1)}${' '.repeat(400)}${good.slice(-1)}`]) {
        for (const options of OPTIONS) {
          check('target', given, attempt(() => mergeJson(given, other, options)).error);
          check('patch', given, attempt(() => mergeJson(other, given, options)).error);
        }
      }
    }
  }

  it('what parseJson refuses, on either side, with the same place', () => {
    for (const bad of [...unsafe.map(([text]) => text), ...malformed, `${'['.repeat(129)}${']'.repeat(129)}`]) {
      for (const text of [bad, `\n${bad}`]) {
        eachWay(text, '{"é":1}', (side, given, error) => {
          const { error: expected } = attempt(() => parseJson(given));
          assert.ok(error instanceof JsonError, text);
          for (const field of ['code', 'status', 'offset', 'line', 'column', 'path', 'pointer']) {
            assert.deepEqual(error[field], expected[field], `${field} of ${text}`);
          }
          assert.equal(error.message, `${side}: ${expected.message}`);
        });
      }
    }
  });

  it('unsafe keys', () => {
    for (const [text, code, path] of unsafe) {
      eachWay(text, '{}', (_, __, error) => assert.deepEqual([error.code, error.path], [code, path]));
    }
    for (const text of ['{"constructor":"Acme"}', '{"constructor":{"name":1}}', '{"prototype":{}}', '["__proto__"]']) {
      assert.deepEqual(JSON.parse(mergeBoth('{}', text)), JSON.parse(mergeBoth(text, text)));
    }
    // No safe texts merge into an unsafe one: what makes it unsafe is in one of them.
    const [code, halves] = ['ERR_JSON_CONSTRUCTOR_KEY', ['{"constructor":{"x":1}}', '{"constructor":{"prototype":1}}']];
    assert.throws(() => mergeJson(halves[0], halves[1]), { code });
    assert.throws(() => mergeJson(halves[1], halves[0]), { code });
  });

  it('bytes that are not UTF-8', () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0x22, 0xc3],
    ]) {
      eachWay(Buffer.from(bytes), '{}', (_, __, error) => {
        assert.deepEqual([error.code, error.offset, error.status], ['ERR_JSON_ENCODING', 1, 400]);
      });
    }
  });

  it('the target first, when both are bad', () => {
    for (const [target, patch] of [
      ['{', '{"__proto__":1}'],
      ['{"__proto__":1}', '['],
    ]) {
      for (const into of [target, Buffer.from(target)]) {
        for (const from of [patch, Buffer.from(patch)]) {
          assert.throws(() => mergeJson(into, from), /^JsonError: target: /);
        }
      }
    }
  });

  it('what is over the limits, for each text by itself', () => {
    for (const text of ['{"a":"é"}', '{"a":[[]]}']) {
      const [bytes, depth] = [Buffer.byteLength(text), text.includes('[') ? 3 : 1];
      const limits = { bytes, depth };
      for (const given of [text, Buffer.from(text)]) {
        assert.ok(mergeJson(given, given, { limits }).length > 0);
        for (const over of [
          { bytes: bytes - 1, depth },
          { bytes, depth: depth - 1 },
        ]) {
          const expected = { code: 'ERR_JSON_LIMIT', status: 413 };
          assert.throws(() => mergeJson(given, '1', { limits: over }), { ...expected, message: /^target: / });
          assert.throws(() => mergeJson('1', given, { limits: over }), { ...expected, message: /^patch: / });
        }
      }
    }
  });

  it('strings that together are longer than a string can be, without reading them', () => {
    const half = ' '.repeat(2 ** 28);
    assert.throws(() => mergeJson(half, half), { code: 'ERR_JSON_LIMIT', status: 413 });
  });

  it('what is neither text nor bytes', () => {
    for (const other of [undefined, null, 1, {}, [], new String('{}'), new ArrayBuffer(2), new Uint16Array(2)]) {
      assert.throws(() => mergeJson(other, '{}'), { code: 'ERR_INVALID_ARG_TYPE', message: /^target / });
      assert.throws(() => mergeJson('{}', other), { code: 'ERR_INVALID_ARG_TYPE', message: /^patch / });
    }
    assert.throws(() => mergeJson(Object.create(Uint8Array.prototype), '{}'), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('arrays joined under RFC 7396, which replaces them', () => {
    assert.throws(() => mergeJson('{}', '{}', { mode: 'patch', arrays: 'concat' }), {
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_VALUE',
      message: /options\.arrays/,
    });
    assert.equal(mergeJson('[1]', '[2]', { mode: 'patch', arrays: 'replace' }), '[2]');
  });

  it('without repeating what it was given', () => {
    const marker = 'hunter2-S3CRET';
    for (const text of [`{"${marker}`, `["${marker}"`, `{"a":{"__proto__":"${marker}"}}`, marker]) {
      eachWay(text, '{}', (_, __, error) => {
        assert.ok(!`${error.message}${error.stack}${JSON.stringify(error)}`.includes('S3C'), text);
      });
    }
  });

  it('to follow a polluted Object.prototype', () => {
    const polluted = { mode: 'patch', arrays: 'concat', limits: { depth: 0 }, bytes: 1, depth: 0, name: 'x', cause: 1 };
    for (const [name, value] of Object.entries(polluted)) {
      Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true });
    }
    try {
      assert.equal(mergeJson('{"a":[1]}', '{"a":[2],"b":null}', {}), '{"a":[2],"b":null}');
      assert.equal(mergeJson('{"a":[1]}', '{"a":[2],"b":null}', { limits: {} }), '{"a":[2],"b":null}');
      assert.throws(() => mergeJson('{', '{}', { limits: {} }), { code: 'ERR_JSON_SYNTAX', message: /^target: / });
    } finally {
      for (const name of Object.keys(polluted)) delete Object.prototype[name];
    }
  });
});

// What is not linear takes hours on these: no clock is needed to tell.
describe('mergeJson is linear', () => {
  const LEVELS = 1_000_000;

  it('in depth', () => {
    const limits = { depth: LEVELS };
    const nest = (open, middle, close) => open.repeat(LEVELS - 1) + middle + close.repeat(LEVELS - 1);
    const object = (middle) => nest('{"":', middle, '}');
    for (const as of [String, Buffer.from]) {
      const run = (target, patch, options) => mergeJson(as(target), as(patch), { ...options, limits }).toString();
      assert.equal(run(object('{"a":1}'), object('{"b":2}')), object('{"a":1,"b":2}'));
      assert.equal(run(object('{"a":1}'), object('{"a":null}'), { mode: 'patch' }), object('{}'));
      assert.equal(run('[]', object('{"a":null}'), { mode: 'patch' }), object('{}'));
      assert.equal(run(object('{}'), '{"":1}'), '{"":1}');
      const arrays = nest('[', '[]', ']');
      assert.equal(run(arrays, arrays, { arrays: 'concat' }).length, 2 * arrays.length - 1);
    }
  });

  it('in keys', () => {
    const record = (count, from) =>
      `{${Array.from({ length: count }, (_, index) => `"key ${from + index}":${index}`).join(',')}}`;
    const [target, patch] = [record(1_000_000, 0), record(1_000_000, 500_000)];
    const text = mergeJson(Buffer.from(target), patch).toString();
    const keys = text.match(/"key \d+"/g);
    assert.equal(keys.length, 1_500_000);
    assert.equal(new Set(keys).size, 1_500_000);
    assert.ok(text.startsWith('{"key 0":0,') && text.endsWith('"key 1499999":999999}'));
    assert.ok(text.includes('"key 500000":0,"key 500001":1,'));
  });

  it('in keys that collide in common hashes', () => {
    // "Aa" and "BB" have one hash in every polynomial with the factor 31; zeros vanish in many others.
    const letters = Array.from({ length: 2 ** 16 }, (_, bits) =>
      Array.from({ length: 16 }, (__, place) => ((bits >> place) & 1 ? 'Aa' : 'BB')).join(''),
    );
    const zeros = Array.from({ length: 5_000 }, (_, count) => '\\u0000'.repeat(count % 500) + 'x'.repeat(count / 500));
    for (const keys of [letters, zeros]) {
      const text = `{${keys.map((key) => `"${key}":1`).join(',')}}`;
      const patch = text.replaceAll(':1', ':2');
      assert.equal(mergeJson(text, patch), patch);
      assert.equal(mergeJson(Buffer.from(text), patch).toString(), patch);
    }
  });

  it('in repetitions of a key', () => {
    const target = `{${'"a":{},'.repeat(200_000)}"b":1}`;
    const members = Array.from({ length: 100_000 }, (_, index) => `"${index}":{}`).join(',');
    assert.equal(mergeJson(target, `{"a":{${members}}}`), `{"a":{${members}},"b":1}`);
    assert.equal(mergeJson(target, target.replaceAll('{}', 'null'), { mode: 'patch' }), '{"b":1}');
  });
});
