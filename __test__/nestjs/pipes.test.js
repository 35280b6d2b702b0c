'use strict';

/** The pipes, as Nest calls them; what they do in routes is in platforms.test.js. */

const assert = require('node:assert/strict');
const diagnostics = require('node:diagnostics_channel');
const { describe, it } = require('node:test');
require('../support/nest.js');
const { JsonError, SafeRegExp } = require('../..');
const { PatternPipe, SafeJsonPipe, SafeQuery } = require('../../lib/nestjs/index.js');

const ID = { type: 'param', data: 'id', metatype: String };

/** What is published while `run` does. */
function eventsOf(run) {
  const events = [];
  const listener = (event) => events.push(event);
  diagnostics.subscribe('holdfast:security', listener);
  try {
    run();
  } finally {
    diagnostics.unsubscribe('holdfast:security', listener);
  }
  return events;
}

describe('PatternPipe', () => {
  it('gives a text that matches', () => {
    for (const pipe of [
      PatternPipe.of(/^[a-z]+$/),
      PatternPipe.of('^[a-z]+$'),
      PatternPipe.of(new SafeRegExp('^[a-z]+$')),
    ]) {
      for (let times = 0; times < 3; times++) assert.equal(pipe.transform('abc', ID), 'abc');
      assert.throws(() => pipe.transform('abc\n', ID), { code: 'ERR_PATTERN' });
    }
    assert.equal(PatternPipe.of('^[a-z]+$', 'i').transform('ABC'), 'ABC');
    assert.equal(PatternPipe.of(/^\p{L}+$/u).transform('мир'), 'мир');
  });

  it('refuses everything else, without a word of it', () => {
    const pipe = PatternPipe.of(/^[a-z]*$/);
    for (const value of [
      'hunter2',
      undefined,
      null,
      1,
      ['abc'],
      { toString: () => 'abc' },
      new String('abc'),
      Symbol('abc'),
    ]) {
      assert.throws(
        () => pipe.transform(value, ID),
        (error) => {
          assert.equal(error.code, 'ERR_PATTERN');
          assert.equal(error.status, 400);
          assert.equal(error.statusCode, 400);
          assert.equal(error.expose, true);
          assert.equal(error.message, "'id' must be a text that matches its pattern");
          return true;
        },
      );
    }
    assert.throws(() => pipe.transform('A'), { message: 'the value must be a text that matches its pattern' });
    assert.throws(() => pipe.transform('A', { data: {} }), { message: /^the value/ });
  });

  it('takes time in proportion to the text, where V8 would not end', () => {
    const pipe = PatternPipe.of(/^(a+)+$/);
    assert.throws(() => pipe.transform(`${'a'.repeat(100_000)}!`), { code: 'ERR_PATTERN' });
  });

  it('tells those who listen, and not the value', () => {
    const pipe = PatternPipe.of(/^[a-z]+$/);
    const [event, ...others] = eventsOf(() => {
      pipe.transform('abc', ID);
      assert.throws(() => pipe.transform('hunter2', ID));
    });
    assert.deepEqual(others, []);
    assert.match(event.time, /^\d{4}-/);
    assert.deepEqual(
      { kind: event.kind, code: event.code, source: event.source, parameter: event.parameter },
      { kind: 'pattern.refused', code: 'ERR_PATTERN', source: 'param', parameter: 'id' },
    );
    assert.ok(!JSON.stringify(event).includes('hunter2'));
  });

  it('is made by of(), of a pattern that begins at the beginning each time', () => {
    assert.throws(() => new PatternPipe(/a/), { code: 'ERR_INVALID_ARG_VALUE' });
    for (const flags of ['g', 'y']) assert.throws(() => PatternPipe.of(/a/, flags), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => PatternPipe.of(/a/g), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => PatternPipe.of('('), SyntaxError);
    assert.throws(() => PatternPipe.of(/(a)\1/), { code: 'ERR_REGEXP_BACKREFERENCE' });
  });
});

describe('SafeJsonPipe', () => {
  it('copies what something else has parsed', () => {
    const value = { a: [1, { b: 'x' }], c: null };
    const copy = new SafeJsonPipe().transform(value);
    assert.deepEqual(copy, value);
    assert.notEqual(copy, value);
    assert.notEqual(copy.a, value.a);
  });

  it('parses text, and bytes', () => {
    const pipe = new SafeJsonPipe();
    assert.deepEqual(pipe.transform('{"a":1}'), { a: 1 });
    assert.deepEqual(pipe.transform(Buffer.from('[1]')), [1]);
    assert.throws(() => pipe.transform('{"a":'), { code: 'ERR_JSON_SYNTAX', status: 400 });
    assert.throws(() => pipe.transform(''), JsonError);
  });

  it('leaves undefined, and other values that are no JSON text, as sanitize does', () => {
    const pipe = new SafeJsonPipe();
    for (const value of [undefined, null, 1, true]) assert.equal(pipe.transform(value), value);
  });

  it('refuses the same in both', () => {
    const pipe = new SafeJsonPipe({ limits: { depth: 3 }, operatorKeys: 'error', forbiddenKeys: ['secret'] });
    for (const [text, code] of [
      ['{"__proto__":{"x":1}}', 'ERR_JSON_PROTO_KEY'],
      ['{"constructor":{"prototype":{}}}', 'ERR_JSON_CONSTRUCTOR_KEY'],
      ['[[[[1]]]]', 'ERR_JSON_LIMIT'],
      ['{"$gt":1}', 'ERR_JSON_FORBIDDEN_KEY'],
      ['{"secret":1}', 'ERR_JSON_FORBIDDEN_KEY'],
    ]) {
      assert.throws(() => pipe.transform(text), { code }, text);
      assert.throws(() => pipe.transform(JSON.parse(text)), { code }, text);
    }
  });

  it('refuses wrong options when it is made', () => {
    assert.throws(() => new SafeJsonPipe({ depth: 1 }), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => new SafeJsonPipe({ limits: { depth: -1 } }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => new SafeJsonPipe(1), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('is not changed by options that change', () => {
    const options = { limits: { depth: 2 } };
    const pipe = new SafeJsonPipe(options);
    options.limits.depth = 100;
    assert.throws(() => pipe.transform('[[[1]]]'), { code: 'ERR_JSON_LIMIT' });
    assert.throws(() => pipe.transform([[[1]]]), { code: 'ERR_JSON_LIMIT' });
  });
});

describe('SafeQuery', () => {
  it('takes a name, pipes, or both', () => {
    class Pipe {
      transform(value) {
        return value;
      }
    }
    for (const given of [[], [undefined], ['page'], ['page', Pipe], ['page', new Pipe()], [Pipe], [new Pipe()]]) {
      assert.equal(typeof SafeQuery(...given), 'function');
    }
    for (const given of [[1], [{}], [null], [Symbol('x')]])
      assert.throws(() => SafeQuery(...given), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});
