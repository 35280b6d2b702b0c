// Rates that processes share through Redis: how many calls one process gets done with 64 of them under way, on a server
// of its own beside it, and what that costs the server. RedisRateLimiter, rate-limiter-flexible's RateLimiterRedis, and
// a script that does nothing (the floor: what the client and the way there cost), each with the clients ioredis and
// redis. Every contestant has a process of its own, round by round in an order that rotates. Every key is asked for
// more than it has, and who allows too much or too little is told.
// `node bench/limiter-redis.mjs [--rounds=N] [--calls=N]`. Needs redis-server, and the peers of
// `node bench/setup.mjs`.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { loaderFor, probe } from './peers.mjs';
import { aligned, cell, endWithParent, runRounds } from './rounds.mjs';
import { requireStaged, stage } from './stage.mjs';

const AT_ONCE = 64;
const KEYS = 1000;
/** Of the calls for each key, so many are allowed: the others show what a refusal costs. */
const SHARE = 2 / 3;
/** Nothing comes back while this runs. */
const DURATION_S = 31_536_000;
const WARM_UP = 5000;
const TIMEOUT_MS = 120_000;

const PEERS = ['ioredis', 'redis', 'rate-limiter-flexible'];
const CLIENTS = ['ioredis', 'redis'];
const LIMITERS = ['holdfast', 'rate-limiter-flexible', 'floor'];

const count = (value) => Math.round(value).toLocaleString('en');
const micros = (value) => `${value.toFixed(1)} µs`;

const LINES = [
  { title: 'calls a second', of: (result) => result.perSecond, write: count },
  { title: 'CPU of the process, a call', of: (result) => result.cpu, write: micros },
  { title: 'CPU of the server, a call', of: (result) => result.serverCpu, write: micros },
  { title: 'memory of the server, bytes a key', of: (result) => result.bytesPerKey, write: count, ofLimiters: true },
  { title: 'allowed beyond the limit', of: (result) => result.excess, write: count, ofLimiters: true },
];

// The word is for the processes that this file starts itself.
if (process.argv[2] === 'contestant') await contestantMain(JSON.parse(process.argv[3]));
else await main();

async function main() {
  const { values } = parseArgs({ options: { rounds: { type: 'string' }, calls: { type: 'string' } } });
  for (const [name, value] of Object.entries(values)) {
    if (/^[1-9]\d{0,6}$/.test(value)) continue;
    console.error(`--${name} takes a number from 1 to 9999999`);
    process.exit(1);
  }
  const [rounds, calls] = [Number(values.rounds ?? 5), Number(values.calls ?? 60_000)];
  const probes = Object.fromEntries(PEERS.map((name) => [name, probe(name)]));
  const binary = stage();
  const server = await startServer();
  const how = { script: import.meta.filename, rounds, timeoutMs: TIMEOUT_MS, onExit: server.end };
  const names = CLIENTS.flatMap((client) => LIMITERS.map((limiter) => `${client}, ${limiter}`)).filter((name) =>
    name.split(', ').every((part) => probes[part] === undefined || probes[part].reason === null),
  );
  const { results, failures } = await runRounds(how, names, (name) => {
    const [client, limiter] = name.split(', ');
    return { client, limiter, calls, port: server.port, probes };
  });

  console.log(`${count(calls)} calls on ${count(KEYS)} keys, ${AT_ONCE} at once; ${server.version}`);
  console.log(PEERS.map((name) => `${name} ${probes[name].version}`).join(', '), `; holdfast: ${binary.profile} build`);
  for (const client of CLIENTS) {
    const columns = names.filter((name) => name.startsWith(client));
    const rows = LINES.map(({ title, of, write, ofLimiters }) => [
      title,
      ...columns.map((name) => (ofLimiters && name.endsWith('floor') ? '–' : cell(results[name], of, write))),
    ]);
    console.log(`\n${aligned([[client, ...columns.map((name) => name.split(', ')[1])], ...rows])}`);
  }
  for (const name of PEERS) if (probes[name].reason) console.log(`\nNot run: ${name}: ${probes[name].reason}.`);
  for (const failure of failures) console.log(`\n${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}

async function startServer() {
  const version = execFileSync('redis-server', ['--version'], { encoding: 'utf8' }).split(' sha')[0];
  const folder = mkdtempSync(join(os.tmpdir(), 'limiter-redis-'));
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  listener.close();
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  const server = spawn('redis-server', settings, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const text of server.stdout) if (text.includes('Ready to accept')) break;
  server.unref();
  const end = () => {
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  return { port, version, end };
}

// ------------------------------------------------------------------------------------------- the one that is started

async function contestantMain({ client: clientName, limiter: limiterName, calls, port, probes }) {
  endWithParent();
  const peer = loaderFor(probes);
  const { client, send } = await connect(peer, clientName, port);
  await send('FLUSHALL');
  const perKey = Math.ceil((calls / KEYS) * SHARE);
  const take = await takerOf(limiterName, { peer, clientName, client, send, perKey });
  await run(take, 'warm', WARM_UP);
  await send('FLUSHALL');

  const before = { cpu: process.cpuUsage(), server: await serverCpu(send), memory: await usedMemory(send) };
  const started = performance.now();
  const allowed = await run(take, 'key', calls);
  const elapsed = performance.now() - started;
  const { user, system } = process.cpuUsage(before.cpu);
  const perServer = ((await serverCpu(send)) - before.server) / calls;
  const bytesPerKey = ((await usedMemory(send)) - before.memory) / KEYS;
  process.send(
    {
      perSecond: calls / (elapsed / 1000),
      cpu: (user + system) / calls,
      serverCpu: perServer,
      bytesPerKey,
      excess: allowed - KEYS * perKey,
    },
    () => process.exit(),
  );
}

async function run(take, prefix, calls) {
  let [made, allowed] = [0, 0];
  const worker = async () => {
    for (let call = made++; call < calls; call = made++) if (await take(`${prefix}:${call % KEYS}`)) allowed++;
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return allowed;
}

async function connect(peer, name, port) {
  if (name === 'ioredis') {
    const { Redis } = await peer(name);
    const client = new Redis({ port });
    return { client, send: (...args) => client.call(...args) };
  }
  const { createClient } = await peer(name);
  const client = await createClient({ socket: { port, host: '127.0.0.1' } }).connect();
  return { client, send: (...args) => client.sendCommand(args) };
}

/** Takes a token of a key, and says whether it was there. */
async function takerOf(limiterName, tools) {
  if (limiterName === 'holdfast') return holdfastTaker(tools);
  return limiterName === 'floor' ? floorTaker(tools) : flexibleTaker(tools);
}

function holdfastTaker({ client, perKey }) {
  const { RedisRateLimiter } = requireStaged();
  const limiter = new RedisRateLimiter({ client, limit: perKey, windowMs: DURATION_S * 1000, timeoutMs: 60_000 });
  return async (key) => (await limiter.consume(key)).allowed;
}

async function flexibleTaker({ peer, clientName, client, perKey }) {
  const { RateLimiterRedis } = await peer('rate-limiter-flexible');
  const useRedisPackage = clientName === 'redis';
  const limiter = new RateLimiterRedis({ storeClient: client, points: perKey, duration: DURATION_S, useRedisPackage });
  return async (key) => {
    try {
      await limiter.consume(key);
      return true;
    } catch (refusal) {
      if (refusal instanceof Error) throw refusal;
      return false;
    }
  };
}

async function floorTaker({ clientName, client, send }) {
  const digest = await send('SCRIPT', 'LOAD', 'return 0');
  if (clientName === 'ioredis') return async (key) => (await client.evalsha(digest, 1, key, '1', '1', '1')) === 0;
  return async (key) => (await client.evalSha(digest, { keys: [key], arguments: ['1', '1', '1'] })) === 0;
}

async function serverCpu(send) {
  const info = String(await send('INFO', 'cpu'));
  const seconds = (name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)[1]);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
}

async function usedMemory(send) {
  return Number(/^used_memory:(\d+)/m.exec(String(await send('INFO', 'memory')))[1]);
}
