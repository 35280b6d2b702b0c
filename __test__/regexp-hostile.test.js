'use strict';

/**
 * SafeRegExp on patterns and texts that make a backtracking engine explode: every operation, on texts of 1,000, 10,000
 * and 100,000 characters. The results are those that V8's on short texts foretell, and the work, counted in steps of
 * the engine and not in time, grows with the text and no faster.
 */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { SafeRegExp } = require('..');
const native = require('../lib/native.js');
const { bounded } = require('./support/bounded.js');
const { OPERATIONS, pairOf, pumpsFor, result, textOf } = require('./support/hostile.js');
const shapes = require('./regexp-hostile.cases.json');

const LENGTHS = [1000, 10_000, 100_000];

/** Work may grow this much when the text grows tenfold: steps do not count what a search costs at its ends. */
const GROWTH = 12;
/** Steps that need no explanation, for work that has a constant part. */
const SLACK = 20_000;

/** How many short texts, characters of the first, the longest period of a result; V8's time in ms: enough, too long. */
const SHORT = { count: 24, characters: 4, period: 4, enough: 5, much: 100, tooLong: 1000 };

/** Steps of the engines since it was last asked; only in builds with test hooks. @type {(() => number) | undefined} */
const regexpWork = native.regexpWork;

describe('SafeRegExp on hostile shapes', () => {
  it('of which there are at least sixty, each with a name of its own', () => {
    assert.ok(shapes.length >= 60);
    assert.equal(new Set(shapes.map(({ name }) => name)).size, shapes.length);
  });

  const skip = regexpWork ? false : 'this build has no regexpWork(): it is without test hooks';
  it('counts its work', { skip }, () => assert.equal(typeof regexpWork?.(), 'number'));

  for (const shape of shapes) {
    it(`${shape.name}: /${shape.pattern}/${shape.flags}`, () => {
      const ours = pairOf(SafeRegExp, shape);
      const theirs = pairOf(RegExp, { ...shape, pattern: shape.same ?? shape.pattern });
      for (const operation of shape.operations ?? Object.keys(OPERATIONS)) {
        const foretold = foretell(operation, theirs, shape);
        assert.ok(foretold.known > 0, `${operation}: V8 says nothing of short texts`);
        let work = Infinity;
        for (const length of LENGTHS) {
          const pumps = pumpsFor(shape, length);
          regexpWork?.();
          const seen = result(operation, ours, textOf(shape, pumps));
          const steps = regexpWork?.() ?? 0;
          assert.deepEqual(seen, foretold.at(pumps), `${operation} on ${length} characters`);
          const most = Math.max(GROWTH * work, SLACK);
          assert.ok(!(steps > most), `${operation} on ${length} characters: ${steps} steps, at most ${most} expected`);
          work = steps;
        }
      }
    });
  }
});

describe('SafeRegExp with y, at one place of a text after the other', () => {
  const patterns = ['abc', '[a-c]+', 'foo|bar|bazz', '(?=a)a\\w', 'q\\b', '^a', '(a)b|a', '\\p{Lu}\\w', '(?<=a)b', '.c', 'x*q'];
  const PLACES = 200;
  for (const pattern of patterns) {
    it(`/${pattern}/y looks no further than it has to`, { skip: !regexpWork && 'this build has no test hooks' }, () => {
      for (const ending of ['', '\u4e2d']) {
        // The text itself may be looked through a few times, not once for each place.
        const [short, long] = [2000, 200_000].map((length) => {
          const text = 'x y '.repeat(length / 4) + ending;
          const [ours, theirs] = [new SafeRegExp(pattern, 'uy'), new RegExp(pattern, 'uy')];
          regexpWork?.();
          for (let place = 0; place < PLACES; place++) {
            for (const operation of ['test', 'exec']) {
              ours.lastIndex = theirs.lastIndex = place;
              assert.deepEqual(ours[operation](text), theirs[operation](text));
            }
          }
          return regexpWork?.() ?? 0;
        });
        assert.ok(long <= short + 3 * 200_000, `${short} and ${long} steps`);
      }
    });
  }
});

/**
 * What V8 says of short texts, which must be linear in the number of pumps, with a period that is found here, and what
 * that makes of long ones. A shape may say `from` how many pumps on it is regular, and with which simpler pattern V8
 * gives the `same` results when it explodes even on the shortest texts.
 */
function foretell(operation, theirs, shape) {
  const first = shape.from ?? pumpsFor(shape, SHORT.characters);
  const seen = [];
  for (let isEnough = false; !isEnough && seen.length < SHORT.count; ) {
    const text = textOf(shape, first + seen.length);
    const started = performance.now();
    const answer = bounded(() => result(operation, theirs, text), SHORT.tooLong);
    if (answer === undefined) break;
    seen.push(answer.value);
    isEnough = performance.now() - started > (seen.length < 3 * SHORT.period ? SHORT.much : SHORT.enough);
    assert.deepEqual(result(operation, pairOf(SafeRegExp, shape), text), answer.value, operation);
  }
  const period = periodOf(seen);
  return {
    known: period,
    at(pumps) {
      const last = first + seen.length - 1;
      const same = last - ((((last - pumps) % period) + period) % period); // the last one at the same place in a period
      const [end, before] = [seen[same - first], seen[same - first - period]];
      return end.map((value, place) => value + ((pumps - same) / period) * (value - before[place]));
    },
  };
}

/** The shortest period with which each number grows by a constant, or 0. */
function periodOf(seen) {
  const isLinear = (period) =>
    seen.length >= 3 * period &&
    seen.every((now, place) => {
      const [once, twice] = [seen[place - period], seen[place - 2 * period]];
      return twice === undefined || now.every((value, at) => value - 2 * once[at] + twice[at] === 0);
    });
  return Array.from({ length: SHORT.period }, (_, before) => before + 1).find(isLinear) ?? 0;
}
