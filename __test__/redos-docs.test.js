'use strict';

/** What docs/redos.md shows is what comes out. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const holdfast = require('..');

const text = fs.readFileSync(path.join(__dirname, '..', 'docs', 'redos.md'), 'utf8').replaceAll('\r\n', '\n');

describe('docs/redos.md', () => {
  it('shows the values that its example has', () => {
    const [, code] = /^```js\n([^]*?)^```$/m.exec(text);
    const shown = [...code.matchAll(/^(analysis\.[^;]+); \/\/ ([^;\n]+)/gm)];
    assert.equal(shown.length, 7);
    const [, pattern] = /analyzeRegExp\(\/(.+)\/\)/.exec(code);
    const analysis = holdfast.analyzeRegExp(pattern);
    for (const [, expression, value] of shown) {
      const evaluate = new Function('analysis', `return [${expression}, ${value}];`);
      const [actual, expected] = evaluate(analysis);
      assert.deepEqual(actual, expected, expression);
    }
  });

  it('says of the patterns in its text what the analysis says', () => {
    const said = {
      '\\s+$': 2,
      '^\\s+$': 1,
      '\\s+': 1,
      '\\d{1,500}$': 1,
      '(a?){25}a{25}': Infinity,
      '(?:a{0,25}){0,25}b': Infinity,
      '\\d{1,1000}$': 2,
    };
    for (const [pattern, degree] of Object.entries(said)) {
      assert.equal(holdfast.analyzeRegExp(pattern).degree, degree, pattern);
    }
  });
});
