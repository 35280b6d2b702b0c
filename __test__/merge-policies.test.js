'use strict';

/** createMerge: every policy against a naive recursive merge, on random arguments and on what each policy promises. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const vm = require('node:vm');
const { createMerge, merge } = require('..');
const { Arguments, assertSameGraph, assertUnchanged, oracle, snapshot } = require('./support/merging.js');
const { Random } = require('./support/random.js');

const ROUNDS = Math.max(400, Number(process.env.HOLDFAST_MERGES ?? 0));
const SEED = Number(process.env.HOLDFAST_SEED ?? 20_261_122);

class Account {}
class List extends Array {}
const OPAQUE = [new Date(0), new Map([[1, 1]]), Buffer.from('x'), /x/g, new Account(), () => 1, List.of(1, 1)];

const POLICIES = ['replace', 'concat', 'unique', 'index'].flatMap((arrays) =>
  ['skip', 'assign'].flatMap((policy) =>
    ['error', 'remove'].map((unsafeKeys) => ({ arrays, undefined: policy, unsafeKeys })),
  ),
);

describe('createMerge against a naive merge', () => {
  for (const options of POLICIES) {
    it(`does the same with ${JSON.stringify(options)}, changes no argument and calls no accessor`, () => {
      const random = new Random(SEED);
      const merging = createMerge(options);
      let refusals = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const touched = [];
        const generator = new Arguments(random, { unsafe: round % 4 === 3, opaque: OPAQUE, touched });
        const sources = [generator.object(3), ...random.list(3, () => generator.object(3))];
        if (random.below(2) === 0) for (const container of snapshot(sources).keys()) Object.freeze(container);
        const before = snapshot(sources);
        const label = `round ${round}`;
        const [expected, actual] = [oracle, (_, ...list) => merging(...list)].map((call) => {
          try {
            return { result: call(options, ...sources) };
          } catch (error) {
            return { error };
          }
        });
        assert.deepEqual(touched, [], label);
        assertUnchanged(before);
        if (expected.error) {
          refusals++;
          assert.match(actual.error?.code, /^ERR_JSON_(PROTO|CONSTRUCTOR)_KEY$/, label);
        } else {
          assert.ifError(actual.error);
          assertSameGraph(actual.result, expected.result, before, label);
        }
      }
      assert.equal(refusals > 0, options.unsafeKeys === 'error');
    });
  }

  it('is merge, without options', () => {
    const random = new Random(SEED + 1);
    for (let round = 0; round < 100; round++) {
      const generator = new Arguments(random, { opaque: OPAQUE, touched: [] });
      const sources = [generator.object(3), generator.object(3)];
      for (const merging of [merge, createMerge(), createMerge({}), createMerge({ arrays: undefined })]) {
        assertSameGraph(merging(...sources), oracle({}, ...sources), snapshot(sources), `round ${round}`);
      }
    }
    assert.deepEqual([merge.name, createMerge().name], ['merge', 'merge']);
  });
});

describe('arrays', () => {
  const a = { list: [1, { x: 1 }, [1, 2]] };
  const b = { list: [1, { y: 2 }, [3], 4] };

  it('are taken over by reference where nothing meets them', () => {
    const [lone, nested] = [{ list: [1, { x: 1 }] }, { a: { list: [{ y: [] }] } }];
    for (const arrays of ['replace', 'concat', 'unique']) {
      const result = createMerge({ arrays })(lone, nested, { list: undefined });
      assert.equal(result.list, lone.list);
      assert.equal(result.a.list, nested.a.list);
      for (const earlier of [null, 1, {}, new Map(), 'text']) {
        assert.equal(createMerge({ arrays })({ list: earlier }, lone).list, lone.list);
      }
    }
    const copy = createMerge({ arrays: 'index' })(lone);
    assert.deepEqual(copy, lone);
    assert.notEqual(copy.list, lone.list);
    assert.notEqual(copy.list[1], lone.list[1]);
  });

  it('replace each other', () => {
    assert.equal(createMerge({ arrays: 'replace' })(a, b).list, b.list);
  });

  it('are concatenated, the elements by reference', () => {
    const { list } = createMerge({ arrays: 'concat' })(a, b, { list: [] }, a);
    assert.deepEqual(list, [...a.list, ...b.list, ...a.list]);
    assert.equal(list[1], a.list[1]);
    assert.equal(list[4], b.list[1]);
  });

  it('are united, without repeats, as Set compares', () => {
    const merging = createMerge({ arrays: 'unique' });
    assert.deepEqual(merging({ x: [1, NaN, '1', 1] }, { x: [NaN, 2, 2, 1] }).x, [1, NaN, '1', 2]);
    assert.ok(Object.is(merging({ x: [-0] }, { x: [0] }).x[0], -0));
    assert.deepEqual(merging({ x: [1, 1, 2] }).x, [1, 2]);
    assert.deepEqual(merging({ x: [] }, { x: [3, 3] }).x, [3]);
    assert.deepEqual(merging({ x: [{}, a] }, { x: [{}, a] }).x, [{}, a, {}]);
  });

  it('are merged element by element', () => {
    const merging = createMerge({ arrays: 'index' });
    assert.deepEqual(merging(a, b).list, [1, { x: 1, y: 2 }, [3, 2], 4]);
    assert.deepEqual(merging(b, a).list, [1, { x: 1, y: 2 }, [1, 2], 4]);
    assert.deepEqual(merging({ x: [1, 2, 3] }, { x: [undefined, null] }).x, [1, null, 3]);
    const assigning = createMerge({ arrays: 'index', undefined: 'assign' });
    assert.deepEqual(assigning({ x: [1, 2, 3] }, { x: [undefined, null] }).x, [undefined, null, 3]);
    // eslint-disable-next-line no-sparse-arrays
    assert.deepEqual(merging({ x: [1, 2] }, { x: [, 3, , ,] }).x, Object.assign(new Array(4), { 0: 1, 1: 3 }));
    assert.deepEqual(merging({ x: [] }, { x: [undefined] }).x, [undefined]);
    const self = [1];
    self.push(self);
    const { x } = merging({ x: [0, [5, 6]] }, { x: self });
    assert.equal(x[1], x);
    assert.notEqual(x, self);
  });

  it('of a subclass, and what is like an array, are taken over', () => {
    for (const arrays of ['replace', 'concat', 'unique', 'index']) {
      for (const list of [List.of(1, 1), new Uint8Array(2), Buffer.from('aa')]) {
        assert.equal(createMerge({ arrays })({ list: [1] }, { list }).list, list);
        assert.deepEqual(createMerge({ arrays })({ list }, { list: [1] }).list, [1]);
      }
    }
  });

  it('of another realm are joined to ordinary ones', () => {
    const other = vm.runInNewContext('({ list: [2, { y: 2 }] })');
    const both = [1, { x: 1 }, 2, { y: 2 }];
    const expected = { concat: both, unique: both, index: [2, { x: 1, y: 2 }] };
    for (const [arrays, list] of Object.entries(expected)) {
      const result = createMerge({ arrays })({ list: [1, { x: 1 }] }, other).list;
      assert.equal(Object.getPrototypeOf(result), Array.prototype);
      assert.equal(JSON.stringify(result), JSON.stringify(list));
    }
  });

  it('lose what is no element when a new one is made, and keep it when they are taken over', () => {
    const named = Object.assign([1], { note: 'x', 4294967295: 'y', '-1': 'z', [Symbol.iterator]: 's' });
    assert.equal(merge({ list: [0] }, { list: named }).list.note, 'x');
    for (const arrays of ['concat', 'unique', 'index']) {
      const { list } = createMerge({ arrays })({ list: [0] }, { list: named });
      assert.deepEqual(Reflect.ownKeys(list), [...Object.keys(list), 'length']);
      assert.equal(list.note, undefined);
    }
  });

  it('are built without setters that a polluted prototype has', () => {
    let called = 0;
    const setter = { set: () => called++, get: () => 'inherited', configurable: true };
    for (const prototype of [Object.prototype, Array.prototype]) {
      const results = {}; // A list would call the setter itself.
      for (const index of ['0', '1', '2']) Object.defineProperty(prototype, index, setter);
      try {
        for (const arrays of ['concat', 'unique', 'index'])
          results[arrays] = createMerge({ arrays })({ x: [1, 2] }, { x: [3] }).x;
      } finally {
        for (const index of ['0', '1', '2']) delete prototype[index];
      }
      assert.deepEqual(results, { concat: [1, 2, 3], unique: [1, 2, 3], index: [3, 2] });
    }
    assert.equal(called, 0);
  });
});

describe('many levels down', () => {
  const LEVELS = 50;

  it('a part that is met again is no cycle', () => {
    for (const arrays of ['replace', 'concat', 'unique', 'index']) {
      const shared = { x: { y: {} } };
      let value = { left: shared, right: { again: shared } };
      for (let level = 0; level < LEVELS; level++) value = { inner: value, more: { a: shared } };
      let result = createMerge({ arrays })(value);
      while (result.inner) result = result.inner;
      assert.deepEqual(result, { left: { x: { y: {} } }, right: { again: { x: { y: {} } } } });
      assert.notEqual(result.left, result.right.again);
      assert.notEqual(result.left.x.y, result.right.again.x.y);
    }
  });

  it('a cycle to any level is the same cycle', () => {
    for (let target = 0; target <= LEVELS; target++) {
      const levels = Array.from({ length: LEVELS + 1 }, () => ({}));
      levels.forEach((level, depth) => Object.assign(level, depth < LEVELS ? { inner: levels[depth + 1] } : {}));
      levels[LEVELS].back = levels[target];
      for (const sources of [[levels[0]], [{ inner: { a: 1 } }, levels[0], levels[0]]]) {
        let innermost = merge(...sources);
        const way = [innermost];
        while (innermost.inner) way.push((innermost = innermost.inner));
        assert.equal(innermost.back, way[target]);
      }
    }
  });
});

describe('undefined', () => {
  it('is skipped, or assigned where that is asked for; an accessor never is', () => {
    const source = { a: undefined, b: { c: undefined }, set d(value) {}, e: undefined }; // prettier-ignore
    const earlier = { a: 1, b: { c: 2 }, d: 3 };
    assert.deepEqual(merge(earlier, source), earlier);
    const result = createMerge({ undefined: 'assign' })(earlier, source);
    assert.deepEqual(Object.keys(result), ['a', 'b', 'd', 'e']);
    assert.deepEqual(result, { a: undefined, b: { c: undefined }, d: 3, e: undefined });
    assert.deepEqual(Object.keys(createMerge({ undefined: 'assign' })({ x: source }).x), ['a', 'b', 'e']);
    assert.deepEqual(Object.keys(createMerge({ undefined: 'skip' })({ x: source }).x), ['b']);
  });
});
