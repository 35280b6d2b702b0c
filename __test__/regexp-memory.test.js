'use strict';

/**
 * What a search may cost: memory up to `memoryLimit`, steps up to the budget of back-references, and an error of its own
 * where that is not enough. What a process really takes is measured in one that does nothing else.
 */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { SafeRegExp } = require('..');
const { runNode } = require('./support/child.js');

const MIB = 2 ** 20;

/** Beside the limit: the copy of the text that native code works on, results, and what Node does at the same time. */
const ASIDE = 24 * MIB;

/** What one search adds to the largest size that the process ever had, and what came of it. */
async function measure({ pattern, flags = '', unit, length, operation, options, isOneByte = false }) {
  const { code, signal, stdout, stderr } = await runNode(`
    const { SafeRegExp } = require(holdfast);
    // What repeat() makes is flat, and one-byte, from the first search on.
    const flat = (text) => (${isOneByte} ? text : Buffer.from(text, 'utf16le').toString('utf16le'));
    const text = flat(${JSON.stringify(unit)}.repeat(${Math.floor(length / unit.length)}));
    const re = new SafeRegExp(${JSON.stringify(pattern)}, ${JSON.stringify(flags)}, ${JSON.stringify(options)});
    const peak = () => process.resourceUsage().maxRSS * 1024;
    const run = (input) => (${operation})(re, input);
    run(text.slice(0, 1000));
    const before = peak();
    let outcome;
    try {
      outcome = String(run(text));
    } catch (error) {
      outcome = error.code;
    }
    console.log(JSON.stringify({ outcome, added: peak() - before, again: String(run('abc')) }));
  `);
  assert.equal(code, 0, `${signal} ${stderr}`);
  return JSON.parse(stdout);
}

describe('a search of SafeRegExp on ten megabytes', { skip: process.platform === 'win32' && 'maxRSS differs' }, () => {
  const shapes = [
    { pattern: '(a|b|ab)*c', unit: 'ab' },
    { pattern: '(?:(?=(a*))a|b)*c', unit: 'ab' },
    { pattern: '(?:(a)|(b)|(a)(b))*c', unit: 'ab' },
    { pattern: '(?<=(b*))(?!a*c)d', unit: 'ab' },
  ];
  for (const shape of shapes) {
    for (const [name, operation] of Object.entries({
      test: '(re, text) => re.test(text)',
      exec: '(re, text) => re.exec(text)?.index ?? null',
      replace: "(re, text) => text.replace(re, '').length === text.length ? null : 'shorter'",
    })) {
      it(`answers or gives up within 64 MiB: /${shape.pattern}/ ${name}`, async (t) => {
        const { outcome, added, again } = await measure({ ...shape, length: 10_000_000, operation });
        t.diagnostic(`${outcome}, ${(added / MIB).toFixed(1)} MiB more`);
        assert.ok(['false', 'null', 'ERR_REGEXP_MEMORY'].includes(outcome), outcome);
        assert.ok(added <= 64 * MIB + ASIDE, `${(added / MIB).toFixed(1)} MiB more`);
        assert.notEqual(again, 'ERR_REGEXP_MEMORY', 'what was too large leaves nothing behind');
      });
    }
  }
});

describe('a text over the limit', { skip: process.platform === 'win32' && 'maxRSS differs' }, () => {
  for (const [name, operation] of Object.entries({
    test: '(re, text) => re.test(text)',
    exec: '(re, text) => re.exec(text)?.index',
    match: "(re, text) => text.match(new SafeRegExp(re, 'g'))",
    replace: "(re, text) => text.replace(re, '').length",
    split: '(re, text) => text.split(re).length',
  })) {
    it(`is not even read by ${name}`, async (t) => {
      const { outcome, added } = await measure({ pattern: 'b', unit: 'a', length: 2 ** 27, operation, isOneByte: true });
      t.diagnostic(`${outcome}, ${(added / MIB).toFixed(1)} MiB more`);
      assert.equal(outcome, 'ERR_REGEXP_MEMORY');
      assert.ok(added <= ASIDE, `${(added / MIB).toFixed(1)} MiB more`);
    });
  }
});

describe('memoryLimit', () => {
  const text = 'a'.repeat(1_000_000);

  it('ends a search that needs more, and nothing else', () => {
    const re = new SafeRegExp('(?:(?=(a*))a)*b', 'g', { memoryLimit: 65_536 });
    for (const search of [
      () => re.test(text),
      () => re.exec(text),
      () => text.match(re),
      () => [...text.matchAll(re)],
      () => text.replace(re, ''),
      () => text.split(re),
      () => text.search(re),
    ]) {
      re.lastIndex = 0;
      assert.throws(search, { name: 'HoldfastError', code: 'ERR_REGEXP_MEMORY' }, String(search));
    }
    re.lastIndex = 0;
    assert.equal(re.exec('aab')[0], 'aab');
    assert.equal(new SafeRegExp('(?:(?=(a*))a)*b').test(text), false);
  });
});

describe('back-references with a budget', () => {
  it('give the results of RegExp within it', () => {
    const re = new SafeRegExp('(a+)b\\1$', '', { backreferences: { budget: 100_000 } });
    for (const text of ['aaabaa', 'caabaa', 'aab', 'aabaaa']) assert.deepEqual(re.exec(text), /(a+)b\1$/.exec(text));
  });

  it('end with an error beyond it', () => {
    const re = new SafeRegExp('^(a*)*\\1b', '', { backreferences: { budget: 100_000 } });
    assert.throws(() => re.test('a'.repeat(40)), { name: 'HoldfastError', code: 'ERR_REGEXP_BUDGET' });
    assert.equal(re.test('b'), true);
  });
});
