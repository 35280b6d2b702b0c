'use strict';

/** merge and createMerge are bounded: linear work, counted; depth and members limited, also where Proxies lie. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { createMerge, merge } = require('..');
const { runNode } = require('./support/child.js');

const LIMIT = { name: 'HoldfastError', code: 'ERR_JSON_LIMIT', status: 413 };
const nested = (levels, leaf, wrap) => Array.from({ length: levels }).reduce(wrap, leaf);
const objects = (levels, leaf) => nested(levels, leaf, (inner) => ({ a: inner }));
const lists = (levels, leaf) => nested(levels, leaf, (inner) => [inner]);

describe('the work', () => {
  it('is one look at each member, whatever the arguments are', async () => {
    const { stdout, stderr } = await runNode(`
      let looks = 0;
      for (const [object, name] of [[Object, 'getOwnPropertyDescriptor'], [Object.prototype, '__lookupGetter__']]) {
        const original = object[name];
        const value = function (...list) { looks++; return Reflect.apply(original, this, list); };
        Object.defineProperty(object, name, { value });
      }
      const { createMerge } = require(holdfast);
      const from = (n, make) => Object.fromEntries(Array.from({ length: n }, make));
      const repeat = (n, value) => Array.from({ length: n }, () => value);
      const cases = {
        flat: (n) => [0, n / 2].map((first) => from(n, (_, i) => ['k' + (first + i), { v: i }])),
        symbols: (n) => [{}, from(n, (_, i) => [Symbol(), i])],
        deep: (n) => [{}, repeat(n).reduce((inner) => ({ a: inner }), {})],
        numbers: (n) => [{}, { list: repeat(n, 1) }, { list: repeat(n, 2) }],
        records: (n) => [{}, { list: Array.from({ length: n }, (_, i) => ({ id: i })) }],
        lists: (n) => [{}, { list: repeat(n).reduce((inner) => [inner], []) }],
        shared: (n) => { const list = repeat(n, {}); return [{}, from(n, (_, i) => ['k' + i, [list]])]; },
        same: (n) => { const list = repeat(n, {}); return [{}, from(n, (_, i) => ['k' + i, list])]; },
        'same unsafe': (n) => {
          const list = repeat(n, JSON.parse('{"__proto__":1}'));
          return [{}, from(n, (_, i) => ['k' + i, i % 2 ? list : [list]])];
        },
        sources: (n) => Array.from({ length: n }, (_, i) => ({ list: [i] })),
        unsafe: (n) => [{}, { list: Array.from({ length: n }, () => JSON.parse('{"__proto__":1}')) }],
        chain: (n) => [{}, { list: repeat(n).reduce((inner) => [inner], JSON.parse('{"__proto__":1}')) }],
      };
      const counts = {};
      for (const [name, make] of Object.entries(cases)) {
        for (const arrays of ['replace', 'concat', 'unique', 'index']) {
          if (/sha|same/.test(name) && arrays === 'index') continue; // Copied each time, as objects are.
          if (/^same/.test(name) && arrays === 'unique') continue; // Looked through for repeats each time.
          const merge = createMerge({ arrays, unsafeKeys: 'remove' });
          counts[name + ', ' + arrays] = [1000, 2000, 4000].map((n) => {
            const list = make(n);
            looks = 0;
            merge(...list);
            return looks / n;
          });
        }
      }
      console.log(JSON.stringify(counts));`);
    assert.equal(stderr, '');
    const counts = JSON.parse(stdout);
    assert.equal(Object.keys(counts).length, 43);
    for (const [name, [small, medium, large]] of Object.entries(counts)) {
      assert.ok(small >= 1 && small < 10, `${name}: ${small} looks at each`);
      for (const more of [medium, large]) assert.ok(Math.abs(more - small) < 0.1, `${name}: ${small}, then ${more}`);
    }
  });

  it('ends on a million keys', () => {
    const many = Object.fromEntries(Array.from({ length: 1_000_000 }, (_, index) => [`k${index}`, index]));
    const result = merge(many, { k5: 'five', more: 1 });
    assert.equal(Object.keys(result).length, 1_000_001);
    assert.deepEqual([result.k5, result.k999999], ['five', 999_999]);
  });

  it('ends a million levels down', () => {
    for (const build of [objects, (levels, leaf) => ({ a: lists(levels - 1, leaf) })]) {
      let value = merge(build(999_999, { x: 1 }));
      while (typeof value.x !== 'number') value = Array.isArray(value) ? value[0] : value.a;
      assert.deepEqual(value, { x: 1 });
      assert.throws(() => merge(build(1_000_000, { x: 1 })), LIMIT);
    }
  });

  it('does not go through the holes of an array', () => {
    const sparse = { list: Object.assign(new Array(2 ** 32 - 1), { 7: 1, 4294967294: 2 }) };
    for (const arrays of ['replace', 'concat', 'unique']) {
      assert.equal(createMerge({ arrays })(sparse).list, sparse.list);
    }
    assert.deepEqual(createMerge({ arrays: 'concat' })({ list: [0] }, sparse).list, [0, 1, 2]);
    const { list } = createMerge({ arrays: 'index' })({ list: [0] }, sparse);
    assert.deepEqual([list.length, Object.keys(list)], [2 ** 32 - 1, ['0', '7', '4294967294']]);
  });
});

describe('maxDepth', () => {
  const shapes = {
    objects: (depth) => objects(depth - 1, {}),
    'an array in objects': (depth) => objects(depth - 1, []),
    'arrays in an object': (depth) => ({ a: lists(depth - 2, []) }),
    'objects in arrays': (depth) => nested((depth - 1) / 2, {}, (inner) => ({ a: [inner] })),
    'an object under a symbol': (depth) => nested(depth - 1, {}, (inner) => ({ [Symbol.iterator]: inner })),
  };
  for (const [shape, build] of Object.entries(shapes)) {
    it(`is the deepest that is taken: ${shape}`, () => {
      for (const arrays of ['replace', 'concat', 'unique', 'index']) {
        for (const unsafeKeys of ['error', 'remove']) {
          const merging = createMerge({ arrays, unsafeKeys, maxDepth: 21 });
          for (const first of [[], [{ a: [] }], [{}, {}]]) {
            const call = (value) => merging(...first, value);
            call(build(21));
            assert.throws(() => call(build(23)), LIMIT, arrays);
            assert.throws(() => call(build(21_001)), LIMIT, arrays);
          }
        }
      }
      assert.throws(() => createMerge({ maxDepth: 20 })(build(21)), LIMIT);
    });
  }

  it('holds for what is beside and below something that is removed', () => {
    const unsafe = JSON.parse('{"__proto__":1}');
    for (const arrays of ['replace', 'concat', 'unique', 'index']) {
      const merging = createMerge({ arrays, maxDepth: 21, unsafeKeys: 'remove' });
      for (const build of [(levels) => [unsafe, lists(levels, 1)], (levels) => lists(levels, [unsafe])]) {
        merging({ list: build(18) });
        assert.throws(() => merging({ list: build(21) }), LIMIT);
        assert.throws(() => merging({ list: [unsafe] }, { list: build(21) }), LIMIT);
      }
    }
  });

  it('of 1 is flat', () => {
    assert.deepEqual(createMerge({ maxDepth: 1 })({ a: 1, b: new Map() }, { c: 2 }), { a: 1, b: new Map(), c: 2 });
    for (const value of [{ a: {} }, { a: [] }]) assert.throws(() => createMerge({ maxDepth: 1 })(value), LIMIT);
  });

  it('does not count the levels of a cycle', () => {
    const value = { list: [] };
    value.self = value;
    value.list.push(value.list);
    const result = createMerge({ maxDepth: 2 })(value);
    assert.equal(result.self, result);
  });
});

describe('a Proxy', () => {
  const transparent = (value) => new Proxy(value, {});

  it('is merged for what it shows', () => {
    for (const arrays of ['replace', 'concat', 'unique', 'index']) {
      const merging = createMerge({ arrays });
      const value = () => ({ a: transparent({ b: 1 }), list: transparent([1, transparent({ c: 1 })]) });
      assert.deepEqual(merging({ list: [0] }, transparent(value())), merging({ list: [0] }, value()));
      for (const text of ['{"__proto__":1}', '{"constructor":{"prototype":1}}']) {
        const hidden = transparent(JSON.parse(text));
        for (const value of [hidden, { a: hidden }, { a: [hidden] }]) {
          assert.throws(() => merging(value), { name: 'HoldfastError' });
        }
        assert.deepEqual(Object.keys(createMerge({ arrays, unsafeKeys: 'remove' })(hidden)), []);
      }
    }
  });

  it('has its getters left alone', () => {
    let touched = 0;
    const hidden = transparent({ get a() { return touched++; }, b: 1 }); // prettier-ignore
    assert.deepEqual(merge({ hidden, list: [hidden] }).hidden, { b: 1 });
    assert.equal(touched, 0);
  });

  it('is read by its descriptors alone', () => {
    const get = (target, key, receiver) => {
      assert.ok(key === 'length', String(key));
      return Reflect.get(target, key, receiver);
    };
    for (const arrays of ['replace', 'concat', 'unique', 'index']) {
      const value = { a: new Proxy({ b: 1, c: {} }, { get }), list: new Proxy([1, { d: 1 }], { get }) };
      const result = createMerge({ arrays })({ a: { c: { e: 1 } }, list: [0] }, value);
      assert.deepEqual(result.a, { c: { e: 1 }, b: 1 });
    }
  });

  it('that answers differently each time sets no prototype', () => {
    const member = { value: { polluted: true }, configurable: true, enumerable: true };
    for (const arrays of ['replace', 'concat', 'unique', 'index']) {
      // Each bit tells which answer one of the first six questions gets.
      for (let answers = 0; answers < 64; answers++) {
        let asked = 0;
        const liar = new Proxy(
          {},
          {
            ownKeys: () => ((answers >> asked++) & 1 ? ['a'] : ['__proto__']),
            get: () => member.value,
            getOwnPropertyDescriptor: () => member,
          },
        );
        try {
          const result = createMerge({ arrays })({ liar }).liar;
          assert.deepEqual(Reflect.ownKeys(result), ['a']);
          assert.equal(Object.getPrototypeOf(result), Object.prototype);
        } catch (error) {
          assert.equal(error.code, 'ERR_JSON_PROTO_KEY');
        }
        assert.ok(asked > 0 && asked < 6);
      }
    }
  });

  it('that changes another argument in between gets no accessor called', () => {
    let touched = 0;
    for (const order of [
      ['spy', 'victim'],
      ['victim', 'spy'],
    ]) {
      const victim = { a: 1, b: { c: 1 } };
      const change = () => {
        Object.defineProperty(victim, 'a', { get: () => touched++, enumerable: true, configurable: true });
        Object.defineProperty(victim.b, 'c', { get: () => touched++, enumerable: true, configurable: true });
        return Object.prototype;
      };
      const spy = new Proxy({}, { getPrototypeOf: change });
      const result = merge(Object.fromEntries(order.map((name) => [name, name === 'spy' ? spy : victim])));
      assert.ok(Reflect.ownKeys(result.victim).length > 0);
      for (const container of [result.victim, result.victim.b]) {
        for (const key of Object.keys(container)) {
          assert.ok(Object.hasOwn(Object.getOwnPropertyDescriptor(container, key), 'value'));
        }
      }
    }
    assert.equal(touched, 0);
  });

  it('without end is too deep', () => {
    const endless = () =>
      new Proxy(
        {},
        {
          ownKeys: () => ['a'],
          getOwnPropertyDescriptor: () => ({ value: endless(), configurable: true, enumerable: true }),
        },
      );
    for (const arrays of ['replace', 'concat', 'unique', 'index']) {
      assert.throws(() => createMerge({ arrays, maxDepth: 10_000 })(endless()), LIMIT);
      assert.throws(() => createMerge({ arrays, maxDepth: 10_000 })({ list: [endless()] }), LIMIT);
    }
  });

  it('that throws is heard, and the next call is as good as new', () => {
    const error = new Error('trapped');
    const trap = () => {
      throw error;
    };
    for (const name of ['getPrototypeOf', 'ownKeys', 'getOwnPropertyDescriptor']) {
      const proxy = new Proxy({ a: 1 }, { [name]: trap });
      for (const value of [{ proxy }, { list: [proxy] }]) assert.throws(() => merge({ b: { c: 1 } }, value), error);
      const { proxy: revoked, revoke } = Proxy.revocable({}, {});
      revoke();
      assert.throws(() => merge({ revoked }), TypeError);
      assert.deepEqual(merge({ b: { c: 1 } }), { b: { c: 1 } });
    }
  });
});
