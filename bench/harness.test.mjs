// Tests of the benchmark arithmetic, with a clock that the contestants move themselves: the figures are then exact.
// Run with `npm test` in bench/; needs neither the addon nor the peers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AGGREGATED, aggregate, geometricMean } from './aggregates.mjs';
import { textOf } from './generate.mjs';
import { cases as regexpCases } from './regexp.mjs';
import { compare, isolate, median, OutputMismatch, quantile, ratios, rotate, summarize } from './harness.mjs';
import { aggregateTable, formatNs, formatRatio, resultTable } from './table.mjs';

function fakeTime() {
  let now = 0n;
  return {
    clock: () => now,
    /** A contestant that takes `ns` and returns `output`. */
    taking: (ns, output) => () => {
      now += BigInt(ns);
      return output;
    },
  };
}

test('median and quantiles', () => {
  assert.equal(median([3]), 3);
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(quantile([1, 2, 3, 4, 5], 0.25), 2);
  assert.equal(quantile([1, 2, 3, 4], 0.75), 3.25);
  assert.throws(() => median([]), RangeError);
});

test('median sorts as numbers and leaves its argument alone', () => {
  const values = [100, 9, 20];
  assert.equal(median(values), 20);
  assert.deepEqual(values, [100, 9, 20]);
});

test('spread is the interquartile range in per cent of the median', () => {
  assert.deepEqual(summarize([10, 20, 30, 40, 50]), {
    median: 30,
    min: 10,
    q1: 20,
    q3: 40,
    spreadPercent: (20 / 30) * 100,
  });
  assert.equal(summarize([7, 7, 7]).spreadPercent, 0);
});

test('a ratio over 1 means Holdfast is faster', () => {
  const result = ratios({
    holdfast: { median: 100, min: 80 },
    slow: { median: 250, min: 240 },
    fast: { median: 50, min: 40 },
  });
  assert.deepEqual(result, { slow: { median: 2.5, min: 3 }, fast: { median: 0.5, min: 0.5 } });
});

test('rotation gives everyone every place once', () => {
  const names = ['a', 'b', 'c'];
  const places = [0, 1, 2].map((round) => rotate(names, round));
  assert.deepEqual(places, [
    ['a', 'b', 'c'],
    ['b', 'c', 'a'],
    ['c', 'a', 'b'],
  ]);
  assert.deepEqual(rotate(names, 3), names);
});

test('the order rotates in the rounds that are measured', async () => {
  const time = fakeTime();
  const seen = [];
  const contestant = (name) => () => {
    seen.push(name);
    return time.taking(10e6, 1)();
  };
  await compare(
    { contestants: { holdfast: contestant('h'), x: contestant('x'), y: contestant('y') } },
    { clock: time.clock, rounds: 3, minSampleMs: 10, warmUpMs: 0, collect: () => {} },
  );
  assert.equal(seen.slice(-9).join(''), 'hxyxyhyhx');
});

test('times are per operation, and ratios come from them', async () => {
  const time = fakeTime();
  const result = await compare(
    { contestants: { holdfast: time.taking(1600, 'same'), peer: time.taking(4000, 'same') } },
    { clock: time.clock, rounds: 4, operations: 16, collect: () => {} },
  );
  assert.equal(result.contestants.holdfast.median, 100);
  assert.equal(result.contestants.peer.median, 250);
  assert.equal(result.ratios.peer.median, 2.5);
  assert.equal(result.contestants.holdfast.samples.length, 4);
  assert.equal(result.contestants.holdfast.iterations, Math.ceil(2e6 / 1600));
});

test('a contestant that returns a promise is awaited', async () => {
  const time = fakeTime();
  const late = async () => {
    await null;
    return time.taking(3e6, 'same')();
  };
  const result = await compare(
    { contestants: { holdfast: time.taking(1e6, 'same'), late } },
    { clock: time.clock, rounds: 2, collect: () => {} },
  );
  assert.equal(result.contestants.late.median, 3e6);
});

test('inputs are renewed before every call, outside its time, and a sample is one call', async () => {
  const time = fakeTime();
  const waiting = { holdfast: 0, peer: 0 };
  const contestant = (name, ns) => () => {
    assert.equal(waiting[name], 1, 'one call uses up what one renewal made');
    waiting[name] = 0;
    return time.taking(ns, 'same')();
  };
  const renew = async (name) => {
    await null;
    time.taking(5e6)();
    waiting[name] = 1;
  };
  const contestants = { holdfast: contestant('holdfast', 1000), peer: contestant('peer', 3000) };
  const settings = { clock: time.clock, rounds: 3, operations: 10, warmUpMs: 0.01, collect: () => {} };
  const result = await compare({ contestants, renew }, settings);
  assert.equal(result.contestants.holdfast.median, 100);
  assert.equal(result.contestants.peer.median, 300);
  assert.equal(result.contestants.peer.iterations, 1);
});

test('a different output is refused by name', async () => {
  const time = fakeTime();
  const contestants = { holdfast: time.taking(1e6, { a: 1 }), liar: time.taking(1, { a: 2 }) };
  const settings = { clock: time.clock, collect: () => {} };
  await assert.rejects(compare({ contestants }, settings), (error) => {
    assert.ok(error instanceof OutputMismatch);
    assert.equal(error.contestant, 'liar');
    return true;
  });
  const normalized = compare({ contestants, normalize: () => 'the same' }, { ...settings, minSampleMs: 0.001 });
  assert.equal((await normalized).contestants.liar.median, 1);
});

test('an output that changes while it is measured is refused', async () => {
  const time = fakeTime();
  let calls = 0;
  const drifting = () => {
    time.taking(1e6)();
    return calls++ === 0;
  };
  const settings = { clock: time.clock, rounds: 1, collect: () => {} };
  await assert.rejects(
    compare({ contestants: { holdfast: time.taking(1e6, true), drifting } }, settings),
    OutputMismatch,
  );
});

test('a case with a check of its own fails when the check does', async () => {
  const time = fakeTime();
  const contestants = { holdfast: time.taking(1e6, 'x'), peer: time.taking(1e6, 'y') };
  const check = (outputs) => assert.equal(outputs.peer, 'z');
  await assert.rejects(compare({ contestants, check }, { clock: time.clock }), assert.AssertionError);
});

test('an unavailable contestant is left out of the figures; a case without Holdfast is an error', async () => {
  const time = fakeTime();
  const settings = { clock: time.clock, rounds: 1, collect: () => {} };
  const result = await compare({ contestants: { holdfast: time.taking(1e6, 1), gone: null } }, settings);
  assert.deepEqual(Object.keys(result.contestants), ['holdfast']);
  await assert.rejects(compare({ contestants: { peer: time.taking(1e6, 1) } }, settings), /holdfast/);
});

test('an isolated copy does the same and is another function', () => {
  const factory = (a) => () => a + 1;
  const copy = isolate(factory);
  assert.notEqual(copy, factory);
  assert.equal(copy(2)(), 3);
});

test('figures keep three digits and their unit', () => {
  assert.equal(formatNs(7.123), '7.12 ns');
  assert.equal(formatNs(123.4), '123 ns');
  assert.equal(formatNs(999.7), '1.00 µs');
  assert.equal(formatNs(45_600), '45.6 µs');
  assert.equal(formatNs(8_910_000), '8.91 ms');
  assert.equal(formatNs(2.5e9), '2.50 s');
  assert.equal(formatRatio(0.748), '0.75 ×');
  assert.equal(formatRatio(0.00123), '0.0012 ×');
  assert.equal(formatRatio(12.34), '12.3 ×');
  assert.equal(formatRatio(1234.5), '1,235 ×');
});

test('the table shows losses, failures and who is missing', () => {
  const contestant = (ns) => ({ median: ns, min: ns, q1: ns, q3: ns, spreadPercent: 4.4 });
  const contestants = { holdfast: contestant(100), quick: contestant(50) };
  const table = resultTable([
    { title: 'one', contestants, ratios: ratios(contestants), missing: { gone: 'cannot be loaded' } },
    { title: 'two', error: 'it broke' },
  ]);
  assert.match(table, /\| one \| 100 ns \| 50\.0 ns · 0\.50 × \| not run \| 4 % \|/);
  assert.match(table, /\| two \| failed: it broke \|/);
});

test('the geometric mean does not care which way ratios are divided', () => {
  assert.ok(Math.abs(geometricMean([2, 8]) - 4) < 1e-12);
  assert.ok(Math.abs(geometricMean([0.1, 10]) - 1) < 1e-12);
  assert.throws(() => geometricMean([]), RangeError);
});

test('a group is summed up: all, the lowest, the losses, the target, every tag', () => {
  const result = (kind, v8, re2) => ({
    tags: { kind },
    ratios: { 'V8 RegExp': { median: v8 }, ...(re2 ? { re2: { median: re2 } } : {}) },
  });
  const results = [result('a', 2, 8), result('a', 0.5, 2), result('b', 8), { tags: { kind: 'b' }, error: 'it broke' }];
  const { method, peers, lines } = aggregate('Long text', results);
  assert.equal(method, 'geometric mean');
  assert.deepEqual(peers, ['V8 RegExp', 're2']);
  const rounded = lines.map(({ label, cases, failed, figures }) => [
    label,
    cases,
    failed,
    figures.map((figure) => figure && Number(figure.toFixed(9))),
  ]);
  assert.deepEqual(rounded, [
    ['all', 3, 1, [2, 4]],
    ['lowest', undefined, undefined, [0.5, 2]],
    ['cases in which Holdfast is slower', undefined, undefined, [1, 0]],
    ['target for the geometric mean', undefined, undefined, [1.5, 4]],
    ['a', 2, 0, [1, 4]],
    ['b', 1, 1, [8, null]],
  ]);
  const table = aggregateTable({ method, peers, lines });
  assert.match(table, /\| all \| 3, and 1 failed \| 2\.00 × \| 4\.00 × \|/);
  assert.match(table, /\| target for the geometric mean \|  \| ≥ 1\.50 × \| ≥ 4\.00 × \|/);
  assert.match(table, /\| b \| 1, and 1 failed \| 8\.00 × \|  \|/);
});

test('only the groups of the list are summed up, and one in which every case failed says so', () => {
  assert.equal(aggregate('another', [{ ratios: { re2: { median: 1 } } }]), null);
  for (const group of Object.keys(AGGREGATED)) {
    assert.equal(aggregate(group, []), null);
    assert.match(aggregateTable(aggregate(group, [{ error: 'it broke' }])), /\| all \| 0, and 1 failed \|/);
  }
});

test('every group of the list has cases, and no title twice', () => {
  for (const group of Object.keys(AGGREGATED)) {
    const titles = regexpCases.filter((definition) => definition.group === group).map(({ title }) => title);
    assert.ok(titles.length >= 10, group);
    assert.equal(new Set(titles).size, titles.length, group);
  }
});

test('generated texts have their length and are the same every time', () => {
  for (const kind of ['prose', 'log', 'source', 'page', 'international']) {
    const text = textOf(kind, 5000);
    assert.equal(text.length, 5000);
    assert.equal(text, textOf(kind, 5000));
    assert.equal(/[^\x00-\xff]/.test(text), kind === 'international');
  }
});
