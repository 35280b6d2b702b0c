// A login storm: what else a server gets done while hundreds of passwords are verified. Every contestant has a process
// of its own, which serves HTTP and every 5 ms reads a small file and asks itself for a page by host name: first at
// rest, then while all verifies run that were started at once. Told are the times of the reads and pings, the delay of
// the event loop, and memory. A read needs a thread of libuv four times and a look-up once, so both wait behind the
// passwords where those are verified on the same threads.
// `node bench/storm.mjs [--bcrypt] [--threads=N] [--jobs=N] [--rounds=N]`: bcrypt instead of argon2id; threads of
// Holdfast (if not given, its default); how many verifies; how many rounds, of which a cell shows the median and
// the range. UV_THREADPOOL_SIZE is passed on. The peers are those that `node bench/setup.mjs` installs.
import assert from 'node:assert/strict';
import { mkdtempSync, readFile, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import os from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { REFERENCE, quantile } from './harness.mjs';
import { loaderFor, probe } from './peers.mjs';
import { aligned, cell, endWithParent, runRounds } from './rounds.mjs';
import { formatNs, formatRatio } from './table.mjs';

const PASSWORD = 'correct horse battery staple';
const MODES = {
  argon2: {
    label: 'argon2id, 19 MiB, 2 passes, 1 lane',
    jobs: 500,
    settings: { algorithm: 'argon2id', argon2: { memoryKiB: 19_456, passes: 2, lanes: 1 } },
    peers: ['@node-rs/argon2', 'argon2'],
  },
  bcrypt: {
    label: 'bcrypt, cost 10',
    jobs: 64,
    settings: { algorithm: 'bcrypt', bcrypt: { cost: 10 } },
    peers: ['@node-rs/bcrypt', 'bcrypt'],
  },
};

const EVERY_MS = 5;
const IDLE_MS = 1500;
const FILE_BYTES = 4096;

/** So many reads and so many pings may be under way; a contestant that keeps them waiting would pile up thousands. */
const MOST_UNDER_WAY = 400;

/** Reads and pings before anything is measured, so that the times at rest are not those of cold code. */
const WARM_UP = 50;

/** Holdfast's default; more only where more are asked of it at once. */
const MAX_QUEUE = 1024;
const CONTESTANT_TIMEOUT_MS = 120_000;

const ms = (value) => formatNs(value * 1e6);
const mib = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;
const count = (value) => `${Math.round(value)}`;

/** The lines of the table: title, figure, how it is written; `compared`: also as a ratio to Holdfast's. */
const LINES = [
  { title: 'storm, from start to end', of: (r) => r.stormMs, write: ms },
  { title: 'verifies per second', of: (r) => r.perSecond, write: (value) => value.toFixed(1) },
  ...linesOf('readFile', 'files'),
  ...linesOf('ping', 'pings'),
  { title: 'event loop delay, p99', of: (r) => r.delay.p99, write: ms, compared: true },
  { title: 'event loop delay, max', of: (r) => r.delay.max, write: ms },
  { title: 'peak RSS over that before the storm', of: (r) => r.rss.grown, write: mib },
  { title: 'peak RSS of the process', of: (r) => r.rss.most, write: mib },
];

// The word is for the processes that this file starts itself.
if (process.argv[2] === 'contestant') await contestantMain(JSON.parse(process.argv[3]));
else await main();

// ------------------------------------------------------------------------------------------- the one that is started

async function main() {
  const options = optionsOf();
  const mode = MODES[options.mode];
  const probes = Object.fromEntries(mode.peers.map((name) => [name, probe(name)]));
  const present = mode.peers.filter((name) => probes[name].reason === null);
  const stored = await storedHash(mode.settings);
  const folder = mkdtempSync(join(os.tmpdir(), 'storm-'));
  const file = join(folder, 'small.bin');
  writeFileSync(file, Buffer.alloc(FILE_BYTES, 'storm '));

  const names = [REFERENCE, ...present];
  const how = {
    script: import.meta.filename,
    rounds: options.rounds,
    timeoutMs: CONTESTANT_TIMEOUT_MS,
    onExit: () => rmSync(folder, { recursive: true, force: true }),
  };
  const { results, failures } = await runRounds(how, names, (name) => ({ ...options, name, file, stored, probes }));

  console.log(introduction(options, mode, probes));
  console.log(`\n${table(names, results)}`);
  for (const name of mode.peers) if (probes[name].reason) console.log(`\nNot run: ${name}: ${probes[name].reason}.`);
  for (const failure of failures) console.log(`\n${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}

function optionsOf() {
  const text = { type: 'string' };
  const { values } = parseArgs({
    options: { bcrypt: { type: 'boolean', default: false }, threads: text, jobs: text, rounds: text },
  });
  for (const name of ['threads', 'jobs', 'rounds']) {
    if (values[name] !== undefined && !/^[1-9]\d{0,4}$/.test(values[name])) {
      console.error(`--${name} takes a number from 1 to 99999`);
      process.exit(1);
    }
  }
  const mode = values.bcrypt ? 'bcrypt' : 'argon2';
  return {
    mode,
    threads: values.threads && Number(values.threads),
    jobs: Number(values.jobs ?? MODES[mode].jobs),
    rounds: Number(values.rounds ?? 3),
  };
}

async function storedHash(settings) {
  const hasher = makeHasher(settings);
  const stored = await hasher.hash(PASSWORD);
  await hasher.close();
  return stored;
}

// ------------------------------------------------------------------------------------------------- what is printed

function linesOf(key, title) {
  const what = title === 'files' ? 'fs.readFile' : 'HTTP ping by name';
  return [
    { title: `${what} at rest, p50`, of: (r) => r.idle[key].p50, write: ms },
    { title: `${what} at rest, p99`, of: (r) => r.idle[key].p99, write: ms },
    { title: `${what} in the storm, p50`, of: (r) => r.storm[key].p50, write: ms },
    { title: `${what} in the storm, p99`, of: (r) => r.storm[key].p99, write: ms, compared: true },
    { title: `${what} in the storm, max`, of: (r) => r.storm[key].max, write: ms },
    { title: `${title} in the storm: done`, of: (r) => r.storm[key].done, write: count },
    { title: `${title} in the storm: skipped`, of: (r) => r.storm[key].skipped, write: count },
    { title: `${title} in the storm: failed`, of: (r) => r.storm[key].failed, write: count },
  ];
}

function introduction({ threads, jobs, rounds }, { label }, probes) {
  const versions = Object.entries(probes).map(([name, { version }]) => `${name} ${version ?? '(missing)'}`);
  return [
    `${label}: ${jobs} verifies at once, ${rounds} round${rounds === 1 ? '' : 's'}.`,
    `Node ${process.version}, ${os.availableParallelism()} cores; threads of Holdfast: ${threads ?? 'default'},`,
    `of libuv: ${process.env.UV_THREADPOOL_SIZE ?? 4}. ${versions.join(', ')}.`,
    `A file and a ping every ${EVERY_MS} ms, skipped while ${MOST_UNDER_WAY} of the kind are under way: those would`,
    'have waited too, and are missing in the figures. An event loop with nothing to do shows a delay of about 1 ms.',
  ].join('\n');
}

function table(names, results) {
  const row = ({ title, of, write }) => [title, ...names.map((name) => cell(results[name], of, write))];
  const ratios = LINES.filter(({ compared }) => compared).map(({ title, of }) => ({
    title: `${title}: ÷ Holdfast's`,
    of: (result, round) => ratio(of, result, results[REFERENCE][round]),
    write: formatRatio,
  }));
  return aligned([['', ...names], ...[...LINES, ...ratios].map(row)]);
}

// Of the same round, because the machine may have been busier in another.
function ratio(of, result, own) {
  return own && of(result) / of(own);
}

// ------------------------------------------------------------------------------------- one contestant, in its process

async function contestantMain({ mode, name, file, stored, probes, threads, jobs }) {
  endWithParent();
  const server = http.createServer((_, response) => response.end('pong'));
  await new Promise((resolve) => server.listen(0, 'localhost', resolve));
  const starters = { readFile: fileReader(file), ping: pinger(server.address().port) };
  const { verify, close } = await contestantOf(name, loaderFor(probes), { ...MODES[mode].settings, threads, jobs });

  for (let i = 0; i < WARM_UP; i++) {
    for (const start of Object.values(starters)) await new Promise((done) => start(done));
  }
  const resting = startLoad(starters);
  await sleep(IDLE_MS);
  const idle = await resting.end();

  // The first turn of the monitor is its zero and not recorded; it must not be the one that starts the verifies.
  const monitor = monitorEventLoopDelay({ resolution: 1 });
  monitor.enable();
  await sleep(20);
  const before = process.memoryUsage.rss();
  const load = startLoad(starters);
  const started = performance.now();
  const answers = await Promise.all(Array.from({ length: jobs }, () => verify(stored)));
  const stormMs = performance.now() - started;
  monitor.disable();
  const storm = await load.end();

  for (const valid of answers) assert.equal(valid, true, `${name} refuses a right password`);
  await close?.();
  const result = {
    stormMs,
    perSecond: (jobs / stormMs) * 1000,
    idle,
    storm,
    delay: { p99: monitor.percentile(99) / 1e6, max: monitor.max / 1e6 },
    rss: { grown: storm.peakRss - before, most: process.resourceUsage().maxRSS * 1024 },
  };
  process.send(result, () => process.exit(0));
}

// Only this contestant's module is loaded, so that the memory is its own.
async function contestantOf(name, peer, { threads, jobs, ...settings }) {
  if (name === REFERENCE) {
    const hasher = makeHasher({ ...settings, threads, maxQueue: Math.max(MAX_QUEUE, jobs) });
    return {
      verify: async (stored) => (await hasher.verify(stored, PASSWORD)).valid,
      close: () => hasher.close(),
    };
  }
  const module = await peer(name);
  const verifiers = {
    '@node-rs/argon2': (stored) => module.verify(stored, PASSWORD),
    argon2: (stored) => module.default.verify(stored, PASSWORD),
    '@node-rs/bcrypt': (stored) => module.verify(PASSWORD, stored),
    bcrypt: (stored) => module.default.compare(PASSWORD, stored),
  };
  return { verify: verifiers[name] };
}

function makeHasher(settings) {
  const { PasswordHasher } = createRequire(import.meta.url)('..');
  return new PasswordHasher(settings);
}

function fileReader(path) {
  return (done) => readFile(path, done);
}

// Without an agent that keeps connections, each ping looks the name up and connects anew, as to a service elsewhere.
function pinger(port) {
  return (done) => {
    const request = http.get({ host: 'localhost', port, agent: false }, (response) => {
      response.once('end', () => done(null)).once('error', done);
      response.resume();
    });
    request.once('error', done);
  };
}

/** Starts one of each kind every few milliseconds until `end()`, which waits for all that are under way. */
function startLoad(starters) {
  const counters = { underWay: 0, skipped: 0, failed: 0 };
  const lanes = Object.entries(starters).map(([kind, start]) => ({ kind, start, times: [], ...counters }));
  let peakRss = 0;
  const timer = setInterval(() => {
    for (const lane of lanes) startOne(lane);
    peakRss = Math.max(peakRss, process.memoryUsage.rss());
  }, EVERY_MS);
  return {
    async end() {
      clearInterval(timer);
      while (lanes.some(({ underWay }) => underWay > 0)) await sleep(EVERY_MS);
      return { ...Object.fromEntries(lanes.map((lane) => [lane.kind, summaryOf(lane)])), peakRss };
    },
  };
}

function startOne(lane) {
  if (lane.underWay >= MOST_UNDER_WAY) {
    lane.skipped++;
    return;
  }
  lane.underWay++;
  const started = performance.now();
  lane.start((error) => {
    lane.underWay--;
    if (error) lane.failed++;
    else lane.times.push(performance.now() - started);
  });
}

function summaryOf({ times, skipped, failed }) {
  const [p50, p99, max] = [0.5, 0.99, 1].map((q) => quantile(times, q));
  return { p50, p99, max, done: times.length, skipped, failed };
}
