'use strict';

/** Sealed streams: against the format, made and read by node:crypto alone, in every form and whatever the pieces. */

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { describe, it } = require('node:test');
const { Keyring } = require('..');
const { Random } = require('./support/random.js');
const { ring } = require('./support/ring.js');
const { FORMS, NO_HANG, content, pieces, through } = require('./support/stream-forms.js');
const { CHUNK, FRAME, framesOf, openStream, sealStream } = require('./support/stream-format.js');

const SEED = Number(process.env.HOLDFAST_SEED ?? 20_261_122);
const KEY = Buffer.alloc(32, 1);
const SIZES = [0, 1, 15, 16, 17, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1];
/** Around as many chunks as are sealed and opened at once, and one more than that. */
const LARGE = [4, 5, 8, 9].flatMap((chunks) => [-1, 0, 1].map((more) => chunks * CHUNK + more));

/** A stream as it is today, made by the oracle: neither it nor holdfast may come to mean another format. */
const FROZEN = {
  plaintext: 'attack at dawn',
  aad: 'to Bob',
  sealed:
    '03026b3109090909090909090909090909090909090909090909090909090909090909093419038676a9007b7ba8fd181c65cfee' +
    'b6ccad09f90d11062f59783095f592748000000e907954aa76eaab9854d2458e058d9452e68dd89b776d6a7e97b394128848',
};

describe('the format of streams', () => {
  it('is today what it was', NO_HANG, async () => {
    const sealed = Buffer.from(FROZEN.sealed, 'hex');
    const salt = Buffer.alloc(32, 9);
    const made = sealStream({ id: 'k1', key: KEY, plaintext: Buffer.from(FROZEN.plaintext), aad: FROZEN.aad, salt });
    assert.equal(made.toString('hex'), FROZEN.sealed);
    for (const form of FORMS) {
      const opened = await through(form, ring(), 'open', [sealed], { aad: FROZEN.aad });
      assert.equal(opened.toString(), FROZEN.plaintext);
    }
  });

  for (const form of FORMS) {
    it(`is what ${form} makes and takes`, NO_HANG, async () => {
      const random = new Random(SEED);
      for (const size of [...SIZES, ...LARGE.slice(0, 3), random.below(500_000)]) {
        const id = random.pick(['a', 'key-2026_11', 'x'.repeat(32)]);
        const [key, aad, plaintext] = [randomBytes(32), randomBytes(random.below(3) * 1000), content(size)];
        const ours = new Keyring({ primary: id, keys: { [id]: key } });
        const sealed = await through(form, ours, 'seal', [plaintext], { aad });
        assert.equal(sealed.length, 2 + id.length + 64 + size + 20 * Math.max(1, Math.ceil(size / CHUNK)));
        assert.deepEqual([sealed[0], sealed[1], sealed.subarray(2, 2 + id.length).toString()], [3, id.length, id]);
        assert.ok(openStream(sealed, key, aad).equals(plaintext), `${size}`);
        const theirs = sealStream({ id, key, aad, plaintext });
        assert.ok((await through(form, ours, 'open', [theirs], { aad })).equals(plaintext), `${size}`);
      }
    });
  }

  it('has a salt of its own for every stream, so that no two are alike', NO_HANG, async () => {
    const seen = new Set();
    for (let round = 0; round < 50; round++) {
      for (const form of FORMS) {
        const { header, frames } = framesOf(await through(form, ring(), 'seal', ['the same']));
        seen.add(header.subarray(4, 36).toString('hex')).add(frames[0].toString('hex'));
      }
    }
    assert.equal(seen.size, 2 * 50 * FORMS.length);
  });

  it('has frames of 64 KiB, and an empty one only when nothing was sealed', NO_HANG, async () => {
    for (const size of SIZES) {
      for (const form of FORMS) {
        // In two writes, as the second decides what becomes of the first.
        const bytes = content(size);
        const sealed = await through(form, ring(), 'seal', [bytes.subarray(0, CHUNK), bytes.subarray(CHUNK)]);
        const lengths = framesOf(sealed).frames.map((frame) => frame.length);
        const whole = Math.max(1, Math.ceil(size / CHUNK)) - 1;
        assert.deepEqual(lengths, [...Array(whole).fill(FRAME), size - whole * CHUNK + 20], `${form}, ${size}`);
      }
    }
  });
});

describe('streams', () => {
  for (const form of FORMS) {
    it(`of ${form} open in every form`, NO_HANG, async () => {
      for (const size of [...SIZES, ...LARGE]) {
        const plaintext = content(size);
        const sealed = await through(form, ring(), 'seal', [plaintext], { aad: 'é' });
        for (const other of FORMS) {
          const opened = await through(other, ring(), 'open', [sealed], { aad: Buffer.from('é') });
          assert.ok(opened.equals(plaintext), `${other}, ${size}`);
        }
      }
    });

    it(`of ${form} do not depend on how they are cut, one byte or three at a time`, NO_HANG, async () => {
      for (const size of [...SIZES.filter((length) => length < CHUNK), CHUNK + 1]) {
        for (const step of size > 100 ? [3] : [1, 3]) {
          const plaintext = content(size);
          const sealed = await through(
            form,
            ring(),
            'seal',
            pieces(plaintext, () => step),
          );
          assert.ok(openStream(sealed, KEY).equals(plaintext), `${size} by ${step}`);
          const opened = await through(
            form,
            ring(),
            'open',
            pieces(sealed, () => step),
          );
          assert.ok(opened.equals(plaintext), `${size} by ${step}`);
        }
      }
    });

    it(`of ${form} do not depend on how they are cut, at random, and take empty pieces`, NO_HANG, async () => {
      const random = new Random(SEED);
      const most = [1000, CHUNK, 2 * CHUNK, 9 * CHUNK];
      const near = [CHUNK, FRAME, 2 * CHUNK, 4 * FRAME, 2, 68, 86].flatMap((at) => [at - 1, at, at + 1]);
      for (let round = 0; round < 40; round++) {
        const size = random.below(2) === 0 ? random.pick([...SIZES, ...LARGE]) : random.below(10 * CHUNK);
        const plaintext = content(size);
        const limit = random.pick(most);
        const length = () => (random.below(3) === 0 ? random.pick(near) : 1 + random.below(limit));
        const cut = (bytes) =>
          [...pieces(bytes, length)].flatMap((piece) => {
            return random.below(4) === 0 ? [Buffer.alloc(0), piece, new Uint8Array(0)] : [piece];
          });
        const sealed = await through(form, ring(), 'seal', cut(plaintext));
        assert.ok(openStream(sealed, KEY).equals(plaintext), `round ${round} of seed ${SEED}: ${size}`);
        const opened = await through(form, ring(), 'open', cut(sealed));
        assert.ok(opened.equals(plaintext), `round ${round} of seed ${SEED}: ${size}`);
      }
    });

    it(`of ${form} take several megabytes in one piece, and only empty ones`, NO_HANG, async () => {
      const plaintext = content(5_000_001);
      const sealed = await through(form, ring(), 'seal', [plaintext]);
      assert.ok((await through(form, ring(), 'open', [sealed])).equals(plaintext));
      const empty = [Buffer.alloc(0), '', new Uint8Array(0)];
      const nothing = await through(form, ring(), 'seal', empty);
      assert.equal(nothing.length, 68 + 20);
      assert.equal(openStream(nothing, KEY).length, 0);
      for (const input of [[nothing], [Buffer.alloc(0), ...pieces(nothing, () => 1), Buffer.alloc(0)]]) {
        assert.equal((await through(form, ring(), 'open', input)).length, 0);
      }
    });
  }
});
