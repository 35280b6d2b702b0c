// Benchmark of analyzeRegExp: how long it takes for each of the regular expressions of installed packages, the same
// beside recheck on the labelled list and on a sample of those (recheck takes too long for all), who is right where the
// two disagree, and whether V8's own matcher takes as long on the attack strings as they promise. The labelled list is
// __test__/redos.cases.json. Every figure is of one run, the analysers in turn.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { median, quantile } from './harness.mjs';
import { literalsWith, patternsOf, spread } from './redos-corpus.mjs';
import { GrowthMeter } from './redos-growth.mjs';
import {
  holdfastAnalyser,
  recheckAnalyser,
  redosDetectorAnalyser,
  safeRegexAnalyser,
  VERDICTS,
} from './redos-peers.mjs';
import { formatNs, formatRatio } from './table.mjs';

const root = join(import.meta.dirname, '..');
const GROUP = 'Analysing regular expressions';
/** Of the patterns of packages, beside recheck. */
const SAMPLE = 200;
const ROUNDS = 3;
/** Each analyser stays under the three minutes that run.mjs gives a case. */
const CASE_MS = 160_000;
/** So many patterns by one analyser, then the same by the other one. */
const BLOCK = 20;
/** No round of a comparison goes on for longer, but the first one, in which every pattern has its turn. */
const ROUNDS_MS = 100_000;
/** Grown to twice as many pumps, a match takes at least twice as long. */
const AT_LEAST = 2;

export const cases = [
  { group: GROUP, title: 'Every pattern of the installed packages', measure: everyPattern },
  { group: GROUP, title: 'Beside recheck, the labelled list', measure: (tools) => besideRecheck(tools, labelled()) },
  {
    group: GROUP,
    title: `Beside recheck, ${SAMPLE} patterns of packages`,
    measure: async (tools) => besideRecheck(tools, spread((await corpus()).patterns, SAMPLE)),
  },
  { group: GROUP, title: 'V8 on the attack strings of the labelled list', measure: v8OnAttacks },
];

/** The list that the tests hold the analysis to. */
export function labelled() {
  const list = JSON.parse(readFileSync(join(root, '__test__/redos.cases.json'), 'utf8'));
  return list.map(({ from, ...rest }) => ({ ...rest, where: from }));
}

/** The patterns of the packages installed for the benchmarks and for the tests. */
export async function corpus() {
  const literals = literalsWith(await import('oxc-parser'));
  return patternsOf([join(import.meta.dirname, 'node_modules'), join(root, 'node_modules')], literals);
}

async function everyPattern({ holdfast }, { rounds = ROUNDS }) {
  const { patterns, files, digest } = await corpus();
  const analyse = holdfastAnalyser(holdfast);
  const taken = patterns.map(() => []);
  const answers = [];
  for (let round = 0; round < rounds; round++) {
    for (const [index, { pattern, flags }] of patterns.entries()) {
      const start = process.hrtime.bigint();
      answers[index] = analyse(pattern, flags);
      taken[index].push(Number(process.hrtime.bigint() - start));
    }
  }
  const times = taken.map(median);
  const count = Object.fromEntries(VERDICTS.map((v) => [v, answers.filter(({ verdict }) => verdict === v).length]));
  return {
    columns: ['patterns', 'median', '99th percentile', 'longest', 'all', ...VERDICTS],
    rows: [[...timesOf(times), ...VERDICTS.map((verdict) => String(count[verdict]))]],
    note: `The patterns are from ${files} files; each time is the median of ${rounds}.`,
    corpus: { patterns: patterns.length, files, digest },
    times: { median: median(times), p99: quantile(times, 0.99), max: Math.max(...times) },
    slowest: ranked(patterns, times).slice(0, 20),
    undecided: patterns.flatMap(({ pattern, flags, where }, index) =>
      answers[index].verdict === 'unknown' ? [{ pattern, flags, where, why: answers[index].why }] : [],
    ),
  };
}

/** Both analysers in turn, some patterns at a time; then the disagreements, decided by the label or by V8. */
async function besideRecheck({ holdfast, peer }, patterns) {
  const recheck = await peer('recheck');
  if (recheck === null) throw new Error('recheck is not available');
  const { way, analyse: theirs } = recheckAnalyser(recheck.default ?? recheck);
  const ours = holdfastAnalyser(holdfast);
  const others = await yesOrNo(peer);
  await theirs('a', ''); // starts its process
  const lanes = { holdfast: laneOf(ours), recheck: laneOf(theirs) };
  const compared = [];
  const started = performance.now();
  let rounds = 0;
  for (; rounds < ROUNDS && performance.now() - started < ROUNDS_MS; rounds++) {
    for (let from = 0; from < patterns.length; from += BLOCK) {
      if (rounds > 0 && performance.now() - started > ROUNDS_MS) break;
      const names = (from / BLOCK + rounds) % 2 === 0 ? ['holdfast', 'recheck'] : ['recheck', 'holdfast'];
      const indices = patterns.slice(from, from + BLOCK).map((_, place) => from + place);
      for (const name of names) for (const index of indices) await timed(lanes[name], patterns[index], index);
    }
  }
  for (const [index, each] of patterns.entries()) {
    const answers = { holdfast: lanes.holdfast.answers[index], recheck: lanes.recheck.answers[index] };
    for (const [name, say] of Object.entries(others)) answers[name] = say(each.pattern, each.flags);
    compared.push({ ...each, answers });
  }
  for (const lane of Object.values(lanes)) lane.times = lane.taken.map(median);
  const disagreements = await decided(
    compared.filter(({ answers }) => answers.holdfast.verdict !== answers.recheck.verdict),
    started,
  );
  const sum = (times) => times.reduce((all, one) => all + one, 0);
  const ratios = lanes.recheck.times.map((time, index) => time / lanes.holdfast.times[index]);
  const right = Object.entries(tally(disagreements.map((each) => each.right))).map(([who, n]) => `${who} ${n}`);
  return {
    columns: ['', 'patterns', 'median', '99th percentile', 'longest', 'all'],
    rows: [
      ...Object.entries(lanes).map(([name, { times }]) => [name, ...timesOf(times)]),
      ['recheck ÷ holdfast', '', formatRatio(median(ratios)), '', '', formatRatio(ratioOf(lanes, sum))],
    ],
    note: [
      `recheck by ${way}, default parameters; each time is the median of up to ${rounds}.`,
      `Holdfast says / recheck says: ${agreement(compared)}.`,
      right.length === 0 ? 'They agree on all.' : `Where they disagree, right is: ${right.join(', ')}.`,
    ].join(' '),
    agreement: agreementTable(compared),
    others: Object.fromEntries(Object.keys(others).map((name) => [name, besides(compared, name)])),
    recheckTimedOut: compared.filter(({ answers }) => answers.recheck.why === 'timeout').length,
    ratios: { median: median(ratios), sum: ratioOf(lanes, sum), p10: quantile(ratios, 0.1) },
    disagreements,
    otherDegrees: otherDegrees(compared),
  };
}

const laneOf = (analyse) => ({ analyse, taken: [], answers: [] });

async function timed({ analyse, taken, answers }, { pattern, flags }, index) {
  const start = process.hrtime.bigint();
  answers[index] = await analyse(pattern, flags);
  (taken[index] ??= []).push(Number(process.hrtime.bigint() - start));
}

/** Where both say polynomial, and not of which degree; with the label's, where there is one. */
export function otherDegrees(compared) {
  return compared
    .filter(({ answers: { holdfast, recheck } }) => {
      return [holdfast, recheck].every(({ verdict }) => verdict === 'polynomial') && holdfast.degree !== recheck.degree;
    })
    .map(({ pattern, flags, where, degree, answers: { holdfast, recheck } }) => {
      return { pattern, flags, where, holdfast: holdfast.degree, recheck: recheck.degree, label: degree ?? null };
    });
}

const ratioOf = ({ holdfast, recheck }, sum) => sum(recheck.times) / sum(holdfast.times);

async function yesOrNo(peer) {
  const [safeRegex, redosDetector] = [await peer('safe-regex'), await peer('redos-detector')];
  return {
    ...(safeRegex && { 'safe-regex': safeRegexAnalyser(safeRegex.default) }),
    ...(redosDetector && { 'redos-detector': redosDetectorAnalyser(redosDetector) }),
  };
}

/** How often both said what: `linear/linear 40, …`. */
export function agreement(compared) {
  const pairs = compared.map(({ answers }) => `${answers.holdfast.verdict}/${answers.recheck.verdict}`);
  return Object.entries(tally(pairs)).map(([pair, count]) => `${pair} ${count}`).join(', ');
}

/** Rows: what Holdfast says; columns: what recheck says. */
export function agreementTable(compared) {
  const count = (own, other) =>
    compared.filter(({ answers }) => answers.holdfast.verdict === own && answers.recheck.verdict === other).length;
  return Object.fromEntries(
    VERDICTS.map((own) => [own, Object.fromEntries(VERDICTS.map((other) => [other, count(own, other)]))]),
  );
}

// What the analysers that say yes or no make of patterns whose class is known by the label, else by Holdfast.
function besides(compared, name) {
  return tally(
    compared.map(({ expected, answers }) => {
      const known = expected ?? answers.holdfast.verdict;
      return `${known}: ${answers[name]}`;
    }),
  );
}

/**
 * Says of each disagreement who is right: by the label where there is one; else, who says that the steps grow, is right
 * when V8 on its attack grows so. Two that both say so differ in how; then the one is right whose growth V8 shows.
 */
export async function decided(disagreements, started = performance.now(), meter = new GrowthMeter()) {
  const result = [];
  for (const { pattern, flags, where, expected, answers } of disagreements) {
    const says = Object.fromEntries(['holdfast', 'recheck'].map((name) => [name, saying(answers[name])]));
    const entry = { pattern, flags, where, ...says };
    if (expected !== undefined) {
      const right = ['holdfast', 'recheck'].filter((name) => answers[name].verdict === expected);
      result.push({ ...entry, label: expected, right: right[0] ?? 'neither' });
      continue;
    }
    if (performance.now() - started > CASE_MS) {
      result.push({ ...entry, right: 'not decided, the time was over' });
      continue;
    }
    result.push({ ...entry, ...(await byV8(meter, { pattern, flags, answers })) });
  }
  await meter.close();
  return result;
}

async function byV8(meter, { pattern, flags, answers }) {
  const shown = {};
  for (const name of ['recheck', 'holdfast']) {
    const { verdict: kind, attack } = answers[name];
    if (attack) shown[name] = await meter.measure({ pattern, flags, attack, kind });
  }
  const growing = Object.keys(shown).filter((name) => shown[name].ratio >= AT_LEAST);
  const v8 = Object.fromEntries(Object.entries(shown).map(([name, growth]) => [name, growthIn(growth)]));
  // Exponential growth that V8 shows is also polynomial growth that V8 shows: the stronger claim is right.
  const strongest = growing.sort((a, b) => VERDICTS.indexOf(answers[b].verdict) - VERDICTS.indexOf(answers[a].verdict));
  if (strongest.length > 0) return { right: strongest[0], v8 };
  const claimed = Object.keys(shown);
  const modest = ['holdfast', 'recheck'].filter((name) => answers[name].verdict === 'linear');
  if (claimed.length > 0 && modest.length === 1) return { right: modest[0], v8 };
  return { right: 'nobody shows it', v8 };
}

/** Our own attacks on V8: how often the time at least doubles. */
async function v8OnAttacks({ holdfast }) {
  const analyse = holdfastAnalyser(holdfast);
  const meter = new GrowthMeter();
  const rows = [];
  const attacks = [];
  const started = performance.now();
  for (const { pattern, flags, where } of labelled()) {
    const { verdict, degree, attack } = analyse(pattern, flags);
    if (attack === null) continue;
    if (performance.now() - started > CASE_MS) throw new Error('V8 takes longer on the attacks than a case may take');
    const task = { pattern, flags, attack, kind: verdict };
    let growth = await meter.measure(task);
    // Once more: other work on the machine may have been in the way of the shorter text.
    const again = growth.ratio < AT_LEAST;
    if (again) growth = await meter.measure(task);
    attacks.push({ pattern, flags, where, verdict, degree: String(degree), ...growthIn(growth), again, attack });
  }
  await meter.close();
  for (const kind of ['polynomial', 'exponential']) {
    const ofKind = attacks.filter(({ verdict }) => verdict === kind);
    const doubled = ofKind.filter(({ ratio }) => ratio >= AT_LEAST);
    const ratios = ofKind.map(({ ratio }) => ratio);
    const lowest = ratios.length === 0 ? '' : formatRatio(Math.min(...ratios));
    const middle = ratios.length === 0 ? '' : formatRatio(median(ratios));
    rows.push([kind, String(ofKind.length), String(doubled.length), lowest, middle]);
  }
  return {
    columns: ['reported', 'attacks', 'at least twice the time', 'least', 'median'],
    rows,
    note:
      'Polynomial: the time of V8 with twice as many pumps, from 30 ms on. Exponential: with as few pumps more as ' +
      'make it twice the time, at most twelve. What did not double was measured once more. A match that was ended ' +
      'after three seconds counts with the time it had.',
    attacks,
  };
}

function growthIn({ repeat, ms, more, moreMs, ratio, ended }) {
  const digits = (number) => Number(number.toPrecision(4));
  return { repeat, ms: digits(ms), more, moreMs: digits(moreMs), ratio: digits(ratio), ended };
}

function saying({ verdict, degree, why }) {
  const power = verdict === 'polynomial' ? ` ${degree}` : '';
  return `${verdict}${power}${why === undefined ? '' : `: ${why}`}`;
}

function timesOf(times) {
  const all = times.reduce((sum, time) => sum + time, 0);
  return [
    String(times.length),
    formatNs(median(times)),
    formatNs(quantile(times, 0.99)),
    formatNs(Math.max(...times)),
    formatNs(all),
  ];
}

function ranked(patterns, times) {
  const all = patterns.map(({ pattern, flags, where }, index) => ({
    pattern: pattern.length > 200 ? `${pattern.slice(0, 200)}…` : pattern,
    flags,
    where,
    time: formatNs(times[index]),
    ns: times[index],
  }));
  return all.sort((a, b) => b.ns - a.ns);
}

function tally(words) {
  const counts = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
