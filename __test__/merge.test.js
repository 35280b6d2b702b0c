'use strict';

/** merge against a naive recursive merge, and on what breaks others: pollution, cycles, depth, accessors. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const vm = require('node:vm');
const { merge, parseJson } = require('..');
const { runNode } = require('./support/child.js');
const { Random } = require('./support/random.js');

const ROUNDS = Math.max(5_000, Number(process.env.HOLDFAST_MERGES ?? 0));
const SEED = Number(process.env.HOLDFAST_SEED ?? 20_261_121);

class Account {
  constructor(id) {
    this.id = id;
  }
}

/** What is not merged but taken over. */
const OPAQUE = [
  new Date(0),
  new Map([['a', 1]]),
  new Set([1]),
  Buffer.from('x'),
  /x/g,
  new Account(7),
  () => 1,
  Symbol('s'),
  Promise.resolve(),
  new Error('x'),
  Object.create({ inherited: 1 }),
  new (class extends Array {})(),
  new Uint8Array(2),
  new WeakMap(),
];
const TAG = Symbol('tag');
const KEYS = ['a', 'b', 'c', 'toString', 'hasOwnProperty', 'constructor', 'prototype', 'length', '0', '1', '', TAG];

const isPlain = (value) =>
  typeof value === 'object' &&
  value !== null &&
  (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null);

/** The oracle: short and recursive, for trees without accessors and dangerous keys. */
function naive(...sources) {
  const result = {};
  for (const source of sources) {
    for (const key of Reflect.ownKeys(source)) {
      const value = source[key];
      if (value === undefined) continue;
      const existing = Object.hasOwn(result, key) ? result[key] : undefined;
      const merged = isPlain(value) ? naive(...(isPlain(existing) ? [existing] : []), value) : value;
      Object.defineProperty(result, key, { value: merged, enumerable: true, writable: true, configurable: true });
    }
  }
  return result;
}

function tree(random, depth) {
  const object = random.below(6) === 0 ? Object.create(null) : {};
  for (const key of random.list(5, () => random.pick(KEYS))) {
    const value = leafOrTree(random, depth);
    // A constructor with a prototype is refused, which is tested below.
    if (key === 'constructor' && isPlain(value) && Object.hasOwn(value, 'prototype')) continue;
    object[key] = value;
  }
  return object;
}

function leafOrTree(random, depth) {
  const choice = random.below(10);
  if (depth > 0 && choice < 4) return tree(random, depth - 1);
  if (choice === 4) return undefined;
  if (choice === 5) return random.list(3, () => (depth > 0 ? { a: random.below(3) } : random.below(3)));
  if (choice === 6) return random.pick(OPAQUE);
  return random.pick([0, -0, NaN, 1n, '', 'text', true, false, null]);
}

/** The same down to the identity of what is taken over, the order of keys and the prototypes. */
function assertSame(actual, expected, label) {
  if (!isPlain(expected)) {
    assert.ok(Object.is(actual, expected), `${label}: taken over by reference`);
    return;
  }
  assert.equal(Object.getPrototypeOf(actual), Object.prototype, label);
  assert.deepEqual(Reflect.ownKeys(actual), Reflect.ownKeys(expected), label);
  for (const key of Reflect.ownKeys(expected)) assertSame(actual[key], expected[key], `${label}.${String(key)}`);
}

function freeze(value) {
  if (!isPlain(value) && !Array.isArray(value)) return value;
  for (const key of Reflect.ownKeys(value)) freeze(value[key]);
  return Object.freeze(value);
}

describe('merge', () => {
  it(`gives what a naive recursive merge gives, on ${ROUNDS} random lists of trees, and changes none of them`, () => {
    const random = new Random(SEED);
    for (let round = 0; round < ROUNDS; round++) {
      const sources = [tree(random, 3), ...random.list(3, () => tree(random, 3))].map(freeze);
      const result = merge(...sources);
      assertSame(result, naive(...sources), `round ${round}`);
      for (const source of sources) assert.notEqual(result, source);
    }
  });

  it('returns a new object that shares no plain object with its arguments', () => {
    const inner = { deep: { deeper: {} } };
    const result = merge({ inner }, { inner: { more: inner } });
    result.inner.deep.deeper.changed = true;
    result.inner.more.deep.changed = true;
    assert.deepEqual(inner, { deep: { deeper: {} } });
    assert.deepEqual(merge({}), {});
    assert.notEqual(merge(inner).deep, inner.deep);
  });

  it('lets later sources win, over plain objects and with them', () => {
    assert.deepEqual(merge({ a: { b: 1 } }, { a: 2 }, { a: { c: 3 } }), { a: { c: 3 } });
    assert.deepEqual(merge({ a: [1, 2, 3] }, { a: [4] }), { a: [4] });
    assert.deepEqual(merge({ a: { b: 1 } }, { a: null }), { a: null });
    assert.deepEqual(merge({ a: new Date(0) }, { a: { b: 1 } }), { a: { b: 1 } });
  });

  it('skips undefined and what is not enumerable, and invokes no accessor', () => {
    const touched = [];
    const source = {
      a: undefined,
      get b() {
        touched.push('get');
        return 1;
      },
      set c(value) {
        touched.push('set');
      },
      list: [
        {
          get d() {
            touched.push('in an array');
            return 1;
          },
        },
      ],
    };
    Object.defineProperty(source, 'hidden', { value: 1, enumerable: false });
    const result = merge({ a: 1, b: 2, c: 3 }, source);
    assert.deepEqual([result.a, result.b, result.c, 'hidden' in result], [1, 2, 3, false]);
    assert.equal(result.list, source.list);
    assert.deepEqual(touched, []);
  });

  it('keeps symbols and takes null-prototype objects for plain ones', () => {
    const source = Object.assign(Object.create(null), {
      [TAG]: { x: 1 },
      plain: Object.assign(Object.create(null), { y: 2 }),
    });
    const result = merge({ [TAG]: { w: 0 } }, source);
    assert.deepEqual(result, { [TAG]: { w: 0, x: 1 }, plain: { y: 2 } });
    assert.equal(Object.getPrototypeOf(result.plain), Object.prototype);
  });

  it('takes plain objects of another realm for plain ones, and its Map and Date for what they are', () => {
    const other = vm.runInNewContext(
      '({ a: { b: 1 }, list: [1], map: new Map(), date: new Date(0), n: Object.create(null) })',
    );
    const result = merge({ a: { c: 2 } }, other);
    assert.deepEqual(result.a, { b: 1, c: 2 });
    assert.equal(Object.getPrototypeOf(result.a), Object.prototype);
    for (const key of ['list', 'map', 'date']) assert.equal(result[key], other[key]);
    const polluting = vm.runInNewContext('JSON.parse(\'{"a":{"__proto__":{"admin":true}}}\')');
    assert.throws(() => merge({}, polluting), { code: 'ERR_JSON_PROTO_KEY' });
  });

  it('takes what is no plain object for a mistake', () => {
    for (const value of [
      undefined,
      null,
      1,
      'x',
      true,
      [],
      () => 1,
      new Map(),
      new Date(),
      new Account(1),
      Buffer.from('x'),
    ]) {
      const error = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
      assert.throws(() => merge(value), error);
      assert.throws(() => merge({}, value), error);
      assert.throws(() => merge({}, {}, value, {}), error);
    }
    assert.throws(() => merge(), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});

describe('merge and pollution', () => {
  const PAYLOADS = [
    ['{"__proto__":{"polluted":true}}', 'ERR_JSON_PROTO_KEY'],
    ['{"__proto__":null}', 'ERR_JSON_PROTO_KEY'],
    ['{"__proto__":1}', 'ERR_JSON_PROTO_KEY'],
    ['{"\\u005f_proto__":{"polluted":true}}', 'ERR_JSON_PROTO_KEY'],
    ['{"constructor":{"prototype":{"polluted":true}}}', 'ERR_JSON_CONSTRUCTOR_KEY'],
    ['{"constructor":{"prototype":null}}', 'ERR_JSON_CONSTRUCTOR_KEY'],
  ];
  const wrappers = {
    'at the root': (payload) => payload,
    'in an object': (payload) => ({ a: { b: payload } }),
    'in an array': (payload) => ({ a: [0, payload] }),
    'in arrays in arrays': (payload) => ({ a: [[[{ b: [payload] }]]] }),
    'a thousand levels down': (payload) => Array.from({ length: 1000 }).reduce((inner) => ({ a: inner }), payload),
    'in a null-prototype object': (payload) => Object.assign(Object.create(null), { a: payload }),
    'under a symbol': (payload) => ({ [TAG]: payload }),
  };

  for (const [where, wrap] of Object.entries(wrappers)) {
    it(`refuses every payload ${where}, as target and as source`, () => {
      for (const [text, code] of PAYLOADS) {
        const expected = { name: 'HoldfastError', code };
        assert.throws(() => merge(wrap(JSON.parse(text))), expected, text);
        assert.throws(() => merge({}, wrap(JSON.parse(text))), expected, text);
        assert.throws(() => merge({ a: { b: {} } }, {}, wrap(JSON.parse(text)), {}), expected, text);
      }
      assert.equal({}.polluted, undefined);
    });
  }

  it('takes a harmless constructor, and a prototype elsewhere', () => {
    const source = { constructor: 'Acme', a: { constructor: {}, prototype: {} }, list: [{ constructor: [] }] };
    assertSame(merge(source), naive(source), 'harmless');
    const result = merge({ constructor: { a: 1 } }, { constructor: { b: 2 } });
    assert.deepEqual(result.constructor, { a: 1, b: 2 });
  });

  it('takes what parseJson has cleaned', () => {
    const options = { protoKey: 'remove', constructorKey: 'remove' };
    for (const [text] of PAYLOADS) assert.deepEqual(merge({ a: 1 }, parseJson(text, options)), { a: 1 });
  });

  it('ignores what Object.prototype has been polluted with', () => {
    const names = [
      'value',
      'get',
      'set',
      'enumerable',
      'writable',
      'configurable',
      'a',
      'prototype',
      'left',
      'to',
      'from',
      'keys',
      'next',
    ];
    const accessor = { get a() { return 1; } }; // prettier-ignore
    for (const name of names) {
      Object.defineProperty(Object.prototype, name, {
        value: name.length === 3 ? () => 1 : {},
        configurable: true,
        writable: true,
      });
      let results;
      try {
        results = [
          merge({ x: { y: 1 } }, { toString: 1, x: { z: 2 } }),
          merge({}, accessor),
          merge({ constructor: {} }),
        ];
      } finally {
        delete Object.prototype[name];
      }
      assert.deepEqual(results, [{ x: { y: 1, z: 2 }, toString: 1 }, {}, { constructor: {} }], name);
    }
  });

  it('calls no setter that a polluted Object.prototype has', () => {
    let called = 0;
    Object.defineProperty(Object.prototype, 'role', { set: () => called++, get: () => 'admin', configurable: true });
    try {
      const result = merge({ role: 'user' }, { nested: { role: 'guest' } });
      assert.deepEqual(Object.getOwnPropertyDescriptor(result, 'role').value, 'user');
      assert.deepEqual(Object.getOwnPropertyDescriptor(result.nested, 'role').value, 'guest');
    } finally {
      delete Object.prototype.role;
    }
    assert.equal(called, 0);
  });

  for (const [how, flags, prelude] of [
    ['--frozen-intrinsics', ['--frozen-intrinsics', '--no-warnings'], ''],
    [
      'Object.freeze(Object.prototype)',
      [],
      'for (const p of [Object, Array, Function, Map, Error]) Object.freeze(p.prototype);',
    ],
    ['--disable-proto=delete', ['--disable-proto=delete'], ''],
    ['--disable-proto=throw', ['--disable-proto=throw'], ''],
  ]) {
    it(`works with ${how}`, async () => {
      const source = `${prelude}
        const { createMerge, merge, parseJson } = require(holdfast);
        const result = merge({ toString: 1, a: { valueOf: 2 } }, { a: { hasOwnProperty: 3, b: [4] }, constructor: 'Acme' });
        const codes = ['{"__proto__":1}', '{"constructor":{"prototype":1}}'].map((text) => {
          try { merge({}, JSON.parse(text)); } catch (error) { return error.code; }
        });
        const removed = parseJson('{"__proto__":{"x":1},"y":[{"__proto__":2}]}', { protoKey: 'remove' });
        const lists = ['concat', 'unique', 'index'].map((arrays) => {
          const merging = createMerge({ arrays, unsafeKeys: 'remove', undefined: 'assign' });
          const hostile = JSON.parse('{"__proto__":1,"a":[1,{"__proto__":2,"valueOf":3}]}');
          return merging({ a: [1, { toString: 1 }] }, hostile).a;
        });
        const [a, b] = [{ toString: 1 }, { valueOf: 3 }];
        require('node:assert').deepEqual(lists, [[1, a, 1, b], [1, a, b], [1, { ...a, ...b }]]);
        console.log(JSON.stringify([Object.entries(result), codes, Object.keys(removed), Reflect.ownKeys(removed.y[0])]));`;
      const { code, stdout, stderr } = await runNode(source, { flags });
      assert.equal(stderr, '');
      assert.equal(code, 0);
      const members = [
        ['toString', 1],
        ['a', { valueOf: 2, hasOwnProperty: 3, b: [4] }],
        ['constructor', 'Acme'],
      ];
      assert.deepEqual(JSON.parse(stdout), [members, ['ERR_JSON_PROTO_KEY', 'ERR_JSON_CONSTRUCTOR_KEY'], ['y'], []]);
    });
  }
});

describe('merge ends', () => {
  it('on cycles, which the result has too', () => {
    const self = { a: 1 };
    self.self = self;
    const once = merge(self);
    assert.equal(once.self, once);
    assert.notEqual(once, self);

    const both = merge(self, self);
    assert.equal(both.self.self.self.a, 1);
    assert.equal(both.self, both);

    const [left, right] = [{ n: {} }, { n: {} }];
    left.n.up = left;
    right.n.up = { n: { up: right, extra: 1 } };
    const result = merge(left, right);
    assert.equal(result.n.up.n.up.n.extra, 1);
    assert.deepEqual([left.n.extra, right.n.extra], [undefined, undefined]);

    const array = [];
    array.push(array, { array });
    assert.equal(merge({ array }).array, array);
    assert.equal(merge({ a: self }).a.self.self.a, 1);
  });

  it('a hundred thousand levels down', () => {
    const deep = (depth, leaf) => Array.from({ length: depth }).reduce((inner) => ({ a: inner }), leaf);
    let value = merge(deep(100_000, { x: 1 }), deep(100_000, { y: 2 }));
    for (let depth = 0; depth < 100_000; depth++) value = value.a;
    assert.deepEqual(value, { x: 1, y: 2 });
    const nested = Array.from({ length: 100_000 }).reduce((inner) => [inner], JSON.parse('{"__proto__":1}'));
    assert.throws(() => merge({ nested }), { code: 'ERR_JSON_PROTO_KEY' });
  });

  it('on shared parts that stand for exponentially many, with an error', () => {
    let dag = { leaf: 1 };
    for (let level = 0; level < 60; level++) dag = { a: dag, b: dag };
    assert.throws(() => merge(dag), { name: 'HoldfastError', code: 'ERR_JSON_LIMIT', status: 413 });
    let lists = [1];
    for (let level = 0; level < 60; level++) lists = [lists, lists];
    assert.equal(merge({ lists }).lists, lists);
  });

  it('with Object.prototype as it was', () => {
    assert.deepEqual(
      Reflect.ownKeys(Object.prototype).filter((key) => !builtIn.has(key)),
      [],
    );
    assert.deepEqual(Object.keys(Object.prototype), []);
    assert.equal(Object.getPrototypeOf(Object.prototype), null);
  });
});

const builtIn = new Set(Reflect.ownKeys(vm.runInNewContext('Object.prototype')));
