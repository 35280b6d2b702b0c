'use strict';

/** Names with brackets: the cases one by one, and parseQuery against a naive recursive reading. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { parseQuery } = require('..');
const { attempt, encode, ordinary } = require('./support/query.js');
const { Random } = require('./support/random.js');
const cases = require('./query.cases.json');

const ROUNDS = Math.max(30_000, Number(process.env.HOLDFAST_QUERIES ?? 0));
const SEED = Number(process.env.HOLDFAST_SEED ?? 20_261_122);
const NESTED = { nested: true };

describe('nested names', () => {
  for (const { query, result, code } of cases.nested) {
    it(`${JSON.stringify(query)} ${code ? 'is refused' : 'is read'}`, () => {
      assert.deepEqual(
        attempt(() => parseQuery(query, NESTED)),
        code ? { code } : { result },
      );
    });
  }

  it('are names like others unless asked for', () => {
    for (const { query } of cases.nested) {
      assert.deepEqual(ordinary(parseQuery(query)), Object.fromEntries(new URLSearchParams(query)));
      assert.deepEqual(ordinary(parseQuery(query, { nested: false })), Object.fromEntries(new URLSearchParams(query)));
    }
  });

  /** The naive reading: by a pattern, and by recursion over groups of parameters. */
  function naive(pairs, options) {
    const faults = new Set();
    const { duplicates = 'last', arrays = [], limits } = options;
    const entries = pairs.map(([name, value]) => {
      const match = /^([^[\]]*)((?:\[[^[\]]+\])*)(\[\])?$/.exec(name);
      if (match === null || (match[1] === '' && name !== '')) return void faults.add('ERR_QUERY_KEY');
      const steps = [match[1], ...Array.from(match[2].matchAll(/\[([^\]]+)\]/g), ([, step]) => step)];
      const isMarked = match[3] !== undefined;
      if (steps.length - 1 + (isMarked ? 1 : 0) > limits.depth) faults.add('ERR_QUERY_LIMIT');
      return { steps, value, isMarked, isList: isMarked || arrays.includes(name) };
    });
    if (pairs.length > limits.parameters) faults.add('ERR_QUERY_LIMIT');
    // A name that cannot be read hides the others, so it is all that is wrong.
    if (entries.includes(undefined)) return { faults, value: undefined };
    const value = objectOf(entries);
    return { faults, value };

    function objectOf(inside) {
      const groups = Map.groupBy?.(inside, ({ steps }) => steps[0]) ?? groupBy(inside);
      return Object.fromEntries([...groups].map(([key, group]) => [key, memberOf(group)]));
    }

    function memberOf(group) {
      const leaves = group.filter(({ steps }) => steps.length === 1);
      const branches = group.filter(({ steps }) => steps.length > 1);
      const container = containerOf(branches.map((entry) => ({ ...entry, steps: entry.steps.slice(1) })));
      return leaves.length === 0 ? container : leafOf(leaves, branches.length > 0);
    }

    function containerOf(inside) {
      const object = objectOf(inside);
      const keys = Object.keys(object);
      if (keys.length === 0 || !keys.every((key, place) => key === String(place))) return object;
      if (keys.length > limits.arrayLength) faults.add('ERR_QUERY_LIMIT');
      return Object.values(object);
    }

    function leafOf(leaves, hasBranches) {
      const lists = leaves.filter(({ isList }) => isList);
      const texts = leaves.filter(({ isList }) => !isList);
      if (Math.sign(lists.length) + Math.sign(texts.length) + Number(hasBranches) > 1) {
        faults.add('ERR_QUERY_KEY');
      }
      const isArray = texts.length === 0 || (duplicates === 'array' && texts.length > 1);
      if (Math.max(lists.length, isArray ? texts.length : 0) > limits.arrayLength) faults.add('ERR_QUERY_LIMIT');
      if (texts.length > 1 && duplicates === 'error') faults.add('ERR_QUERY_DUPLICATE');
      const values = leaves.map((leaf) => leaf.value);
      return isArray ? values : values.at(duplicates === 'first' ? 0 : -1);
    }
  }

  function groupBy(entries) {
    const groups = new Map();
    for (const entry of entries) groups.set(entry.steps[0], [...(groups.get(entry.steps[0]) ?? []), entry]);
    return groups;
  }

  function nestedName(random) {
    const steps = random.list(3, () => random.pick(['[b]', '[c]', '[0]', '[1]', '[2]', '[7]', '[é]', '[constructor]']));
    const end = random.pick([
      '',
      '',
      '',
      '',
      '',
      '[]',
      '[]',
      '[]',
      '[]',
      random.pick(['[', ']', 'x', '[][b]', '[[b]]']),
    ]);
    return random.pick(['a', 'a', 'a', 'b', '中', random.below(10) === 0 ? '' : 'c']) + steps.join('') + end;
  }

  it(`are what a naive reading makes of them, on ${ROUNDS} random queries`, (t) => {
    const random = new Random(SEED + 3);
    const counts = { read: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const names = random.list(3, () => nestedName(random));
      const pairs =
        names.length === 0 ? [] : random.list(6, () => [random.pick(names), random.pick(['', 'x', 'y', 'é'])]);
      const query = pairs.map(([name, value]) => `${encode(name, random)}=${encode(value, random)}`).join('&');
      const options = {
        nested: true,
        duplicates: random.pick(['last', 'first', 'array', 'error']),
        arrays: random.below(2) === 0 ? ['a', 'a[b]', 'c[0]'] : undefined,
        limits: { depth: 1 + random.below(6), arrayLength: 1 + random.below(6), parameters: 3 + random.below(9) },
      };
      const { faults, value } = naive(pairs, options);
      const { result, code } = attempt(() => parseQuery(query, options));
      const label = `${query} ${JSON.stringify(options)}`;
      if (code === undefined) assert.deepEqual([[...faults], result], [[], value], label);
      // What is seen first is told; what a name that cannot be read hides from the naive reading may come before it.
      else assert.ok(faults.has(code) || (faults.size > 0 && value === undefined), `${label}: ${code}`);
      counts[code ?? 'read'] = (counts[code ?? 'read'] ?? 0) + 1;
    }
    t.diagnostic(JSON.stringify(counts));
    assert.ok(
      Object.keys(counts).length === 4 && Math.min(...Object.values(counts)) > ROUNDS / 50,
      'all must be tried',
    );
  });
});
