'use strict';

/** sanitize against a naive recursive account of what is wrong with a value and what a clean copy of it looks like. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const vm = require('node:vm');
const { JsonError, sanitize } = require('..');
const { cleanValue } = require('../lib/sanitize.js');
const { readJsonOptions } = require('../lib/json-options.js');
const { runNode } = require('./support/child.js');
const {
  Account,
  Legacy,
  OPAQUE,
  SCALARS,
  TAG,
  ValueGenerator,
  assertCopy,
  at,
  containersOf,
  faultsOf,
  heightOf,
  isArray,
  isCyclic,
  isThere,
  never,
  scalarFaults,
} = require('./support/clean-copy.js');
const { JsonGenerator } = require('./support/json.js');
const { Random } = require('./support/random.js');

const ROUNDS = Math.max(20_000, Number(process.env.HOLDFAST_VALUES ?? 0));
const SEED = Number(process.env.HOLDFAST_SEED ?? 20_261_122);

function randomOptions(random) {
  const policies = ['error', 'remove', 'ignore'];
  const limit = (most) => (random.below(3) === 0 ? random.below(most) : undefined);
  const options = {
    protoKey: random.pick(policies),
    constructorKey: random.pick(policies),
    operatorKeys: random.pick(policies),
    forbiddenKeys: random.below(3) === 0 ? ['b', 'no'] : undefined,
    numbers: random.pick(['lossy', 'lossy', 'error']),
    limits: { depth: 1_000_000, keyLength: limit(12), stringLength: limit(16), arrayLength: limit(9) },
  };
  if (random.below(3) === 0) options.limits.keys = random.below(20);
  return options;
}

function attempt(run) {
  try {
    return { value: run() };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return { error };
  }
}

function nest(depth, wrap, leaf) {
  let value = leaf;
  for (let level = 0; level < depth; level++) value = wrap(value);
  return value;
}

describe('sanitize', () => {
  it(`makes what the oracle says, or objects to what it does, on ${ROUNDS} random values`, (t) => {
    const random = new Random(SEED);
    const counts = { copied: 0, cyclic: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const value = new ValueGenerator(random, round % 2 === 0).value(4);
      const options = randomOptions(random);
      const containers = [...containersOf(value, options)];
      const cyclic = isCyclic(value, options);
      if (!cyclic && random.below(3) === 0) options.limits.depth = random.below(5);
      const faults = containers.flatMap((container) => faultsOf(container, options));
      faults.push(...scalarFaults(value, options).map((code) => ({ code })));
      const keys = containers.filter((one) => !isArray(one)).reduce((sum, one) => sum + Object.keys(one).length, 0);
      const tooMuch = keys > options.limits.keys || (!cyclic && heightOf(value, options) > options.limits.depth);

      const { value: copy, error } = attempt(() => sanitize(value, options));
      const label = `round ${round}`;
      if (error === undefined) {
        assert.deepEqual([faults, tooMuch], [[], false], label);
        assertCopy(value, copy, options, label);
        counts.copied++;
        if (cyclic) counts.cyclic++;
      } else {
        counts[error.code] = (counts[error.code] ?? 0) + 1;
        const { code, path } = error;
        const isFound = faults.some((fault) => fault.code === code && isThere(fault, value, path));
        assert.ok(
          isFound || (tooMuch && code === 'ERR_JSON_LIMIT' && containers.includes(at(value, path))),
          `${label}: ${error.message}`,
        );
      }
    }
    t.diagnostic(`${JSON.stringify(counts)}, seed ${SEED}`);
    assert.ok(
      Math.min(...Object.values(counts)) > ROUNDS / 250 && Object.keys(counts).length === 7,
      'all must be tried',
    );
  });

  it('gives JSON back as it was, and as JSON.parse would', () => {
    const generator = new JsonGenerator(new Random(SEED));
    const options = { protoKey: 'ignore', constructorKey: 'ignore' };
    for (let round = 0; round < 5000; round++) {
      const value = JSON.parse(generator.text());
      const before = structuredClone(value);
      const copy = sanitize(value, options);
      assert.deepEqual(copy, value);
      assert.deepEqual(value, before, 'the value is only read');
      assertCopy(value, copy, options, `round ${round}`);
    }
  });

  it('takes anything, and returns what is no container', () => {
    for (const value of [undefined, null, ...SCALARS, ...OPAQUE, TAG]) assert.ok(Object.is(sanitize(value), value));
    assert.equal(sanitize(), undefined);
  });

  it('takes frozen values, and returns one that can be changed', () => {
    const value = Object.freeze({ a: Object.freeze([Object.freeze({ b: 1 })]) });
    const copy = sanitize(value);
    copy.a[0].b = 2;
    copy.a.push(3);
    assert.deepEqual([value, copy], [{ a: [{ b: 1 }] }, { a: [{ b: 2 }, 3] }]);
  });

  it('leaves out accessors, symbols and what is not enumerable, and invokes nothing', () => {
    const value = { a: 1, get b() { return never(); }, set c(_) {}, d: undefined, [TAG]: 1, e: [1, 2, 3] }; // prettier-ignore
    Object.defineProperty(value, 'hidden', { value: 1 });
    Object.defineProperty(value.e, 1, { get: never });
    value.e.named = 1;
    const copy = sanitize(value);
    assert.deepEqual(Reflect.ownKeys(copy), ['a', 'd', 'e']);
    assert.deepEqual(Reflect.ownKeys(copy.e), ['0', '2', 'length']);
    assert.equal(copy.e.length, 3);
  });

  it('copies what other realms have made into this one', () => {
    const source = '({ a: [1, { b: 2 }], n: Object.create(null), map: new Map(), bad: new (class X { x = 1 })() })';
    const other = vm.runInNewContext(source);
    const copy = sanitize(other);
    assert.deepEqual(copy.a, [1, { b: 2 }]);
    assert.equal(Object.getPrototypeOf(copy.a), Array.prototype);
    assert.equal(Object.getPrototypeOf(copy.a[1]), Object.prototype);
    assert.equal(Object.getPrototypeOf(copy.n), Object.prototype);
    for (const key of ['map', 'bad']) assert.equal(copy[key], other[key]);
    const sparse = sanitize(vm.runInNewContext('[, 1, , { a: 1 }]'));
    assert.deepEqual([Object.keys(sparse), sparse.length, sparse[3]], [['1', '3'], 4, { a: 1 }]);
    const poisoned = vm.runInNewContext('JSON.parse(\'[{"__proto__":1}]\')');
    assert.throws(() => sanitize(poisoned), { code: 'ERR_JSON_PROTO_KEY', pointer: '/0/__proto__' });
    const inherits = vm.runInNewContext('[{ __proto__: { admin: true }, x: 1 }]');
    assert.throws(() => sanitize(inherits), { code: 'ERR_JSON_PROTO_KEY', pointer: '/0/__proto__' });
  });

  it('says where, as every JsonError does', () => {
    const value = { 'a/b': [0, { '~': JSON.parse('{"ok":1,"__proto__":2}') }] };
    const { error } = attempt(() => sanitize(value));
    const { code, status, expose, path, pointer, offset, line, column } = error;
    assert.deepEqual({ code, status, expose }, { code: 'ERR_JSON_PROTO_KEY', status: 400, expose: true });
    assert.deepEqual(path, ['a/b', 1, '~', '__proto__']);
    assert.deepEqual(
      { pointer, offset, line, column },
      { pointer: '/a~1b/1/~0/__proto__', offset: -1, line: 0, column: 0 },
    );
    const sparse = [];
    sparse[5] = [NaN];
    assert.throws(() => sanitize(sparse, { numbers: 'error' }), { path: [5, 0], pointer: '/5/0' });
    assert.throws(() => sanitize([[], 2 ** 53], { numbers: 'error' }), { path: [1] });
    assert.throws(() => sanitize('abc', { limits: { stringLength: 2 } }), {
      code: 'ERR_JSON_LIMIT',
      path: [],
      pointer: '',
    });
  });

  it('is what parseJson calls with options already read', () => {
    const options = readJsonOptions({ protoKey: 'remove' });
    assert.ok(Object.isFrozen(options));
    assert.deepEqual(cleanValue(JSON.parse('{"a":{"__proto__":1}}'), options), { a: {} });
  });
});

describe('sanitize and pollution', () => {
  const PAYLOADS = [
    ['{"__proto__":{"polluted":true}}', 'ERR_JSON_PROTO_KEY', '{}'],
    ['{"a":1,"__proto__":null,"b":2}', 'ERR_JSON_PROTO_KEY', '{"a":1,"b":2}'],
    ['{"\\u005f\\u005fproto\\u005f\\u005f":{"polluted":true}}', 'ERR_JSON_PROTO_KEY', '{}'],
    ['{"constructor":{"prototype":{"polluted":true}}}', 'ERR_JSON_CONSTRUCTOR_KEY', '{}'],
    ['{"constructor":{"x":1,"prototype":null},"a":1}', 'ERR_JSON_CONSTRUCTOR_KEY', '{"a":1}'],
    ['{"constructor":{"prototype":{"__proto__":1}}}', 'ERR_JSON_CONSTRUCTOR_KEY', '{}'],
  ];
  const wrappers = {
    'at the root': [(payload) => payload, (copy) => copy],
    'in an object': [(payload) => ({ a: 0, b: { c: payload } }), (copy) => copy.b.c],
    'in an array': [(payload) => [0, [payload], 1], (copy) => copy[1][0]],
    'in a sparse array': [(payload) => Object.assign([], { 5: payload }), (copy) => copy[5]],
    'in a null-prototype object': [(payload) => Object.assign(Object.create(null), { a: payload }), (copy) => copy.a],
    'a hundred levels down': [
      (payload) => nest(50, (inner) => ({ a: [inner] }), payload),
      (copy) => nest(50, (outer) => outer.a[0], copy),
    ],
    'beside an accessor': [(payload) => ({ get b() { return never(); }, a: payload }), (copy) => copy.a], // prettier-ignore
    'in what is shared': [(payload) => [payload, [payload]], (copy) => copy[1][0]],
  };
  const removing = { protoKey: 'remove', constructorKey: 'remove' };

  for (const [where, [wrap, unwrap]] of Object.entries(wrappers)) {
    it(`refuses or removes every payload ${where}`, () => {
      for (const [text, code, clean] of PAYLOADS) {
        assert.throws(() => sanitize(wrap(JSON.parse(text))), { name: 'JsonError', code }, text);
        assert.equal(JSON.stringify(unwrap(sanitize(wrap(JSON.parse(text)), removing))), clean, text);
        const ignored = unwrap(sanitize(wrap(JSON.parse(text)), { protoKey: 'ignore', constructorKey: 'ignore' }));
        assert.equal(Object.getPrototypeOf(ignored), Object.prototype, 'an own member, and no prototype');
        assert.deepEqual(ignored, JSON.parse(text), text);
      }
      assert.equal({}.polluted, undefined);
    });
  }

  it('takes a harmless constructor, and a prototype elsewhere', () => {
    const value = {
      constructor: 'Acme',
      a: { constructor: {}, prototype: {} },
      list: [{ constructor: [1] }, { constructor: null }],
    };
    assert.deepEqual(sanitize(value), value);
    assert.deepEqual(sanitize({ constructor: Account }), { constructor: Account });
  });

  it('refuses what inherits from data, as some parsers leave it, or makes it plain', () => {
    const poisoned = [
      { __proto__: { admin: true }, x: 1 },
      { __proto__: {}, x: 1 },
      { __proto__: { __proto__: { admin: true } }, x: 1 },
      { __proto__: Object.assign(Object.create(null), { admin: true }), x: 1 },
      Object.setPrototypeOf({ x: 1 }, ['admin']).x === 1 && Object.setPrototypeOf({ x: 1 }, { list: [{}] }),
    ];
    for (const object of poisoned) {
      assert.throws(() => sanitize({ a: [object] }), { code: 'ERR_JSON_PROTO_KEY', pointer: '/a/0/__proto__' });
      for (const protoKey of ['remove', 'ignore']) {
        const [copy] = sanitize({ a: [object] }, { protoKey }).a;
        assert.deepEqual(
          [Object.getPrototypeOf(copy), Reflect.ownKeys(copy), copy.admin],
          [Object.prototype, ['x'], undefined],
        );
      }
    }
    const array = Object.setPrototypeOf([1], { admin: true });
    assert.throws(() => sanitize(array), { code: 'ERR_JSON_PROTO_KEY' });
    assert.equal(Object.getPrototypeOf(sanitize(array, { protoKey: 'remove' })), Array.prototype);
    assert.deepEqual(sanitize(Object.setPrototypeOf([1, [2]], null)), [1, [2]]);
    const instances = [Object.create(new Account()), Object.create(Object.create(Legacy.prototype)), Object.create({ get a() { return never(); } })]; // prettier-ignore
    for (const instance of instances) assert.equal(sanitize(instance), instance, 'a class is above it');
  });

  it('ignores what Object.prototype has been polluted with', () => {
    const names =
      'value get set enumerable writable configurable a b 0 1 length prototype constructor depth keys limits'.split(
        ' ',
      );
    names.push(
      'protoKey',
      'operatorKeys',
      'forbiddenKeys',
      'numbers',
      'isOpen',
      'branches',
      'copy',
      'next',
      'below',
      'code',
      'path',
    );
    const value = { x: { y: [1, { z: undefined }, , 4] }, get a() { return never(); }, set b(_) {}, list: [[], [0]] }; // prettier-ignore
    const expected = sanitize(value);
    const text = '[{"__proto__":1}]';
    for (const name of names) {
      for (const member of [
        { value: {}, writable: true },
        { value: 0, writable: true },
        { get: () => 'x', set: never },
      ]) {
        // A descriptor that inherits both a value and an accessor is none, for everybody.
        if (member.get !== undefined && ['get', 'set', 'value', 'writable'].includes(name)) continue;
        // With an inherited setter for an index or a code no array and no error works, Node's own included.
        if (member.get !== undefined && ['0', '1', 'code', 'path'].includes(name)) continue;
        const original = Object.getOwnPropertyDescriptor(Object.prototype, name);
        Object.defineProperty(Object.prototype, name, { __proto__: null, ...member, configurable: true });
        let copy, error;
        try {
          copy = sanitize(value);
          error = attempt(() => sanitize(JSON.parse(text))).error;
        } finally {
          delete Object.prototype[name];
          if (original) Object.defineProperty(Object.prototype, name, original);
        }
        assert.deepEqual(copy, expected, name);
        assert.deepEqual(Reflect.ownKeys(copy), ['x', 'list'], name);
        assert.deepEqual(Object.keys(copy.x.y), ['0', '1', '3'], name);
        assert.deepEqual([error.code, error.pointer], ['ERR_JSON_PROTO_KEY', '/0/__proto__'], name);
      }
    }
  });

  for (const [how, flags, prelude] of [
    ['--frozen-intrinsics', ['--frozen-intrinsics', '--no-warnings'], ''],
    [
      'frozen prototypes',
      [],
      'for (const p of [Object, Array, Function, Map, Error, Reflect]) Object.freeze(p.prototype ?? p);',
    ],
    ['--disable-proto=delete', ['--disable-proto=delete'], ''],
    ['--disable-proto=throw', ['--disable-proto=throw'], ''],
  ]) {
    it(`works with ${how}`, async () => {
      const source = `${prelude}
        const { sanitize } = require(holdfast);
        const copy = sanitize({ toString: 1, a: [{ valueOf: 2 }, , 3], get b() { throw 1 } });
        const removed = sanitize(JSON.parse('[{"__proto__":{"x":1},"y":2}]'), { protoKey: 'remove' });
        let code;
        try { sanitize(JSON.parse('{"__proto__":1}')) } catch (error) { code = error.code }
        console.log(JSON.stringify([copy, removed, Reflect.ownKeys(removed[0]), code]));`;
      const { code, stdout, stderr } = await runNode(source, { flags });
      assert.deepEqual([code, stderr], [0, '']);
      const copy = { toString: 1, a: [{ valueOf: 2 }, null, 3] };
      assert.deepEqual(JSON.parse(stdout), [copy, [{ y: 2 }], ['y'], 'ERR_JSON_PROTO_KEY']);
    });
  }
});

describe('sanitize ends', () => {
  const DEEP = { limits: { depth: 1_000_000 } };

  it('on cycles, which the copy has too', () => {
    const self = { list: [] };
    self.self = self;
    self.list.push(self.list, self);
    const copy = sanitize(self);
    assert.ok(copy !== self && copy.self === copy && copy.list[0] === copy.list && copy.list[1] === copy);
    assert.throws(() => sanitize(Object.assign(JSON.parse('{"__proto__":1}'), { self })), {
      code: 'ERR_JSON_PROTO_KEY',
    });
  });

  it('on shared parts that stand for exponentially many, which stay shared', () => {
    let dag = { leaf: 1 };
    for (let level = 0; level < 100; level++) dag = { a: dag, b: [dag] };
    let copy = sanitize(dag, DEEP);
    for (let level = 0; level < 100; level++) {
      assert.equal(copy.a, copy.b[0]);
      copy = copy.a;
    }
    assert.deepEqual(copy, { leaf: 1 });
    assert.throws(() => sanitize(dag), { code: 'ERR_JSON_LIMIT' }, 'the longest way down is 201 levels');
    assert.throws(() => sanitize(dag, { limits: { depth: 200 } }), { code: 'ERR_JSON_LIMIT' });
    sanitize(dag, { limits: { depth: 201 } });
  });

  it('at the limits exactly', () => {
    const cases = [
      [nest(128, (inner) => [inner], 1), nest(129, (inner) => [inner], 1), {}],
      [nest(128, (inner) => ({ a: inner }), 1), nest(129, (inner) => ({ a: inner }), 1), {}],
      [1, [], { depth: 0 }],
      [[[], []], [[[]]], { depth: 2 }],
      [{ a: [{ b: 1 }], c: 2 }, { a: [{ b: 1, d: 3 }], c: 2 }, { keys: 3 }],
      [{ ab: 1 }, { abc: 1 }, { keyLength: 2 }],
      [['é😀'], ['é😀!'], { stringLength: 3 }],
      [[[1, 2]], [[1, 2, 3]], { arrayLength: 2 }],
      [[], Array(1), { arrayLength: 0 }],
    ];
    for (const [good, bad, limits] of cases) {
      assert.deepEqual(sanitize(good, { limits }), good);
      assert.throws(() => sanitize(bad, { limits }), { name: 'JsonError', code: 'ERR_JSON_LIMIT', status: 413 });
    }
    const shared = [];
    assert.deepEqual(sanitize([shared, [shared]], { limits: { depth: 3 } }), [[], [[]]]);
    assert.throws(() => sanitize([shared, [[shared]]], { limits: { depth: 3 } }), { pointer: '/1/0/0' });
    const high = [[1]];
    assert.throws(() => sanitize([high, [[high]]], { limits: { depth: 4 } }), { pointer: '/1/0/0' });
    const uneven = [[[1]], [], 1];
    assert.throws(() => sanitize([uneven, [[uneven]]], { limits: { depth: 5 } }), { pointer: '/1/0/0' });
    sanitize([uneven, [[uneven]]], { limits: { depth: 6 } });
  });

  it('a million levels down, of arrays and of objects', () => {
    for (const [wrap, unwrap] of [
      [(inner) => [inner], (outer) => outer[0]],
      [(inner) => ({ a: inner }), (outer) => outer.a],
    ]) {
      const value = nest(1_000_000, wrap, 'leaf');
      assert.throws(() => sanitize(value), { code: 'ERR_JSON_LIMIT' });
      assert.equal(nest(1_000_000, unwrap, sanitize(value, DEEP)), 'leaf');
    }
    const poisoned = nest(999_999, (inner) => [inner], JSON.parse('{"__proto__":1}'));
    const { error } = attempt(() => sanitize(poisoned, DEEP));
    assert.deepEqual([error.code, error.path.length], ['ERR_JSON_PROTO_KEY', 1_000_000]);
  });

  it('on a million keys, in one object and in many', () => {
    const wide = {};
    for (let key = 0; key < 1_000_000; key++) wide[`key${key}`] = key;
    const copy = sanitize(wide, { limits: { keys: 1_000_000 } });
    assert.equal(Object.keys(copy).length, 1_000_000);
    assert.equal(copy.key999999, 999_999);
    assert.throws(() => sanitize(wide, { limits: { keys: 999_999 } }), { code: 'ERR_JSON_LIMIT', path: [] });
    const many = Array.from({ length: 100_000 }, (_, id) => ({ id, a: 1, b: null, c: 'x', d: [] }));
    assert.throws(() => sanitize(many, { limits: { keys: 499_999 } }), { code: 'ERR_JSON_LIMIT', pointer: '/99999' });
    assert.deepEqual(sanitize(many, { limits: { keys: 500_000 } }).at(-1), many.at(-1));
  });

  it('on arrays that are long and empty, at the cost of what they hold', () => {
    const longest = [];
    longest.length = 2 ** 32 - 1;
    longest[4_000_000_000] = { a: 1 };
    const copy = sanitize({ longest }).longest;
    assert.deepEqual([copy.length, Object.keys(copy), copy[4_000_000_000]], [2 ** 32 - 1, ['4000000000'], { a: 1 }]);
    const holes = Array.from({ length: 10_000 }, () => Object.assign([], { 1_000_000: 1 }));
    for (const array of sanitize(holes)) assert.equal(array.length, 1_000_001);
    assert.throws(() => sanitize({ longest }, { limits: { arrayLength: 1e6 } }), {
      code: 'ERR_JSON_LIMIT',
      pointer: '/longest',
    });
  });

  it('in time linear in prototypes, shared and stacked', () => {
    const shared = Object.fromEntries(Array.from({ length: 20_000 }, (_, key) => [`k${key}`, key]));
    const heirs = Array.from({ length: 20_000 }, () => Object.create(shared));
    assert.equal(sanitize(heirs, { protoKey: 'remove' }).length, 20_000);
    const stacked = [{}];
    for (let level = 0; level < 20_000; level++) stacked.push(Object.create(stacked.at(-1)));
    assert.equal(sanitize(stacked.reverse(), { protoKey: 'remove' }).length, 20_001);
  });
});
