// Benchmark of an Express application behind harden(): requests per second against Express alone, and against the same
// protections wired by hand from the packages that guides name (applications/). Every application has a process of its
// own, and autocannon another; they take turns of some seconds, in an order that rotates. Every answer is compared: its
// status, and where it is the same for all, its body.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { request } from 'undici';
import { median, rotate } from './harness.mjs';

const SECONDS = 2;
const ROUNDS = 11;
/** Of the first turns nothing is kept: V8 is still compiling. */
const WARM_UP_ROUNDS = 2;
/** So many that the server always has something to do, and few enough that a latency is no queue. */
const CONNECTIONS = 16;

const HOLDFAST = 'holdfast';
const ALONE = 'Express alone';
const WIRED = 'wired by hand';

/** Which module of applications/ a contestant is. */
const CONTESTANTS = { [ALONE]: 'bare', [HOLDFAST]: 'hardened', [WIRED]: 'wired' };

const NOT_ALONE = { [ALONE]: 'it refuses nothing' };

/** What scripts of a page of the same origin send; of another one only the first two differ. */
const fromSameOrigin = (origin) => ({ origin, 'sec-fetch-site': 'same-origin', ...FETCH });
const fromElsewhere = () => ({ origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', ...FETCH });
const FETCH = { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: '*/*' };

/**
 * @typedef {object} Scenario
 * @property {string} title
 * @property {string} method
 * @property {string} path
 * @property {number} status  of every answer
 * @property {number} [bytes]  of the JSON that is sent
 * @property {(origin: string) => object} [from]  headers that say where it comes from; default: the same origin
 * @property {'cookie' | 'token'} [session]  with a session; `token`: and no header by which to see where it comes from
 * @property {object} [server]  options of the applications
 * @property {Record<string, string>} [excluded]
 * @property {string} [note]
 */

/** @type {Scenario[]} */
export const SCENARIOS = [
  ...[300, 100, 1000, 9000].map((bytes) => ({
    title: `POST, ${bytes.toLocaleString('en-US')} bytes of JSON, echoed`,
    method: 'POST',
    path: '/echo',
    status: 200,
    bytes,
  })),
  {
    title: 'POST, 300 bytes of JSON, echoed to whom the session knows',
    method: 'POST',
    path: '/me',
    status: 200,
    bytes: 300,
    session: 'cookie',
    note:
      'Sessions are read here. Express alone has none, and gets no cookie. csrf-csrf wants a token with every POST ' +
      'of a session, which Holdfast wants only from a client that does not say where it comes from.',
  },
  { title: 'GET of a profile by the session', method: 'GET', path: '/me', status: 200, session: 'cookie' },
  {
    title: 'POST, 300 bytes of JSON, with a session and a token, and no Sec-Fetch-Site or Origin',
    method: 'POST',
    path: '/me',
    status: 200,
    bytes: 300,
    session: 'token',
  },
  {
    title: 'POST from another site, refused (403)',
    method: 'POST',
    path: '/me',
    status: 403,
    bytes: 300,
    from: fromElsewhere,
    session: 'cookie',
    excluded: NOT_ALONE,
  },
  {
    title: 'POST over the limit of its route, refused (429)',
    method: 'POST',
    path: '/limited',
    status: 429,
    bytes: 300,
    server: { limited: true },
    excluded: NOT_ALONE,
  },
  {
    title: 'POST, 20,000 bytes of JSON, refused (413)',
    method: 'POST',
    path: '/echo',
    status: 413,
    bytes: 20_000,
    note: 'Express alone has the same limit of 10 kB here.',
  },
];

export const cases = SCENARIOS.map((scenario) => ({
  group: 'Requests per second',
  title: scenario.title,
  note: scenario.note,
  measure: (tools, { rounds = ROUNDS }) => measure(scenario, { rounds, seconds: SECONDS }),
}));

/**
 * @param {Scenario} scenario
 * @param {{ rounds: number, seconds: number, warmUpRounds?: number }} how
 */
export function measure(scenario, { rounds, seconds, warmUpRounds = WARM_UP_ROUNDS }) {
  return withLanes(scenario, async (lanes, start) => {
    const load = start('express-load.mjs', []);
    for (let round = -warmUpRounds; round < rounds; round++) {
      for (const lane of rotate(lanes, Math.max(0, round))) {
        const result = await takeTurn(lane, load, scenario, seconds);
        if (round >= 0) lane.rounds.push(result);
      }
    }
    return summaryOf(lanes, scenario);
  });
}

/**
 * Starts who takes part in a scenario, each with an answer that was compared with the others', and ends them afterwards.
 * @param {Scenario} scenario
 * @param {(lanes: any[], start: (script: string, args: string[]) => import('node:child_process').ChildProcess) => any} use
 */
export async function withLanes(scenario, use) {
  const processes = [];
  const start = (script, args) => {
    processes.push(startProcess(script, args));
    return processes.at(-1);
  };
  try {
    const names = Object.keys(CONTESTANTS).filter((name) => scenario.excluded?.[name] === undefined);
    const lanes = [];
    for (const name of names) lanes.push(await startLane(start, name, scenario));
    assertSameAnswers(lanes, scenario);
    return await use(lanes, start);
  } finally {
    await Promise.all(processes.map(ended));
  }
}

// ------------------------------------------------------------------------------------------------------- one contestant

async function startLane(start, name, scenario) {
  const options = JSON.stringify(scenario.server ?? {});
  const child = start('serve.mjs', [CONTESTANTS[name], '0', options]);
  const { port } = await answerOf(child);
  const origin = `http://127.0.0.1:${port}`;
  const message = {
    url: origin + scenario.path,
    method: scenario.method,
    headers: { ...(await credentialsOf(name, origin, scenario)), ...bodyHeaders(scenario) },
    body: scenario.bytes && jsonOf(scenario.bytes),
  };
  // What is refused over a limit was allowed once, and a session may be written anew once.
  await answerTo(message);
  return { name, child, message, answer: await answerTo(message), rounds: [] };
}

// Where a request comes from, and what the session that it belongs to has set.
async function credentialsOf(name, origin, { session, from = fromSameOrigin }) {
  if (session === undefined || name === ALONE) return from(origin);
  const started = await request(`${origin}/session`, { method: 'POST', headers: fromSameOrigin(origin) });
  assert.equal(started.statusCode, 200, `${name} begins no session`);
  const { csrfToken } = await started.body.json();
  const cookie = [started.headers['set-cookie']].flat().map((text) => text.split(';')[0]).join('; ');
  if (session === 'token') return { cookie, 'x-csrf-token': csrfToken, accept: FETCH.accept };
  // csrf-csrf knows no other way, and an attacker has no token.
  const token = name === WIRED && from === fromSameOrigin ? { 'x-csrf-token': csrfToken } : {};
  return { ...from(origin), cookie, ...token };
}

function bodyHeaders({ bytes }) {
  return bytes === undefined ? {} : { 'content-type': 'application/json' };
}

async function answerTo({ url, ...options }) {
  const { statusCode, body } = await request(url, options);
  return { status: statusCode, text: await body.text() };
}

/** @param {{ name: string, answer: { status: number, text: string } }[]} lanes */
export function assertSameAnswers(lanes, { status, bytes }) {
  for (const { name, answer } of lanes) {
    assert.equal(answer.status, status, `${name} answers ${answer.status}: ${answer.text.slice(0, 200)}`);
    if (status !== 200) continue;
    assert.equal(answer.text, lanes[0].answer.text, `the answer of ${name} differs`);
    if (bytes !== undefined) assert.equal(answer.text, jsonOf(bytes), `${name} is no echo`);
  }
}

async function takeTurn({ name, child, message, answer }, load, { status }, seconds) {
  const before = await usageOf(child);
  load.send({ ...message, answer: status === 200 ? answer.text : undefined, connections: CONNECTIONS, seconds });
  const { result, failure } = await answerOf(load);
  if (failure) throw new Error(`${name}: ${failure}`);
  const after = await usageOf(child);
  const wrong = Object.keys(result.statuses).filter((code) => code !== String(status));
  assert.deepEqual(wrong, [], `${name} answered ${wrong} instead of ${status}`);
  assert.equal(result.mismatches, 0, `${name} gave other answers while it was measured`);
  assert.equal(result.lost, 0, `${name} left requests without an answer`);
  const cpuMicros = after.cpuMicros - before.cpuMicros;
  return { ...result, cpuPerRequest: cpuMicros / result.requests, cpuShare: cpuMicros / 1e6 / seconds, rss: after.rss };
}

async function usageOf(child) {
  child.send({});
  return (await answerOf(child)).usage;
}

// ------------------------------------------------------------------------------------------------------------- figures

function summaryOf(lanes, { excluded }) {
  const of = (lane, key) => median(lane.rounds.map((round) => round[key]));
  const holdfast = lanes.find(({ name }) => name === HOLDFAST);
  // Of the same round, because the machine may have been busier in another.
  const ratioOf = (lane) => {
    const ratios = lane.rounds.map(({ perSecond }, round) => holdfast.rounds[round].perSecond / perSecond);
    return lane === holdfast ? '' : `${median(ratios).toFixed(2)} × (${least(ratios)} to ${most(ratios)})`;
  };
  const rows = lanes.map((lane) => [
    lane.name === HOLDFAST ? 'Holdfast' : lane.name,
    Math.round(of(lane, 'perSecond')).toLocaleString('en-US'),
    ratioOf(lane),
    `${of(lane, 'cpuPerRequest').toFixed(1)} µs`,
    `${of(lane, 'p50').toFixed(2)} ms`,
    `${of(lane, 'p99').toFixed(2)} ms`,
    `${Math.round(of(lane, 'rss') / 2 ** 20)} MiB`,
  ]);
  return {
    columns: ['', 'requests/s', 'Holdfast ÷ it', 'CPU, a request', 'p50', 'p99', 'memory'],
    rows,
    missing: excluded,
    connections: CONNECTIONS,
    contestants: Object.fromEntries(lanes.map(({ name, rounds }) => [name, rounds])),
  };
}

const least = (values) => Math.min(...values).toFixed(2);
const most = (values) => Math.max(...values).toFixed(2);

// ----------------------------------------------------------------------------------------------------------- processes

function startProcess(script, args) {
  return fork(join(import.meta.dirname, script), args, {
    execArgv: [],
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

async function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** The next message of a process, or an error when it ends without one. */
async function answerOf(child) {
  const ended = new AbortController();
  const { signal } = ended;
  const messages = once(child, 'message', { signal }).then(([message]) => message);
  const exits = once(child, 'exit', { signal }).then(([status, by]) => {
    throw new Error(`${child.spawnargs.slice(1, 3).join(' ')} ended with ${by ?? status}`);
  });
  try {
    return await Promise.race([messages, exits]);
  } finally {
    exits.catch(() => {});
    messages.catch(() => {});
    ended.abort();
  }
}

// ---------------------------------------------------------------------------------------------------------------- input

/** JSON of exactly so many bytes, of the kinds of values that forms and lists send, in the order JSON.stringify has. */
export function jsonOf(bytes) {
  const note = (id, text) => ({ id, title: `Note ${id}`, done: id % 3 === 0, tags: ['home', 'garden'], text });
  const notes = [];
  const length = () => JSON.stringify({ notes, rest: '' }).length;
  while (length() < bytes) notes.push(note(1000 + notes.length, 'Water the tomatoes before noon.'));
  while (length() > bytes) notes.pop();
  return JSON.stringify({ notes, rest: 'x'.repeat(bytes - length()) });
}
