'use strict';

/** Content-Type: what a body is by its type and parameters, and that no header takes long. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { FORM, JSON_TEXT, OTHER, bodyKinds, isUtf8, readTypes } = require('../../lib/http/body-types.js');
const cases = require('./body-types.cases.json');

const KINDS = { JSON: JSON_TEXT, FORM, OTHER };

describe('Content-Type', () => {
  const kindOf = bodyKinds(readTypes(undefined, 'types'), true);

  for (const { header, kind, utf8 } of cases) {
    it(`${JSON.stringify(header)} is ${kind}${utf8 === undefined ? '' : `, UTF-8: ${utf8}`}`, () => {
      assert.equal(kindOf(header), KINDS[kind]);
      if (utf8 !== undefined) assert.equal(isUtf8(header), utf8 ?? undefined);
    });
  }

  it('is none where there is no header', () => {
    assert.equal(kindOf(undefined), OTHER);
  });

  it('is no form where forms are not taken, and no JSON where none is', () => {
    const kind = bodyKinds(readTypes([], 'types'), false);
    assert.equal(kind('application/x-www-form-urlencoded'), OTHER);
    assert.equal(kind('application/json'), OTHER);
  });

  it('is read in one pass', () => {
    const many = 1e6;
    for (const [start, part] of [['', ';'], [';', ' '], ['; a=', 'b'], ['; a="', 'b'], ['; a="', '\\']]) {
      isUtf8(`application/json${start}${part.repeat(many)}`);
    }
  });
});

describe('the option types', () => {
  it('takes exact types, and suffixes', () => {
    const isJson = readTypes(['Text/JSON', 'application/*+cbor'], 'types');
    const types = ['text/json', 'application/x+cbor', 'application/json', 'application/+cbor', 'text/x+cbor'];
    assert.deepEqual(types.map(isJson), [true, true, false, false, false]);
  });

  const wrongs = ['*/*', 'application/*', '*', 'json', 'application/json; charset=utf-8', '', 'a/b c', 'a/*b', 'a/*+'];
  for (const wrong of wrongs) {
    it(`refuses ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => readTypes([wrong], 'options.types'), { code: 'ERR_INVALID_ARG_VALUE' });
    });
  }

  it('refuses what is no list of text', () => {
    assert.throws(() => readTypes('application/json', 'options.types'), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => readTypes([/json/], 'options.types'), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});
