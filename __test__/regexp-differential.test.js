'use strict';

/**
 * SafeRegExp against the RegExp of the Node that runs, on generated patterns over the whole grammar and generated texts,
 * in every operation. Nothing may differ, and nothing but back-references may be refused. A difference is made smaller
 * before it is shown; once understood it becomes a case in regexp.cases.json.
 *
 * HOLDFAST_PAIRS: pairs of pattern and text (45,000). HOLDFAST_SEED: others. HOLDFAST_REFUSALS=count: refusals are
 * counted by message and do not fail, for working on an engine that does not run everything yet.
 */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { deserialize } = require('node:v8');
const { SafeRegExp } = require('..');
const { bounded } = require('./support/bounded.js');
const { keepCodeMemoryLow } = require('./support/code-memory.js');
const { observe, operation } = require('./support/observe.js');
const { HAS_DUPLICATE_NAMES, HAS_MODIFIERS, PatternGenerator, hasReference } = require('./support/patterns.js');
const { Random } = require('./support/random.js');
const { shrink } = require('./support/shrink.js');

const PAIRS = Number(process.env.HOLDFAST_PAIRS ?? 45_000);
const SEED = Number(process.env.HOLDFAST_SEED ?? 20_261_121);
const COUNT_REFUSALS = process.env.HOLDFAST_REFUSALS === 'count';

const TEXTS = 6; // for each pattern
const OPERATIONS = 3; // for each text
const REPORTED = 20;

/** Patterns with which V8 is watched at a time, and the milliseconds that it may take: few need more than one. */
const BATCH = 25;
const V8_TIME = 1000;

/**
 * Whether an operation may never end, or end the process, in the V8 that runs. `Plain` is asked then.
 *
 * Before 14.6 the replacing ones may go on for ever with `gv`, when V8 takes the generic steps for them: after an empty
 * match before a surrogate pair they go on between its halves, from where the next search goes back to its start.
 *
 * V8 11.3 does not clear captures between matches when it finds all at once, with u or v after an empty match. A
 * back-reference to one then reads anywhere: /\/.+(\D)|\B\1?/giu ends the process in the `replace` after some others.
 */
function harms(source, flags, { kind }) {
  const replaces = kind.startsWith('replace');
  if (replaces && /g.*v/.test(flags) && /^v2[0-5]\./.test(process.version)) return true;
  const findsAll = (replaces || kind === 'match') && /g.*[uv]/.test(flags);
  return findsAll && /^v20\./.test(process.version) && hasReference(source);
}

/** Patterns about which the V8 that runs cannot be asked. They are counted in the diagnostics. */
const NOT_ASKED = [
  {
    // /[a--[\P{Any}]]/v: V8 11.3 reads where it must not, and the process ends.
    name: 'a complement of all characters, with v, crashes',
    versions: /^v20\./,
    applies: ({ flags, source }) => flags.includes('v') && source.includes('\\P{Any}'),
  },
  {
    // /(?:[^\u{2126}--a]_){2}/iv on 'a_a_': V8 11.3 computes the class anew for every copy that it makes of a loop's
    // body, from what is left of the last time. It folds `[^…]` in a way of its own, so there are no other words.
    name: 'the complement of a class with operators, with iv, differs from iteration to iteration',
    versions: /^v20\./,
    applies: ({ flags, source }) =>
      /i.*v/.test(flags) && source.includes('[^') && /--|&&/.test(source) && /[*+?}]/.test(source),
  },
  {
    // /(?-i:x|[a-z])/i on 'A': V8 13.6 and 14.6 fold the class, in whatever group it is put; not in /(?-i:[a-z]|x)/i.
    name: 'classes fold by the flags around a group that changes i, if they are in an alternation',
    versions: /^v2[4-9]\./,
    applies: ({ flags, source }) => !/[uv]/.test(flags) && source.includes('|') && /\(\?[ms-]*i[ms-]*:/.test(source),
  },
].filter(({ versions }) => versions.test(process.version));

/**
 * Where V8 does not do what ECMA-262 says, and SafeRegExp does. Then V8 is asked in another way, with `Plain` and a
 * pattern `inOtherWords`, and SafeRegExp must agree with that. Such pairs are counted in the diagnostics.
 */
const V8_DEVIATIONS = [
  {
    // /|(x)/gu on 'é中c': V8 11.3 gives '' for the group, at the matches that follow an empty one in a two-byte text.
    // Functions that replace see that, and so do back-references.
    name: 'an unset capture is an empty string when all matches are found at once',
    section: '22.2.7.2, step 33.b',
    versions: /^v20\./,
    applies: ({ kind, flags, source }) =>
      flags.includes('g') && /[uv]/.test(flags) && (hasReference(source) || kind.endsWith('ByFunction')),
  },
  {
    // /[^]$/v on 'a': V8 11.3 finds nothing, and the quantifier of /[^]{3}/v has no effect.
    name: 'the complement of an empty class, with v, is taken for the empty string',
    section: '22.2.2.9, CompileToCharSet',
    versions: /^v20\./,
    applies: ({ source, flags }) => flags.includes('v') && source.includes('[^'),
  },
  {
    // /[^]*?a^|/ on '': V8 14.6 finds nothing, as if no other alternative could match where this one cannot.
    name: 'a lazy loop over anything, then ^ where it cannot hold, ends the search',
    section: '22.2.2.3, CompileSubpattern',
    versions: /^v26\./,
    applies: ({ source }) => source.includes('^') && /[*}]\?/.test(source),
  },
  {
    // /(?i:)\W/u on 'ſ', /(?s:)./ on '\n': V8 13.6 finds nothing in the first and something in the second. The flags hold
    // on for the classes that follow in the same group. V8 14.6 also takes /(?-i:)[s]/iu for /[s]/u.
    name: 'flags that a group changes hold on after it',
    section: '22.2.2.7, CompileAtom',
    versions: /^v2[4-9]\./,
    applies: ({ source }) => CHANGED_FLAGS.test(source),
  },
  {
    // /(?i:\u0178)/ on 'ÿ': V8 13.6 finds it only where the string has two bytes for each unit.
    name: 'in a group that changes i, what equals a character over U+00FF is not looked for in a one-byte string',
    section: '22.2.2.7.3, Canonicalize',
    versions: /^v24\./,
    applies: ({ source, text }) => CHANGED_FLAGS.test(source) && !/[^\0-\xff]/.test(text),
    inTwoBytes: true,
  },
];

/** Flags that a group changes for its body. */
const CHANGED_FLAGS = /\(\?[ims-]+:/;

/** For which V8 takes the generic steps of the language. V8 11.3 asks `unicode` alone whether to go on by code points. */
class Plain extends RegExp {
  get unicode() {
    return super.unicode || super.unicodeSets;
  }
}

const TOKENS = /\\[pP]\{[^}]*\}|\\[^]|\[\^?|[^]/g;
const TOKENS_OF_SETS = /\\[pP]\{[^}]*\}|\\[^]|\[\^\]|\[\^?|[^]/g;

/**
 * A pattern that means the same: `(?<=^)` for `^`, every class in a group of its own, and with `v` also `[\s\S]` for
 * `[^]` and `(?:(?![…])[\s\S])` for an outer class `[^…]`.
 */
function inOtherWords(source, isSets) {
  let [result, depth, complement] = ['', 0, false];
  for (const [token] of source.matchAll(isSets ? TOKENS_OF_SETS : TOKENS)) {
    if (token === '[^]') {
      result += '[\\s\\S]';
    } else if (token.startsWith('[') && depth === 0) {
      depth = 1;
      complement = isSets && token === '[^';
      result += complement ? '(?:(?![' : `(?:${token}`;
    } else if (token === ']' && depth === 1) {
      depth = 0;
      result += complement ? '])[\\s\\S])' : '])';
    } else {
      if (isSets && depth > 0) depth += token.startsWith('[') ? 1 : token === ']' ? -1 : 0;
      const isClass = depth === 0 && (token === '.' || /^\\[dDsSwW]$|^\\[pP]\{/.test(token));
      result += token === '^' && depth === 0 ? '(?<=^)' : isClass ? `(?:${token})` : token;
    }
  }
  return result;
}

describe('SafeRegExp gives the results of RegExp', () => {
  it(`on ${PAIRS} generated pairs of pattern and text, seed ${SEED}`, async (t) => {
    const run = new Run(new Random(SEED), {});
    await run.pairs(PAIRS);
    t.diagnostic(run.summary());
    run.conclude();
  });

  it(`with back-references and a budget, on ${Math.ceil(PAIRS / 20)} pairs`, async (t) => {
    const options = { backreferences: { budget: 10_000_000 } };
    const run = new Run(new Random(SEED + 1), { references: true, options });
    await run.pairs(Math.ceil(PAIRS / 20));
    t.diagnostic(run.summary());
    run.conclude();
  });

  it('and refuses every generated pattern with a back-reference otherwise', async () => {
    const generator = new PatternGenerator(new Random(SEED + 2), { references: true });
    let refused = 0;
    for (let count = 0; refused < 1000; count++) {
      if (count % 100 === 0) await turn();
      const { source, flags } = generator.pattern();
      if (!isValid(source, flags) || !hasReference(source)) continue;
      const label = `/${source}/${flags}`;
      assert.throws(() => new SafeRegExp(source, flags), { code: 'ERR_REGEXP_BACKREFERENCE' }, label);
      refused++;
    }
  });
});

/** One comparison of many pairs, and what came of it. */
class Run {
  counts = {
    pairs: 0,
    patterns: 0,
    matched: 0,
    invalid: 0,
    notAsked: 0,
    tooLarge: 0,
    refused: 0,
    slow: 0,
    overBudget: 0,
    deviations: 0,
  };
  refusals = new Map();
  /** What failed, each by the smallest case that shows it. @type {Map<string, { shown: string, count: number }>} */
  failures = new Map();
  #turn = 0;

  constructor(random, { references = false, options = undefined }) {
    this.random = random;
    this.references = references;
    this.options = options;
    this.generator = new PatternGenerator(random, { references });
  }

  async pairs(wanted) {
    // A generator that makes few valid patterns, or an engine that runs few, must not go on for ever.
    const most = wanted;
    for (let made = 0; this.counts.pairs < wanted && made < most; made += BATCH) {
      await turn(); // Node frees what native code holds only between turns of the event loop.
      if (this.failures.size >= REPORTED) return;
      const cases = Array.from({ length: BATCH }, () => this.#case(this.generator.pattern())).filter(Boolean);
      for (const one of this.#answered(cases)) this.#compare(one);
    }
  }

  /** A pattern with the texts to try it on, or nothing when V8 or SafeRegExp cannot be asked about it. */
  #case(pattern) {
    const { source, flags } = pattern;
    // An octal escape becomes a back-reference when enough groups come after it.
    if (!isValid(source, flags) || (!this.references && hasReference(source))) return void this.counts.invalid++;
    if (NOT_ASKED.some(({ applies }) => applies(pattern))) return void this.counts.notAsked++;
    this.counts.patterns++;
    const ours = compile(source, flags, this.options);
    // Thousands of sequences in a counted repeat are over the limit for patterns.
    if (ours.code === 'ERR_REGEXP_TOO_LARGE' && source.includes('Emoji')) return void this.counts.tooLarge++;
    if (ours instanceof Error) return void this.#refused(ours, source, flags);
    return { source, flags, ours, tasks: Array.from({ length: TEXTS }, () => this.#task(pattern)) };
  }

  /** The cases with V8's answers, those left out for which it takes too long. One watch for many costs a tenth. */
  #answered(cases) {
    const answered = [];
    for (let next = 0; next < cases.length; ) {
      const first = next;
      const all = bounded(() => {
        for (; next < cases.length; next++) {
          const { source, flags, tasks } = cases[next];
          keepCodeMemoryLow();
          answered.push({ ...cases[next], theirs: observeAll(oracle(source, flags), tasks) });
        }
        return true;
      }, V8_TIME);
      // One that was not the first may have had little time left: it gets all of it in the next round.
      if (all === undefined && next === first) {
        this.counts.slow++;
        next++;
      }
    }
    return answered;
  }

  #compare({ source, flags, ours, tasks, theirs }) {
    const seen = observeAll(() => ours, tasks);
    for (let place = 0; place < seen.length; place++) {
      if (seen[place] === theirs[place]) continue;
      if (this.options && seen[place].includes('ERR_REGEXP_BUDGET')) {
        this.counts.overBudget++;
        continue;
      }
      const { text, operations } = tasks[Math.floor(place / OPERATIONS)];
      const found = { source, flags, text, ...operations[place % OPERATIONS] };
      if (isDeviation(found, seen[place])) {
        this.counts.deviations++;
        continue;
      }
      return this.#differs(found, [theirs[place], seen[place]]);
    }
    this.counts.pairs += TEXTS;
    const isMatch = ({ text }) => /^\[\d/.test(observe(ours, text, { kind: 'search', lastIndex: 0 }));
    this.counts.matched += tasks.filter(isMatch).length;
  }

  #task(pattern) {
    const text = this.generator.text(pattern);
    const operations = Array.from({ length: OPERATIONS }, () =>
      operation(this.random, this.#turn++, { names: pattern.names, text }),
    );
    return { text, operations };
  }

  #refused(error, source, flags) {
    this.counts.refused++;
    const reason = `${error.code}: ${error.message}`;
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
    if (COUNT_REFUSALS) return;
    const refuses = (small) => {
      const result = isValid(small.source, small.flags) && compile(small.source, small.flags, this.options);
      return result instanceof Error && result.code === error.code;
    };
    const small = shrink({ source, flags }, refuses, 1000);
    this.#failed(small, `refused with ${reason}\n  new SafeRegExp(${escape(small.source)}, '${small.flags}')`);
  }

  /** What differs may differ only after what came before it: then it is shown as it was found. */
  #differs(found, seen) {
    const small = shrink(found, (candidate) => difference(candidate, this.options) !== undefined);
    const again = difference(small, this.options);
    const [theirs, ours] = again ?? seen;
    const note = again ? `found as ${show(found)}` : 'the same when done again with new RegExps';
    this.#failed(small, `${show(small)}\n  RegExp:     ${theirs}\n  SafeRegExp: ${ours}\n  ${note}`);
  }

  #failed({ source, flags }, shown) {
    const failure = this.failures.get(`${flags}/${source}`) ?? { shown, count: 0 };
    failure.count++;
    this.failures.set(`${flags}/${source}`, failure);
  }

  summary() {
    const refused = [...this.refusals].sort((a, b) => b[1] - a[1]);
    const refusals = refused.map(([reason, count]) => `\n  ${count} × ${reason}`);
    const syntax = { modifiers: HAS_MODIFIERS, duplicateNames: HAS_DUPLICATE_NAMES };
    return `Node ${process.version}: ${JSON.stringify({ ...this.counts, ...syntax })}${refusals.join('')}`;
  }

  conclude() {
    const { pairs, patterns, matched, slow, refused, invalid, notAsked, tooLarge } = this.counts;
    const failures = [...this.failures.values()].map(({ shown, count }) => `${shown}\n  ${count} times`);
    if (failures.length > 0) assert.fail(`${failures.length} differences or refusals\n\n${failures.join('\n\n')}\n`);
    // What these say is that the comparison was worth something.
    assert.ok(matched * 5 >= pairs * 2, 'the texts must match often');
    assert.ok(slow * 200 <= patterns, 'V8 must answer nearly always');
    assert.ok((notAsked + tooLarge) * 10 <= patterns, 'few patterns must be left out');
    assert.ok(invalid * 5 <= patterns + invalid, 'most patterns must be valid');
    if (!COUNT_REFUSALS) assert.equal(refused, 0);
  }
}

function isDeviation(found, ours) {
  const known = V8_DEVIATIONS.filter(({ versions, applies }) => versions.test(process.version) && applies(found));
  if (known.length === 0) return false;
  const text = known.some(({ inTwoBytes }) => inTwoBytes) ? twoBytes(found.text) : found.text;
  const source = inOtherWords(found.source, found.flags.includes('v'));
  const Class = /^(?:replace|match$)/.test(found.kind) ? Plain : RegExp;
  return bounded(() => observe(new Class(source, found.flags), text, found))?.value === ours;
}

/** The same text, but V8 has two bytes for each unit: as it comes in the format of structured clones, version 15. */
function twoBytes(text) {
  const bytes = Buffer.from(text, 'utf16le');
  const length = [];
  let left = bytes.length;
  for (; left > 127; left >>>= 7) length.push((left & 127) | 128);
  return deserialize(Buffer.concat([Buffer.from([0xff, 15, 0x63, ...length, left]), bytes]));
}

/** What RegExp and SafeRegExp show, when that differs. */
function difference({ source, flags, text, ...how }, options) {
  if (!isValid(source, flags)) return undefined;
  keepCodeMemoryLow();
  const theirs = bounded(() => observe(oracle(source, flags)(how), text, how), 200);
  const ours = compile(source, flags, options);
  if (theirs === undefined || ours instanceof Error) return undefined;
  const seen = observe(ours, text, how);
  const differs = seen !== theirs.value && !isDeviation({ source, flags, text, ...how }, seen);
  return differs ? [theirs.value, seen] : undefined;
}

function observeAll(regExpFor, tasks) {
  return tasks.flatMap(({ text, operations }) => operations.map((one) => observe(regExpFor(one), text, one)));
}

/** What V8 is asked with, by operation. */
function oracle(source, flags) {
  const usual = new RegExp(source, flags);
  let plain;
  return (operation) => (harms(source, flags, operation) ? (plain ??= new Plain(source, flags)) : usual);
}

function compile(source, flags, options) {
  try {
    return new SafeRegExp(source, flags, options);
  } catch (error) {
    if (error.code?.startsWith('ERR_')) return error;
    throw error;
  }
}

function isValid(source, flags) {
  try {
    return new RegExp(source, flags) instanceof RegExp;
  } catch {
    return false;
  }
}

/** A case as one could type it. */
function show({ source, flags, text, ...how }) {
  return `new RegExp(${escape(source)}, '${flags}'), ${escape(text)}, ${JSON.stringify(how)}`;
}

function escape(text) {
  return JSON.stringify(text).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function turn() {
  return new Promise(setImmediate);
}
