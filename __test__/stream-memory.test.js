'use strict';

/** What sealed streams leave in memory: of plaintext, over time, and of threads that end. */

const assert = require('node:assert/strict');
const { on, once } = require('node:events');
const path = require('node:path');
const { describe, it } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');
const { Worker } = require('node:worker_threads');
const { Keyring } = require('..');
const { runNode } = require('./support/child.js');
const { Random } = require('./support/random.js');
const { ring } = require('./support/ring.js');
const { FORMS, NO_HANG, content, outcome, readAll, through } = require('./support/stream-forms.js');
const { CHUNK } = require('./support/stream-format.js');

const KEY = Buffer.alloc(32, 1);
const MEBIBYTE = 2 ** 20;

describe('what is wiped', () => {
  /** The buffers of their own that `run` makes, in which plaintext waits for the rest of its chunk. */
  async function buffersOf(t, run) {
    const made = [];
    const { allocUnsafeSlow } = Buffer;
    const mock = t.mock.method(Buffer, 'allocUnsafeSlow', (length) => {
      const buffer = Reflect.apply(allocUnsafeSlow, Buffer, [length]).fill(0);
      made.push(buffer);
      return buffer;
    });
    await run();
    mock.mock.restore();
    return made;
  }

  it('is the plaintext that waits, however a sealing ends', NO_HANG, async (t) => {
    const secret = Buffer.alloc(1000, 0x5e);
    const isSecret = (buffer) => buffer.includes(Buffer.alloc(16, 0x5e));
    const endings = {
      async destroyed() {
        const stream = ring().sealStream();
        stream.write(secret);
        stream.destroy();
        await once(stream, 'close');
      },
      async destroyedByListener() {
        const stream = ring().sealStream();
        stream.on('data', (chunk) => chunk.length > 100 && stream.destroy());
        await turn();
        stream.write(Buffer.concat([Buffer.alloc(CHUNK), secret]));
        await turn();
        assert.ok(stream.destroyed);
      },
      async failed() {
        const stream = ring().sealStream();
        stream.write(secret);
        stream.write({});
        await once(stream, 'error');
      },
      async failedInTheWeb() {
        assert.ok((await outcome('web', ring(), 'seal', [secret, {}])).error);
      },
      async cancelledInTheWeb() {
        const stream = ring().sealWebStream();
        const reader = stream.readable.getReader();
        const writing = stream.writable.getWriter().write(secret);
        await reader.read();
        await writing;
        await reader.cancel();
      },
      async ended() {
        for (const form of FORMS) await through(form, ring(), 'seal', [secret]);
      },
      async returned() {
        const parts = ring().sealFile([secret, Buffer.alloc(2 * CHUNK)]);
        await parts.next();
        await parts.next();
        await parts.return();
      },
      async thrown() {
        const source = function* () {
          yield secret;
          throw new Error('mine');
        };
        await assert.rejects(readAll(ring().sealFile(source())));
      },
    };
    // Node 20 does not tell a transformer that it is cancelled: then the rest is collected with the stream.
    let isTold = false;
    await new TransformStream({ cancel: () => void (isTold = true) }).readable.cancel();
    if (!isTold) delete endings.cancelledInTheWeb;
    for (const [name, run] of Object.entries(endings)) {
      const buffers = await buffersOf(t, run);
      assert.ok(buffers.length > 0, name);
      assert.ok(!buffers.some(isSecret), name);
    }
    let stream;
    const held = await buffersOf(t, async () => {
      stream = ring().sealStream();
      stream.write(secret);
    });
    assert.ok(held.some(isSecret), 'or this test looks in the wrong place');
    stream.destroy();
  });
});

describe('memory and threads', () => {
  const reason = process.platform === 'linux' ? false : 'what counts as resident differs too much between systems';

  it(
    'half a gibibyte through a pipeline takes no more memory than the first part',
    { ...NO_HANG, skip: reason, timeout: 120_000 },
    async (t) => {
      const { code, stderr, stdout } = await runNode(
        `
      const { Readable, Writable } = require('node:stream');
      const { pipeline } = require('node:stream/promises');
      const { Keyring, generateKey } = require(holdfast);
      const ring = new Keyring({ primary: 'k1', keys: { k1: generateKey() } });
      const [BLOCK, WARM, ALL] = [64 * 1024, 1024, 8192 + 1024];
      const rss = [];
      function* source() {
        for (let number = 0; number < ALL; number++) {
          const block = Buffer.allocUnsafeSlow(BLOCK).fill(number & 255);
          block.writeUInt32BE(number);
          yield block;
        }
      }
      let [length, wrong] = [0, 0];
      const sink = new Writable({
        write(chunk, encoding, callback) {
          for (let at = 0; at < chunk.length; at += BLOCK) {
            const number = length / BLOCK;
            if (chunk.readUInt32BE(at) !== number || chunk[at + BLOCK - 1] !== (number & 255)) wrong++;
            length += BLOCK;
            if (number >= WARM && number % 64 === 0) rss.push(process.memoryUsage.rss());
          }
          callback();
        },
      });
      pipeline(Readable.from(source()), ring.sealStream(), ring.openStream(), sink).then(() => {
        const growth = Math.max(...rss) - rss[0];
        console.log(JSON.stringify({ length, wrong, samples: rss.length, first: rss[0], growth }));
      });`,
        { timeout: 110_000 },
      );
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
      const { length, wrong, samples, first, growth } = JSON.parse(stdout);
      t.diagnostic(
        `RSS after 64 MiB ${Math.round(first / MEBIBYTE)} MiB, and at most ${(growth / MEBIBYTE).toFixed(1)} more`,
      );
      assert.deepEqual([length, wrong, samples], [9216 * CHUNK, 0, 128]);
      assert.ok(growth < 64 * MEBIBYTE, `${growth} bytes`);
    },
  );

  it('workers that are terminated in the middle of a stream leave the others alone', NO_HANG, async () => {
    const random = new Random(20_261_124);
    const keys = new Keyring({ primary: 'k1', keys: { k1: KEY } });
    const program = path.join(__dirname, 'support', 'worker.js');
    let [ended, isOver] = [0, false];
    const lane = async () => {
      for (let count = 0; count < 12; count++) {
        const worker = new Worker(program, { workerData: { kind: 'stream' } });
        const exited = once(worker, 'exit');
        for await (const [message] of on(worker, 'message')) if (message === 'streaming') break;
        for (let turns = random.below(5); turns > 0; turns--) await turn();
        await worker.terminate();
        assert.deepEqual(await exited, [1]);
        ended++;
      }
    };
    const plaintext = content(5 * CHUNK);
    const meanwhile = async () => {
      while (!isOver) {
        const sealed = await through('node', keys, 'seal', [plaintext]);
        assert.ok((await through('node', keys, 'open', [sealed])).equals(plaintext));
        // A turn of its own for the messages of the workers.
        await turn();
      }
    };
    const lanes = Promise.all([lane(), lane()]).finally(() => (isOver = true));
    await Promise.all([lanes, meanwhile()]);
    assert.equal(ended, 24);
  });
});
