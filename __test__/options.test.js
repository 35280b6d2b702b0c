'use strict';

/** Options of every function that takes them: own properties, known names, right types, in range, read once. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { APIS, paths, withOption } = require('./support/apis.js');
const cases = require('./options.cases.json');

const TYPE = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const VALUE = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
const RANGE = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

/** An own accessor in place of the option at `at`. */
function define(options, at, descriptor) {
  const holder = at.slice(0, -1).reduce((object, name) => object[name], options);
  Object.defineProperty(holder, at.at(-1), { enumerable: true, configurable: true, ...descriptor });
  return options;
}

describe('the options tried here', () => {
  it('are all that index.d.ts declares', () => {
    const declarations = fs.readFileSync(path.join(__dirname, '..', 'index.d.ts'), 'utf8');
    const options = new Set(Object.values(APIS).flatMap(({ good }) => paths(good()).map((at) => at.at(-1))));
    // What ends with a comma is a parameter.
    const declared = [...declarations.matchAll(/^ +(?!readonly)(\w+)\?: (?!.*,$)/gm)].map(([, name]) => name);
    assert.ok(declared.length > 15);
    // Of calls that answer with a promise, names that are the user's own, and fields of answers: see
    // password-formats.test.js, password-abort.test.js and password-functions.test.js.
    const elsewhere = ['pepper', 'signal', 'maxMemoryKiB', 'keyId', 'undecided', 'reason'];
    for (const name of declared) assert.ok(options.has(name) || elsewhere.includes(name), name);
  });
});

for (const [api, { call, good, required = false, isHot = false }] of Object.entries(APIS)) {
  describe(`options of ${api}`, () => {
    it('are taken, also from an object without a prototype or of a class', () => {
      class Options {}
      call(good());
      call(Object.assign(Object.create(null), good()));
      call(Object.assign(new Options(), good()));
      call(Object.freeze(good()));
      if (!required) {
        call();
        call(undefined);
      }
    });

    it('are an object', () => {
      for (const options of [null, 0, 1, '', 'x', true, false, 1n, Symbol('x'), [], [good()], () => good()]) {
        assert.throws(() => call(options), TYPE);
      }
      if (required) assert.throws(() => call(), TYPE);
    });

    it('have no unknown names, at any level, symbols included', () => {
      for (const name of [
        'unknown',
        'Limits',
        'toString',
        'constructor',
        '__proto__',
        'hasOwnProperty',
        '',
        '0',
        'depth ',
        ...(isHot ? [] : [Symbol('depth'), Symbol.iterator]),
      ]) {
        for (const parent of [[], ...paths(good()).filter((at) => isSet(good(), at))]) {
          const holder = parent.reduce((object, step) => object[step], good());
          const options = good();
          define(options, [...parent, name], { value: 1 });
          assert.throws(() => call(options), VALUE, `${parent.join('.')}.${String(name)} in ${Object.keys(holder)}`);
          if (isHot) continue;
          define(options, [...parent, name], { value: undefined, enumerable: false });
          assert.throws(() => call(options), VALUE, 'also when it is not enumerable, or undefined');
        }
      }
    });

    it('name what is unknown, and shorten it', () => {
      assert.throws(() => call({ ...good(), memoryLimits: 1 }), /'memoryLimits'/);
      assert.throws(
        () => call({ ...good(), ['x'.repeat(1000)]: 1 }),
        (error) => error.message.length < 250,
      );
    });

    it('that are undefined are not given', () => {
      for (const at of paths(good())) {
        const run = () => call(withOption(good(), at, undefined));
        const isNeeded = (required && ['primary', 'keys', 'purpose', 'client', 'limit', 'windowMs'].includes(at[0])) || at.at(-1) === 'budget';
        if (isNeeded) assert.throws(run, TYPE);
        else run();
      }
    });

    it('of the wrong type are refused', () => {
      for (const at of paths(good())) {
        const right = at.reduce((options, name) => options[name], good());
        for (const value of [null, Symbol('x'), () => 1, true, 1n]) {
          if (typeof value === typeof right && value !== null) continue;
          const refused = (error) => error instanceof TypeError && /^ERR_INVALID_ARG_(TYPE|VALUE)$/.test(error.code);
          assert.throws(() => call(withOption(good(), at, value)), refused, `${at.join('.')} = ${String(value)}`);
        }
      }
    });

    it('that are inherited are ignored', () => {
      const hostile = { unknown: 1, toJSON: () => null };
      for (const at of paths(good())) hostile[at[0]] = Symbol('hostile');
      const inherited = Object.create(hostile, Object.getOwnPropertyDescriptors(required ? good() : {}));
      call(inherited);
      if (required) assert.throws(() => call(Object.create(good())), TYPE);
    });

    it('behind a getter are read once', () => {
      for (const at of paths(good())) {
        let reads = 0;
        const value = at.reduce((object, step) => object[step], good());
        call(define(good(), at, { get: () => (reads++, value) }));
        assert.equal(reads, 1, at.join('.'));
      }
      const mine = new Error('mine');
      const get = () => {
        throw mine;
      };
      for (const at of paths(good())) assert.throws(() => call(define(good(), at, { get })), mine);
    });

    it('are not changed', () => {
      const [options, untouched] = [good(), good()];
      if ('into' in options) (delete options.into, delete untouched.into);
      call(options);
      assert.deepEqual(options, untouched);
    });
  });
}

function isSet(options, at) {
  return paths(options).some(
    (other) => other.length === at.length + 1 && at.every((step, place) => other[place] === step),
  );
}

describe('integers', () => {
  for (const { of: api, path: at, low, high, with: others = {} } of cases.integers) {
    it(`${api} ${at.join('.')}: ${low} to ${high}`, () => {
      const { call, good, required } = APIS[api];
      const attempt = (value) => call(withOption(required ? good() : others, at, value));
      // These look at their input, which is longer than nothing.
      const tried = ['mergeJson', 'parseJson'].includes(api) ? [Math.max(low, 10), high] : [low, low + 1, high];
      for (const value of tried) attempt(value);
      for (const value of [low - 1, high + 1, low + 0.5, -1, NaN, Infinity, -Infinity, 2 ** 53, -low - 1]) {
        assert.throws(() => attempt(value), RANGE, String(value));
      }
      for (const value of [null, String(low), '', true, BigInt(low), [low], { valueOf: () => low }, new Number(low)]) {
        assert.throws(() => attempt(value), TYPE, String(value));
      }
      assert.throws(
        () => attempt(high + 1),
        (error) => error.message.includes(at.join('.')) && !error.message.includes(String(high + 1)),
      );
    });
  }
});

describe('choices', () => {
  for (const { of: api, path: at, values } of cases.choices) {
    it(`${api} ${at.join('.')}: ${values.join(', ')}`, () => {
      const { call, good, required } = APIS[api];
      const attempt = (value) => call(withOption(required ? good() : {}, at, value));
      for (const value of values) attempt(value);
      for (const value of [
        '',
        'Error',
        `${values[0]} `,
        'toString',
        '__proto__',
        0,
        null,
        [values[0]],
        new String(values[0]),
        true,
      ]) {
        assert.throws(() => attempt(value), VALUE, String(value));
      }
      assert.throws(
        () => attempt('hunter2'),
        (error) => !error.message.includes('hunter2') && values.every((known) => error.message.includes(known)),
      );
    });
  }
});

describe('options that depend on each other', () => {
  it('a hasher can verify what it makes', () => {
    const { call } = APIS.PasswordHasher;
    for (const [name, argon2] of [
      ['memoryKiB', { memoryKiB: 262_145 }],
      ['passes', { passes: 17 }],
      ['lanes', { lanes: 17, memoryKiB: 1024 }],
    ]) {
      assert.throws(
        () => call({ argon2 }),
        (error) => error.code === 'ERR_OUT_OF_RANGE' && error.message.includes(`options.limits.${name}`),
      );
    }
    assert.throws(() => call({ algorithm: 'bcrypt', bcrypt: { cost: 17 } }), { ...RANGE });
    call({ algorithm: 'bcrypt', bcrypt: { cost: 16 } });
    call({ bcrypt: { cost: 17 } }); // not used
    call({ algorithm: 'bcrypt', argon2: { passes: 17 } });
    assert.throws(() => call({ argon2: { lanes: 2, memoryKiB: 15 } }), RANGE);
    call({ argon2: { lanes: 2, memoryKiB: 16 } });
  });
});
