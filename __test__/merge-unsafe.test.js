'use strict';

/** merge and createMerge on what pollutes prototypes: every payload in every place is refused or removed. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const vm = require('node:vm');
const { createMerge } = require('..');
const { TAG, assertUnchanged, reachesUnsafe, snapshot } = require('./support/merging.js');

const PROTO = 'ERR_JSON_PROTO_KEY';
const CONSTRUCTOR = 'ERR_JSON_CONSTRUCTOR_KEY';

/** A text, the code it is refused with, and the names that are left of it when what is unsafe has been removed. */
const PAYLOADS = [
  ['{"kept":1,"__proto__":{"polluted":true}}', PROTO, ['kept']],
  ['{"__proto__":null,"kept":1}', PROTO, ['kept']],
  ['{"__proto__":"text"}', PROTO, []],
  ['{"__proto__":[{"__proto__":1}]}', PROTO, []],
  ['{"\\u005f\\u005fproto\\u005f\\u005f":{"polluted":true}}', PROTO, []],
  ['{"__proto__":{"__proto__":{"polluted":true}}}', PROTO, []],
  ['{"__proto__":{"constructor":{"prototype":{"polluted":true}}}}', PROTO, []],
  ['{"constructor":{"prototype":{"polluted":true}},"kept":1}', CONSTRUCTOR, ['kept']],
  ['{"constructor":{"prototype":null}}', CONSTRUCTOR, []],
  ['{"constructor":{"a":1,"prototype":[]}}', CONSTRUCTOR, []],
  ['{"\\u0063onstructor":{"prot\\u006ftype":{"polluted":true}}}', CONSTRUCTOR, []],
  ['{"constructor":{"prototype":{"__proto__":{"polluted":true}}}}', CONSTRUCTOR, []],
  ['{"constructor":{"kept":1,"__proto__":{"polluted":true}}}', PROTO, ['constructor']],
];

/** What only looks like one. */
const HARMLESS = [
  '{"constructor":"Acme","prototype":{"polluted":true}}',
  '{"constructor":{"constructor":{"proto":1}}}',
  '{"constructor":["prototype"],"proto":{"__PROTO__":1," __proto__":2,"__proto":3}}',
  '{"a[__proto__]":1,"__proto__.polluted":2,"a":[["__proto__"]],"path":["constructor","prototype"]}',
  '{"unset":["__proto__","toString"],"prototype":{"constructor":{}},"__proto__\\u0000":1}',
];

const INVOKED = { get: () => assert.fail('invoked'), enumerable: true };
const deep = (payload, wrap) => Array.from({ length: 300 }).reduce(wrap, payload);
const PLACES = {
  'at the root': (payload) => payload,
  'in an object': (payload) => ({ a: { b: payload, c: 1 } }),
  'in an array': (payload) => ({ a: [0, payload, 'after'] }),
  'in arrays in arrays': (payload) => ({ a: [[[{ b: [payload] }]]], c: [] }),
  'many objects down': (payload) => deep(payload, (inner) => ({ a: inner })),
  'many arrays down': (payload) => ({ a: deep(payload, (inner) => [inner]) }),
  'many of both down': (payload) => ({ a: deep(payload, (inner) => [{ b: inner }]) }),
  'in a null-prototype object': (payload) => ({ a: Object.assign(Object.create(null), { a: payload }) }),
  'in an object of another realm': (payload) => Object.assign(vm.runInNewContext('({})'), { a: [payload] }),
  'under a symbol': (payload) => ({ [TAG]: [{ [TAG]: payload }] }),
  'under a name in an array': (payload) => ({ a: Object.assign([1], { name: payload }) }),
  'in a sparse array': (payload) => ({ a: Object.assign([], { 100_000: payload }) }),
  'in a cycle': (payload) => {
    const list = [{ payload }];
    list.push(list, { list });
    return { list, again: list };
  },
  'beside an accessor': (payload) => Object.defineProperty({ b: payload, c: [payload] }, 'a', INVOKED),
};
const SIDES = {
  'the only argument': (merge, value) => merge(value),
  'the first argument': (merge, value) => merge(value, { a: { z: 1 } }, {}),
  'a source': (merge, value) => merge({ z: 1 }, value, {}),
  'a source that meets the same': (merge, value) => merge({ a: [1, { a: 1 }], list: [1] }, value, value),
};
const ARRAYS = ['replace', 'concat', 'unique', 'index'];

const places = Object.entries(PLACES).flatMap(([where, wrap]) =>
  Object.entries(SIDES).map(([side, call]) => ({ name: `${where} of ${side}`, wrap, call })),
);

describe('unsafe keys', () => {
  for (const { name, wrap, call } of places) {
    it(`are refused ${name}`, () => {
      for (const arrays of ARRAYS) {
        const merge = createMerge({ arrays });
        for (const [text, code] of PAYLOADS) {
          const value = wrap(JSON.parse(text));
          const before = snapshot([value]);
          const label = `${arrays}: ${text}`;
          // A new array has elements only, so this payload is not merged at all.
          if (arrays === 'index' && name.startsWith('under a name')) {
            assert.equal(reachesUnsafe(call(merge, value)), false, label);
          } else {
            assert.throws(() => call(merge, value), { name: 'HoldfastError', code, status: 400 }, label);
          }
          assertUnchanged(before);
        }
      }
      assert.equal({}.polluted, undefined);
    });

    it(`are removed ${name}, and nothing else is`, () => {
      for (const arrays of ARRAYS) {
        const merge = createMerge({ arrays, unsafeKeys: 'remove' });
        for (const [text, , left] of PAYLOADS) {
          const value = wrap(JSON.parse(text));
          for (const container of snapshot([value]).keys()) Object.freeze(container);
          const before = snapshot([value]);
          const result = call(merge, value);
          assertUnchanged(before);
          assert.equal(reachesUnsafe(result), false, `${arrays}: ${text}`);
          const cleaned = wrap(Object.fromEntries(left.map((key) => [key, key === 'kept' ? 1 : { kept: 1 }])));
          assert.deepStrictEqual(plain(result), plain(call(createMerge({ arrays }), cleaned)), `${arrays}: ${text}`);
        }
      }
      assert.equal({}.polluted, undefined);
    });

    it(`are told from what is harmless ${name}`, () => {
      for (const text of HARMLESS) {
        const value = wrap(JSON.parse(text));
        const results = ['error', 'remove'].map((unsafeKeys) => call(createMerge({ unsafeKeys }), value));
        assert.deepStrictEqual(results[0], results[1]);
        assert.equal(reachesUnsafe(results[0]), false);
      }
    });
  }

  it('are unsafe as accessors too', () => {
    let touched = 0;
    const accessor = { get: () => touched++, enumerable: true };
    const prototype = { constructor: Object.defineProperty({}, 'prototype', accessor) };
    const list = { list: [Object.defineProperty({}, '__proto__', accessor)] };
    const hidden = { list: [Object.defineProperty({}, '__proto__', { value: {}, enumerable: false })] };
    const own = Object.defineProperty({ kept: 1 }, '__proto__', accessor);
    for (const arrays of ARRAYS) {
      assert.throws(() => createMerge({ arrays })(prototype), { code: CONSTRUCTOR });
      assert.deepEqual(createMerge({ arrays, unsafeKeys: 'remove' })(prototype), {});
      for (const value of [list, hidden]) {
        const { list: copy } = createMerge({ arrays, unsafeKeys: 'remove' })(value);
        assert.deepEqual(Reflect.ownKeys(copy[0]), []);
        if (arrays !== 'index') assert.throws(() => createMerge({ arrays })(value), { code: PROTO });
      }
      // An accessor is left out in any case, and so is what cannot be enumerated.
      assert.deepEqual(Reflect.ownKeys(createMerge({ arrays })({ a: own }).a), ['kept']);
    }
    assert.equal(touched, 0);
  });

  it('of functions are not looked at, for they are no plain objects', () => {
    class Model {}
    assert.equal(createMerge()({ constructor: Model }).constructor, Model);
    assert.equal(createMerge()({ list: [Model] }).list[0], Model);
  });

  it('cost an array its identity only where they were', () => {
    const shared = [{ deep: [1] }];
    const dirty = [shared, JSON.parse('{"__proto__":1,"a":1}')];
    for (const arrays of ['replace', 'concat', 'unique']) {
      const merge = createMerge({ arrays, unsafeKeys: 'remove' });
      const result = merge({ dirty, shared, twice: [dirty], n: { dirty } });
      assert.equal(result.shared, shared);
      assert.notEqual(result.dirty, dirty);
      assert.equal(result.dirty[0], shared);
      assert.deepEqual(result.dirty[1], { a: 1 });
      assert.equal(result.twice[0], result.dirty);
      assert.equal(result.n.dirty, result.dirty);
      assert.deepEqual(Reflect.ownKeys(dirty[1]).length, 2);
    }
  });

  it('leave a copy of an array as it was: holes, length, names, cycles', () => {
    // eslint-disable-next-line no-sparse-arrays
    const list = Object.assign([, JSON.parse('{"__proto__":1}'), , 3, ,], { name: 'n', [TAG]: 't' });
    list[6] = list;
    const { list: copy } = createMerge({ unsafeKeys: 'remove' })({ list });
    assert.deepEqual(Reflect.ownKeys(copy), ['1', '3', '6', 'length', 'name', TAG]);
    assert.equal(copy.length, 7);
    assert.equal(copy[6], copy);
    assert.deepEqual([copy[1], copy[3], copy.name, copy[TAG]], [{}, 3, 'n', 't']);
  });
});

/** Cycles and symbols and all, without regard to which part is whose. */
function plain(value) {
  return [...snapshot([value])].map(([container, members]) => [
    Array.isArray(container),
    members.map(([key, member]) => [key, typeof member.value === 'object' ? 'object' : member.value]),
  ]);
}

describe('every built-in prototype', () => {
  const before = prototypes();
  it('has the keys and values it had', () => {
    for (const { wrap, call } of places) {
      for (const arrays of ARRAYS) {
        for (const [text] of PAYLOADS) {
          call(createMerge({ arrays, unsafeKeys: 'remove' }), wrap(JSON.parse(text)));
          try {
            call(createMerge({ arrays }), wrap(JSON.parse(text)));
          } catch (error) {
            assert.equal(error.name, 'HoldfastError');
          }
        }
      }
    }
    const after = prototypes();
    assert.ok(before.size > 30);
    for (const [prototype, members] of before) assert.deepEqual(after.get(prototype), members);
  });

  function prototypes() {
    const found = new Map();
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      if (!/^[A-Z]/.test(name)) continue;
      const prototype = globalThis[name]?.prototype;
      if (prototype) found.set(prototype, Object.entries(Object.getOwnPropertyDescriptors(prototype)));
    }
    return found;
  }
});
