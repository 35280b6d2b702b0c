'use strict';

/** What index.d.ts declares exists at run time, and the reverse; and import gives what require gives. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const holdfast = require('..');
const { createError } = require('../lib/errors.js');
const { FakeIoredis } = require('./support/fake-redis.js');

const declarations = fs.readFileSync(path.join(__dirname, '..', 'index.d.ts'), 'utf8');

/** The body of a declared class, comments removed. */
function members(name) {
  const [, body] = new RegExp(`export class ${name}\\b[^{]*\\{\\n([^]*?)\\n\\}`).exec(declarations);
  const text = body.replace(/\/\*\*[^]*?\*\//g, '');
  return {
    methods: [...text.matchAll(/^ {2}(\w+)\(/gm)]
      .map(([, method]) => method)
      .filter((method) => method !== 'constructor'),
    fields: [...text.matchAll(/^ {2}readonly (\w+)(\??):/gm)].map(([, field, optional]) => ({
      field,
      optional: optional === '?',
    })),
  };
}

describe('index.d.ts', () => {
  const values = [...declarations.matchAll(/^export (?:class|function|const) (\w+)/gm)].map(([, name]) => name);

  it('declares the exported values, all and no others', () => {
    assert.deepEqual([...new Set(values)].sort(), Object.keys(holdfast).sort());
    for (const name of values) {
      const isClass = new RegExp(`^export class ${name}\\b`, 'm').test(declarations);
      assert.equal(typeof holdfast[name], 'function');
      assert.equal(holdfast[name].name, name);
      assert.equal(/^class\b/.test(Function.prototype.toString.call(holdfast[name])), isClass, name);
    }
  });

  for (const name of [
    'PasswordHasher',
    'AesGcmKey',
    'HoldfastStore',
    'HoldfastThrottlerStorage',
    'JsonGuard',
    'Keyring',
    'RateLimiter',
    'RedisRateLimiter',
    'SafeRegExp',
    'SafeRegExpSet',
  ]) {
    it(`declares the methods of ${name}`, () => {
      const { methods } = members(name);
      const own = Object.getOwnPropertyNames(holdfast[name].prototype);
      const inherited = Object.getOwnPropertyNames(RegExp.prototype);
      const actual = own.filter(
        (key) => typeof Object.getOwnPropertyDescriptor(holdfast[name].prototype, key).value === 'function',
      );
      const undeclared = actual.filter((key) => key !== 'constructor' && !methods.includes(key));
      for (const method of methods) assert.ok(actual.includes(method), method);
      assert.deepEqual(name === 'SafeRegExp' ? undeclared.filter((key) => !inherited.includes(key)) : undeclared, []);
    });
  }

  it('declares the fields of the errors', () => {
    const json = (() => {
      try {
        return holdfast.parseJson('x');
      } catch (error) {
        return error;
      }
    })();
    for (const [error, name] of [
      [json, 'JsonError'],
      [createError('ERR_CLOSED', 'this one is closed'), 'HoldfastError'],
    ]) {
      const { fields } = members(name);
      assert.ok(fields.length > 3);
      for (const { field, optional } of fields) assert.ok(optional || field in error, `${name}.${field}`);
      const declared = [...fields.map(({ field }) => field), 'stack', 'message'];
      for (const field of Object.getOwnPropertyNames(error)) assert.ok(declared.includes(field), `${name}.${field}`);
    }
  });

  it('declares the statistics of a hasher, and of a limiter', () => {
    const declared = ['PasswordHasher', 'RateLimiter', 'RedisRateLimiter'].map((name) => {
      const [, body] = new RegExp(`class ${name} [^]*?stats\\(\\): \\{([^}]+)\\}`).exec(declarations);
      return [...body.matchAll(/(?:^ +|; )(\w+): /gm)].map(([, field]) => field);
    });
    const rate = { limit: 1, windowMs: 1 };
    const limiters = [
      new holdfast.RateLimiter(rate),
      new holdfast.RedisRateLimiter({ client: new FakeIoredis(), ...rate }),
    ];
    const actual = [new holdfast.PasswordHasher(), ...limiters].map((one) => Object.keys(one.stats()));
    assert.deepEqual(actual, declared);
  });

  it('declares the answer of a limiter', () => {
    const [, body] = /export interface RateLimitResult \{\n([^]*?)\n\}/.exec(declarations);
    const declared = [...body.matchAll(/^ {2}(\w+): /gm)].map(([, name]) => name);
    const limiter = new holdfast.RateLimiter({ limit: 1, windowMs: 1000 });
    const answers = [limiter.consume('a'), limiter.consume('a'), limiter.peek('a'), limiter.consumeMany(['a', 'b'])];
    for (const answer of answers) assert.deepEqual(Object.keys(answer), declared);
  });
});

describe('import', () => {
  it('gives the names and the very values that require gives', async () => {
    const { default: whole, ...named } = await import('../index.mjs');
    assert.equal(whole, holdfast);
    assert.deepEqual(Object.keys(named).sort(), Object.keys(holdfast).sort());
    for (const name of Object.keys(named)) assert.equal(named[name], holdfast[name]);
  });

  it('and the package name lead to the same module', async () => {
    assert.equal(require('holdfast'), holdfast);
    assert.equal((await import('holdfast')).parseJson, holdfast.parseJson);
  });
});
