'use strict';

/**
 * analyzeRegExp over a list of real patterns whose growth is known: from advisories and their repairs, and from
 * validators in wide use. Labels come from the advisory, from reasoning, and from timing V8's own matcher on the
 * `attack` of the entry, never from analyzeRegExp. `confirmed: false`: the pattern is cited from memory.
 */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { analyzeRegExp } = require('..');
const labelled = require('./redos.cases.json');

const COMPLEXITIES = ['linear', 'polynomial', 'exponential', 'unknown'];
/** Of the list, in percent. */
const UNKNOWN = 2;
/** How far the growth of the last doubling may be from the degree: terms of lower degree are in it. */
const NEAR = 0.5;
/** Milliseconds; the bound by time must not show on a machine that is busy with other tests. */
const PATIENT = { timeoutMs: 60_000 };

/** What the results of analysing the list are, each analysed once. */
const analysed = labelled.map((label) => ({ ...label, found: analyzeRegExp(label.pattern, label.flags, PATIENT) }));
const attacked = analysed.filter(({ found }) => found.attack !== null);

const named = ({ pattern, flags, from }) => `/${pattern}/${flags} (${from})`;

describe('the labelled list', () => {
  it('has at least 150 patterns, each once, vulnerable and safe ones, with where they come from', () => {
    assert.ok(labelled.length >= 150);
    assert.equal(new Set(labelled.map(({ pattern, flags }) => `/${pattern}/${flags}`)).size, labelled.length);
    const safe = labelled.filter(({ expected }) => expected === 'linear').length;
    assert.ok(safe >= 50 && labelled.length - safe >= 100);
    for (const { expected, degree, from, note } of labelled) {
      assert.ok(['linear', 'polynomial', 'exponential'].includes(expected));
      assert.ok(degree === null || (expected === 'linear' ? degree === 1 : expected === 'polynomial' && degree >= 2));
      assert.ok(from.length > 0 && note.length > 0);
    }
  });

  it('has an attack that somebody wrote for each vulnerable pattern, and none for the others', () => {
    for (const { expected, attack } of labelled) assert.equal(attack === undefined, expected === 'linear');
  });
});

describe('analyzeRegExp on the labelled list', () => {
  for (const { found, ...label } of analysed) {
    it(`${label.expected}: ${named(label)}`, () => {
      if (found.complexity === 'unknown') {
        assert.equal(typeof found.undecided, 'string');
        return;
      }
      assert.equal(found.complexity, label.expected);
      if (label.degree !== null) assert.equal(found.degree, label.degree);
    });
  }

  it(`leaves at most ${UNKNOWN} % of it undecided`, (t) => {
    const undecided = analysed.filter(({ found }) => found.complexity === 'unknown');
    for (const label of undecided) t.diagnostic(`${named(label)}: ${label.found.undecided}`);
    assert.ok(undecided.length <= (UNKNOWN / 100) * labelled.length, `${undecided.length} of ${labelled.length}`);
  });

  it('calls no pattern linear that is known to be vulnerable', () => {
    const missed = analysed.filter(({ expected, found }) => expected !== 'linear' && found.complexity === 'linear');
    assert.deepEqual(missed.map(named), []);
  });

  it('has an attack when it says that the steps grow, and only then', () => {
    for (const { found, ...label } of analysed) {
      const grows = found.complexity === 'polynomial' || found.complexity === 'exponential';
      assert.equal(found.attack !== null, grows, named(label));
      if (grows) assert.ok(found.steps.length >= 3, named(label));
    }
  });

  it('counts steps that grow as claimed, on attack strings with more and more pumps', () => {
    for (const { found, ...label } of attacked) {
      const pumps = found.steps.map(({ length }) => pumpsIn(found.attack, length));
      const powers = [];
      for (const [index, { length, steps }] of found.steps.entries()) {
        assert.equal(found.attackString(pumps[index]).length, length, named(label));
        if (index === 0) continue;
        assert.ok(pumps[index] > pumps[index - 1], named(label));
        powers.push(Math.log(steps / found.steps[index - 1].steps) / Math.log(pumps[index] / pumps[index - 1]));
      }
      const [before, last] = powers.slice(-2);
      if (found.complexity === 'exponential') {
        assert.ok(last > before && last > 2, `${named(label)}: ${powers}`);
      } else if (found.steps.at(-1).steps * 2 ** found.degree <= Number.MAX_SAFE_INTEGER) {
        assert.ok(Math.abs(last - found.degree) <= NEAR, `${named(label)}: ${powers}`);
      } else {
        // A high degree shows on texts so long that their steps are beyond counting; until then it is on its way.
        assert.ok(last > before && last <= found.degree + NEAR, `${named(label)}: ${powers}`);
      }
    }
  });

  it('attacks a search that begins at the start of the text, with g too', () => {
    // What the first alternative takes there, the second one does not come to see.
    const trims = attacked.filter(({ pattern, flags }) => flags === 'g' && /^\^[^|]+\|[^|]+\$$/.test(pattern));
    assert.ok(trims.length >= 5);
    for (const { found, ...label } of trims) {
      const [first] = new RegExp(label.pattern).exec(found.attackString(3)) ?? [''];
      assert.ok(!first.includes(found.attack.pump), named(label));
    }
  });

  it('names places in the source that are loops', () => {
    for (const { found, ...label } of attacked) {
      assert.ok(found.hotspots.length > 0, named(label));
      for (const { start, end } of found.hotspots) {
        assert.ok(Number.isInteger(start) && start >= 0 && start < end && end <= label.pattern.length, named(label));
        const loop = label.pattern.slice(start, end);
        assert.match(loop, /(?:[*+?]|\{\d+(?:,\d*)?\})\??$/s, named(label));
        assert.doesNotThrow(() => new RegExp(loop, label.flags), named(label));
      }
    }
  });

  it('makes attack strings of the prefix, the pump and the suffix', () => {
    for (const { found } of attacked) {
      const { prefix, pump, suffix } = found.attack;
      assert.ok(pump.length > 0);
      for (const repeat of [0, 1, 7]) assert.equal(found.attackString(repeat), prefix + pump.repeat(repeat) + suffix);
    }
  });

  it('says the same of a RegExp as of its source and flags', () => {
    for (const { pattern, flags, found } of analysed) {
      assert.deepEqual(plain(analyzeRegExp(new RegExp(pattern, flags), undefined, PATIENT)), plain(found));
    }
  });
});

/** How many pumps a text of that length has. */
function pumpsIn({ prefix, pump, suffix }, length) {
  return (length - prefix.length - suffix.length) / pump.length;
}

/** Without its method. */
function plain({ attackString, ...rest }) {
  assert.equal(typeof attackString, 'function');
  return rest;
}

describe('the result of analyzeRegExp', () => {
  it('has the same members in the same order, and two that say why not', () => {
    const members = ['complexity', 'degree', 'hotspots', 'attack', 'attackString', 'steps', 'supported'];
    for (const { found } of analysed) {
      const names = Object.keys(found);
      assert.deepEqual(
        names.filter((name) => name !== 'undecided' && name !== 'reason'),
        members,
      );
      assert.ok(COMPLEXITIES.includes(found.complexity));
      assert.equal(typeof found.supported, 'boolean');
      assert.equal(names.includes('undecided'), found.complexity === 'unknown');
      assert.equal(names.includes('reason'), !found.supported);
    }
  });

  it('has a degree: 1, two and more, Infinity, or null', () => {
    const degreeOf = (pattern) => analyzeRegExp(pattern).degree;
    assert.equal(degreeOf('^a+$'), 1);
    assert.equal(degreeOf('a+$'), 2);
    assert.equal(degreeOf('^a*a*a*$'), 3);
    assert.equal(degreeOf('(a|a)*b'), Infinity);
    assert.equal(degreeOf('w'.repeat(60_000)), null);
  });

  it('of a linear pattern is without hotspots, attack and steps', () => {
    const { attackString, ...rest } = analyzeRegExp('^a+$');
    const expected = { complexity: 'linear', degree: 1, hotspots: [], attack: null, steps: [], supported: true };
    assert.deepEqual(rest, expected);
    assert.equal(attackString(5), null);
  });

  it('says why SafeRegExp does not run a pattern', () => {
    const found = analyzeRegExp('(a)\\1');
    assert.equal(found.supported, false);
    assert.match(found.reason, /back-?reference/);
  });
});
