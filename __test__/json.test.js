'use strict';

/** parseJson against JSON.parse: the same texts, the same values; and every dangerous key, however it is spelt. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const vm = require('node:vm');
const { JsonError, parseJson } = require('..');
const { JsonGenerator, spell } = require('./support/json.js');
const { Random } = require('./support/random.js');
const cases = require('./json.cases.json');

/** More with HOLDFAST_DOCUMENTS, for a nightly run. */
const DOCUMENTS = Math.max(30_000, Number(process.env.HOLDFAST_DOCUMENTS ?? 0));
const SEED = Number(process.env.HOLDFAST_SEED ?? 20_261_121);

/** Nothing is checked but that it is JSON. */
const LENIENT = { protoKey: 'ignore', constructorKey: 'ignore', limits: { depth: 1_000_000 } };

function attempt(parse) {
  try {
    return { value: parse() };
  } catch (error) {
    return { error };
  }
}

/** The same text as Buffer, as Uint8Array in the middle of a larger buffer, and in shared memory. */
function asBytes(text) {
  const buffer = Buffer.from(text);
  const around = new Uint8Array(buffer.length + 14).fill(0x7b);
  around.set(buffer, 7);
  const shared = new Uint8Array(new SharedArrayBuffer(buffer.length + 3), 3);
  shared.set(buffer);
  return { buffer, subarray: around.subarray(7, 7 + buffer.length), shared };
}

/** What went wrong and where, without the prose. */
function place(error) {
  const { code, status, expose, path, pointer, offset, line, column } = error;
  return { code, status, expose, path, pointer, offset, line, column };
}

/**
 * V8's own account of where a text stops being JSON. It puts a bad escape at the character that is wrong, and holdfast
 * at the escape's start.
 */
function assertSamePlace(text, ours, theirs) {
  const label = `${JSON.stringify(text)}: ${theirs.message}`;
  const position = / at position (\d+)/.exec(theirs.message);
  const token = /^Unexpected token '(.+?)', /su.exec(theirs.message);
  if (/ escape/i.test(theirs.message)) assert.equal(text[ours.offset], '\\', label);
  else if (position !== null) assert.equal(ours.offset, Number(position[1]), label);
  else if (token !== null) assert.ok(text.startsWith(token[1], ours.offset) || text[ours.offset] === '\\', label);
  else if (/end of JSON/.test(theirs.message))
    assert.ok(ours.offset === text.length || text[ours.offset] === '\\', label);
}

function assertMalformed(error, text) {
  assert.ok(error instanceof JsonError && error instanceof SyntaxError, String(error));
  const { code, status, expose, offset, line, column } = error;
  assert.deepEqual({ code, status, expose }, { code: 'ERR_JSON_SYNTAX', status: 400, expose: true });
  const lines = text.slice(0, offset).split(/\r\n|\r|\n/);
  assert.deepEqual({ line, column }, { line: lines.length, column: lines.at(-1).length + 1 });
}

describe('parseJson agrees with JSON.parse', () => {
  it(`on ${DOCUMENTS} generated texts, valid and damaged, as string and as bytes`, (t) => {
    const random = new Random(SEED);
    const generator = new JsonGenerator(random);
    const counts = { valid: 0, malformed: 0 };
    for (let round = 0; round < DOCUMENTS; round++) {
      const text = round % 2 === 0 ? generator.text() : generator.damaged();
      const theirs = attempt(() => JSON.parse(text));
      const ours = attempt(() => parseJson(text, LENIENT));
      counts['value' in theirs ? 'valid' : 'malformed']++;
      assert.equal('value' in ours, 'value' in theirs, JSON.stringify(text));
      if ('value' in theirs) {
        assert.deepEqual(ours.value, theirs.value, JSON.stringify(text));
      } else {
        assertMalformed(ours.error, text);
        assertSamePlace(text, ours.error, theirs.error);
      }

      // As bytes a lone surrogate is U+FFFD, and a byte order mark in front is skipped.
      const { buffer, subarray, shared } = asBytes(random.below(4) === 0 ? `\ufeff${text}` : text);
      const expected = attempt(() => JSON.parse(buffer.toString('utf8').replace(/^\ufeff/, '')));
      for (const bytes of [buffer, subarray, shared]) {
        const result = attempt(() => parseJson(bytes, LENIENT));
        assert.equal('value' in result, 'value' in expected, JSON.stringify(text));
        if ('value' in expected) assert.deepEqual(result.value, expected.value, JSON.stringify(text));
      }
    }
    t.diagnostic(`${JSON.stringify(counts)}, seed ${SEED}`);
    assert.ok(Math.min(counts.valid, counts.malformed) > DOCUMENTS / 4, 'both kinds must be tried');
  });

  it('and with TextDecoder about what is UTF-8', (t) => {
    const generator = new JsonGenerator(new Random(SEED + 1));
    const decoder = new TextDecoder('utf-8', { fatal: true });
    const counts = { valid: 0, malformed: 0, encoding: 0 };
    for (let round = 0; round < 10_000; round++) {
      const bytes = generator.damagedBytes();
      const label = bytes.toString('hex');
      const decoded = attempt(() => decoder.decode(bytes));
      const result = attempt(() => parseJson(bytes, LENIENT));
      if ('error' in decoded) {
        counts.encoding++;
        assert.equal(result.error?.code, 'ERR_JSON_ENCODING', label);
        // What stands before the offset is UTF-8, and no longer part of the bytes is.
        const { offset } = result.error;
        decoder.decode(bytes.subarray(0, offset));
        for (let width = 1; width <= 4 && offset + width <= bytes.length; width++) {
          assert.throws(() => decoder.decode(bytes.subarray(offset, offset + width)), label);
        }
      } else {
        const theirs = attempt(() => JSON.parse(decoded.value));
        counts['value' in theirs ? 'valid' : 'malformed']++;
        if ('value' in theirs) assert.deepEqual(result.value, theirs.value, label);
        else assert.equal(result.error?.code, 'ERR_JSON_SYNTAX', label);
      }
    }
    t.diagnostic(JSON.stringify(counts));
    assert.ok(Math.min(...Object.values(counts)) > 500, 'all three kinds must be tried');
  });

  it("on bytes that are a string's content in every form", () => {
    const text = '{"é":[1,"😀",{"中":null}]}';
    for (const bytes of Object.values(asBytes(text))) assert.deepEqual(parseJson(bytes), JSON.parse(text));
    for (const bytes of Object.values(asBytes(`\ufeff${text}`))) assert.deepEqual(parseJson(bytes), JSON.parse(text));
    assert.deepEqual(parseJson(vm.runInNewContext('new Uint8Array([91, 49, 93])')), [1]);
    const before = Uint8Array.from(Buffer.from(text));
    const after = before.slice();
    parseJson(after);
    assert.deepEqual(after, before, 'the input is only read');
  });

  it('which skips one byte order mark in front of bytes, and none in a string', () => {
    assert.throws(() => parseJson('\ufeff1'), { code: 'ERR_JSON_SYNTAX', offset: 0 });
    assert.throws(() => parseJson(Buffer.from('\ufeff\ufeff1')), { code: 'ERR_JSON_SYNTAX', offset: 3 });
    assert.throws(() => parseJson(Buffer.from(' \ufeff1')), { code: 'ERR_JSON_SYNTAX', offset: 1 });
    assert.throws(() => parseJson(Buffer.from('\ufeff')), { code: 'ERR_JSON_SYNTAX', offset: 3 });
    assert.throws(() => parseJson(Buffer.from([0xef, 0xbb])), { code: 'ERR_JSON_ENCODING', offset: 0 });
  });

  for (const { text, offset, path = [], line = 1, column = offset + 1 } of cases.malformed) {
    it(`that this is malformed: ${JSON.stringify(text)}`, () => {
      const { error: theirs } = attempt(() => JSON.parse(text));
      assert.ok(theirs instanceof SyntaxError);
      const { error } = attempt(() => parseJson(text));
      assertMalformed(error, text);
      assertSamePlace(text, error, theirs);
      assert.deepEqual([error.offset, error.path, error.line, error.column], [offset, path, line, column]);
      const bytes = Buffer.from(text);
      assert.throws(() => parseJson(bytes), {
        code: 'ERR_JSON_SYNTAX',
        offset: Buffer.byteLength(text.slice(0, offset)),
        path,
      });
    });
  }
});

describe('parseJson finds', () => {
  const OPTION = { ERR_JSON_PROTO_KEY: 'protoKey', ERR_JSON_CONSTRUCTOR_KEY: 'constructorKey' };

  for (const {
    text,
    offset,
    bytes = offset,
    line,
    column,
    path,
    pointer,
    constructor: isConstructor,
  } of cases.places) {
    const code = isConstructor === true ? 'ERR_JSON_CONSTRUCTOR_KEY' : 'ERR_JSON_PROTO_KEY';
    it(`${code} in ${JSON.stringify(text)}`, () => {
      const common = { code, status: 400, expose: true, path, pointer, line };
      assert.deepEqual(place(attempt(() => parseJson(text)).error), { ...common, offset, column });
      const wider = bytes - offset;
      for (const form of Object.values(asBytes(text))) {
        assert.deepEqual(place(attempt(() => parseJson(form)).error), {
          ...common,
          offset: bytes,
          column: column + wider,
        });
      }
      assert.deepEqual(parseJson(text, { [OPTION[code]]: 'ignore' }), JSON.parse(text));
      const last = path.at(-1);
      const container = path
        .slice(0, -1)
        .reduce((value, step) => value[step], parseJson(text, { [OPTION[code]]: 'remove' }));
      assert.ok(typeof container === 'object' && !Object.hasOwn(container, last));
    });
  }

  it('a key in every spelling there is', () => {
    const random = new Random(SEED + 2);
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      for (let at = 0; at < name.length; at++) {
        for (const choice of [3, 4]) {
          let place = 0;
          const key = spell(name, () => (place++ === at ? choice : 0));
          assertDangerous(key, name);
        }
      }
      for (const choice of [3, 4])
        assertDangerous(
          spell(name, () => choice),
          name,
        );
      for (let round = 0; round < 200; round++)
        assertDangerous(
          spell(name, (most) => random.below(most)),
          name,
        );
    }
  });

  function assertDangerous(key, name) {
    assert.equal(JSON.parse(key), name);
    const member =
      name === '__proto__'
        ? `${key}:{"admin":true}`
        : name === 'constructor'
          ? `${key}:{"prototype":{}}`
          : `"constructor":{${key}:{}}`;
    const code = name === '__proto__' ? 'ERR_JSON_PROTO_KEY' : 'ERR_JSON_CONSTRUCTOR_KEY';
    const text = `{"safe":1,${member},"kept":2}`;
    for (const input of [text, Buffer.from(text), `${text} `.replace('safe', 'säfe')]) {
      assert.throws(() => parseJson(input), { code }, String(input));
      const removed = parseJson(input, { protoKey: 'remove', constructorKey: 'remove' });
      assert.deepEqual(Object.values(removed), [1, 2], String(input));
      assert.equal(Object.getPrototypeOf(removed), Object.prototype);
    }
  }

  it('whatever surrounds it, and removes exactly that', (t) => {
    const random = new Random(SEED + 3);
    const generator = new JsonGenerator(random);
    const payloads = [
      '"__proto__":{"admin":true}',
      '"__proto__":null',
      '"__proto__" : [{"x":1}]',
      '"\\u005f\\u005fproto__" \n:\t1',
      '"constructor":{"prototype":{"admin":true}}',
      '"constructor":{"a":1,"prototype":null}',
      '"constructor" : {\r\n "prototyp\\u0065" : 1 }',
    ];
    const counts = { documents: 0, last: 0, first: 0, twice: 0 };
    while (counts.documents < 3000) {
      const payload = random.pick(payloads);
      const [option, key, code] = payload.includes('proto__')
        ? ['protoKey', '__proto__', 'ERR_JSON_PROTO_KEY']
        : ['constructorKey', 'constructor', 'ERR_JSON_CONSTRUCTOR_KEY'];
      // Harmless members, the payload among them once or twice, in arrays and objects that go down to them.
      const members = random.list(4, () => `"member ${random.below(9)}":${harmless(generator)}`);
      const at = random.below(members.length + 1);
      const both = [...members.slice(0, at), payload, ...members.slice(at)];
      if (random.below(4) === 0) both.push(payload);
      let [before, after] = ['', ''];
      const path = [key];
      for (const step of random.list(6, () => random.pick(['array', 'object']))) {
        before = (step === 'array' ? `[0,\n ${harmless(generator)}, ` : '{"k":1,\r\n"é":') + before;
        after += step === 'array' ? ',3]' : ', "z":null}';
        path.unshift(step === 'array' ? 2 : 'é');
      }
      const text = `${before}{${both.join(',')}}${after}`;
      const without = `${before}{${members.join(',')}}${after}`;
      const offset = before.length + 1 + members.slice(0, at).reduce((length, member) => length + member.length + 1, 0);

      const { error } = attempt(() => parseJson(text));
      assertFound(error, text, { code, offset, path });
      const [bytes, bytesWithout] = [Buffer.from(text), Buffer.from(without)];
      const inBytes = attempt(() => parseJson(bytes)).error;
      assert.deepEqual(
        [inBytes?.code, inBytes?.offset, inBytes?.path],
        [code, Buffer.byteLength(text.slice(0, offset)), path],
        text,
      );
      assert.deepEqual(parseJson(text, { [option]: 'remove' }), JSON.parse(without), text);
      assert.deepEqual(parseJson(bytes, { [option]: 'remove' }), JSON.parse(bytesWithout.toString()), text);
      assert.deepEqual(parseJson(text, { [option]: 'ignore' }), JSON.parse(text), text);
      counts.documents++;
      if (at === 0) counts.first++;
      if (at === members.length) counts.last++;
      if (both.length > members.length + 1) counts.twice++;
    }
    t.diagnostic(JSON.stringify(counts));
  });

  function harmless(generator) {
    for (;;) {
      const text = generator.text();
      if (!hasDangerous(JSON.parse(text)) && !/proto|constructor|\\u/.test(text)) return text;
    }
  }

  function hasDangerous(value) {
    if (typeof value !== 'object' || value === null) return false;
    return Object.keys(value).some((key) => key === '__proto__' || key === 'constructor' || hasDangerous(value[key]));
  }

  function assertFound(error, text, expected) {
    assert.ok(error instanceof JsonError, text);
    const { code, offset, path, line, column } = error;
    assert.deepEqual({ code, offset, path }, expected, text);
    const lines = text.slice(0, offset).split(/\r\n|\r|\n/);
    assert.deepEqual([line, column], [lines.length, lines.at(-1).length + 1], text);
  }

  it('each of a pair of options by itself', () => {
    const text = '{"constructor":{"prototype":{"a":1}},"x":{"__proto__":2}}';
    assert.throws(() => parseJson(text, { constructorKey: 'ignore' }), { code: 'ERR_JSON_PROTO_KEY' });
    assert.throws(() => parseJson(text, { protoKey: 'ignore' }), { code: 'ERR_JSON_CONSTRUCTOR_KEY' });
    assert.throws(() => parseJson(text, { protoKey: 'remove' }), { code: 'ERR_JSON_CONSTRUCTOR_KEY' });
    const half = parseJson(text, { protoKey: 'remove', constructorKey: 'ignore' });
    assert.deepEqual(half, { constructor: { prototype: { a: 1 } }, x: {} });
    const kept = parseJson(text, { protoKey: 'ignore', constructorKey: 'remove' });
    assert.deepEqual(Object.keys(kept), ['x']);
    assert.equal(Object.getOwnPropertyDescriptor(kept.x, '__proto__').value, 2);
  });

  it('what is removed inside what is removed, and duplicates', () => {
    const remove = { protoKey: 'remove', constructorKey: 'remove' };
    assert.deepEqual(
      parseJson(
        '{"a":{"__proto__":{"__proto__":1}},"b":[{"constructor":{"prototype":{"constructor":{"prototype":1}}}}]}',
        remove,
      ),
      { a: {}, b: [{}] },
    );
    assert.deepEqual(parseJson('{"__proto__":1,"__proto__":2,"a":3}', remove), { a: 3 });
    // The last of two wins, and it is harmless: nothing is left to remove.
    assert.deepEqual(parseJson('{"constructor":{"prototype":1},"constructor":"Acme"}', remove), {
      constructor: 'Acme',
    });
    assert.throws(() => parseJson('{"constructor":{"prototype":1},"constructor":"Acme"}'), {
      code: 'ERR_JSON_CONSTRUCTOR_KEY',
    });
    assert.deepEqual(parseJson('{"constructor":"Acme","constructor":{"prototype":1}}', remove), {
      constructor: 'Acme',
    });
  });

  it('nothing in what is legitimate', () => {
    for (const text of cases.legitimate) {
      for (const options of [undefined, { protoKey: 'remove', constructorKey: 'remove' }]) {
        assert.deepEqual(parseJson(text, options), JSON.parse(text), text);
        assert.deepEqual(parseJson(Buffer.from(text), options), JSON.parse(text), text);
      }
    }
  });

  it('malformed text before dangerous keys', () => {
    assert.throws(() => parseJson('{"__proto__":1,"b":tru}'), { code: 'ERR_JSON_SYNTAX', offset: 22 });
    assert.throws(() => parseJson('{"__proto__":1,"constructor":{"prototype":1}'), { code: 'ERR_JSON_SYNTAX' });
  });
});

describe('parseJson limits', () => {
  const nest = (depth, open, close, middle = '') => open.repeat(depth) + middle + close.repeat(depth);

  it('the depth, exactly', () => {
    for (const [open, close, middle] of [
      ['[', ']', ''],
      ['{"a":', '}', '0'],
      ['[{"a":', '}]', '0'],
    ]) {
      const levels = open.length === 6 ? 2 : 1;
      const limit = 10 * levels;
      const [fits, over] = [nest(10, open, close, middle), nest(11, open, close, middle)];
      for (const input of [fits, Buffer.from(fits)])
        assert.deepEqual(parseJson(input, { limits: { depth: limit } }), JSON.parse(fits));
      for (const input of [over, Buffer.from(over)]) {
        assert.throws(() => parseJson(input, { limits: { depth: limit } }), {
          code: 'ERR_JSON_LIMIT',
          status: 413,
          expose: true,
          offset: 10 * open.length,
        });
      }
    }
    assert.doesNotThrow(() => parseJson(nest(128, '[', ']')));
    assert.throws(() => parseJson(nest(129, '[', ']')), {
      code: 'ERR_JSON_LIMIT',
      offset: 128,
      path: Array(128).fill(0),
    });
    assert.equal(parseJson('1', { limits: { depth: 0 } }), 1);
    assert.throws(() => parseJson('[]', { limits: { depth: 0 } }), { code: 'ERR_JSON_LIMIT', offset: 0, path: [] });
  });

  it('the bytes, exactly', () => {
    for (const text of ['"abc"', '"äöü"', '"中中"', '"😀"', '"\ud83d"']) {
      const bytes = Buffer.byteLength(text);
      assert.equal(parseJson(text, { limits: { bytes } }), JSON.parse(text));
      assert.throws(() => parseJson(text, { limits: { bytes: bytes - 1 } }), {
        code: 'ERR_JSON_LIMIT',
        status: 413,
        offset: 0,
      });
      const buffer = Buffer.from(text);
      assert.equal(parseJson(buffer, { limits: { bytes } }), JSON.parse(buffer.toString()));
      assert.throws(() => parseJson(buffer, { limits: { bytes: bytes - 1 } }), {
        code: 'ERR_JSON_LIMIT',
        status: 413,
        offset: 0,
      });
    }
    assert.throws(() => parseJson('', { limits: { bytes: 0 } }), { code: 'ERR_JSON_SYNTAX' });
    assert.throws(() => parseJson('1', { limits: { bytes: 0 } }), { code: 'ERR_JSON_LIMIT' });
    assert.throws(() => parseJson(Buffer.from('\ufeff1'), { limits: { bytes: 3 } }), { code: 'ERR_JSON_LIMIT' });
  });

  it('before anything that follows is looked at', () => {
    const bomb = '['.repeat(5_000_000);
    assert.throws(() => parseJson(bomb), { code: 'ERR_JSON_LIMIT', offset: 128 });
    assert.throws(() => parseJson(Buffer.from(bomb)), { code: 'ERR_JSON_LIMIT', offset: 128 });
  });

  it('but runs what they allow: a million levels', () => {
    for (const [open, close, middle] of [
      ['[', ']', ''],
      ['{"a":', '}', 'null'],
    ]) {
      const text = nest(1_000_000, open, close, middle);
      for (const input of [text, Buffer.from(text)]) {
        let value = parseJson(input, { limits: { depth: 1_000_000 } });
        let depth = 0;
        while (typeof value === 'object' && value !== null) {
          depth++;
          value = Array.isArray(value) ? value[0] : value.a;
        }
        assert.equal(depth, 1_000_000);
      }
      const { error } = attempt(() =>
        parseJson(`${text.slice(0, open.length * 1_000_000)}}`, { limits: { depth: 1_000_000 } }),
      );
      assert.deepEqual([error.code, error.path.length], ['ERR_JSON_SYNTAX', 1_000_000]);
    }
    const deep = nest(999_999, '[', ']', '{"__proto__":1}');
    const { error } = attempt(() => parseJson(deep, { limits: { depth: 1_000_000 } }));
    assert.deepEqual([error.code, error.path.length, error.offset], ['ERR_JSON_PROTO_KEY', 1_000_000, 1_000_000]);
    const removed = parseJson(deep, { limits: { depth: 1_000_000 }, protoKey: 'remove' });
    assert.ok(Array.isArray(removed));
  });

  it('and 50 MB in one array, one object and one string', () => {
    // What is not linear takes hours on these: no clock is needed to tell.
    const count = 6_000_000;
    assert.equal(parseJson(Buffer.from(`[${'1234567,'.repeat(count)}0]`)).length, count + 1);
    const members = Array.from({ length: 1_000_000 }, (_, index) => `"key number ${index}":"the value of it",`).join(
      '',
    );
    assert.equal(Object.keys(parseJson(`{${members}"last":0}`)).length, 1_000_001);
    assert.equal(parseJson(Buffer.from(`"${'\\u0061bcd'.repeat(5_500_000)}"`)).length, 4 * 5_500_000);
    const { error } = attempt(() => parseJson(Buffer.from(`[${'1,\n'.repeat(15_000_000)}]`)));
    assert.deepEqual(
      [error.code, error.line, error.column, error.path],
      ['ERR_JSON_SYNTAX', 15_000_001, 1, [15_000_000]],
    );
  });
});

describe('parseJson refuses', () => {
  it('what is neither text nor bytes', () => {
    const others = [
      undefined,
      null,
      1,
      true,
      1n,
      Symbol('x'),
      {},
      [],
      () => '1',
      new String('1'),
      new ArrayBuffer(8),
      new DataView(new ArrayBuffer(8)),
      new Uint16Array(4),
      new Int8Array(4),
      new Uint8ClampedArray(4),
      Object.create(Uint8Array.prototype),
      { length: 1, 0: 49 },
    ];
    for (const input of others) {
      assert.throws(
        () => parseJson(input),
        (error) => error instanceof TypeError && error.code === 'ERR_INVALID_ARG_TYPE',
      );
    }
    assert.throws(() => parseJson(), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('bytes that are not UTF-8, with their place', () => {
    const around = (bytes) => Buffer.from([0x5b, 0x22, 0x61, ...bytes, 0x22, 0x5d]);
    const bad = [
      [0x80],
      [0xbf],
      [0xc0, 0xaf],
      [0xc1, 0x81],
      [0xc3],
      [0xe2, 0x82],
      [0xe0, 0x80, 0xaf],
      [0xed, 0xa0, 0x80],
      [0xed, 0xbf, 0xbf],
      [0xf0, 0x9f],
      [0xf0, 0x9f, 0x98],
      [0xf0, 0x80, 0x80, 0xaf],
      [0xf4, 0x90, 0x80, 0x80],
      [0xf8, 0x88, 0x80, 0x80, 0x80],
      [0xfe],
      [0xff],
    ];
    for (const bytes of bad) {
      assert.throws(
        () => parseJson(around(bytes)),
        { code: 'ERR_JSON_ENCODING', status: 400, offset: 3, line: 1, column: 4, path: [] },
        String(bytes),
      );
      assert.throws(() => parseJson(around(bytes).subarray(0, 3 + bytes.length)), {
        code: 'ERR_JSON_ENCODING',
        offset: 3,
      });
    }
    for (let cut = 1; cut < 4; cut++) {
      assert.throws(() => parseJson(Buffer.from('"😀').subarray(0, 1 + cut)), { code: 'ERR_JSON_ENCODING', offset: 1 });
    }
    assert.deepEqual(parseJson(around([0xf4, 0x8f, 0xbf, 0xbf])), ['a\u{10ffff}']);
    // UTF-16, as some editors save it.
    assert.throws(() => parseJson(Buffer.from('\ufeff{"a":1}', 'utf16le')), { code: 'ERR_JSON_ENCODING', offset: 0 });
  });

  it('without repeating what it was given', () => {
    const marker = 'hunter2-S3CRET';
    const texts = [
      `{"a":"${marker}`,
      `{"a":"${marker}"`,
      `["${marker}", x]`,
      `{"__proto__":"${marker}"}`,
      `{"constructor":{"prototype":"${marker}"}}`,
      `[[["${marker}"]]`,
      `"${marker}" "${marker}"`,
      marker,
      `"${marker}\\x"`,
      `"${marker}\n"`,
      `-${marker}`,
      `{${marker}:1}`,
    ];
    for (const text of texts) {
      for (const options of [{}, { limits: { bytes: 3 } }, { limits: { depth: 1 } }]) {
        for (const input of [text, Buffer.from(text), Buffer.concat([Buffer.from(text), Buffer.from([0xff])])]) {
          const { error } = attempt(() => parseJson(input, options));
          assert.ok(error instanceof JsonError, text);
          const told = [error.message, error.stack, error.pointer, JSON.stringify(error), String(error.cause)].join(
            '\n',
          );
          assert.ok(!told.includes(marker) && !told.includes('S3C'), told);
        }
      }
    }
  });

  it('and leaves everything global as it was', () => {
    const before = [
      Error.stackTraceLimit,
      Error.prepareStackTrace,
      JSON.parse,
      Object.getOwnPropertyNames(Object.prototype).length,
    ];
    for (const text of ['{', '{"__proto__":{"admin":true}}', '{"constructor":{"prototype":{"admin":true}}}', '[1]']) {
      for (const protoKey of ['error', 'remove', 'ignore'])
        attempt(() => parseJson(text, { protoKey, constructorKey: protoKey }));
    }
    assert.deepEqual(
      [Error.stackTraceLimit, Error.prepareStackTrace, JSON.parse, Object.getOwnPropertyNames(Object.prototype).length],
      before,
    );
    assert.equal({}.admin, undefined);
  });
});
