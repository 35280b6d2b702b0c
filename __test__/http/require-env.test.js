'use strict';

/** requireEnv: schemas of zod and of other kinds, what is told of what is wrong, and that no value ever is. */

const assert = require('node:assert/strict');
const { randomBytes, randomUUID } = require('node:crypto');
const { inspect } = require('node:util');
const { describe, it } = require('node:test');
const { z } = require('zod');
const { requireEnv } = require('../../lib/http/require-env.js');
const { runNode } = require('../support/child.js');

const TYPE = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const VALUE = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
const RANGE = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

const KEY = () => randomBytes(32).toString('base64url');

/** A schema as another library may make it: what `validate` returns is the result. */
const schemaOf = (validate) => ({ '~standard': { version: 1, vendor: 'test', validate } });
const refusing = (message, path) => schemaOf((value) => ({ issues: [{ message: message(value), path }] }));
const text = schemaOf((value) =>
  typeof value === 'string' ? { value } : { issues: [{ message: 'Required' }] },
);
const optional = schemaOf((value) => ({ value }));

/** The lines of what is wrong. */
function problemsOf(schema, options) {
  let lines;
  assert.throws(
    () => requireEnv(schema, options),
    (error) => {
      assert.deepEqual([error.name, error.code], ['HoldfastError', 'ERR_ENVIRONMENT']);
      lines = error.message.split('\n');
      return true;
    },
  );
  assert.equal(lines[0], 'the environment is not as it has to be:');
  return lines.slice(1).map((line) => line.trim());
}

describe('the arguments', () => {
  const schema = { A: optional };
  for (const [what, given, options, error] of [
    ['no schema', undefined, {}, TYPE],
    ['null', null, {}, TYPE],
    ['text', 'PORT', {}, TYPE],
    ['an array', [text], {}, TYPE],
    ['a name without a schema', { A: text, B: 'string' }, {}, { ...TYPE, message: /^schema\.B must be/ }],
    ['a standard to come', { '~standard': { version: 2, validate() {} } }, {}, { ...TYPE, message: /version 1/ }],
    ['a standard without validate', { '~standard': { version: 1 } }, {}, TYPE],
    ['an unknown option', schema, { secret: ['A'] }, { ...VALUE, message: /'secret' is none/ }],
    ['an environment that is none', schema, { env: 'A=1' }, TYPE],
    ['a number in it', schema, { env: { A: 1 } }, { ...TYPE, message: /^options\.env\.A must be a string/ }],
    ['secrets that are no names', schema, { secrets: 'A' }, TYPE],
    ['a secret without a name', schema, { secrets: [''] }, TYPE],
    ['a secret that is not in it', schema, { secrets: ['A', 'B'] }, { ...VALUE, message: /which B is not/ }],
    ['no bits', schema, { minBits: 0 }, RANGE],
    ['bits as text', schema, { minBits: '128' }, TYPE],
    ['a schema with a promise', { A: schemaOf(async () => ({ value: 1 })) }, {}, { ...VALUE, message: /promise/ }],
    ['one that rejects', { A: schemaOf(async () => { throw new Error('no'); }) }, {}, VALUE],
    ['an asynchronous one of zod', { A: z.string().refine(async () => true) }, { env: { A: 'x' } }, VALUE],
    ['a result that is none', { A: schemaOf(() => undefined) }, {}, VALUE],
    ['a schema for all whose output is text', z.any().transform(() => 'x'), {}, VALUE],
    ['a schema for all whose output is an array', z.any().transform(() => []), {}, VALUE],
  ]) {
    it(`refuses ${what}`, () => {
      assert.throws(() => requireEnv(given, options), error);
    });
  }
});

describe('what comes out', () => {
  it('of a schema for all', () => {
    const MODE = z.enum(['a', 'b']).default('a');
    const schema = z.object({ PORT: z.coerce.number(), MODE, NONE: z.string().optional() });
    const env = requireEnv(schema, { env: { PORT: '80', OTHER: 'x' } });
    assert.deepEqual({ ...env }, { PORT: 80, MODE: 'a' });
  });

  it('of a schema for each name, of several libraries', () => {
    const arktype = Object.assign(() => {}, schemaOf((value) => ({ value: `${value}!` })));
    class Base {
      get '~standard'() {
        return { version: 1, vendor: 'inherited', validate: (value) => ({ value: Number(value) }) };
      }
    }
    const schema = { A: z.string(), B: arktype, C: new (class extends Base {})(), D: text };
    const env = requireEnv(schema, { env: { A: 'a', B: 'b', C: '3', D: 'd', E: 'e' } });
    assert.deepEqual({ ...env }, { A: 'a', B: 'b!', C: 3, D: 'd' });
  });

  it('is frozen, and has no prototype that could be polluted', () => {
    for (const schema of [{ A: text }, z.object({ A: z.string() })]) {
      const env = requireEnv(schema, { env: { A: 'a' } });
      assert.ok(Object.isFrozen(env));
      assert.equal(Object.getPrototypeOf(env), null);
    }
  });

  it('is what a schema made of it, if that has a class of its own', () => {
    class Settings {
      constructor({ PORT }) {
        this.port = PORT;
      }
      get url() {
        return `http://localhost:${this.port}`;
      }
    }
    const env = requireEnv(z.object({ PORT: z.coerce.number() }).transform((values) => new Settings(values)), {
      env: { PORT: '80' },
    });
    assert.equal(env.url, 'http://localhost:80');
    assert.ok(Object.isFrozen(env));
  });

  it('comes from the environment of the process', () => {
    process.env.HOLDFAST_TEST_VALUE = 'x';
    process.env.HOLDFAST_TEST_EMPTY = '';
    try {
      const schema = z.object({ HOLDFAST_TEST_VALUE: z.string(), HOLDFAST_TEST_EMPTY: z.string().optional() });
      const whole = requireEnv(schema);
      assert.deepEqual({ ...whole }, { HOLDFAST_TEST_VALUE: 'x' });
      const each = requireEnv({ HOLDFAST_TEST_VALUE: text, HOLDFAST_TEST_EMPTY: optional });
      assert.deepEqual({ ...each }, { HOLDFAST_TEST_VALUE: 'x', HOLDFAST_TEST_EMPTY: undefined });
    } finally {
      delete process.env.HOLDFAST_TEST_VALUE;
      delete process.env.HOLDFAST_TEST_EMPTY;
    }
  });

  it('takes nothing from a polluted Object.prototype', () => {
    const pollution = {
      A: 'polluted',
      HOLDFAST_TEST_ABSENT: 'polluted',
      issues: [],
      value: 'polluted',
      '~standard': { version: 1, validate: () => ({ value: {} }) },
      secrets: ['A'],
    };
    const schemas = [{ A: text }, z.object({ A: z.string() }), { A: schemaOf(() => ({})) }];
    Object.assign(Object.prototype, pollution);
    try {
      assert.throws(() => requireEnv(schemas[0], { env: {} }), /A is not set/);
      assert.throws(() => requireEnv(schemas[1], { env: {} }), /A is not set/);
      assert.throws(() => requireEnv({ HOLDFAST_TEST_ABSENT: text }), /HOLDFAST_TEST_ABSENT is not set/);
      assert.equal(requireEnv(schemas[0], { env: { A: 'own' } }).A, 'own');
      assert.equal(requireEnv(schemas[2], { env: {} }).A, undefined);
    } finally {
      for (const name of Object.keys(pollution)) delete Object.prototype[name];
    }
  });

  it('can have any name', () => {
    const env = Object.assign(Object.create(null), { constructor: 'c', toString: 't' });
    Object.defineProperty(env, '__proto__', { value: 'p', enumerable: true });
    const schema = Object.assign(Object.create(null), { constructor: text, toString: text });
    Object.defineProperty(schema, '__proto__', { value: text, enumerable: true });
    const result = requireEnv(schema, { env });
    assert.deepEqual(['constructor', 'toString', '__proto__'].map((name) => result[name]), ['c', 't', 'p']);
  });
});

describe('what is wrong', () => {
  it('is told all at once, by name', () => {
    const schema = z.object({
      PORT: z.coerce.number(),
      MODE: z.enum(['development', 'production']),
      ORIGIN: z.url(),
      TOKEN: z.string().min(20),
      EMPTY: z.string(),
      ABSENT: z.string(),
    });
    const env = { PORT: 'eighty', MODE: 'developmnt', ORIGIN: 'not an address', TOKEN: 'abc', EMPTY: '' };
    assert.deepEqual(problemsOf(schema, { env }), [
      'PORT Invalid input: expected number, received NaN',
      'MODE Invalid option: expected one of "development"|"production"',
      'ORIGIN Invalid URL',
      'TOKEN Too small: expected string to have >=20 characters',
      'EMPTY is empty, which counts as not set',
      'ABSENT is not set',
    ]);
    assert.deepEqual(problemsOf(schema.shape, { env }), problemsOf(schema, { env }));
  });

  it('of all of them together', () => {
    const schema = z.object({ A: z.string(), B: z.string() }).refine(({ A, B }) => A === B, 'A and B have to be equal');
    assert.deepEqual(problemsOf(schema, { env: { A: 'x', B: 'y' } }), ['the whole: A and B have to be equal']);
  });

  it('of names that must not be there', () => {
    const problems = problemsOf(z.strictObject({ A: z.string() }), { env: { A: 'x', SURPLUS: 'y' } });
    assert.deepEqual(problems, ['the whole: Unrecognized key: "SURPLUS"']);
  });

  it('of an absent name, and why it has to be there', () => {
    const schema = { A: refusing(() => 'needed where TLS is on'), B: refusing(() => 'B is required') };
    assert.deepEqual(problemsOf(schema, { env: {} }), ['A is not set: needed where TLS is on', 'B is not set']);
  });

  it('with paths of every kind', () => {
    const paths = [['A'], [{ key: 'A' }], ['A', 'inner', 0], [], undefined, [0], [Symbol('A')], [null], 'A', {}];
    const names = paths.map((path) => problemsOf(refusing(() => 'no', path), { env: { A: 'value' } })[0]);
    assert.deepEqual(names, ['A no', 'A no', 'A no', ...Array(7).fill('the whole: no')]);
  });

  it('is bounded: 300 issues with long messages over several lines', () => {
    const message = `a\n\u001b[31m${'long '.repeat(1000)}`;
    const issues = Array.from({ length: 300 }, (_, index) => ({ message, path: [`N${index}`] }));
    const problems = problemsOf(schemaOf(() => ({ issues })), { env: {} });
    assert.equal(problems.length, 51);
    assert.match(problems[50], /^and 50 more$/);
    for (const line of problems) assert.ok(line.length < 500 && !line.includes('\u001b'), line);
    const [problem] = problemsOf({ A: schemaOf(() => ({ issues: [] })) }, { env: { A: 'x' } });
    assert.equal(problem, 'A is not what the schema asks for');
  });

  it('is also a validator that throws', () => {
    const schema = { A: schemaOf((value) => { throw new Error(`cannot read ${value}`); }) };
    assert.deepEqual(problemsOf(schema, { env: { A: 'canary7531' } }), ['A its validator threw an error']);
  });
});

describe('no value is told', () => {
  const GENERIC = 'A is not what the schema asks for';
  const LONG = 'postgres://app:hunter2@db.internal:5432/app';
  for (const [how, message, value] of [
    ['as it is', (value) => `got ${value}`, 'canary7531'],
    ['in quotes', (value) => `Expected number but received "${value}"`, 'canary7531'],
    ['as JSON', (value) => `got ${JSON.stringify(value)}`, 'line\n"one"\\two'],
    ['as JSON twice', (value) => `got ${JSON.stringify(JSON.stringify(value))}`, 'line\n"one"\\two'],
    ['in capitals', (value) => `got ${value.toUpperCase()}`, 'canary7531'],
    ['trimmed', (value) => `got ${value.trim()}`, '  canary7531\n'],
    ['cut off', (value) => `got ${value.slice(0, 14)}...`, LONG],
    ['its middle', (value) => `the password ${value.slice(15, 30)} is too short`, LONG],
    ['split', (value) => `got ${value.split(/[:@/]+/).join(', ')}`, LONG],
    ['with spaces', (value) => `got ${[...value].join(' ')}`, 'canary7531'],
    ['when it is short', (value) => `got "${value}"`, 'x7'],
    ['when it is one letter', (value) => `got ${value}`, 'q'],
    ['when it is a sign', (value) => `got ${value}`, '***'],
    ['when it is a number', (value) => `${value} is not a port`, '99999'],
    ['in another alphabet', (value) => `got ${value}`, 'Schlüssel日本'],
  ]) {
    it(`${how}`, () => {
      assert.deepEqual(problemsOf({ A: refusing(message) }, { env: { A: value } }), [GENERIC]);
      assert.deepEqual(problemsOf(refusing(() => message(value), ['A']), { env: { A: value } }), [GENERIC]);
    });
  }

  it('nor that of another name', () => {
    const schema = refusing(() => 'A has to be other than hunter2hunter2', ['A']);
    assert.deepEqual(problemsOf(schema, { env: { A: 'some text', B: 'hunter2hunter2' } }), [GENERIC]);
    const whole = refusing(() => 'hunter2hunter2 is there twice', []);
    const problems = problemsOf(whole, { env: { B: 'hunter2hunter2' } });
    assert.deepEqual(problems, ['the whole: is not what the schema asks for']);
  });

  it('and what has nothing of it is told, also when the value is in it by accident', () => {
    for (const [message, value] of [
      ['Invalid input: expected number', 'a'],
      ['Invalid input: expected number', 'in'],
      ['Too small: expected number to be >=1024', '80'],
      ['Invalid option: expected one of "development"|"production"', 'produktion'],
      ['must be an address', 'address: none!'],
    ]) {
      assert.deepEqual(problemsOf({ A: refusing(() => message) }, { env: { A: value } }), [`A ${message}`]);
    }
  });

  it('by whatever the error is printed', () => {
    const env = { A: 'canary7531', KEY: 'canary7531canary7531' };
    const throwing = schemaOf((value) => { throw new Error(value); });
    for (const schema of [
      { A: throwing, KEY: text },
      { A: refusing((value) => `got ${value}`), KEY: text },
      { A: refusing((value) => ({ toString: () => value })), KEY: text },
    ]) {
      assert.throws(
        () => requireEnv(schema, { env, secrets: ['KEY'] }),
        (error) => {
          const printed = inspect(error, { depth: 10, showHidden: true }) + error.stack + JSON.stringify(error);
          return !/canary7531/.test(printed);
        },
      );
    }
  });

  it('by a promise that is rejected and that nobody waits for', async () => {
    const { code, stderr, stdout } = await runNode(`
      const { requireEnv } = require(holdfast + '/lib/http/require-env.js');
      const schema = { '~standard': { version: 1, validate: async (value) => { throw new Error(value.A); } } };
      try { requireEnv(schema, { env: { A: 'canary7531' } }); } catch (error) { console.log(error.code); }
    `);
    assert.deepEqual([code, stdout, stderr], [0, 'ERR_INVALID_ARG_VALUE\n', '']);
  });
});

describe('secrets', () => {
  const HINT = `Make a secret by: node -p "require('node:crypto').randomBytes(32).toString('base64url')"`;
  const check = (value, more = {}) => problemsOf({ KEY: text }, { env: { KEY: value }, secrets: ['KEY'], ...more });

  it('that are good start a server', () => {
    const env = { KEY: KEY(), OTHER: randomBytes(16).toString('hex') };
    const result = requireEnv({ KEY: text, OTHER: text }, { env, secrets: ['KEY', 'OTHER', 'KEY'] });
    assert.deepEqual({ ...result }, env);
  });

  it('that are weak do not, and it is told how to make one, once', () => {
    const known = 'KEY is a secret, and has a word of examples in it, or is known from one';
    assert.deepEqual(check('changeme'), [known, HINT]);
    assert.deepEqual(check('8f3a9c1e'), ['KEY is a secret of about 32 bits, by estimate, and has to have 128', HINT]);
    const env = { A: 'a', B: 'b', C: 'c' };
    const problems = problemsOf({ A: text, B: text, C: text }, { env, secrets: ['A', 'B'] });
    assert.equal(problems.length, 3);
    assert.equal(problems[2], HINT);
  });

  it('and the hint works', async () => {
    const { stdout } = await runNode(`console.log(${/-p "(.*)"$/.exec(HINT)[1]})`);
    assert.deepEqual(requireEnv({ KEY: text }, { env: { KEY: stdout.trim() }, secrets: ['KEY'] }).KEY, stdout.trim());
  });

  it('need as many bits as is asked for', () => {
    const env = { KEY: randomUUID() };
    assert.match(check(env.KEY)[0], /about 122 bits/);
    assert.equal(requireEnv({ KEY: text }, { env, secrets: ['KEY'], minBits: 112 }).KEY, env.KEY);
    assert.match(check(KEY(), { minBits: 257 })[0], /about 256 bits, by estimate, and has to have 257/);
  });

  it('are looked at as they are, and not as the schema makes them', () => {
    const hashing = schemaOf(() => ({ value: randomBytes(32).toString('hex') }));
    assert.equal(problemsOf({ KEY: hashing }, { env: { KEY: 'hunter2' }, secrets: ['KEY'] }).length, 2);
  });

  it('are looked at also when something else is wrong', () => {
    const problems = problemsOf({ A: text, KEY: z.string().min(100) }, { env: { KEY: 'hunter2' }, secrets: ['KEY'] });
    assert.deepEqual(problems.map((line) => line.split(' ')[0]), ['A', 'KEY', 'KEY', 'Make']);
  });

  it('that a schema has a default for are that default, which is in the source', () => {
    const schema = z.object({ KEY: z.string().default('dev-key') });
    for (const given of [schema, schema.shape]) {
      assert.match(problemsOf(given, { env: {}, secrets: ['KEY'] })[0], /^KEY is a secret of about/);
      assert.match(problemsOf(given, { env: { KEY: '' }, secrets: ['KEY'] })[0], /^KEY is a secret of about/);
    }
    const number = { KEY: z.any().default(5) };
    assert.throws(() => requireEnv(number, { env: {}, secrets: ['KEY'] }), /default that is no text/);
    const random = KEY();
    assert.equal(requireEnv({ KEY: z.string().default(random) }, { env: {}, secrets: ['KEY'] }).KEY, random);
  });

  it('may be absent where the schema of the name says so, and not where a name may be misspelt', () => {
    assert.equal(requireEnv({ KEY: optional }, { env: {}, secrets: ['KEY'] }).KEY, undefined);
    const schema = z.object({ KEY: z.string().optional() });
    const missing = (name) => [`${name} is not set, and is one of options.secrets`];
    assert.deepEqual(problemsOf(schema, { env: {}, secrets: ['KEY'] }), missing('KEY'));
    assert.deepEqual(problemsOf(z.object({ KEY: z.string() }), { env: {}, secrets: ['KEY'] }), ['KEY is not set']);
    assert.deepEqual(problemsOf(schema, { env: { KEY: KEY() }, secrets: ['KYE'] }), missing('KYE'));
  });
});
