'use strict';

/** What analyzeRegExp takes and refuses, that it says the same each time, and that it ends on hostile patterns. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const path = require('node:path');
const { describe, it } = require('node:test');
const vm = require('node:vm');
const { Worker } = require('node:worker_threads');
const { analyzeRegExp, SafeRegExp } = require('..');
const labelled = require('./redos.cases.json');

/** Milliseconds; the bound by time must not show on a machine that is busy with other tests. */
const PATIENT = { timeoutMs: 60_000 };

const loopsOf = (pattern, flags) =>
  analyzeRegExp(pattern, flags).hotspots.map(({ start, end }) => pattern.slice(start, end));

describe("analyzeRegExp's pattern", () => {
  it('is a RegExp too, with its own flags or others', () => {
    assert.equal(analyzeRegExp(/a+b/i).attack.pump.toLowerCase(), 'a');
    assert.equal(analyzeRegExp(/^b|a+$/).complexity, 'polynomial');
    assert.equal(analyzeRegExp(/a+$/y).complexity, 'linear');
    assert.equal(analyzeRegExp(/a+$/y, '').complexity, 'polynomial');
    assert.equal(analyzeRegExp(/a+$/, 'y').complexity, 'linear');
    assert.equal(analyzeRegExp(/.+\n./, '').complexity, 'polynomial');
    assert.equal(analyzeRegExp(/^.+$/, 'm').complexity, analyzeRegExp('^.+$', 'm').complexity);
  });

  it('is a SafeRegExp too', () => {
    for (const [pattern, flags] of [['(a|a)*b', 'i'], ['\\s+$', 'g'], ['^a+$', '']]) {
      const found = analyzeRegExp(new SafeRegExp(pattern, flags));
      assert.deepEqual(plain(found), plain(analyzeRegExp(pattern, flags)));
      assert.equal(found.supported, true);
    }
  });

  it('may come from another realm', () => {
    const found = analyzeRegExp(vm.runInNewContext('/(a|a)*b/i'));
    assert.deepEqual(plain(found), plain(analyzeRegExp('(a|a)*b', 'i')));
    const options = vm.runInNewContext('({ timeoutMs: 100 })');
    assert.equal(analyzeRegExp('a', '', options).complexity, 'linear');
  });

  it('is what a RegExp really is, whatever a subclass says of itself', () => {
    class Deceptive extends RegExp {
      get source() {
        return '^a$';
      }
      get flags() {
        return 'y';
      }
      exec() {
        throw new Error('is not to be run');
      }
    }
    assert.deepEqual(plain(analyzeRegExp(new Deceptive('\\s+$', 'g'))), plain(analyzeRegExp('\\s+$', 'g')));
  });

  it('is left as it is', () => {
    const re = /a+$/g;
    re.lastIndex = 3;
    analyzeRegExp(re);
    assert.equal(re.lastIndex, 3);
  });

  it('may be empty', () => {
    for (const pattern of ['', '(?:)', '()', '^', '$', '^$', '|', new RegExp('')]) {
      assert.equal(analyzeRegExp(pattern).complexity, 'linear');
    }
  });

  it('counts its places in UTF-16 code units', () => {
    assert.deepEqual(analyzeRegExp('(a|a)*b').hotspots, [{ start: 0, end: 6 }]);
    assert.deepEqual(analyzeRegExp('\ud83d\ude00(a|a)*b').hotspots, [{ start: 2, end: 8 }]);
    assert.deepEqual(analyzeRegExp('\ud83d\ude00(a|a)*b', 'u').hotspots, [{ start: 2, end: 8 }]);
    assert.deepEqual(loopsOf('^(?<year>\\d+)1337(?<rest>\\d+)$'), ['\\d+', '\\d+']);
    assert.deepEqual(loopsOf('(?<\u00e9t\u00e9>a|a)*b'), ['(?<\u00e9t\u00e9>a|a)*']);
    assert.deepEqual(loopsOf('^(?=(?<inside>a+)+$)b'), ['(?<inside>a+)+']);
  });

  it('may have surrogates alone, and so may the attack', () => {
    for (const flags of ['', 'u', 'v']) {
      const { complexity, attack } = analyzeRegExp('(\ud83d|\\ud83d)*b', flags);
      assert.equal(complexity, 'exponential');
      assert.equal(attack.pump, '\ud83d');
      assert.equal(analyzeRegExp('[\\udc00-\\udfff]+x', flags).complexity, 'polynomial');
    }
    // Half of what the loop takes, twice: without u there are no characters outside the plane.
    const halves = analyzeRegExp('(?:\ud83d\ude00|\ud83d\ude00)*b');
    assert.equal(halves.complexity, 'exponential');
    assert.equal(halves.attack.pump.length, 2);
    assert.equal(analyzeRegExp('(?:\ud83d\ude00|\ud83d\ude00)*b', 'u').attack.pump, '\ud83d\ude00');
  });

  it('may have the v flag', () => {
    assert.equal(analyzeRegExp('[\\p{L}--[a-z]]+$', 'v').complexity, 'polynomial');
    assert.doesNotMatch(analyzeRegExp('[\\p{L}--[a-z]]+$', 'v').attack.pump, /[a-z]/);
    assert.equal(analyzeRegExp('[\\q{ab|a|b}]*c', 'v').complexity, 'exponential');
    assert.equal(analyzeRegExp('^[\\p{L}&&[a-z]]+$', 'v').complexity, 'linear');
  });

  it('is folded as its flags say', () => {
    // U+017F folds to s with u and i, and only then.
    assert.equal(analyzeRegExp('^(?:[a-z]|\u017f)+$', 'iu').complexity, 'exponential');
    assert.equal(analyzeRegExp('^(?:[a-z]|\u017f)+$', 'i').complexity, 'linear');
    assert.equal(analyzeRegExp('^(?:[a-z]|[A-Z])+$', 'i').complexity, 'exponential');
    assert.equal(analyzeRegExp('^(?:[a-z]|[A-Z])+$').complexity, 'linear');
    assert.equal(analyzeRegExp('^(?:.|\\n)+\\d$', 's').complexity, 'exponential');
    assert.equal(analyzeRegExp('^(?:.|\\n)+\\d$').complexity, 'linear');
  });
});

describe('analyzeRegExp', () => {
  it('takes a string or a RegExp, and flags that are a string', () => {
    const likenesses = [{ source: 'a', flags: '' }, Object.create(RegExp.prototype)];
    for (const pattern of [undefined, null, 5, true, {}, ['a'], ...likenesses]) {
      const thrown = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: /^pattern must be/ };
      assert.throws(() => analyzeRegExp(pattern), thrown);
    }
    for (const flags of [null, 5, {}, ['g']]) {
      assert.throws(() => analyzeRegExp('a', flags), { code: 'ERR_INVALID_ARG_TYPE', message: /^flags must be/ });
    }
  });

  it('throws what V8 throws for what is no pattern', () => {
    for (const [pattern, flags] of [['('], ['a', 'gg'], ['a', 'uv'], ['a', 'x'], ['\\p', 'u'], ['a**'], ['[b-a]']]) {
      const thrown = caught(() => new RegExp(pattern, flags));
      assert.throws(() => analyzeRegExp(pattern, flags), { name: 'SyntaxError', message: thrown.message });
    }
    assert.throws(() => analyzeRegExp(/\p/, 'u'), SyntaxError);
  });

  it('has one option, by its own name, an integer', () => {
    for (const timeoutMs of [1, 60_000, undefined]) analyzeRegExp('a', '', { timeoutMs });
    for (const timeoutMs of [0, -1, 60_001, 1.5, NaN, Infinity]) {
      assert.throws(() => analyzeRegExp('a', '', { timeoutMs }), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
    }
    for (const timeoutMs of ['5', 5n, null, {}]) {
      assert.throws(() => analyzeRegExp('a', '', { timeoutMs }), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    for (const options of [null, 5, 'x', []]) {
      assert.throws(() => analyzeRegExp('a', '', options), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    const thrown = { code: 'ERR_INVALID_ARG_VALUE', message: /'timeout'/ };
    assert.throws(() => analyzeRegExp('a', '', { timeout: 5 }), thrown);
  });

  it('takes no option from a polluted prototype', (t) => {
    t.after(() => delete Object.prototype.timeoutMs);
    Object.prototype.timeoutMs = 'polluted';
    assert.equal(analyzeRegExp('a', '', {}).complexity, 'linear');
  });
});

describe('attackString', () => {
  it('takes an integer from 0, whether there is an attack or not', () => {
    for (const pattern of ['\\s+$', '^a$']) {
      const { attackString } = analyzeRegExp(pattern);
      for (const repeat of ['3', undefined, null, 3n]) {
        assert.throws(() => attackString(repeat), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
      }
      for (const repeat of [-1, 1.5, NaN, Infinity]) {
        assert.throws(() => attackString(repeat), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
      }
    }
  });

  it('refuses what would be longer than any string', () => {
    const { attackString } = analyzeRegExp('\\s+$');
    assert.throws(() => attackString(2 ** 40), { code: 'ERR_OUT_OF_RANGE', message: /at most \d+/ });
    assert.equal(analyzeRegExp('^a$').attackString(2 ** 40), null);
  });

  it('needs no object before it', () => {
    const { attackString } = analyzeRegExp('\\s+$');
    assert.equal(attackString(3), '   a');
  });
});

describe("analyzeRegExp's answer", () => {
  it('is the same the second time, and in threads that all work at once', { timeout: 300_000 }, async () => {
    const source = `
      const { parentPort, workerData } = require('node:worker_threads');
      const { analyzeRegExp } = require(workerData.holdfast);
      parentPort.postMessage(workerData.patterns.map(({ pattern, flags }) => {
        const { attackString, ...rest } = analyzeRegExp(pattern, flags, workerData.options);
        return rest;
      }));`;
    const workerData = { holdfast: path.join(__dirname, '..'), patterns: labelled, options: PATIENT };
    const workers = Array.from({ length: 3 }, () => new Worker(source, { eval: true, workerData }));
    const answers = workers.map((worker) => once(worker, 'message'));
    const here = () => labelled.map(({ pattern, flags }) => plain(analyzeRegExp(pattern, flags, PATIENT)));
    const first = here();
    assert.deepEqual(here(), first);
    for (const [answer] of await Promise.all(answers)) assert.deepEqual(answer, first);
  });

  it('does not depend on what is changed in another one', () => {
    const found = analyzeRegExp('\\s+$');
    found.hotspots.push({ start: 9, end: 9 });
    found.attack.pump = 'x';
    assert.equal(analyzeRegExp('\\s+$').attack.pump, ' ');
    assert.equal(analyzeRegExp('\\s+$').hotspots.length, 1);
  });
});

const COMPLEXITIES = ['linear', 'polynomial', 'exponential', 'unknown'];
const GROWING = ['polynomial', 'exponential', 'unknown'];

const many = (count, make) => Array.from({ length: count }, (_, index) => make(index)).join('');

/** Each must have an answer; where `is` says which, that one. */
const HOSTILE = {
  '10,000 alternatives': { pattern: `(?:w${many(10_000, (index) => `|w${index}`)})` },
  '10,000 alternatives in a loop': { pattern: `(?:w${many(10_000, (index) => `|w${index}`)})*$` },
  '10,000 times the same alternative in a loop': { pattern: `(?:a${'|a'.repeat(10_000)})*b` },
  'groups nested 1,000 deep': { pattern: `${'('.repeat(1000)}a${')'.repeat(1000)}` },
  'loops nested 1,000 deep': { pattern: `${'(?:'.repeat(1000)}a${')*'.repeat(1000)}b` },
  'loops nested 150 deep': { pattern: `${'(?:'.repeat(150)}a${')*'.repeat(150)}b`, is: ['exponential', 'unknown'] },
  'lookaheads nested 1,000 deep': { pattern: `${'(?='.repeat(1000)}a${')'.repeat(1000)}` },
  'a counted loop of a counted loop': { pattern: '(?:a{1000}){1000}' },
  'the same with nothing at least': { pattern: '(?:a{0,1000}){0,1000}b', is: GROWING },
  'four counted loops': { pattern: '(?:(?:(?:a{0,25}){0,25}){0,25}){0,25}b', is: GROWING },
  'the largest counts': { pattern: 'a{2147483647}b{0,2147483647}c' },
  '60,000 characters': { pattern: 'a'.repeat(60_000) },
  '60,000 characters in a loop': { pattern: `(?:${'ab'.repeat(30_000)})*$` },
  '30,000 loops': { pattern: `${'a*'.repeat(30_000)}b`, is: GROWING },
  '50 loops of anything': { pattern: `${'(?:.*)'.repeat(50)}x`, is: GROWING },
  'a class of 20,000 characters': {
    pattern: `[${many(20_000, (index) => String.fromCharCode(0x4e00 + index))}]+$`,
    is: ['polynomial'],
  },
  '2,000 lookaheads': { pattern: `${'(?=a*b)'.repeat(2000)}c`, is: ['polynomial', 'unknown'] },
  '1,000 lookbehinds': { pattern: `${'(?<=a*b)'.repeat(1000)}c`, is: ['polynomial', 'unknown'] },
  '50 back-references': {
    pattern: `${'(a*)'.repeat(50)}${many(50, (index) => `\\${index + 1}`)}$`,
    is: GROWING,
  },
  'all of Unicode in alternatives': {
    pattern: '(?:\\p{L}|\\p{Lu}|\\p{Ll}|\\p{Any})*\\d',
    flags: 'iu',
    is: ['exponential'],
  },
};

describe('analyzeRegExp on hostile patterns', () => {
  for (const [name, { pattern, flags, is = COMPLEXITIES }] of Object.entries(HOSTILE)) {
    for (const timeoutMs of [1, undefined]) {
      it(`has an answer for ${name}${timeoutMs ? ' in no time' : ''}`, { timeout: 120_000 }, () => {
        const found = analyzeRegExp(pattern, flags, { timeoutMs });
        const possible = timeoutMs ? [...is, 'unknown'] : is;
        assert.ok(possible.includes(found.complexity), found.complexity);
        assert.equal(typeof found.undecided, found.complexity === 'unknown' ? 'string' : 'undefined');
        assert.equal(found.attack === null, found.complexity === 'unknown' || found.complexity === 'linear');
      });
    }
  }
});

/** Without its method. */
function plain({ attackString, ...rest }) {
  assert.equal(typeof attackString, 'function');
  return rest;
}

function caught(job) {
  try {
    job();
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
}
