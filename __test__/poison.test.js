'use strict';

/**
 * Every family of payloads that pollutes a prototype somewhere, at every depth and position, for every function that
 * reads JSON, takes values or merges: refused where that is the policy, removed exactly where that is, and never
 * anything on Object.prototype.
 */

const assert = require('node:assert/strict');
const { afterEach, describe, it } = require('node:test');
const holdfast = require('..');
const cases = require('./poison.cases.json');

const { JsonGuard, createMerge, merge, mergeJson, parseJson, parseQuery, sanitize, scanJson, tryParseJson } = holdfast;

const REMOVE = { protoKey: 'remove', constructorKey: 'remove' };
const mergeClean = createMerge({ unsafeKeys: 'remove' });

/** Texts around a payload. What is in them besides is not touched. */
const PLACES = {
  'as it is': (json) => json,
  'in an object': (json) => `{"a":${json}}`,
  'last in an object': (json) => `{"a":1,"b":"x","c" :\n ${json} }`,
  'in an array': (json) => `{"a":[${json}]}`,
  'among elements': (json) => `{"a":[1,"two",null,${json},[],{}]}`,
  'in arrays in arrays': (json) => `{"a":[[[{"b":[[${json}]]}]]]}`,
  'beside what is two bytes wide': (json) => `{"中":"文","a":{"é":${json}}}`,
  'under numbers': (json) => `{"0":{"1":${json}}}`,
  'a hundred objects down': (json) => `${'{"a":'.repeat(100)}${json}${'}'.repeat(100)}`,
  'a hundred arrays down': (json) => `{"a":${'['.repeat(100)}${json}${']'.repeat(100)}}`,
  'behind a megabyte': (json) => `{"fill":"${'x'.repeat(1 << 20)}","a":${json}}`,
  'at the end of many records': (json) => `{"list":[${'{"id":1,"name":"n"},'.repeat(1000)}${json}]}`,
};

/** What takes text. */
const READERS = {
  parseJson: (text) => parseJson(text),
  'parseJson of bytes': (text) => parseJson(Buffer.from(text)),
  'parseJson with every check': (text) => parseJson(text, { numbers: 'error', operatorKeys: 'error' }),
  'parseJson with a reviver': (text) => parseJson(text, { reviver: (key, value) => value }),
  JsonGuard: (text) => new JsonGuard().parse(text),
  tryParseJson(text) {
    const { ok, error, value } = tryParseJson(text);
    if (!ok) throw error;
    return value;
  },
  sanitize: (text) => sanitize(JSON.parse(text)),
  'merge, the defaults': (text) => merge(JSON.parse(text)),
  'merge, a source': (text) => merge({ x: { a: {} }, y: [] }, JSON.parse(text)),
  'merge, the last source': (text) => merge({}, {}, { x: 1 }, JSON.parse(text)),
  'mergeJson, the target': (text) => JSON.parse(mergeJson(text, '{}')),
  'mergeJson, the patch': (text) => JSON.parse(mergeJson('{}', text)),
  'mergeJson of bytes': (text) => JSON.parse(mergeJson(Buffer.from('{"x":1}'), Buffer.from(text))),
  'mergeJson, RFC 7396': (text) => JSON.parse(mergeJson('{}', text, { mode: 'patch' })),
};

/** What leaves the payload out. */
const REMOVERS = {
  parseJson: (text) => parseJson(text, REMOVE),
  'parseJson of bytes': (text) => parseJson(Buffer.from(text), REMOVE),
  'parseJson with a reviver': (text) => parseJson(text, { ...REMOVE, reviver: (key, value) => value }),
  sanitize: (text) => sanitize(JSON.parse(text), REMOVE),
  'merge, the defaults': (text) => mergeClean(JSON.parse(text)),
  'merge, a source': (text) => mergeClean({}, JSON.parse(text)),
};

afterEach(() => {
  assert.equal({}.polluted, undefined);
  assert.deepEqual(Object.keys(Object.prototype), []);
});

for (const [reader, read] of Object.entries(READERS)) {
  describe(`${reader} refuses every payload`, () => {
    for (const [place, wrap] of Object.entries(PLACES)) {
      it(place, () => {
        for (const { text, code } of cases.json) {
          assert.throws(() => read(wrap(text)), { code }, text);
        }
        for (const text of cases.harmless.filter((text) => text[0] === '{' || place !== 'as it is')) {
          const value = read(wrap(text));
          const expected = JSON.parse(wrap(text));
          assert.deepEqual(withoutExtra(value, expected), expected, text);
        }
      });
    }
  });
}

/** A merge keeps what the other side has. */
function withoutExtra(value, expected) {
  return Object.fromEntries(Object.keys(expected).map((key) => [key, value[key]]));
}

for (const [remover, remove] of Object.entries(REMOVERS)) {
  describe(`${remover} leaves out every payload`, () => {
    for (const [place, wrap] of Object.entries(PLACES)) {
      it(place, () => {
        for (const { text, left } of cases.json) {
          const value = remove(wrap(text));
          assert.deepEqual(value, JSON.parse(wrap(left)), text);
          assertClean(value);
        }
      });
    }
  });
}

/** No unsafe key and no unusual prototype anywhere. */
function assertClean(root) {
  const open = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    assert.equal(Object.getPrototypeOf(value), Array.isArray(value) ? Array.prototype : Object.prototype);
    assert.ok(!Object.hasOwn(value, '__proto__'));
    for (const key of Object.keys(value)) open.push(value[key]);
  }
}

describe('scanJson', () => {
  it('lists every payload, wherever it is', () => {
    for (const wrap of Object.values(PLACES)) {
      for (const { text, code } of cases.json) {
        const findings = scanJson(wrap(text));
        assert.ok(findings.length > 0 && findings.some((finding) => finding.code === code), text);
      }
      for (const text of cases.harmless) assert.deepEqual(scanJson(wrap(text)), []);
    }
  });
});

describe('parseQuery', () => {
  for (const { text, passes } of cases.queries) {
    it(`${passes === true ? 'takes' : 'refuses'} ${text}`, () => {
      for (const nested of [false, true]) {
        for (const query of [text, `?${text}`, `x=1&y=2&${text}&z=3`]) {
          const attempt = () => parseQuery(query, { nested });
          if (passes !== true) {
            assert.throws(attempt, { code: 'ERR_QUERY_KEY', status: 400 }, query);
            continue;
          }
          const open = [attempt()];
          while (open.length > 0) {
            const value = open.pop();
            if (typeof value !== 'object' || Array.isArray(value)) continue;
            assert.equal(Object.getPrototypeOf(value), null);
            open.push(...Object.values(value));
          }
        }
      }
    });
  }

  it('makes nothing that a merge pollutes by', () => {
    for (const { text } of cases.queries) {
      let value;
      try {
        value = parseQuery(text, { nested: true });
      } catch {
        continue;
      }
      merge({}, value);
      Object.assign({}, value);
    }
    assert.equal({}.polluted, undefined);
  });
});
