// Tests of what aead-stream.mjs compares with, and of its table: a peer that opens what it should refuse would do less
// work than Holdfast. Needs neither the addon nor the peers.
import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { CHUNK, ChunkOpener, ChunkSealer, FRAME_OVERHEAD, SALT } from './aead-stream-peers.mjs';
import { aligned, cell } from './rounds.mjs';

const KEY = createSecretKey(Buffer.alloc(32, 1));
const FRAME = CHUNK + FRAME_OVERHEAD;

async function through(transform, content, piece = 50_000) {
  const out = [];
  const pieces = [];
  for (let at = 0; at < content.length; at += piece) pieces.push(content.subarray(at, at + piece));
  await pipeline(Readable.from(pieces), transform, async (parts) => {
    for await (const part of parts) out.push(part);
  });
  return Buffer.concat(out);
}

const seal = (content, piece, isPlain) => through(new ChunkSealer(KEY, isPlain), content, piece);
const open = (sealed, piece, isPlain) => through(new ChunkOpener(KEY, isPlain), sealed, piece);

function plaintextOf(length) {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => index * 7 + (index >> 8)));
}

for (const length of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5]) {
  test(`chunks of node:crypto: ${length} bytes come back, however they are cut`, async () => {
    const plaintext = plaintextOf(length);
    for (const piece of [1000, CHUNK, FRAME, 200_000]) {
      const sealed = await seal(plaintext, piece);
      assert.equal(sealed.length, SALT + length + Math.max(1, Math.ceil(length / CHUNK)) * FRAME_OVERHEAD);
      assert.ok((await open(sealed, 77_777)).equals(plaintext));
      assert.ok((await open(sealed, 77_777, true)).equals(plaintext));
      assert.ok((await open(await seal(plaintext, piece, true), 77_777)).equals(plaintext));
    }
  });
}

test('chunks of node:crypto: what was cut off, changed, moved or added is refused', async () => {
  const sealed = await seal(plaintextOf(3 * CHUNK));
  const [head, first, second, last] = [0, SALT, SALT + FRAME, SALT + 2 * FRAME].map((from, index) =>
    sealed.subarray(from, index === 0 ? SALT : from + FRAME),
  );
  const changed = Buffer.from(sealed);
  changed[SALT + FRAME + 100] ^= 1;
  const wrong = {
    'between two chunks': sealed.subarray(0, SALT + 2 * FRAME),
    'in the last chunk': sealed.subarray(0, -1),
    changed,
    moved: Buffer.concat([head, second, first, last]),
    'left out': Buffer.concat([head, first, last]),
    added: Buffer.concat([sealed, Buffer.from([0])]),
    nothing: Buffer.alloc(0),
  };
  for (const [name, content] of Object.entries(wrong)) {
    await assert.rejects(open(content), name);
    await assert.rejects(open(content, 50_000, true), name);
  }
});

test('a cell is the median and the range of the rounds that did not fail', () => {
  const of = (result) => result.value;
  assert.equal(cell([{ value: 3 }, undefined, { value: 1 }, { value: 2 }], of, String), '2 (1 to 3)');
  assert.equal(cell([{ value: 3 }], of, String), '3');
  assert.equal(cell([undefined], of, String), 'failed');
  assert.equal(
    cell([{ value: 6 }, { value: 8 }], (result, round) => result.value / [2, 4][round], String),
    '2.5 (2 to 3)',
  );
});

test('a table is aligned, the first column to the left', () => {
  const rows = [
    ['', 'GB/s'],
    ['seal', '2'],
  ];
  assert.equal(aligned(rows), '|      | GB/s |\n| ---- | ---: |\n| seal |    2 |');
});
