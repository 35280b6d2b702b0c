// A mixed attack on a hardened Express application, and on its twin that is written the ordinary way (applications/notes-*),
// while people use it: how long these wait, how many get no answer or a wrong one, how late the event loop is, and what
// memory is taken. First each application for a minute under all attacks at once, then for some seconds under each alone.
// The application, its users and its attackers have a process each; the attackers' priority is lower. An application that
// crashes is started again at once, and one that says nothing for ten seconds is killed, as a liveness probe would.
// `node bench/attack.mjs [--seconds=60] [--alone=10] [--only=redos,slow] [--out=file]`: how long the attacks last (0 for
// --alone: none of these), which of them, and where the results go; results/attack.json for the whole. Wants the release
// build of the addon, and the peers of `node bench/setup.mjs`. Sends to loopback only, and ends by itself.
import { fork } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { KINDS, REQUESTS, SLOW } from './attack-mix.mjs';
import { currentCommit, factsOf, loadAverage, warningsOf } from './facts.mjs';
import { overhead, quantile } from './harness.mjs';
import { probe } from './peers.mjs';
import { stage } from './stage.mjs';
import { formatNs, sectionOf } from './table.mjs';

const APPLICATIONS = { hardened: 'notes-hardened', ordinary: 'notes-ordinary' };
const PEERS = ['bcrypt', 'express-session'];
const DEFAULTS = { seconds: 60, alone: 10 };

const WARM_UP_MS = 3000;
const REST_MS = 5000;
/** So long may an application say nothing; then it is killed and started again. */
const SILENCE_MS = 10_000;
const WATCH_MS = 250;
/** How long a request without an answer, or with a wrong one, is taken to have lasted: its sender's patience. */
const PATIENCE_MS = 5000;
/** Attackers that have not said what they did by then are not waited for. */
const GRACE_MS = 15_000;

/** Every process that runs, so that none is left behind, however this one ends. */
const running = new Set();

async function main() {
  endChildrenWithThis();
  const { seconds, alone, kinds, out } = optionsOf();
  const probes = Object.fromEntries(PEERS.map((name) => [name, probe(name)]));
  for (const name of PEERS) if (probes[name].reason) fail(`${name}: ${probes[name].reason}`);
  const binary = stage();
  const facts = { ...factsOf(binary, currentCommit(), probes), loopOverheadNs: await overhead() };

  const all = await ofEach((name) => assail(name, { kinds, seconds }));
  const results = [mixedResult(all, seconds, kinds), sentResult(all, kinds)];
  if (alone > 0) {
    const each = {};
    for (const kind of kinds) each[kind] = await ofEach((name) => assail(name, { kinds: [kind], seconds: alone }));
    results.push(aloneResult(each, alone));
  }

  facts.loadAverageAfter = loadAverage();
  const file = { case: 'attack', facts, warnings: warningsOf(facts), results };
  if (out !== undefined) write(out, file);
  console.log(sectionOf(file));
  for (const warning of file.warnings) console.log(`\nWarning: ${warning}.`);
}

function optionsOf() {
  const text = { type: 'string' };
  const { values } = parseArgs({ options: { seconds: text, alone: text, only: text, out: text } });
  const number = (name) => {
    if (values[name] === undefined) return DEFAULTS[name];
    if (!/^\d{1,3}$/.test(values[name])) fail(`--${name} takes a number of seconds up to 999`);
    return Number(values[name]);
  };
  const [seconds, alone, kinds] = [number('seconds'), number('alone'), values.only?.split(',') ?? [...KINDS]];
  for (const kind of kinds) if (!KINDS.includes(kind)) fail(`there is no attack ${kind}; there are ${KINDS.join(', ')}`);
  if (seconds === 0) fail('--seconds takes a number from 1');
  const isWhole = seconds === DEFAULTS.seconds && alone === DEFAULTS.alone && kinds.length === KINDS.length;
  // A part must not replace the results of the whole.
  const out = values.out ?? (isWhole ? join(import.meta.dirname, 'results', 'attack.json') : undefined);
  return { seconds, alone, kinds, out };
}

async function ofEach(measure) {
  const results = {};
  for (const name of Object.keys(APPLICATIONS)) results[name] = await measure(name);
  return results;
}

// --------------------------------------------------------------------------------------------------------- one attack

/**
 * @param {keyof typeof APPLICATIONS} name
 * @param {{ kinds: readonly string[], seconds: number }} how
 */
async function assail(name, { kinds, seconds }) {
  console.error(`${name}: ${kinds.join(', ')}: ${seconds} s`);
  const victim = new Victim(APPLICATIONS[name]);
  try {
    const port = await victim.start();
    const clients = start('attack-clients.mjs', [JSON.stringify({ port })]);
    await sleep(WARM_UP_MS);
    await answerTo(clients, { isLast: false });
    await sleep(REST_MS);
    const rest = { ...timesOf((await answerTo(clients, { isLast: false })).results), rss: victim.rss };

    victim.reset();
    const attackers = start('attackers.mjs', [JSON.stringify({ port, seconds, kinds })]);
    const { startedAt } = await answerOf(attackers);
    const { sent } = await lastWordsOf(attackers, seconds * 1000 + GRACE_MS);
    const measured = victim.measured();
    const { results } = await answerTo(clients, { isLast: true });
    const meanwhile = results.filter(({ dueAt }) => dueAt >= startedAt && dueAt < startedAt + seconds * 1000);
    return { rest, attack: { ...timesOf(meanwhile), logins: timesOf(meanwhile.filter(isLogin)), ...measured }, sent };
  } finally {
    victim.end();
    for (const child of running) child.kill('SIGKILL');
  }
}

const isLogin = ({ kind }) => kind === 'login';

function timesOf(results) {
  const times = results.map(({ ms, failure }) => (failure === undefined ? ms : Math.max(ms, PATIENCE_MS)));
  const failures = {};
  for (const { failure } of results) if (failure !== undefined) failures[failure] = (failures[failure] ?? 0) + 1;
  const failed = results.filter(({ failure }) => failure !== undefined).length;
  if (times.length === 0) return { requests: 0, failed, failures };
  const [p50, p99, max] = [0.5, 0.99, 1].map((q) => quantile(times, q));
  return { requests: times.length, failed, failures, p50, p99, max };
}

/** An application that is watched, and started again on its port when it has crashed or hangs. */
class Victim {
  #application;
  #child;
  #port = 0;
  #isEnding = false;
  #heardAt = 0;
  #watch;
  #figures;

  constructor(application) {
    this.#application = application;
    this.reset();
  }

  async start() {
    this.#child = start('serve.mjs', [this.#application, String(this.#port), JSON.stringify({ watched: true })]);
    this.#heardAt = performance.now();
    this.#child.on('message', ({ report }) => report && this.#note(report));
    this.#child.once('exit', () => void this.#ended());
    const { port } = await answerOf(this.#child, (message) => message.port !== undefined);
    this.#port = port;
    this.#watch ??= setInterval(() => this.#look(), WATCH_MS);
    return port;
  }

  /** From here on. */
  reset() {
    this.#figures = { crashes: 0, hangs: 0, p99Loop: 0, maxLoop: 0, peakRss: 0, cpuMicros: 0, since: performance.now() };
    if (this.#child?.connected) this.#child.send({});
  }

  measured() {
    this.#look();
    const { since, cpuMicros, ...figures } = this.#figures;
    return { ...figures, cpuShare: cpuMicros / 1000 / (performance.now() - since) };
  }

  end() {
    this.#isEnding = true;
    clearInterval(this.#watch);
    this.#child?.kill('SIGKILL');
  }

  // What it has used is told from its start on, and it may have been started again.
  #note({ cpuMicros, rss, peakRss, p99, max }) {
    const figures = this.#figures;
    this.#heard();
    figures.cpuMicros += cpuMicros - (this.cpuMicros ?? 0);
    this.cpuMicros = cpuMicros;
    this.rss = rss;
    figures.p99Loop = Math.max(figures.p99Loop, p99);
    figures.maxLoop = Math.max(figures.maxLoop, max);
    figures.peakRss = Math.max(figures.peakRss, peakRss);
  }

  #heard() {
    this.#look();
    this.#heardAt = performance.now();
  }

  // A loop that hangs cannot say how late it is.
  #look() {
    const silence = performance.now() - this.#heardAt;
    if (silence > 4 * WATCH_MS) this.#figures.maxLoop = Math.max(this.#figures.maxLoop, silence);
    if (silence < SILENCE_MS || this.#child.killed) return;
    this.#figures.hangs++;
    this.#child.kill('SIGKILL');
  }

  async #ended() {
    if (this.#isEnding) return;
    if (!this.#child.killed) this.#figures.crashes++;
    this.cpuMicros = 0;
    await sleep(WATCH_MS);
    // Its end, if it ends once more, is seen by its own listener.
    if (!this.#isEnding) await this.start().catch(() => {});
  }
}

// -------------------------------------------------------------------------------------------------------- the tables

function mixedResult(all, seconds, kinds) {
  const names = Object.keys(all);
  const row = (title, of) => [title, ...names.map((name) => of(all[name]))];
  return {
    group: 'Attacked',
    title: `All attacks at once, for ${seconds} s; ${PEOPLE_SAY}`,
    columns: ['', ...names],
    rows: [
      row('requests of people', ({ attack }) => count(attack.requests)),
      row('failed', ({ attack }) => count(attack.failed)),
      row('p50, before the attack', ({ rest }) => ms(rest.p50)),
      row('p99, before the attack', ({ rest }) => ms(rest.p99)),
      row('p50', ({ attack }) => ms(attack.p50)),
      row('p99', ({ attack }) => ms(attack.p99)),
      row('longest', ({ attack }) => ms(attack.max)),
      row('log-ins, p50', ({ attack }) => ms(attack.logins.p50)),
      row('log-ins, p99', ({ attack }) => ms(attack.logins.p99)),
      row('event loop late, p99', ({ attack }) => ms(attack.p99Loop)),
      row('event loop late, longest', ({ attack }) => ms(attack.maxLoop)),
      row('memory before', ({ rest }) => mib(rest.rss)),
      row('memory, most', ({ attack }) => mib(attack.peakRss)),
      row('CPU of the process', ({ attack }) => `${Math.round(100 * attack.cpuShare)} %`),
      row('crashed, and was started again', ({ attack }) => count(attack.crashes)),
      row('hung for 10 s, was killed and started again', ({ attack }) => count(attack.hangs)),
    ],
    note: failuresSentence(all),
    seconds,
    kinds,
    measured: all,
  };
}

const PEOPLE_SAY = '20 people make 40 requests a second, of which 2 are log-ins';

function failuresSentence(all) {
  const parts = Object.entries(all)
    .filter(([, { attack }]) => attack.failed > 0)
    .map(([name, { attack }]) => {
      const each = Object.entries(attack.failures).map(([what, number]) => `${what}: ${count(number)}`);
      return `What failed, ${name}: ${each.join('; ')}.`;
    });
  return [...parts, 'A request that fails is taken to have lasted at least 5 s.'].join(' ');
}

function sentResult(all, kinds) {
  const names = Object.keys(all);
  const rateOf = (kind) => (kind === 'slow' ? `${SLOW.sockets} sockets` : `${REQUESTS[kind].perSecond} a second`);
  return {
    group: 'Attacked',
    title: 'What was sent in it, and what became of it',
    columns: ['', 'rate', ...names],
    rows: kinds.map((kind) => [
      (kind === 'slow' ? SLOW : REQUESTS[kind]).title,
      rateOf(kind),
      ...names.map((name) => fateOf(all[name].sent[kind])),
    ]),
    note: '*held back*: not sent, because too many before it had no answer yet.',
  };
}

function fateOf(counts) {
  if (counts.opened !== undefined) {
    return `${count(counts.opened)} opened, ${count(counts.closed)} closed by it, ${counts.mostOpen} open at most`;
  }
  const answered = Object.entries(counts.statuses).map(([status, number]) => `${status}: ${count(number)}`);
  const total = Object.values(counts.statuses).reduce((sum, number) => sum + number, 0);
  const none = counts.sent - total;
  return [
    `${count(counts.sent)} sent`,
    ...answered,
    ...(none > 0 ? [`no answer: ${count(none)}`] : []),
    ...(counts.heldBack > 0 ? [`held back: ${count(counts.heldBack)}`] : []),
  ].join('; ');
}

function aloneResult(each, seconds) {
  const names = Object.keys(APPLICATIONS);
  const cells = ({ attack }) => [
    attack.failed === 0 ? '0' : `${count(attack.failed)} of ${count(attack.requests)}`,
    ms(attack.p99),
    ms(attack.maxLoop),
    mib(attack.peakRss),
  ];
  return {
    group: 'Attacked',
    title: `Each attack alone, for ${seconds} s`,
    columns: ['', ...names.flatMap((name) => [`${name}: failed`, 'p99', 'event loop, longest', 'memory, most'])],
    rows: Object.entries(each).map(([kind, results]) => [
      (kind === 'slow' ? SLOW : REQUESTS[kind]).title,
      ...names.flatMap((name) => cells(results[name])),
    ]),
    seconds,
    measured: each,
  };
}

const count = (value) => value.toLocaleString('en-US');
const ms = (value) => (value === undefined ? '–' : formatNs(value * 1e6));
const mib = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;

function write(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

// ----------------------------------------------------------------------------------------------------------- processes

function start(script, args) {
  const child = fork(join(import.meta.dirname, script), args, {
    execArgv: [],
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

function endChildrenWithThis() {
  process.once('exit', () => {
    for (const child of running) child.kill('SIGKILL');
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
}

function answerTo(child, question) {
  child.send(question);
  return answerOf(child);
}

/** The next message of a process that is meant, or an error when it ends without one. */
function answerOf(child, isMeant = () => true) {
  return new Promise((resolve, reject) => {
    const onMessage = (message) => isMeant(message) && settle(resolve, message);
    const onExit = (status, signal) => settle(reject, new Error(`${child.spawnargs[1]} ended: ${signal ?? status}`));
    const settle = (how, value) => {
      child.off('message', onMessage).off('exit', onExit);
      how(value);
    };
    child.on('message', onMessage).on('exit', onExit);
  });
}

async function lastWordsOf(child, withinMs) {
  const timer = setTimeout(() => child.kill('SIGKILL'), withinMs);
  try {
    return await answerOf(child, ({ sent }) => sent !== undefined);
  } finally {
    clearTimeout(timer);
  }
}

// At the end: the class above has to be there.
await main();
