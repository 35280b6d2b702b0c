'use strict';

// A rewritten pattern matches exactly as the one it was made from: on cases, and on random patterns and texts, by V8.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { rewrite } = require('../lib/rewrite.js');

const CASES = [
  ['(?:a|a)*b', 'a*b'],
  ['^(?:a|b|[c-e]|\\d)+$', '^[abc-e\\d]+$'],
  ['^(?:x+x+)+y', '^x{2,}y'],
  ['^(?:\\w+)*$', '^\\w*$'],
  ['(?:a+|b*)+', '[ab]*'],
  ['(?:a{2,})*', '(?:a{2,})?'],
  ['(?:a|-|^|b)', '(?:[a\\-]|^|b)'],
  ['(?:\\]|\\\\|[\\^x])', '[\\]\\\\\\^x]'],
  ['(\\]|\\\\|[x^])', '([\\]\\\\x\\^])'],
  ['[.]|[]', '[.]'],
  ['[b-]|d', '[b\\-d]'],
  ['\\]|[-b]|[^^]', '[\\]\\-b]|[^^]'],
  ['[]|[]', '[]'],
  ['a*a?a+', 'a+'],
  ['(?:[a-z]|[^a-z])*', null],
  ['(?:.|\\n)*', null],
  ['(?:a+?)+?', null],
  ['(a+)+', null],
  ['(?:(a)+)+', null],
  ['(?:a|b)\\1', null],
  ['(?:a|b){', null],
  ['(?:a|b)]', null],
  ['(?=a|b)*', null],
  ['(?<x>a|b)', '(?<x>[ab])'],
  ['(?<=a|b)(?!c|d)', '(?<=[ab])(?![cd])'],
  ['(?i:a|b)', null],
  ['\\k<x>(?:a|b)', null],
  ['\\cA(?:a|b)', null],
  [`${'(?:'.repeat(50)}a|b${')'.repeat(50)}`, null],
];

test('cases', () => {
  for (const [source, expected] of CASES) {
    const actual = rewrite(source, '');
    assert.equal(actual, expected, source);
  }
  assert.equal(rewrite('(?:a|b)', 'u'), null);
  assert.equal(rewrite('(?:a|b)', 'v'), null);
});

/** A small generator with a seed, so that a failure can be repeated. */
function randomFrom(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const SETS = [
  'a', 'b', 'c', '-', '\\^', '\\]', '[ab]', '[a-c]', '[^a]', '[b-]', '[^]', '[]', '.', '\\w', '\\d', '\\S',
  '\\x61',
];
const QUANTIFIERS = ['', '', '', '*', '+', '?', '{2,}', '{1,2}', '{0,}', '{2}', '*?', '+?', '??', '{1,}?', '{0}'];
const OPENS = ['(?:', '(?:', '(?:', '(', '(?=', '(?!', '(?<=', '(?<!'];
const ASSERTIONS = ['^', '$', '\\b', '\\B'];

function randomPattern(random, depth) {
  const alternatives = Array.from({ length: 1 + random(3) }, () =>
    Array.from({ length: random(3) + (random(4) > 0 ? 1 : 0) }, () => randomTerm(random, depth)).join(''));
  return alternatives.join('|');
}

function randomTerm(random, depth) {
  const kind = random(10);
  if (kind === 0) return ASSERTIONS[random(ASSERTIONS.length)];
  if (kind < 6 || depth === 0) return SETS[random(SETS.length)] + QUANTIFIERS[random(QUANTIFIERS.length)];
  const open = OPENS[random(OPENS.length)];
  const quantifier = /[=!]$/.test(open) ? '' : QUANTIFIERS[random(QUANTIFIERS.length)];
  return `${open}${randomPattern(random, depth - 1)})${quantifier}`;
}

const LETTERS = ['a', 'a', 'b', 'c', 'A', '-', '^', ']', '\n', ' '];
const FLAGS = ['', 'i', 's', 'm', 'is', 'y', 'd'];

test('random patterns: the same match at the same place with the same captures', () => {
  const random = randomFrom(20260101);
  let [rewritten, matched] = [0, 0];
  for (let round = 0; round < 6000; round += 1) {
    const source = randomPattern(random, 2);
    const flags = FLAGS[random(FLAGS.length)];
    const other = rewrite(source, flags);
    if (other === null) continue;
    rewritten += 1;
    const [before, after] = [new RegExp(source, flags), new RegExp(other, flags)];
    for (let texts = 0; texts < 8; texts += 1) {
      const text = Array.from({ length: random(7) }, () => LETTERS[random(LETTERS.length)]).join('');
      before.lastIndex = after.lastIndex = flags === 'y' ? random(3) : 0;
      const [expected, actual] = [before.exec(text), after.exec(text)];
      if (expected !== null) matched += 1;
      assert.deepEqual([actual?.index, actual && [...actual]], [expected?.index, expected && [...expected]],
        `/${source}/${flags} became /${other}/ on ${JSON.stringify(text)}`);
    }
  }
  assert.ok(rewritten > 3000, `${rewritten} were rewritten`);
  assert.ok(matched > 5000, `${matched} matched`);
});

test('loops of loops: every shape of the rules, on every text of three letters up to length 6', () => {
  const texts = [''];
  for (const text of texts) if (text.length < 6) texts.push(...['a', 'b', 'c'].map((letter) => text + letter));
  const inner = [
    'a', 'a*', 'a+', 'a?', 'a{2,}', 'a{3,}', 'a{1,3}', 'a+?', 'a??',
    'a*|b', 'a|b+', 'b?|a', 'a+a+', 'a*a{2,}', 'a?a*', 'a*a?',
  ];
  const around = [['', ''], ['', 'b'], ['^', '$'], ['', 'a'], ['', 'ab'], ['(?<=', ')c'], ['(', ')b']];
  const outer = ['', '*', '+', '?', '{2,}', '{0,3}', '{1,3}', '{2}', '*?', '+?'];
  let rewritten = 0;
  for (const body of inner) {
    for (const quantifier of outer) {
      for (const [head, tail] of around) {
        const source = `${head}(?:${body})${quantifier}${tail}`;
        const other = rewrite(source, '');
        if (other === null) continue;
        rewritten += 1;
        const [before, after] = [new RegExp(source), new RegExp(other)];
        for (const text of texts) {
          const [expected, actual] = [before.exec(text), after.exec(text)];
          assert.deepEqual([actual?.index, actual && [...actual]], [expected?.index, expected && [...expected]],
            `/${source}/ became /${other}/ on ${JSON.stringify(text)}`);
        }
      }
    }
  }
  assert.ok(rewritten > 300, `${rewritten} were rewritten`);
});
