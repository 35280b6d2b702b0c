'use strict';

/** The folding of constants behind the ESLint rule, against what the language itself says the expressions are. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { parse } = require('@typescript-eslint/parser');
const { constantOf, isRegExpCall, patternOf } = require('../lib/eslint/constant.js');

/** Every identifier is the built-in of its name, but for those in `inits`. */
function resolving(inits = {}) {
  return ({ name }) => (Object.hasOwn(inits, name) ? { init: expression(inits[name]) } : 'global');
}

function expression(code) {
  return parse(`(${code})`).body[0].expression;
}

/** A regular expression as the folding writes it. */
function plain(value) {
  return value instanceof RegExp ? { source: value.source, flags: value.flags } : value;
}

const VARIABLES = { letter: "'a'", two: '`${letter}b`', digit: '/\\d/u', nothing: 'undefined', one: '1' };

describe('what is constant is what the language makes of it', () => {
  for (const code of [
    "'a'", '"\\n\\u{1F600}\\0"', '1', '0x10', '1e21', 'true', 'null', 'undefined', '/a\\/b/gi',
    "'a' + 'b'", "'a' + 1 + 2", "1 + 2 + 'a'", "'a' + null + undefined + true", '1 + true + null', "1 + undefined + ''",
    "'a' + ('b' + 'c') + 'd'", "'' + /a/g", '/a/ + 1', "'a' + 0.1", "'' + 1e21",
    '`a`', '`a${1}b${null}c${`d${/e/}`}`', '`\\n\\x41`', 'String.raw`\\n\\x41`', 'String.raw`\\d${1}${"\\n"}`',
    "String['raw']`\\d`", 'globalThis.String.raw`\\d`',
    'letter', 'two', 'two + letter', '`${two}${one}`', 'nothing', "'a' + nothing", 'digit',
    'digit.source', 'digit.flags', "digit['source']", "RegExp('a/b\\n').source", "RegExp('')", 'RegExp()',
    'RegExp(undefined)', 'RegExp(null)', "RegExp('a', 'g')", "new RegExp('a', undefined)", 'new RegExp(digit)',
    "new RegExp(digit, 'g')", "RegExp(/a/g, '')", 'RegExp(1)', "globalThis.RegExp('a')",
    "new globalThis['RegExp']('a')", "RegExp('a').flags",
    "global.RegExp('a')", "RegExp('a' + two, 'u')",
    "[].join()", "['a'].join('|')", "['a', 'b', 1, null, , undefined, /c/].join()", "['a', two].join(letter)",
    "['a', 'b'].join(null)", "['a', 'b'].join(undefined)", "['a', 'b'].join('')", "['a', 'b']['join']('-')",
  ]) {
    it(code, () => {
      const declarations = Object.entries(VARIABLES).map(([name, init]) => `const ${name} = ${init};`).join(' ');
      const expected = new Function(`${declarations} return ${code};`)();
      assert.deepEqual(constantOf(expression(code), resolving(VARIABLES)), { value: plain(expected) });
    });
  }

  it('parentheses that a parser keeps are seen through', () => {
    const literal = { type: 'Literal', value: 'a' };
    assert.deepEqual(constantOf({ type: 'ParenthesizedExpression', expression: literal }, resolving()), { value: 'a' });
  });

  it('what TypeScript puts around it is seen through', () => {
    for (const code of ["'a' as const", "<string>'a'", "'a'!", "'a' satisfies string", "('a' as any)! as string"]) {
      assert.deepEqual(constantOf(expression(code), resolving()), { value: 'a' }, code);
    }
  });
});

describe('what is not certain is no constant', () => {
  for (const code of [
    '1n', "-1", "'a' - 1", 'NaN', 'window', 'a ? 1 : 2', "a, 'b'", "'a'.length", "'a'.source", "'a'.repeat(2)",
    '[1]', '({})', 'f()', "new String('a')", 'tag`a`', 'String.row`a`', 'Strings.raw`a`', "RegExp(...'a')",
    "RegExp('a', ...'g')", "RegExp(f)", "['a', ...x].join()", "['a'].join(f)", "new ['a'].join()",
    "x.join('')", '/a/.exec', '/a/[source]', "this.RegExp('a')", "a.globalThis.RegExp('a')", "'a' + f", '`${f}`',
    'String.raw`${f}`', 'unknown',
  ]) {
    it(code, () => {
      const resolve = (node) => (node.name === 'unknown' ? undefined : resolving()(node));
      assert.equal(constantOf(expression(code), resolve), undefined);
    });
  }

  it('a built-in that is something else here', () => {
    const shadowed = () => undefined;
    for (const code of ["RegExp('a')", "globalThis.RegExp('a')", 'String.raw`a`', 'undefined']) {
      assert.equal(constantOf(expression(code), shadowed), undefined, code);
    }
    assert.equal(isRegExpCall(expression("RegExp('a')"), shadowed), false);
    assert.equal(isRegExpCall(expression("RegExp('a')"), resolving()), true);
  });
});

describe('sources that are made to take long', () => {
  it('a variable that is made of itself', () => {
    assert.equal(constantOf(expression('a'), resolving({ a: 'b', b: 'a' })), undefined);
    assert.equal(constantOf(expression('a'), resolving({ a: "a + 'x'" })), undefined);
  });

  it('variables that double each other, with and without a length', () => {
    for (const first of ["'x'", "''"]) {
      const inits = { a0: first };
      for (let index = 1; index < 60; index++) inits[`a${index}`] = `a${index - 1} + a${index - 1}`;
      assert.equal(constantOf(expression('a59'), resolving(inits)), undefined);
      assert.deepEqual(constantOf(expression('a5'), resolving(inits)), { value: first === "''" ? '' : 'x'.repeat(32) });
    }
  });

  it('a template and a join that grow', () => {
    const big = JSON.stringify('x'.repeat(100_000));
    assert.equal(constantOf(expression('`${big}${big}`'), resolving({ big })), undefined);
    assert.equal(constantOf(expression('big + big'), resolving({ big })), undefined);
    assert.equal(constantOf(expression('[big, big].join()'), resolving({ big })), undefined);
    assert.equal(constantOf(expression("['', ''].join(big)"), resolving({ big }))?.value.length, 100_000);
    assert.equal(constantOf(expression("['', '', ''].join(big)"), resolving({ big })), undefined);
  });

  it('a sum of thousands of parts is one', () => {
    const literal = { type: 'Literal', value: 'a' };
    let sum = literal;
    for (let index = 1; index < 9000; index++) {
      sum = { type: 'BinaryExpression', operator: '+', left: sum, right: literal };
    }
    assert.deepEqual(constantOf(sum, resolving()), { value: 'a'.repeat(9000) });
  });

  it('depth', () => {
    let deep = { type: 'Literal', value: 'a' };
    for (let index = 0; index < 100_000; index++) {
      deep = { type: 'BinaryExpression', operator: '+', left: { type: 'Literal', value: '' }, right: deep };
    }
    assert.equal(constantOf(deep, resolving()), undefined);
  });
});

describe('patternOf', () => {
  it('is a pattern as RegExp itself writes it', () => {
    assert.deepEqual(patternOf(expression("RegExp('a/b', 'ig')"), resolving()), { source: 'a\\/b', flags: 'gi' });
    assert.deepEqual(patternOf(expression('/a/ig'), resolving()), { source: 'a', flags: 'ig' });
    assert.equal(patternOf(expression("'a'"), resolving()), undefined);
  });

  it('is what was written where RegExp refuses it', () => {
    assert.deepEqual(patternOf(expression("RegExp('(', 'g')"), resolving()), { source: '(', flags: 'g' });
  });
});
