// The memory of rate limiters: how many bytes a key takes, what a flood of 50 million keys takes, how long the longest
// call is while a limiter grows, and whether a flood lets anyone through who was over the limit before it.
// Every figure comes from a process of its own, whose V8 has had three million other keys before: what V8 takes for
// itself is then there. Keys are new strings, which Holdfast does not keep and the others do.
// `node bench/limiter-memory.mjs [--rounds=N] [--only=text]`: how many rounds, of which a cell shows the median and the
// range; and only the processes whose name has the text in it. A round takes some minutes, most of them for the ten
// million keys of the others. Wants the release build of the addon, as run.mjs does.
//
// A contestant is stopped after two minutes or at 6 GiB, and in the flood the others at 5 million keys: they have no
// bound, and the slope can be seen by then. V8's own limit is put higher for them than it is by default.
import assert from 'node:assert/strict';
import os from 'node:os';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { currentCommit, loadAverage, warningsOf } from './facts.mjs';
import { quantile, REFERENCE } from './harness.mjs';
import { freshIpv4, passKeys } from './limiter-keys.mjs';
import { LIMITERS } from './limiter-peers.mjs';
import { probe } from './peers.mjs';
import { aligned, cell, endWithParent, runRounds } from './rounds.mjs';
import { requireStaged, stage } from './stage.mjs';
import { formatNs } from './table.mjs';

const MIB = 2 ** 20;
const MILLION = 1e6;
const DAY = 24 * 3600 * 1000;
const SETTINGS = { limit: 100, windowMs: DAY }; // a token in 14 minutes: no key recovers meanwhile
const WARM_UP = 3 * MILLION;
const OTHERS = 2 ** 31; // the first index of keys that are only for the warm-up
const SIZES = [1000, 100_000, MILLION, 10 * MILLION];
const FLOOD = { maxKeys: MILLION, ours: 50 * MILLION, peers: 5 * MILLION };
const SHOWN = [1, 2, 5, 10, 20, 30, 40, 50].map((millions) => millions * MILLION);
const PROMISE = { over: 1000, limit: 10, maxKeys: 100_000, flood: MILLION };
const BOUNDS = { ms: 120_000, rss: Math.min(6 * 1024 * MIB, os.totalmem() / 2) };
/** As large as V8 makes it in the end, from the beginning: it would grow in the middle of the flood. */
const YOUNG_GENERATION = ['--min-semi-space-size=16', '--max-semi-space-size=16'];
const TIMEOUT_MS = 300_000;
const NOTHING = 'nothing: the clock and the key alone';

const thousands = (number) => number.toLocaleString('en-US');
const mib = (bytes) => (bytes / MIB).toFixed(1);
const whole = (value) => Math.round(value).toLocaleString('en-US');

// ------------------------------------------------------------------------------------------- the one that is started

async function main() {
  const options = optionsOf();
  const probes = Object.fromEntries(
    Object.keys(LIMITERS)
      .filter((name) => name !== REFERENCE)
      .map((name) => [name, probe(name)]),
  );
  const present = [REFERENCE, ...Object.keys(probes).filter((name) => probes[name].reason === null)];
  const jobs = jobsOf(present).filter(({ title }) => title.includes(options.only));
  if (jobs.length === 0) fail(`nothing has ${options.only} in its name: ${jobsOf(present).map(({ title }) => title)}`);
  const binary = stage();
  const before = loadAverage();
  const how = {
    script: import.meta.filename,
    rounds: options.rounds,
    timeoutMs: TIMEOUT_MS,
    execArgv: ['--expose-gc', `--max-old-space-size=${Math.ceil((1.5 * BOUNDS.rss) / MIB)}`, ...YOUNG_GENERATION],
  };
  const titles = jobs.map(({ title }) => title);
  const { results, failures } = await runRounds(how, titles, (title) => jobs.find((job) => job.title === title));

  console.log(introduction(options, binary, before, probes));
  for (const [kind, show] of Object.entries(TABLES)) {
    const ofKind = jobs.filter((job) => job.kind === kind);
    if (ofKind.length > 0) console.log(`\n${show(ofKind, results)}`);
  }
  for (const name of Object.keys(probes)) {
    if (probes[name].reason) console.log(`\nNot run: ${name}: ${probes[name].reason}.`);
  }
  for (const failure of failures) console.log(`\n${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}

function optionsOf() {
  const text = { type: 'string' };
  const { values } = parseArgs({ options: { rounds: text, only: text } });
  if (values.rounds !== undefined && !/^[1-9]\d{0,3}$/.test(values.rounds)) {
    fail('--rounds takes a number from 1 to 9999');
  }
  return { rounds: Number(values.rounds ?? 3), only: values.only ?? '' };
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

function jobsOf(names) {
  const one = (kind, name, more = {}) => ({
    kind,
    name,
    title: [kind, name, ...Object.values(more)].join(': '),
    ...more,
  });
  return [
    ...names.flatMap((name) => SIZES.map((size) => one('bytes', name, { size }))),
    ...names.map((name) => one('flood', name)),
    ...[...names, NOTHING].map((name) => one('calls', name)),
    ...[1, PROMISE.limit].map((hits) => one('promise', REFERENCE, { hits })),
  ];
}

// ------------------------------------------------------------------------------------------------- what is printed

function introduction({ rounds }, binary, before, probes) {
  const versions = Object.entries(probes).map(([name, { version }]) => `${name} ${version ?? '(missing)'}`);
  const after = loadAverage();
  const cores = os.availableParallelism();
  return [
    `${rounds} round${rounds === 1 ? '' : 's'}; a cell is the median (range). Commit ${currentCommit()},`,
    `Node ${process.version}, ${os.cpus()[0]?.model.trim()}, ${cores} cores, load average ${before.toFixed(1)} before`,
    `and ${after.toFixed(1)} after. ${versions.join(', ')}.`,
    ...warningsOf({ binary, loadAverage: before, loadAverageAfter: after, cores }).map((text) => `Warning: ${text}.`),
  ].join('\n');
}

const TABLES = {
  bytes(jobs, results) {
    const rows = jobs.map(({ title, name, size }) => {
      const rounds = results[title];
      const stopped = rounds.find((result) => result?.stopped)?.stopped;
      const figures = stopped
        ? [`stopped: ${stopped}`, '', '']
        : [
            cell(rounds, (r) => r.rss / size, whole),
            cell(rounds, (r) => r.heap / size, whole),
            name === REFERENCE
              ? cell(
                  rounds,
                  (r) => r.table / size,
                  (value) => value.toFixed(1),
                )
              : '',
          ];
      return [`${name}, ${thousands(size)} keys`, ...figures];
    });
    const head = ['Bytes a key', 'RSS', 'of it V8 heap', 'by its own account'];
    return [
      aligned([head, ...rows]),
      '',
      'At 1,000 keys the RSS is that of the pages that happened to be touched. `maxKeys` is the number of keys.',
    ].join('\n');
  },

  flood(jobs, results) {
    const notes = [];
    const rows = jobs.map(({ title, name }) => {
      const rounds = results[title];
      for (const stopped of new Set(rounds.map((result) => result?.stopped).filter(Boolean))) {
        notes.push(`${name} was stopped: ${stopped}.`);
      }
      const isThere = (keys) => rounds.some((result) => result?.highest[keys] !== undefined);
      const cells = SHOWN.map((keys) => (isThere(keys) ? cell(rounds, (r) => r.highest[keys], mib) : '–'));
      return [name, ...cells];
    });
    const head = [
      'Highest RSS so far, over that before the flood, MiB',
      ...SHOWN.map((keys) => `${keys / MILLION} M keys`),
    ];
    const table = `Different keys, one hit each; Holdfast with \`maxKeys: ${thousands(FLOOD.maxKeys)}\`:`;
    return [table, '', aligned([head, ...rows]), ...notes.map((note) => `\n${note}`)].join('\n');
  },

  calls(jobs, results) {
    const columns = ['p50', 'p99.9', 'max'];
    const rows = jobs.map(({ title, name }) => [
      name,
      ...columns.map((column) =>
        cell(
          results[title],
          (r) => r[column],
          (ms) => formatNs(ms * 1e6),
        ),
      ),
    ]);
    const head = [`One call, from none to ${thousands(MILLION)} keys`, ...columns];
    return aligned([head, ...rows]);
  },

  promise(jobs, results) {
    const { over, limit, maxKeys, flood } = PROMISE;
    const columns = [
      ['of these refused afterwards', 'refused'],
      ['of as many that then come for the first time allowed', 'allowed'],
      ['keys that had to make room', 'evictions'],
    ];
    const rows = jobs.map(({ title, hits }) => [
      `${hits} of ${limit}`,
      ...columns.map(([, key]) => cell(results[title], (r) => r[key], whole)),
    ]);
    return [
      `${thousands(over)} keys over their limit of ${limit} in a table for ${thousands(maxKeys)}, then a flood of`,
      `${thousands(flood)} others. The other packages have no bound, and forget nobody:`,
      '',
      aligned([['Hits of each key of the flood', ...columns.map(([title]) => title)], ...rows]),
    ].join('\n');
  },
};

// ------------------------------------------------------------------------------------- one contestant, in its process

async function contestantMain({ kind, name, ...job }) {
  endWithParent();
  const module = name === REFERENCE ? requireStaged() : name === NOTHING ? null : await import(name);
  const make = (settings) => (module ? LIMITERS[name](module, settings) : nothing());
  const result = await KINDS[kind]({ make, name, ...job });
  process.send(result, () => process.exit(0));
}

const KINDS = {
  async bytes({ make, size }) {
    await warmUp(make);
    const before = await settled();
    const limiter = make({ ...SETTINGS, maxKeys: size });
    const { done, stopped } = await passKeys(limiter, { from: 0, count: size, after: boundary() });
    if (stopped) return { stopped: `${stopped} at ${thousands(done)} keys` };
    const after = await settled();
    // Nobody has less to keep because it forgot.
    for (let index = 0; index < size; index += size / 1000) {
      assert.equal(await limiter.remaining(freshIpv4(index)), SETTINGS.limit - 1);
    }
    return { rss: after.rss - before.rss, heap: after.heap - before.heap, table: limiter.own?.stats().bytes };
  },

  async flood({ make, name }) {
    await warmUp(make);
    const before = await settled();
    // With a limit that the flood does not use up: see warmUp.
    const limiter = make({ limit: 10_000, windowMs: 20 * DAY, maxKeys: FLOOD.maxKeys });
    const highest = {};
    let most = 0;
    const limits = boundary();
    const { done, stopped } = await passKeys(limiter, {
      from: 0,
      count: name === REFERENCE ? FLOOD.ours : FLOOD.peers,
      after(done) {
        if (done % 100_000 !== 0) return;
        most = Math.max(most, process.memoryUsage.rss());
        if (SHOWN.includes(done)) highest[done] = most - before.rss;
        return limits(done);
      },
    });
    return { highest, stopped: stopped && `${stopped} at ${thousands(done)} keys` };
  },

  async calls({ make, name }) {
    const times = new Float64Array(MILLION);
    const measure = name === REFERENCE || name === NOTHING ? timeCalls : timeAwaited;
    await warmUp(make);
    const small = make({ ...SETTINGS, maxKeys: 1000 });
    await measure(small, OTHERS, times.subarray(0, 100_000)); // compiles it
    await settled();
    await measure(make({ ...SETTINGS, maxKeys: MILLION }), 0, times);
    times.sort();
    return { p50: quantile(times, 0.5), 'p99.9': quantile(times, 0.999), max: times.at(-1) };
  },

  // A flood that uses up its limits too is the harder one: it takes the cells of those who were there before.
  async promise({ make, hits }) {
    const { over, limit, maxKeys, flood } = PROMISE;
    const limiter = make({ limit, windowMs: DAY, maxKeys });
    const keys = Array.from({ length: over }, (_, index) => freshIpv4(OTHERS + index));
    for (const key of keys) limiter.prime(key, limit);
    assert.equal(limiter.run(keys), 0);
    const before = limiter.own.stats().evictions;
    for (let index = 0; index < flood; index++) limiter.own.consume(freshIpv4(index), hits);
    const evictions = limiter.own.stats().evictions - before;
    const refused = over - limiter.run(keys);
    assert.equal(refused, over, `the flood let ${over - refused} through that were over their limit`);
    const newcomers = Array.from({ length: over }, (_, index) => freshIpv4(OTHERS + over + index));
    return { refused, evictions, allowed: limiter.run(newcomers) };
  },
};

// Keys that are dropped again where nothing bounds them. In a full table a new key is taken to have as many hits as the
// one that made way for it: one more each time all were replaced, so that the limit has to be higher than that.
async function warmUp(make) {
  const limiter = make({ limit: 1e6, windowMs: 20 * DAY, maxKeys: 1000 });
  const after = (_, keys) => {
    if (!limiter.own) for (const key of keys) limiter.drop(key);
  };
  await passKeys(limiter, { from: OTHERS, count: WARM_UP, after });
  limiter.close();
}

/** Memory once V8 has collected what it can, and given back what it does on threads. */
async function settled() {
  for (let round = 0; round < 3; round++) {
    globalThis.gc();
    await sleep(100);
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { rss, heap: heapUsed };
}

/** Says why a contestant is to be stopped. */
function boundary() {
  const started = performance.now();
  return (done) => {
    if (done % 100_000 !== 0) return;
    if (performance.now() - started > BOUNDS.ms) return `${BOUNDS.ms / 1000} s`;
    if (process.memoryUsage.rss() > BOUNDS.rss) return `${mib(BOUNDS.rss)} MiB`;
  };
}

function timeCalls(limiter, from, times) {
  let answer;
  for (let index = 0; index < times.length; index++) {
    const key = freshIpv4(from + index);
    const start = performance.now();
    answer = limiter.hit(key);
    times[index] = performance.now() - start;
  }
  return answer;
}

async function timeAwaited(limiter, from, times) {
  for (let index = 0; index < times.length; index++) {
    const key = freshIpv4(from + index);
    const start = performance.now();
    await limiter.hit(key);
    times[index] = performance.now() - start;
  }
}

/** What the measuring itself takes. */
function nothing() {
  return { run: (keys) => keys.length, hit: () => 0, drop() {}, close() {} };
}

// The word is for the processes that this file starts itself. At the end: the tables above have to be there.
if (process.argv[2] === 'contestant') await contestantMain(JSON.parse(process.argv[3]));
else await main();
