// Sealed streams: how fast gigabytes go through, how much memory that takes, and how long the event loop has to wait.
// Every contestant is first asked, in a process apart, to open what it sealed, which has to be what went in. Then it
// has a process of its own in every round, is warmed up with 256 MiB, and measured. The source gives one piece of
// memory in every turn of the event loop, as files and sockets do, and the sink counts bytes; what these cost alone is
// in the row `no cipher`.
// `node bench/aead-stream.mjs [--gib=N] [--rounds=N] [--piece=bytes] [--only=text] [--worker]`: how much goes through,
// as one stream (opening alone: as streams of 256 MiB, which are kept in memory); how many rounds, of which a cell
// shows the median and the range; the length of a piece, by default that of a file's stream; contestants whose name
// has the text in it; and, for the question whether the work belongs there, sealing on another thread beside that on
// this one, in pieces of 1 MiB. Needs the addon in the root, and no peers.
//
// Memory: on Linux the highest RSS is that of the kernel, which forgets the one before when it is asked to; elsewhere
// RSS is read every 10 ms. GB are 10⁹ bytes of plaintext.
import assert from 'node:assert/strict';
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CHUNK, ChunkOpener, ChunkSealer } from './aead-stream-peers.mjs';
import { ThreadSealer } from './aead-stream-worker.mjs';
import { REFERENCE } from './harness.mjs';
import { aligned, cell, endWithParent, runRounds } from './rounds.mjs';
import { formatNs, formatRatio } from './table.mjs';

const MIB = 2 ** 20;
const WARM_UP = 256 * MIB;
const STORE = 256 * MIB;
const CHECKED = { bytes: 8 * MIB + 1234, piece: 50_000 };
const SAMPLE_MS = 10;
const CONTESTANT_TIMEOUT_MS = 180_000;
const NO_CIPHER = 'no cipher';

/**
 * What can be put between source and sink.
 * @typedef {(source: Source, sink: Sink) => Promise<void>} Flow  takes everything from the source to the sink
 * @type {Record<string, (tools: Tools) => { seal?: Flow, open?: Flow, both?: Flow, close?: () => void }>}
 */
const FORMS = {
  holdfast: ({ ring }) =>
    transforms(
      () => ring.sealStream(),
      () => ring.openStream(),
    ),
  'holdfast, web streams': ({ ring }) => ({
    seal: (source, sink) => source.web().pipeThrough(ring.sealWebStream()).pipeTo(sink.web()),
    open: (source, sink) => source.web().pipeThrough(ring.openWebStream()).pipeTo(sink.web()),
  }),
  'holdfast, async iterables': ({ ring }) => ({
    seal: async (source, sink) => sink.iterated(ring.sealFile(source.node())),
    open: async (source, sink) => sink.iterated(ring.openFile(source.node())),
  }),
  'node:crypto, same chunks': ({ key }) =>
    transforms(
      () => new ChunkSealer(key),
      () => new ChunkOpener(key),
    ),
  'node:crypto, same chunks, plainly': ({ key }) =>
    transforms(
      () => new ChunkSealer(key, true),
      () => new ChunkOpener(key, true),
    ),
  // Not the same: one message, whose tag is known at its end. What it opens has gone out before that, unauthenticated.
  'node:crypto, one message': ({ key }) => {
    const nonce = randomBytes(12); // for both directions; that it repeats is no matter here
    let cipher;
    const tag = () => cipher.getAuthTag();
    const opener = () => createDecipheriv('aes-256-gcm', key, nonce);
    return {
      seal: (source, sink) =>
        pipeline(source.node(), (cipher = createCipheriv('aes-256-gcm', key, nonce)), sink.node()),
      open: (source, sink) => pipeline(source.node(), opener().setAuthTag(tag()), sink.node()),
      both: async (source, sink) => {
        const sealer = (cipher = createCipheriv('aes-256-gcm', key, nonce));
        const decipher = opener();
        sealer.once('end', () => decipher.setAuthTag(sealer.getAuthTag()));
        await pipeline(source.node(), sealer, decipher, sink.node());
      },
    };
  },
  [NO_CIPHER]: () => ({ both: (source, sink) => pipeline(source.node(), sink.node()) }),
  'holdfast, on a thread': ({ keyBytes, ring }) => {
    const threads = [];
    return {
      async seal(source, sink) {
        const sealer = new ThreadSealer(keyBytes);
        threads.push(sealer);
        await pipeline(source.node(), sealer, sink.node());
      },
      open: (source, sink) => pipeline(source.node(), ring.openStream(), sink.node()),
      close: () => threads.forEach((sealer) => sealer.destroy()),
    };
  },
};

const TITLES = { seal: 'seal', open: 'open', both: 'seal and open' };
const MEASURED = [
  ['seal', ['holdfast', 'holdfast, web streams', 'holdfast, async iterables']],
  ['seal', ['node:crypto, same chunks', 'node:crypto, same chunks, plainly', 'node:crypto, one message']],
  ['open', ['holdfast', 'holdfast, web streams', 'holdfast, async iterables']],
  ['open', ['node:crypto, same chunks', 'node:crypto, same chunks, plainly', 'node:crypto, one message']],
  ['both', ['holdfast', 'node:crypto, same chunks', 'node:crypto, same chunks, plainly']],
  ['both', ['node:crypto, one message', NO_CIPHER]],
];
const ON_A_THREAD = [['seal', ['holdfast', 'holdfast, on a thread']]];

const gbPerSecond = (value) => value.toFixed(2);
const mib = (bytes) => (bytes / MIB).toFixed(1);
const ms = (value) => formatNs(value * 1e6);

const COLUMNS = [
  { title: 'GB/s', of: (r) => r.bytes / r.ns, write: gbPerSecond },
  { title: 'time ÷ Holdfast', of: (r, own) => own && r.ns / own.ns, write: formatRatio, isRatio: true },
  { title: 'RSS grown after warm-up, MiB', of: (r) => r.growth, write: mib },
  { title: 'with warm-up, MiB', of: (r) => r.overStart, write: mib },
  { title: 'loop delay p99', of: (r) => r.delay.p99, write: ms },
  { title: 'max', of: (r) => r.delay.max, write: ms },
  { title: 'main thread, ms a GB', of: (r) => r.busyMs / (r.bytes / 1e9), write: (value) => value.toFixed(0) },
];

/** @typedef {{ ring: any, key: import('node:crypto').KeyObject, keyBytes: Uint8Array }} Tools */

// ------------------------------------------------------------------------------------------- the one that is started

async function main() {
  const options = optionsOf();
  const lines = (options.worker ? ON_A_THREAD : MEASURED).flatMap(([direction, forms]) =>
    forms.map((form) => ({ name: `${TITLES[direction]}: ${form}`, direction, form })),
  );
  const chosen = lines.filter(({ name }) => name.includes(options.only));
  if (chosen.length === 0) fail(`no contestant has ${options.only} in its name: ${lines.map(({ name }) => name)}`);
  const names = chosen.map(({ name }) => name);
  const how = { script: import.meta.filename, rounds: options.rounds, timeoutMs: CONTESTANT_TIMEOUT_MS };
  const checks = await runRounds({ ...how, rounds: 1 }, [...new Set(chosen.map(({ form }) => form))], (form) => ({
    form,
    isCheck: true,
  }));
  const jobOf = (name) => ({ ...chosen.find((line) => line.name === name), ...options });
  const { results, failures } = await runRounds(how, names, jobOf);
  failures.unshift(...checks.failures);

  console.log(introduction(options));
  const rows = chosen.map(({ name, direction, form }) => {
    const own = results[`${TITLES[direction]}: ${REFERENCE}`] ?? [];
    // The ratio is of the same round, because the machine may have been busier in another.
    const figures = COLUMNS.map(({ of, write, isRatio }) =>
      isRatio && (form === REFERENCE || own.length === 0)
        ? ''
        : cell(results[name], (r, round) => of(r, own[round]), write),
    );
    return [name, ...figures];
  });
  console.log(`\n${aligned([['', ...COLUMNS.map(({ title }) => title)], ...rows])}`);
  for (const failure of failures) console.log(`\n${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}

function optionsOf() {
  const text = { type: 'string' };
  const { values } = parseArgs({
    options: { gib: text, rounds: text, piece: text, only: text, worker: { type: 'boolean', default: false } },
  });
  for (const name of ['gib', 'rounds', 'piece']) {
    if (values[name] !== undefined && !/^[1-9]\d{0,6}$/.test(values[name])) {
      fail(`--${name} takes a number from 1 to 9999999`);
    }
  }
  return {
    worker: values.worker,
    only: values.only ?? '',
    gib: Number(values.gib ?? 1),
    rounds: Number(values.rounds ?? 3),
    piece: Number(values.piece ?? (values.worker ? MIB : CHUNK)),
  };
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

function introduction({ gib, rounds, piece }) {
  const load = os.loadavg()[0].toFixed(1);
  const howPeak = resetPeak() ? "is the kernel's" : `was read every ${SAMPLE_MS} ms`;
  return [
    `${gib} GiB in pieces of ${piece} bytes, ${rounds} round${rounds === 1 ? '' : 's'}; a cell is the median (range).`,
    `Node ${process.version}, OpenSSL ${process.versions.openssl}, ${os.cpus()[0]?.model.trim()},`,
    `${os.availableParallelism()} cores, load average at the end ${load}. Peak RSS ${howPeak}.`,
    'It is shown over the RSS after the warm-up, and over that before it. An event loop with nothing to do shows a',
    'delay of about 1 ms. Main thread: how long the event loop was busy.',
  ].join('\n');
}

// ------------------------------------------------------------------------------------- one contestant, in its process

async function contestantMain({ form, direction, gib, piece, isCheck }) {
  endWithParent();
  const total = gib * 1024 * MIB;
  const { Keyring, generateKey } = createRequire(import.meta.url)('..');
  const keyBytes = generateKey();
  const ring = new Keyring({ primary: 'k1', keys: { k1: keyBytes } });
  const contestant = FORMS[form]({ ring, key: createSecretKey(keyBytes), keyBytes });
  if (isCheck) {
    await check(contestant);
    contestant.close?.();
    process.send({}, () => process.exit(0));
    return;
  }

  const flow = await flowOf(contestant, direction, Math.min(STORE, total), piece);
  const atStart = process.memoryUsage.rss();
  await flow(Math.min(WARM_UP, total));
  await sleep(100); // what ends on its own, such as a compilation, shall have ended

  const monitor = monitorEventLoopDelay({ resolution: 1 });
  monitor.enable();
  await sleep(20);
  const memory = watchMemory();
  const idle = performance.eventLoopUtilization();
  const started = process.hrtime.bigint();
  await flow(total);
  const ns = Number(process.hrtime.bigint() - started);
  const { active: busyMs } = performance.eventLoopUtilization(idle);
  const { before, peak } = memory.end();
  monitor.disable();

  contestant.close?.();
  const delay = { p99: monitor.percentile(99) / 1e6, max: monitor.max / 1e6 };
  const result = { bytes: total, ns, growth: peak - before, overStart: peak - atStart, delay, busyMs };
  process.send(result, () => process.exit(0));
}

/** Returns what takes so many bytes through, and throws when another number comes out. */
async function flowOf(contestant, direction, storeBytes, piece) {
  const block = randomBytes(piece);
  const plain = (bytes) => new Source(repeated(block, bytes));
  if (direction !== 'open') {
    return async (bytes) => {
      const sink = new Sink();
      await contestant[direction](plain(bytes), sink);
      // A sealed stream has at least a tag more.
      if (direction === 'seal')
        assert.ok(sink.bytes >= bytes && sink.bytes < bytes * 1.001 + 200, `${sink.bytes} bytes`);
      else assert.equal(sink.bytes, bytes);
    };
  }
  const store = new Sink(Buffer.allocUnsafeSlow(storeBytes * 1.001 + 200));
  await contestant.seal(plain(storeBytes), store);
  const sealed = store.content();
  return async (bytes) => {
    for (let left = bytes; left > 0; left -= storeBytes) {
      const sink = new Sink();
      await contestant.open(new Source(piecesOf(sealed, piece)), sink);
      assert.equal(sink.bytes, storeBytes);
    }
  };
}

// Not measured: what is opened is what was sealed, and what was sealed is something else.
async function check({ seal, open, both }) {
  const plaintext = randomBytes(CHECKED.bytes);
  const through = async (flow, content) => {
    const sink = new Sink(Buffer.allocUnsafeSlow(2 * CHECKED.bytes));
    await flow(new Source(piecesOf(content, CHECKED.piece)), sink);
    return sink.content();
  };
  if (both) assert.ok((await through(both, plaintext)).equals(plaintext));
  if (!seal || !open) return;
  const sealed = await through(seal, plaintext);
  assert.ok(!sealed.includes(plaintext.subarray(0, 32)) && !sealed.includes(plaintext.subarray(-32)));
  assert.ok((await through(open, sealed)).equals(plaintext));
}

function watchMemory() {
  const exact = resetPeak();
  const before = process.memoryUsage.rss();
  let sampled = before;
  const sample = () => (sampled = Math.max(sampled, process.memoryUsage.rss()));
  const timer = setInterval(sample, SAMPLE_MS);
  return {
    end() {
      clearInterval(timer);
      sample();
      return { before, peak: exact ? Math.max(highestRss(), sampled) : sampled };
    },
  };
}

// Makes the kernel forget the highest RSS so far: proc_pid_clear_refs(5).
function resetPeak() {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false;
  }
}

function highestRss() {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
}

// --------------------------------------------------------------------------------------------------- source and sink

/** @returns {{ seal: Flow, open: Flow, both: Flow }} */
function transforms(sealer, opener) {
  return {
    seal: (source, sink) => pipeline(source.node(), sealer(), sink.node()),
    open: (source, sink) => pipeline(source.node(), opener(), sink.node()),
    both: (source, sink) => pipeline(source.node(), sealer(), opener(), sink.node()),
  };
}

/** The same memory again and again. */
function* repeated(block, bytes) {
  for (; bytes >= block.length; bytes -= block.length) yield block;
  if (bytes > 0) yield block.subarray(0, bytes);
}

function* piecesOf(content, piece) {
  for (let at = 0; at < content.length; at += piece) yield content.subarray(at, at + piece);
}

/** Gives a piece in every turn of the event loop, in the form that the contestant takes. */
class Source {
  #pieces;

  constructor(pieces) {
    this.#pieces = pieces;
  }

  node() {
    const pieces = this.#pieces;
    return new Readable({
      highWaterMark: CHUNK,
      read() {
        setImmediate(() => this.push(pieces.next().value ?? null));
      },
    });
  }

  web() {
    const pieces = this.#pieces;
    return new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setImmediate(resolve));
        const { value } = pieces.next();
        if (value) controller.enqueue(value);
        else controller.close();
      },
    });
  }
}

/** Counts what comes, and keeps it only where there is room given for it. */
class Sink {
  bytes = 0;
  #room;

  constructor(room) {
    this.#room = room;
  }

  content() {
    return this.#room.subarray(0, this.bytes);
  }

  #take(piece) {
    this.#room?.set(piece, this.bytes);
    this.bytes += piece.length;
  }

  node() {
    return new Writable({
      highWaterMark: CHUNK,
      write: (piece, _, callback) => {
        this.#take(piece);
        callback();
      },
    });
  }

  web() {
    return new WritableStream({ write: (piece) => this.#take(piece) });
  }

  async iterated(pieces) {
    for await (const piece of pieces) this.#take(piece);
  }
}

// The word is for the processes that this file starts itself. At the end: the classes above have to be there.
if (process.argv[2] === 'contestant') await contestantMain(JSON.parse(process.argv[3]));
else await main();
