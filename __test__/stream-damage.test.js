'use strict';

/** What happens to a sealed stream on its way is noticed, and before the plaintext of what is wrong comes out. */

const assert = require('node:assert/strict');
const { Readable, Writable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { describe, it } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');
const { Keyring, generateKey } = require('..');
const { Random } = require('./support/random.js');
const { ring } = require('./support/ring.js');
const { FORMS, NO_HANG, content, outcome, pieces, through } = require('./support/stream-forms.js');
const { CHUNK, FRAME, framesOf, sealFrame, sealFrames, sealStream } = require('./support/stream-format.js');

const SEED = Number(process.env.HOLDFAST_SEED ?? 20_261_123);
const KEY = Buffer.alloc(32, 1);
/** Of a stream under `k1`. */
const HEADER = 2 + 2 + 64;
const THREE_FRAMES = Buffer.alloc(3 * FRAME);

/** That `output` is the front of `plaintext`, whole chunks of it or all. */
function isWholeChunks(output, plaintext) {
  const whole = output.length % CHUNK === 0 || output.length === plaintext.length;
  return whole && output.equals(plaintext.subarray(0, output.length));
}

/** The stream in one piece, in pieces that meet no boundary, and frame by frame. */
function cuts(sealed) {
  const { header, frames } = sealed.length > HEADER + 4 ? framesOf(sealed) : { header: sealed, frames: [] };
  return [[sealed], [...pieces(sealed, () => 50_000)], [header, ...frames].filter((part) => part.length > 0)];
}

/** That the stream fails with this code, and that what came out before is the front of `plaintext`, in whole chunks. */
async function fails(sealed, code, plaintext, { keys = ring(), options, label = '', input } = {}) {
  const parts = input === undefined ? [sealed] : [...input];
  for (const form of FORMS) {
    const { output, error } = await outcome(form, keys, 'open', parts, options);
    const told = `${label} ${form}: ${error?.code ?? error}`;
    assert.equal(error?.code, code, told);
    assert.equal(error.name, 'HoldfastError', told);
    assert.deepEqual(Object.keys(error), ['code'], told);
    if (code === 'ERR_DECRYPT') assert.equal(error.message, 'decryption failed', told);
    assert.ok(isWholeChunks(output, plaintext), `${told}, ${output.length} bytes`);
  }
}

describe('a stream that is cut', () => {
  it('fails at every byte of one that has one frame', NO_HANG, async () => {
    const plaintext = Buffer.from('attack at dawn');
    const sealed = sealStream({ id: 'k1', key: KEY, plaintext });
    for (let end = 0; end < sealed.length; end++) {
      await fails(sealed.subarray(0, end), 'ERR_STREAM_TRUNCATED', Buffer.alloc(0), { label: `${end} bytes` });
    }
    for (const form of FORMS) assert.ok((await through(form, ring(), 'open', [sealed])).equals(plaintext));
  });

  it(
    'fails around every boundary of one that has three, and gives out the chunks in front of it',
    NO_HANG,
    async () => {
      const plaintext = content(2 * CHUNK + 100);
      const sealed = sealStream({ id: 'k1', key: KEY, plaintext });
      const boundaries = [0, HEADER, HEADER + FRAME, HEADER + 2 * FRAME, sealed.length];
      const near = [-17, -16, -2, -1, 0, 1, 2, 3, 4, 5, 19, 20, 21];
      const ends = boundaries
        .flatMap((at) => near.map((more) => at + more))
        .filter((at) => at >= 0 && at < sealed.length);
      assert.ok(ends.length > 40);
      for (const end of ends) {
        const whole = Math.max(0, Math.floor((end - HEADER) / FRAME)) * CHUNK;
        for (const form of FORMS) {
          for (const input of [[sealed.subarray(0, end)], [...pieces(sealed.subarray(0, end), () => 50_000)]]) {
            const { output, error } = await outcome(form, ring(), 'open', input);
            assert.equal(error?.code, 'ERR_STREAM_TRUNCATED', `${form}, ${end}`);
            assert.deepEqual(Object.keys(error), ['code']);
            assert.ok(output.equals(plaintext.subarray(0, whole)), `${form}, ${end}: ${output.length} bytes`);
          }
        }
      }
    },
  );

  it('fails when nothing comes at all, or what is empty', NO_HANG, async () => {
    for (const input of [[], [Buffer.alloc(0)], [new Uint8Array(0), Buffer.alloc(0)]]) {
      await fails(Buffer.alloc(0), 'ERR_STREAM_TRUNCATED', Buffer.alloc(0), { input });
    }
  });
});

describe('a stream that is changed', () => {
  it('fails for every bit of it', NO_HANG, async () => {
    const keys = ring('k1', ['k1', 'k3']);
    const plaintext = Buffer.from('dawn');
    const sealed = await through('node', keys, 'seal', [plaintext], { aad: 'to Bob' });
    let truncated = 0;
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const at = bit >> 3;
      const damaged = Buffer.from(sealed);
      damaged[at] ^= 0x80 >> (bit & 7);
      const inId = at >= 1 && at <= 3;
      // Then the rest of what is announced never comes.
      const isLonger =
        (at === 1 && damaged[1] > 2 && damaged[1] <= 32) ||
        (at > HEADER && at < HEADER + 4 && damaged.readUInt32BE(HEADER) - 2 ** 31 > 4);
      for (const form of FORMS) {
        for (const input of [[damaged], pieces(damaged, () => 1)]) {
          const { output, error } = await outcome(form, keys, 'open', input, { aad: 'to Bob' });
          assert.equal(output.length, 0, `${form}, bit ${bit}`);
          const codes = ['ERR_DECRYPT'];
          if (inId) codes.push('ERR_UNKNOWN_KEY');
          if (isLonger) codes.push('ERR_STREAM_TRUNCATED');
          assert.ok(codes.includes(error?.code), `${form}, bit ${bit}: ${error}`);
          if (error.code === 'ERR_STREAM_TRUNCATED') truncated++;
        }
      }
    }
    assert.ok(truncated > 0, 'so the exception is none that is made for nothing');
  });

  it('fails for a bit anywhere in a long one, and gives out nothing of that chunk', NO_HANG, async () => {
    const random = new Random(SEED);
    const plaintext = content(9 * CHUNK + 5);
    const sealed = sealStream({ id: 'k1', key: KEY, plaintext });
    for (let round = 0; round < 60; round++) {
      const at = HEADER + random.below(sealed.length - HEADER);
      const damaged = Buffer.from(sealed);
      damaged[at] ^= 1 << random.below(8);
      const before = Math.floor((at - HEADER) / FRAME) * CHUNK;
      for (const cut of cuts(sealed)) {
        const lengths = cut.map((part) => part.length);
        const form = random.pick(FORMS);
        const { output, error } = await outcome(
          form,
          ring(),
          'open',
          pieces(damaged, () => lengths.shift()),
        );
        const told = `round ${round} of seed ${SEED}, ${form}: byte ${at}, ${error}`;
        const isLength = (at - HEADER) % FRAME < 4 && at - HEADER > 9 * FRAME;
        assert.ok(error?.code === 'ERR_DECRYPT' || (isLength && error?.code === 'ERR_STREAM_TRUNCATED'), told);
        assert.ok(output.length <= before && isWholeChunks(output, plaintext), told);
      }
    }
  });

  it('fails when frames are swapped, doubled, left out, or come from another stream', NO_HANG, async () => {
    const plaintext = content(3 * CHUNK + 5);
    const { header, frames } = sealFrames({ id: 'k1', key: KEY, plaintext });
    const other = sealFrames({ id: 'k1', key: KEY, plaintext });
    const cases = [
      [[1, 0, 2, 3], 0],
      [[0, 2, 1, 3], 1],
      [[0, 0, 1, 2, 3], 1],
      [[0, 1, 1, 2, 3], 2],
      [[1, 2, 3], 0],
      [[0, 2, 3], 1],
      [[0, 1, 3], 2],
      [[3], 0],
      [[3, 0, 1, 2], 0],
      [[0, 1, 2, 3, 3], 4],
      [[0, 1, 2, 3, 0], 4],
    ];
    for (const [order, right] of cases) {
      const sealed = Buffer.concat([header, ...order.map((number) => frames[number])]);
      const expected = plaintext.subarray(0, right * CHUNK);
      for (const input of cuts(sealed)) await fails(sealed, 'ERR_DECRYPT', expected, { input, label: `${order}` });
    }
    for (let number = 0; number < frames.length; number++) {
      const sealed = Buffer.concat([header, ...frames.with(number, other.frames[number])]);
      await fails(sealed, 'ERR_DECRYPT', plaintext.subarray(0, number * CHUNK), { label: `frame ${number}` });
    }
    await fails(Buffer.concat([header, ...other.frames]), 'ERR_DECRYPT', Buffer.alloc(0));
    await fails(Buffer.concat([header, header, ...frames]), 'ERR_DECRYPT', Buffer.alloc(0));
  });

  it('fails when the mark of the last frame is set or taken away', NO_HANG, async () => {
    for (const size of [2 * CHUNK, 2 * CHUNK + 7]) {
      const plaintext = content(size);
      const { header, frames } = sealFrames({ id: 'k1', key: KEY, plaintext });
      for (let number = 0; number < frames.length; number++) {
        const changed = frames.map((frame) => Buffer.from(frame));
        changed[number][0] ^= 0x80;
        const expected = plaintext.subarray(0, number * CHUNK);
        // With and without what comes behind it.
        await fails(Buffer.concat([header, ...changed]), 'ERR_DECRYPT', expected);
        await fails(Buffer.concat([header, ...changed.slice(0, number + 1)]), 'ERR_DECRYPT', expected);
      }
    }
  });

  it('fails for whatever comes behind the last frame, in the same write or in a later one', NO_HANG, async () => {
    for (const size of [0, 5, CHUNK, 4 * CHUNK, 4 * CHUNK + 5]) {
      const plaintext = content(size);
      const sealed = sealStream({ id: 'k1', key: KEY, plaintext });
      for (const more of [Buffer.alloc(1), Buffer.alloc(FRAME), sealed, Buffer.alloc(9 * FRAME, 0x80)]) {
        await fails(sealed, 'ERR_DECRYPT', plaintext, { input: [Buffer.concat([sealed, more])], label: `${size}` });
        for (const input of [
          [sealed, more],
          [sealed, Buffer.alloc(0), more],
        ]) {
          await fails(sealed, 'ERR_DECRYPT', plaintext, { input, label: `${size}` });
        }
      }
      for (const form of FORMS) {
        assert.ok((await through(form, ring(), 'open', [sealed, Buffer.alloc(0)])).equals(plaintext));
      }
    }
  });
});

describe('a stream that was never one', () => {
  it('is opened by no other key and no other associated data', NO_HANG, async () => {
    const plaintext = content(CHUNK + 5);
    const nothing = Buffer.alloc(0);
    const sealed = sealStream({ id: 'k1', key: KEY, plaintext, aad: 'to Bob' });
    for (const aad of [undefined, '', 'to bob', 'to Bob\0', 'to Bo', Buffer.from('Bob')]) {
      await fails(sealed, 'ERR_DECRYPT', nothing, { options: { aad } });
    }
    const options = { aad: 'to Bob' };
    const sameName = new Keyring({ primary: 'k1', keys: { k1: generateKey() } });
    await fails(sealed, 'ERR_DECRYPT', nothing, { keys: sameName, options });
    await fails(sealed, 'ERR_UNKNOWN_KEY', nothing, { keys: ring('k2', ['k2', 'k3']), options });
    // Key id 'k1' with aad '1x' and key id 'k11' with aad 'x' read alike when they are put one behind the other.
    const long = sealStream({ id: 'k1', key: KEY, plaintext, aad: '1x' });
    const moved = Buffer.concat([Buffer.from([3, 3]), Buffer.from('k11'), long.subarray(4)]);
    const other = new Keyring({ primary: 'k11', keys: { k11: KEY } });
    for (const aad of ['x', '1x', '']) await fails(moved, 'ERR_DECRYPT', nothing, { keys: other, options: { aad } });
  });

  it('is not a message, a token, or anything else', NO_HANG, async () => {
    const keys = ring();
    const token = Buffer.from(keys.sealToken({ user: 'x'.repeat(100) }, { purpose: 'session' }), 'base64url');
    const others = [
      // Also when it is shorter than the header of a stream.
      keys.seal('x'),
      keys.seal(content(3 * CHUNK)),
      token,
      token.subarray(0, 20),
      Buffer.from('plain text that nobody has sealed at all, as it may lie in an old file'),
      Buffer.from('plain'),
      Buffer.alloc(3 * CHUNK),
    ];
    for (const kind of [0, 1, 2, 4, 0x83, 255]) {
      others.push(sealStream({ id: 'k1', key: KEY, plaintext: Buffer.from('x'), kind }));
    }
    for (const sealed of others) {
      for (const input of [[sealed], pieces(sealed, () => 1000)]) {
        await fails(sealed, 'ERR_DECRYPT', Buffer.alloc(0), { input, label: sealed.subarray(0, 9).toString('hex') });
      }
    }
    for (const form of FORMS) {
      const stream = await through(form, keys, 'seal', ['{}']);
      assert.throws(() => keys.open(stream), { code: 'ERR_DECRYPT' });
      assert.throws(() => keys.openToken(stream.toString('base64url'), { purpose: 'session' }), {
        code: 'ERR_DECRYPT',
      });
    }
  });

  it('has key ids of 1 to 32 characters', NO_HANG, async () => {
    for (const length of [0, 33, 100, 255]) {
      const header = Buffer.concat([Buffer.from([3, length]), Buffer.alloc(length + 64, 'a')]);
      await fails(header, 'ERR_DECRYPT', Buffer.alloc(0), { label: `${length}` });
      if (length > 32) await fails(header, 'ERR_DECRYPT', Buffer.alloc(0), { input: [header.subarray(0, 2)] });
    }
  });

  it('is cut in one way: frames that are right but too short, too long or empty are refused', NO_HANG, async () => {
    const plaintext = content(3 * CHUNK);
    for (const cut of [1000, CHUNK - 1, CHUNK + 1, 2 * CHUNK]) {
      const sealed = sealStream({ id: 'k1', key: KEY, plaintext, cut });
      for (const input of cuts(sealed)) await fails(sealed, 'ERR_DECRYPT', Buffer.alloc(0), { input, label: `${cut}` });
    }
    // An empty last frame behind a whole one.
    const { header, frames, streamKey } = sealFrames({
      id: 'k1',
      key: KEY,
      plaintext: plaintext.subarray(0, 2 * CHUNK),
    });
    const first = plaintext.subarray(0, CHUNK);
    const emptied = Buffer.concat([header, frames[0], sealFrame(streamKey, 1, true, Buffer.alloc(0))]);
    await fails(emptied, 'ERR_DECRYPT', first);
    // An empty frame that is not the last, and a last one after the last.
    await fails(
      Buffer.concat([header, sealFrame(streamKey, 0, false, Buffer.alloc(0)), frames[1]]),
      'ERR_DECRYPT',
      first,
    );
    const twice = Buffer.concat([header, ...frames, sealFrame(streamKey, 2, true, Buffer.from('x'))]);
    await fails(twice, 'ERR_DECRYPT', plaintext);
  });

  it('makes no memory of the lengths that it names', NO_HANG, async (t) => {
    const plaintext = content(CHUNK + 5);
    const { header, frames } = sealFrames({ id: 'k1', key: KEY, plaintext });
    const allocations = [];
    for (const name of ['alloc', 'allocUnsafe', 'allocUnsafeSlow']) {
      const { [name]: allocate } = Buffer;
      t.mock.method(Buffer, name, (length, ...rest) => {
        allocations.push(length);
        return Reflect.apply(allocate, Buffer, [length, ...rest]);
      });
    }
    for (const word of [0x7fffffff, 0xffffffff, 0x7ffffff0, CHUNK + 1, 2 ** 31 + CHUNK + 1, CHUNK - 1, 0, 1, 2 ** 30]) {
      const prefix = Buffer.alloc(4);
      prefix.writeUInt32BE(word);
      // By the length alone: nothing of the frame has come.
      for (const start of [[], [frames[0]]]) {
        const expected = plaintext.subarray(0, start.length * CHUNK);
        const sealed = Buffer.concat([header, ...start, prefix]);
        const behind = Buffer.concat([sealed, THREE_FRAMES]);
        const tooLong = word % 2 ** 31 > CHUNK;
        if (tooLong) await fails(sealed, 'ERR_DECRYPT', expected, { label: word.toString(16) });
        await fails(behind, 'ERR_DECRYPT', expected, { label: word.toString(16) });
      }
    }
    assert.ok(allocations.length > 0 && Math.max(...allocations) < 8 * FRAME, `${Math.max(...allocations)} bytes`);
  });
});

describe('errors of streams', () => {
  it('tell nothing of what was sealed, nor what was wrong with it', NO_HANG, async () => {
    const plaintext = Buffer.from('a secret that no message may repeat '.repeat(3000));
    const sealed = sealStream({ id: 'k1', key: KEY, plaintext });
    const damaged = (at) =>
      Buffer.concat([sealed.subarray(0, at), Buffer.from([sealed[at] ^ 1]), sealed.subarray(at + 1)]);
    const seen = new Set();
    for (const at of [0, 10, 40, 68, 72, 70_000, sealed.length - 1]) {
      for (const form of FORMS) {
        const { error } = await outcome(form, ring(), 'open', [damaged(at)]);
        assert.doesNotMatch(JSON.stringify([error.message, error, error.stack]), /secret/);
        seen.add(JSON.stringify([error.constructor.name, error.name, error.message, error]));
        assert.equal(error.cause, undefined);
      }
    }
    assert.deepEqual([...seen], ['["HoldfastError","HoldfastError","decryption failed",{"code":"ERR_DECRYPT"}]']);
    const { error } = await outcome('node', ring(), 'seal', ['secret \ud800']);
    assert.doesNotMatch(error.message, /secret/);
  });

  it('come once, and close the stream', NO_HANG, async () => {
    const opener = ring().openStream();
    const heard = [];
    for (const name of ['error', 'end', 'finish', 'close']) opener.on(name, () => heard.push(name));
    opener.resume();
    opener.write(Buffer.alloc(300));
    opener.write(Buffer.alloc(300));
    opener.end();
    await new Promise((resolve) => opener.once('close', resolve));
    await turn();
    assert.deepEqual(heard, ['error', 'close']);
    const sink = new Writable({ write: (chunk, encoding, callback) => callback() });
    await assert.rejects(pipeline(Readable.from([Buffer.alloc(300)]), ring().openStream(), sink), {
      code: 'ERR_DECRYPT',
    });
    assert.ok(sink.destroyed);
  });
});
