// Tests of the parts of redos.mjs: patterns are found as they stand in a source, in the same order each time, verdicts
// of other analysers are put into our words, V8's growth is told from none, and a disagreement is decided by it. Needs
// neither the addon nor the peers, which are stood in for.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { agreement, agreementTable, decided, labelled, otherDegrees } from './redos.mjs';
import { literalsWith, patternsOf, spread } from './redos-corpus.mjs';
import { GrowthMeter, textOf } from './redos-growth.mjs';
import { answerOf, holdfastAnalyser } from './redos-peers.mjs';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-redos-'));
after(() => rmSync(folder, { recursive: true }));

const linear = { verdict: 'linear', degree: 1, attack: null };
const squared = { pattern: 'a+$', flags: '', attack: { pumps: [{ prefix: '', pump: 'a' }], suffix: 'b' } };

function tree(name, files) {
  for (const [file, source] of Object.entries(files)) {
    mkdirSync(join(folder, name, file, '..'), { recursive: true });
    writeFileSync(join(folder, name, file), source);
  }
  return join(folder, name);
}

/** Literal after literal between number signs: what a parser would find, without one. */
const marked = (_, source) =>
  [...source.matchAll(/#\/(.*?)\/([a-z]*)#/g)].map(([, pattern, flags]) => ({ pattern, flags }));

test('patterns come once, in the order of files, without what V8 refuses', () => {
  const packages = tree('node_modules', {
    'b/index.js': '#/second/# #/first/i#',
    'a/index.js': '#/first/# #/(/# #/first/i# #/x/zz#',
    'a/lib/inner.cjs': '#/third/#',
    'a/notes.txt': '#/text/#',
    '.cache/index.js': '#/hidden/#',
  });
  const { patterns, files, digest } = patternsOf([packages], marked);
  assert.deepEqual(patterns, [
    { pattern: 'first', flags: '', where: 'a/index.js' },
    { pattern: 'first', flags: 'i', where: 'a/index.js' },
    { pattern: 'third', flags: '', where: 'a/lib/inner.cjs' },
    { pattern: 'second', flags: '', where: 'b/index.js' },
  ]);
  assert.equal(files, 3);
  assert.equal(patternsOf([packages, packages], marked).digest, digest);
});

test('literals are taken from the tree, in the order of the source', () => {
  const literal = (pattern, flags) => ({ type: 'Literal', regex: { pattern, flags }, value: {} });
  const call = { type: 'CallExpression', arguments: [literal('b', '')], optional: null };
  const program = { type: 'Program', body: [literal('a', 'g'), call] };
  const literals = literalsWith({ parseSync: () => ({ program }) });
  assert.deepEqual(literals('x.js', 'x / y'), [
    { pattern: 'a', flags: 'g' },
    { pattern: 'b', flags: '' },
  ]);
  assert.deepEqual(literals('x.js', 'no slash'), []);
});

test('a sample is spread over the whole list', () => {
  const list = Array.from({ length: 100 }, (_, index) => index);
  assert.deepEqual(spread(list, 4), [0, 25, 50, 75]);
  assert.deepEqual(spread(list, 200), list);
});

test('an attack with several pumps has as many of each', () => {
  const attack = { pumps: [{ prefix: '<', pump: 'a', bias: 1 }, { prefix: '-', pump: 'b' }], suffix: '>' };
  assert.equal(textOf(attack, 2), '<aaa-bb>');
  assert.equal(textOf(attack, 0), '<a->');
});

test("recheck's and our answers are in the same words", () => {
  assert.deepEqual(answerOf({ status: 'safe', complexity: { type: 'safe' } }), linear);
  assert.deepEqual(answerOf({ status: 'safe', complexity: { type: 'linear' } }), linear);
  assert.equal(answerOf({ status: 'unknown', error: { kind: 'timeout' } }).why, 'timeout');
  const attack = { pumps: [{ prefix: '', pump: 'a', bias: 0 }], suffix: 'b', base: 9, string: '' };
  const vulnerable = { status: 'vulnerable', complexity: { type: 'polynomial', degree: 3 }, attack };
  assert.deepEqual(answerOf(vulnerable), {
    verdict: 'polynomial',
    degree: 3,
    attack: { pumps: attack.pumps, suffix: 'b' },
  });
  assert.equal(answerOf({ ...vulnerable, complexity: { type: 'exponential' } }).degree, Infinity);
  const found = { complexity: 'exponential', degree: Infinity, attack: { prefix: 'p', pump: 'a', suffix: 's' } };
  const analyse = holdfastAnalyser({ analyzeRegExp: () => found });
  assert.deepEqual(analyse('x', ''), {
    verdict: 'exponential',
    degree: Infinity,
    attack: { pumps: [{ prefix: 'p', pump: 'a' }], suffix: 's' },
    why: undefined,
  });
});

test('agreement counts pairs of verdicts', () => {
  const said = (own, other) => ({ answers: { holdfast: { verdict: own }, recheck: { verdict: other } } });
  const compared = [said('linear', 'linear'), said('linear', 'unknown'), said('linear', 'linear')];
  assert.equal(agreement(compared), 'linear/linear 2, linear/unknown 1');
  assert.equal(agreementTable(compared).linear.unknown, 1);
  assert.equal(agreementTable(compared).polynomial.linear, 0);
});

test('degrees are compared where both say polynomial', () => {
  const said = (pattern, own, other) => {
    const [holdfast, recheck] = [own, other].map(([verdict, degree]) => ({ verdict, degree }));
    return { pattern, flags: '', where: 'here', answers: { holdfast, recheck } };
  };
  const compared = [
    said('same', ['polynomial', 2], ['polynomial', 2]),
    said('other', ['polynomial', 3], ['polynomial', 2]),
    said('class', ['polynomial', 2], ['exponential', Infinity]),
  ];
  assert.deepEqual(otherDegrees(compared), [
    { pattern: 'other', flags: '', where: 'here', holdfast: 3, recheck: 2, label: null },
  ]);
});

test('the labelled list has what is compared', () => {
  for (const { pattern, flags, where, expected } of labelled()) {
    new RegExp(pattern, flags);
    assert.ok(where && expected);
  }
});

describe("V8's growth", { timeout: 60_000 }, () => {
  const meter = new GrowthMeter();
  after(() => meter.close());

  test('is seen where it is, polynomial and exponential', async () => {
    const polynomial = await meter.measure({ ...squared, kind: 'polynomial' });
    assert.ok(polynomial.ratio > 1 && polynomial.more === 2 * polynomial.repeat, JSON.stringify(polynomial));
    const attack = { pumps: [{ prefix: '', pump: 'a' }], suffix: 'b' };
    const exponential = await meter.measure({ pattern: '^(a|a)*$', flags: '', attack, kind: 'exponential' });
    assert.ok(exponential.ratio > 1 && exponential.more > exponential.repeat, JSON.stringify(exponential));
  });

  test('is not seen where there is none', async () => {
    const { ratio, ended } = await meter.measure({ ...squared, pattern: '^c', kind: 'polynomial' });
    assert.ok(ratio === 0 && !ended);
  });

  test('that is too much is ended, and the next one is measured', async () => {
    const attack = { pumps: [{ prefix: 'a'.repeat(60), pump: 'a' }], suffix: 'b' };
    const { ratio, ended } = await meter.measure({ pattern: '^(a|a)*$', flags: '', attack, kind: 'exponential' });
    assert.ok(ended && ratio === 0);
    assert.equal((await meter.measure({ ...squared, pattern: '^c', kind: 'polynomial' })).ended, false);
  });
});

test('who shows the growth of V8 is right, unless there is a label', async () => {
  // Twice the time, and twice again, where the pattern is not anchored.
  const meter = {
    measure: async ({ pattern }) => {
      const ratio = pattern.startsWith('^') ? 0 : 4;
      return { repeat: 1, ms: 30, more: 2, moreMs: 30 * ratio, ratio, ended: false };
    },
    async close() {},
  };
  const polynomial = { verdict: 'polynomial', degree: 2, attack: squared.attack };
  const exponential = { verdict: 'exponential', degree: Infinity, attack: squared.attack };
  const unknown = { verdict: 'unknown', degree: null, attack: null, why: 'timeout' };
  const ask = async (pattern, holdfast, recheck, rest = {}) => {
    const disagreement = { ...squared, pattern, where: 'here', answers: { holdfast, recheck }, ...rest };
    const [{ right }] = await decided([disagreement], performance.now(), meter);
    return right;
  };
  assert.equal(await ask('a+$', polynomial, linear), 'holdfast');
  assert.equal(await ask('a+$', linear, polynomial), 'recheck');
  assert.equal(await ask('a+$', exponential, polynomial), 'holdfast');
  assert.equal(await ask('^a+$', polynomial, linear), 'recheck');
  assert.equal(await ask('^a+$', linear, unknown), 'nobody shows it');
  assert.equal(await ask('a+$', linear, unknown, { expected: 'linear' }), 'holdfast');
  assert.equal(await ask('a+$', linear, unknown, { expected: 'exponential' }), 'neither');
});
