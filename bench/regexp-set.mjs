// Benchmarks of SafeRegExpSet: 221 rules for secrets (gitleaks-style.mjs) on real source text, TypeScript's compiler,
// with and without secrets in it; patterns without any string to look for; building a set. Against asking V8's
// RegExps and node-re2's one after the other, and against RE2.Set, which takes only patterns with the same flags and
// so needs two.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { rules, secretOf } from './gitleaks-style.mjs';

/** What RE2.Set may take: with its default of 8 MiB it refuses the newer style of rules. */
const RE2_SET_BYTES = 1 << 30;

/** Patterns that name no string of two characters. */
const STRINGLESS = [
  /\b\d{3}-\d{2}-\d{4}\b/,
  /[\w.+-]+@[\w-]+\.[a-z]{2,}/i,
  /\b\d{1,3}(?:\.\d{1,3}){3}\b/,
  /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i,
  /\b[A-Z]{3}\d{6}\b/,
  /\$\d+\.\d{2}/,
  /\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/,
  /#[0-9a-f]{6}\b/i,
  /\b(?:\d[ -]?){15}\d\b/,
  /\+\d{10,15}\b/,
  /\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b/,
  /\b[0-9a-f]{64}\b/,
  /\b[13][1-9A-HJ-NP-Za-km-z]{25,34}\b/,
  /\b\d+\s*%\s*\d/,
];

const V8 = 'V8 RegExp, one by one';
const RE2 = 're2, one by one';
const RE2_SET = 'RE2.Set';

export const cases = [
  ...['older', 'newer'].flatMap((style) => [
    match(style, 100_000),
    match(style, 1_000_000, { without: style === 'older' ? [] : [V8] }),
    match(style, 1_000_000, { without: style === 'older' ? [] : [V8], secrets: true }),
    match(style, 10_000_000, { without: [V8, RE2], headline: true }),
    match(style, 10_000_000, { without: [V8, RE2], bytes: true }),
    match(style, 50_000_000, { without: [V8, RE2, RE2_SET] }),
    match(style, 50_000_000, { without: [V8, RE2, RE2_SET], bytes: true }),
    build(style),
  ]),
  stringless(1_000_000, []),
  stringless(10_000_000, [V8, RE2]),
];

/** @param {{ without?: string[], secrets?: boolean, bytes?: boolean, headline?: boolean }} [options] */
function match(style, length, { without = [], secrets = false, bytes = false, headline = false } = {}) {
  const what = [megabytes(length), bytes ? 'in bytes' : 'in a string', ...(secrets ? ['every secret in it'] : [])];
  return {
    group: 'match(), 221 rules for secrets in source text',
    title: `${style} style, ${what.join(', ')}`,
    headline: headline && style === 'newer' ? 'look for 221 kinds of secret in 10 MB of source text' : undefined,
    rounds: 5,
    async setup(tools) {
      const text = sourceText(length, secrets ? rules(style).map((_, index) => secretOf(index)) : []);
      return contestantsOf(tools, rules(style), bytes ? Buffer.from(text) : text, without);
    },
  };
}

function stringless(length, without) {
  return {
    group: 'match(), 14 patterns without strings',
    title: `source text, ${megabytes(length)}`,
    rounds: 5,
    async setup(tools) {
      return contestantsOf(tools, STRINGLESS, sourceText(length, []), without);
    },
  };
}

function build(style) {
  return {
    group: 'building a set of 221 rules',
    title: `${style} style, with the first match() in 1 KB of source text`,
    rounds: 5,
    async setup({ holdfast: { SafeRegExpSet }, peer }) {
      const patterns = rules(style);
      const text = sourceText(1000, []);
      const Peer = (await peer('re2'))?.default;
      return {
        contestants: {
          holdfast: () => new SafeRegExpSet(patterns).match(text),
          [RE2_SET]: Peer ? () => setsOf(Peer, patterns)(text) : null,
        },
      };
    },
  };
}

/** Who takes part, but for those who would take seconds or minutes, or take no bytes. */
async function contestantsOf({ holdfast: { SafeRegExpSet }, peer }, patterns, input, without) {
  const Peer = (await peer('re2'))?.default;
  const set = new SafeRegExpSet(patterns);
  const oneByOne = (compiled) => () => compiled.flatMap((pattern, index) => (pattern.test(input) ? [index] : []));
  const all = {
    holdfast: () => set.match(input),
    [V8]: oneByOne(patterns),
    [RE2]: Peer ? oneByOne(patterns.map((pattern) => new Peer(pattern))) : null,
    [RE2_SET]: Peer ? asSets(Peer, patterns, input) : null,
  };
  return {
    contestants: Object.fromEntries(Object.entries(all).filter(([name]) => !without.includes(name))),
    excluded: Object.fromEntries(without.map((name) => [name, 'left out: it would take very long'])),
  };
}

function asSets(Peer, patterns, input) {
  const match = setsOf(Peer, patterns);
  return () => match(input);
}

/** A function that asks one RE2.Set for each combination of flags. */
function setsOf(Peer, patterns) {
  const byFlags = groupedByFlags(patterns);
  const sets = Array.from(byFlags.values(), (indices) => ({
    indices,
    set: new Peer.Set(indices.map((index) => patterns[index]), { maxMem: RE2_SET_BYTES }),
  }));
  return (input) =>
    sets.flatMap(({ indices, set }) => set.match(input).map((place) => indices[place])).sort((a, b) => a - b);
}

function groupedByFlags(patterns) {
  const groups = new Map();
  for (const [index, { flags }] of patterns.entries()) groups.set(flags, [...(groups.get(flags) ?? []), index]);
  return groups;
}

/** Source text of a length, the lines of `secrets` spread over it; a flat string of one byte a character. */
function sourceText(length, secrets) {
  const folder = dirname(createRequire(join(import.meta.dirname, '../package.json')).resolve('typescript'));
  const whole = ['typescript.js', '_tsc.js'].map((name) => readFileSync(join(folder, name), 'latin1')).join('\n');
  const text = whole.repeat(Math.ceil(length / whole.length)).slice(0, length);
  const step = Math.floor(length / (secrets.length + 1));
  const parts = secrets.map((secret, index) => `${text.slice(index * step, (index + 1) * step)}\n${secret}\n`);
  // Bytes outside ASCII would make it another text in UTF-8.
  const ascii = [...parts, text.slice(secrets.length * step)].join('').replace(/[^\0-\x7f]/g, '?');
  return Buffer.from(ascii, 'latin1').toString('latin1');
}

function megabytes(length) {
  return length < 1e6 ? `${length / 1000} KB` : `${length / 1e6} MB`;
}
