'use strict';

/** Sealed streams among others: how much they hold when nobody reads, and how they end, in good time or before. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { Duplex, PassThrough, Readable, Writable, finished } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { ReadableStream } = require('node:stream/web');
const { describe, it } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');
const { ring } = require('./support/ring.js');
const { NO_HANG, content, pieces, readAll, through } = require('./support/stream-forms.js');
const { CHUNK, openStream, sealStream } = require('./support/stream-format.js');

const KEY = Buffer.alloc(32, 1);
const MEBIBYTE = 2 ** 20;
/** What a stream may hold of output that nobody has read. Not its present figure, but of its order. */
const MOST_HELD = MEBIBYTE;

/** Until whatever was going to happen has. */
async function settled() {
  for (let count = 0; count < 20; count++) await turn();
}

/** Both directions, with an input for each. */
function directions(size) {
  const plaintext = content(size);
  const sealed = sealStream({ id: 'k1', key: KEY, plaintext });
  return [
    { what: 'sealStream', make: (keys = ring()) => keys.sealStream(), input: plaintext, isRight: isSealed(plaintext) },
    {
      what: 'openStream',
      make: (keys = ring()) => keys.openStream(),
      input: sealed,
      isRight: (output) => output.equals(plaintext),
    },
  ];
}

function isSealed(plaintext) {
  return (output) => openStream(output, KEY).equals(plaintext);
}

describe('back-pressure', () => {
  for (const { what, make, input, isRight } of directions(64 * MEBIBYTE)) {
    it(`${what}: one write of 64 MiB makes no more than the reader takes`, NO_HANG, async () => {
      const stream = make();
      let produced = 0;
      const { push } = stream;
      stream.push = function (chunk, ...rest) {
        produced += chunk?.length ?? 0;
        return Reflect.apply(push, this, [chunk, ...rest]);
      };
      let isWritten = false;
      assert.equal(
        stream.write(input, () => (isWritten = true)),
        false,
      );
      await settled();
      assert.ok(produced > 0 && produced <= MOST_HELD, `${produced} bytes that nobody has asked for`);
      const chunks = [];
      let read = 0;
      stream.on('readable', () => {});
      for (let count = 0; count < 100; count++) {
        const chunk = stream.read();
        if (chunk !== null) chunks.push(chunk);
        read += chunk?.length ?? 0;
        await turn();
        assert.ok(produced - read <= MOST_HELD, `${produced} bytes, of which ${read} have been read`);
      }
      assert.ok(read > MEBIBYTE && produced < input.length && !isWritten, `${read}`);
      stream.removeAllListeners('readable');
      stream.end();
      chunks.push(await readAll(stream));
      assert.ok(isWritten && isRight(Buffer.concat(chunks)));
    });
  }

  for (const { what, make, input, isRight } of directions(3 * MEBIBYTE + 17)) {
    it(`${what}: write answers false, and drain comes when there is room again`, NO_HANG, async () => {
      const stream = make();
      const output = readAll(stream);
      let drained = 0;
      for (let from = 0; from < input.length; from += 100_000) {
        if (stream.write(input.subarray(from, from + 100_000))) continue;
        await once(stream, 'drain');
        drained++;
      }
      stream.end();
      assert.ok(isRight(await output));
      assert.ok(drained > 3, `${drained}`);
    });

    it(`${what}: an endless source stays behind a sink that does not take anything`, NO_HANG, async () => {
      const whole = input.length;
      let given = 0;
      const source = Readable.from(
        (function* () {
          for (;;) {
            const at = given % whole;
            // What comes behind the end of a sealed stream is never looked at.
            given += CHUNK;
            yield input.subarray(at, at + CHUNK);
          }
        })(),
        { objectMode: false },
      );
      const stuck = new Writable({ highWaterMark: 1, write() {} });
      const stopped = new AbortController();
      const done = pipeline(source, make(), stuck, { signal: stopped.signal });
      await settled();
      const before = given;
      await settled();
      assert.equal(given, before);
      assert.ok(given < 2 * MEBIBYTE, `${given} bytes`);
      stopped.abort();
      await assert.rejects(done, { name: 'AbortError', code: 'ABORT_ERR' });
    });

    it(`${what}: readers of every kind get the same`, NO_HANG, async () => {
      const readers = {
        async late(stream) {
          await settled();
          return readAll(stream);
        },
        async paused(stream) {
          const chunks = [];
          stream.on('data', (chunk) => {
            chunks.push(chunk);
            stream.pause();
            setImmediate(() => stream.resume());
          });
          await once(stream, 'end');
          return Buffer.concat(chunks);
        },
        async small(stream) {
          const chunks = [];
          stream.on('readable', () => {
            // The last one may be shorter: then it comes with the end.
            for (let chunk = stream.read(777); chunk !== null; chunk = stream.read(777)) chunks.push(chunk);
          });
          await once(stream, 'end');
          return Buffer.concat(chunks);
        },
        piped: (stream) => readAll(stream.pipe(new PassThrough({ highWaterMark: 1 }))),
        wide: (stream) => readAll(stream.pipe(new PassThrough({ highWaterMark: 2 ** 30 }))),
        empty: (stream) => readAll(stream.pipe(new PassThrough({ highWaterMark: 0 }))),
      };
      for (const [name, read] of Object.entries(readers)) {
        for (const step of [1000, CHUNK, input.length]) {
          const stream = make();
          const output = read(stream);
          for (let from = 0; from < input.length; from += step) stream.write(input.subarray(from, from + step));
          stream.end();
          assert.ok(isRight(await output), `${name}, ${step}`);
        }
        for (const highWaterMark of [1, 100_000_000]) {
          const cut = pieces(input, () => 50_000);
          const source = new Readable({
            highWaterMark,
            read() {
              this.push(cut.next().value ?? null);
            },
          });
          assert.ok(isRight(await read(source.pipe(make()))), `${name}, from a source of ${highWaterMark}`);
        }
      }
    });
  }

  it('of the web: an endless source stays behind a reader that has gone to sleep', NO_HANG, async () => {
    let given = 0;
    const source = new ReadableStream({
      pull(controller) {
        given++;
        controller.enqueue(content(CHUNK));
      },
    });
    const reader = source.pipeThrough(ring().sealWebStream()).getReader();
    await settled();
    const before = given;
    await settled();
    assert.equal(given, before);
    assert.ok(given < 10, `${given} chunks`);
    await reader.read();
    await settled();
    assert.ok(given >= before && given < 12);
    await reader.cancel();
  });

  it('of iterables: the source is asked for what is needed', NO_HANG, async () => {
    let given = 0;
    const source = (function* () {
      for (;;) {
        given++;
        yield content(CHUNK);
      }
    })();
    const sealed = ring().sealFile(source);
    await sealed.next();
    await sealed.next();
    await settled();
    assert.equal(given, 2);
    await sealed.return();
  });

  it('a reader that decodes text gets it whole, wherever the chunks end', NO_HANG, async () => {
    const text = 'a€é😀'.repeat(30_000);
    const sealed = await through('node', ring(), 'seal', [text]);
    const opener = ring().openStream().setEncoding('utf8');
    opener.end(sealed);
    let opened = '';
    for await (const part of opener) opened += part;
    assert.equal(opened, text);
  });
});

describe('the end of a stream', () => {
  for (const { what, make, input, isRight } of directions(3 * MEBIBYTE)) {
    it(`${what}: an error in the middle of a pipeline destroys all of it`, NO_HANG, async () => {
      const mine = new Error('mine');
      const failing = function* () {
        yield input.subarray(0, MEBIBYTE);
        throw mine;
      };
      const fail = (callback) => setImmediate(callback, mine);
      const pairs = [
        () => [Readable.from(failing()), new PassThrough().resume()],
        () => [Readable.from([input]), new Writable({ write: (chunk, encoding, callback) => fail(callback) })],
        () => [Readable.from([input]), new Writable({ construct: fail, write() {} })],
      ];
      for (const makePair of pairs) {
        const [first, last] = makePair();
        const stream = make();
        await assert.rejects(pipeline(first, stream, last), (error) => error === mine);
        await settled();
        assert.ok(first.destroyed && stream.destroyed && last.destroyed);
      }
    });

    it(`${what}: an AbortSignal destroys a pipeline, before it begins and in the middle`, NO_HANG, async () => {
      for (const isEarly of [true, false]) {
        const abort = new AbortController();
        if (isEarly) abort.abort();
        const [source, stream] = [Readable.from([input]), make()];
        let seen = 0;
        const sink = new Writable({
          write(chunk, encoding, callback) {
            seen += chunk.length;
            abort.abort();
            setImmediate(callback);
          },
        });
        await assert.rejects(pipeline(source, stream, sink, { signal: abort.signal }), { name: 'AbortError' });
        await settled();
        assert.ok(source.destroyed && stream.destroyed && sink.destroyed);
        assert.ok(seen < MEBIBYTE);
      }
    });

    it(`${what}: destroy before, in the middle of and after a large write`, NO_HANG, async () => {
      for (const given of [undefined, new Error('mine')]) {
        const never = make();
        const stopped = make();
        assert.equal(stopped.write(input), false);
        stopped.write(Buffer.alloc(9));
        assert.ok(stopped.readableLength > 0);
        const ended = make();
        ended.end(input);
        assert.ok(isRight(await readAll(ended)));
        for (const stream of [never, stopped, ended]) {
          const closed = new Promise((resolve) => finished(stream, (error) => resolve(error)));
          stream.on('error', () => {});
          assert.equal(stream.destroy(given), stream);
          const error = await closed;
          assert.ok(stream.destroyed && stream.closed);
          if (stream === ended) assert.equal(error, undefined);
          else assert.equal(error?.code ?? error, given === undefined ? 'ERR_STREAM_PREMATURE_CLOSE' : given);
        }
      }
    });

    it(`${what}: a listener that destroys it in the middle of a write hears no more`, NO_HANG, async () => {
      const stream = make();
      let count = 0;
      let answered = false;
      const errors = [];
      stream.on('error', (error) => errors.push(error));
      stream.on('data', () => {
        count++;
        if (count === 3) stream.destroy();
      });
      await settled();
      stream.write(input, () => (answered = true));
      await once(stream, 'close');
      await settled();
      assert.deepEqual([count, errors, stream.errored, answered], [3, [], null, false]);
    });

    it(
      `${what}: what a listener throws is thrown where it comes from, and is no error of the stream`,
      NO_HANG,
      async () => {
        const stream = make();
        const mine = new Error('mine');
        const errors = [];
        stream.on('error', (error) => errors.push(error));
        stream.on('data', () => {
          throw mine;
        });
        await settled();
        assert.throws(
          () => stream.write(input),
          (error) => error === mine,
        );
        await settled();
        assert.deepEqual(errors, []);
        stream.destroy();
      },
    );

    it(`${what}: nothing can be written after the end`, NO_HANG, async () => {
      const stream = make();
      const output = readAll(stream);
      stream.end(input);
      const told = new Promise((resolve) => stream.once('error', resolve));
      const answered = new Promise((resolve) => stream.write('x', resolve));
      assert.equal((await told).code, 'ERR_STREAM_WRITE_AFTER_END');
      assert.equal((await answered).code, 'ERR_STREAM_WRITE_AFTER_END');
      await assert.rejects(output, { code: 'ERR_STREAM_WRITE_AFTER_END' });
    });

    it(`${what}: pipes into the web and out of it`, NO_HANG, async () => {
      const pair = Duplex.toWeb(make());
      const source = new ReadableStream({
        start(controller) {
          controller.enqueue(input);
          controller.close();
        },
      });
      assert.ok(isRight(await readAll(source.pipeThrough(pair))));
    });
  }

  it('without a write is the end of an empty one', NO_HANG, async () => {
    const sealer = ring().sealStream();
    sealer.end();
    const sealed = await readAll(sealer);
    assert.equal(openStream(sealed, KEY).length, 0);
    const opener = ring().openStream();
    opener.end(sealed);
    assert.equal((await readAll(opener)).length, 0);
    const truncated = ring().openStream();
    truncated.end();
    await assert.rejects(readAll(truncated), { code: 'ERR_STREAM_TRUNCATED' });
  });

  it('an opener reads on to the end of its source before it ends', NO_HANG, async () => {
    const sealed = await through('node', ring(), 'seal', ['attack at dawn']);
    const opener = ring().openStream();
    let isEnded = false;
    opener.on('end', () => (isEnded = true));
    opener.write(sealed);
    const [plaintext] = await once(opener, 'data');
    assert.equal(plaintext.toString(), 'attack at dawn');
    await settled();
    assert.equal(isEnded, false);
    opener.end();
    await once(opener, 'end');
  });

  it('both directions in one pipeline, a thousand of them at a time', NO_HANG, async () => {
    const keys = ring();
    const rounds = Array.from({ length: 1000 }, async (_, number) => {
      const chunks = [];
      const sink = new Writable({ write: (chunk, encoding, callback) => callback(void chunks.push(chunk)) });
      await pipeline(Readable.from([`note ${number}`]), keys.sealStream(), keys.openStream(), sink);
      return Buffer.concat(chunks).toString();
    });
    assert.deepEqual(
      await Promise.all(rounds),
      rounds.map((_, number) => `note ${number}`),
    );
  });
});

describe('a ring that is disposed of', () => {
  it('leaves the streams that have begun alone, and begins no others', NO_HANG, async () => {
    const plaintext = content(3 * CHUNK);
    const sealed = sealStream({ id: 'k1', key: KEY, plaintext });
    const keys = ring();
    const begun = { sealed: keys.sealStream(), opened: keys.openStream(), waiting: keys.openStream() };
    begun.sealed.write(plaintext.subarray(0, 10));
    begun.opened.write(sealed.subarray(0, CHUNK));
    const iterated = keys.openFile([sealed.subarray(0, CHUNK), sealed.subarray(CHUNK)]);
    const unread = keys.openFile([sealed]);
    const web = keys.sealWebStream();
    keys.dispose();
    begun.sealed.end(plaintext.subarray(10));
    assert.ok(openStream(await readAll(begun.sealed), KEY).equals(plaintext));
    begun.opened.end(sealed.subarray(CHUNK));
    assert.ok((await readAll(begun.opened)).equals(plaintext));
    const source = ReadableStream.from([plaintext]);
    assert.ok(openStream(await readAll(source.pipeThrough(web)), KEY).equals(plaintext));
    // What opens begins with the header, which says by which key.
    begun.waiting.end(sealed);
    await assert.rejects(readAll(begun.waiting), { name: 'HoldfastError', code: 'ERR_CLOSED' });
    for (const late of [iterated, unread]) await assert.rejects(readAll(late), { code: 'ERR_CLOSED' });
    const calls = ['sealStream', 'openStream', 'sealWebStream', 'openWebStream', 'sealFile', 'openFile'];
    for (const name of calls) {
      assert.throws(() => (name.endsWith('File') ? keys[name]([]) : keys[name]()), {
        name: 'HoldfastError',
        code: 'ERR_CLOSED',
        message: 'this Keyring has been disposed of: make a new one',
      });
    }
  });

  it('is not the one that was made of it by rotate, which opens the streams of both', NO_HANG, async () => {
    const before = ring('k1');
    const old = await through('node', before, 'seal', ['old']);
    const rotated = before.rotate('k2', Buffer.alloc(32, 2));
    before.dispose();
    const young = await through('node', rotated, 'seal', ['young']);
    for (const form of ['node', 'web', 'iterable']) {
      assert.equal((await through(form, rotated, 'open', [old])).toString(), 'old');
      assert.equal((await through(form, ring('k2'), 'open', [young])).toString(), 'young');
    }
    assert.deepEqual(rotated.inspect(old), { keyId: 'k1', stale: true });
    // The front is enough.
    assert.deepEqual(rotated.inspect(young.subarray(0, 4)), { keyId: 'k2', stale: false });
    assert.throws(() => rotated.inspect(young.subarray(0, 3)), { code: 'ERR_DECRYPT' });
    await assert.rejects(through('node', ring('k1'), 'open', [young]), { code: 'ERR_UNKNOWN_KEY' });
  });
});
