'use strict';

/**
 * Tokens against an implementation that shares no code with them: made by node:crypto from the documented format, and taken
 * apart by it. What the format says is in docs/aead.md; keyring.test.js has what they promise.
 */

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { describe, it } = require('node:test');
const { JsonError, Keyring, generateKey, parseJson } = require('..');
const { JsonGenerator } = require('./support/json.js');
const { Random } = require('./support/random.js');
const { openMessage, sealMessage } = require('./support/xaes.js');
const { ring } = require('./support/ring.js');

const SEED = Number(process.env.HOLDFAST_SEED ?? 20_261_121);
const KEY = Buffer.alloc(32, 1);
const PURPOSE = 'session';
const DECRYPT = { name: 'HoldfastError', code: 'ERR_DECRYPT', message: 'decryption failed' };

/** A token of these bytes, whatever they are. */
function tokenOf(json, expiry = 0n) {
  const head = Buffer.alloc(8);
  head.writeBigUInt64BE(expiry);
  const plaintext = Buffer.concat([head, Buffer.from(json)]);
  const message = { kind: 2, id: 'k1', key: KEY, nonce: randomBytes(24), plaintext, aad: Buffer.from(PURPOSE) };
  return sealMessage(message).toString('base64url');
}

/** The bytes in a token. */
function jsonOf(token) {
  return openMessage(Buffer.from(token, 'base64url'), KEY, Buffer.from(PURPOSE)).subarray(8).toString('utf8');
}

function outcome(body) {
  try {
    return { value: body() };
  } catch (error) {
    return { code: error.code, message: error.message, pointer: error.pointer, isJson: error instanceof JsonError };
  }
}

describe('tokens', () => {
  it('open to what parseJson makes of the same text, or fail as it does', () => {
    const keys = ring();
    const texts = new JsonGenerator(new Random(SEED));
    const seen = { opened: 0, refused: 0 };
    for (let round = 0; round < 3000; round++) {
      const text = round % 2 === 0 ? texts.text() : texts.damaged();
      // What is not well-formed has no UTF-8.
      if (!text.isWellFormed()) continue;
      const expected = outcome(() => parseJson(text));
      const found = outcome(() => keys.openToken(tokenOf(text), { purpose: PURPOSE }));
      assert.deepEqual(found, expected, `seed ${SEED}, round ${round}: ${JSON.stringify(text)}`);
      seen[expected.isJson ? 'refused' : 'opened']++;
    }
    assert.ok(seen.opened > 500 && seen.refused > 500, JSON.stringify(seen));
  });

  it('that hold what is not UTF-8 were not sealed as tokens', () => {
    const keys = ring();
    const texts = new JsonGenerator(new Random(SEED));
    let refused = 0;
    for (let round = 0; round < 1000; round++) {
      const bytes = texts.damagedBytes();
      const isText = Buffer.from(bytes.toString('utf8')).equals(bytes);
      if (isText) continue;
      assert.throws(() => keys.openToken(tokenOf(bytes), { purpose: PURPOSE }), DECRYPT, bytes.toString('hex'));
      refused++;
    }
    assert.ok(refused > 100, `${refused}`);
  });

  it('hold the text of JSON.stringify, whatever its characters', () => {
    const keys = ring();
    const values = [
      { name: 'Ana' },
      { name: 'Zoë' },
      { name: '中文 😀' },
      'é'.repeat(300),
      '中'.repeat(300),
      '\ud800',
      '\u2028',
      'x'.repeat(254),
      'x'.repeat(255),
      'x'.repeat(256),
      [],
      '',
      0,
    ];
    // Long ones and short ones in turn: memory is used again.
    for (const value of [...values, ...values.reverse()]) {
      const token = keys.sealToken(value, { purpose: PURPOSE });
      assert.equal(jsonOf(token), JSON.stringify(value));
      assert.deepEqual(keys.openToken(token, { purpose: PURPOSE }), value);
    }
  });

  it('are limited in bytes, not in characters', () => {
    const keys = ring();
    const tooLong = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
    for (const [character, bytes] of [
      ['x', 1],
      ['é', 2],
      ['中', 3],
      ['😀', 4],
    ]) {
      const longest = character.repeat(Math.floor((64 * 1024 - 2) / bytes));
      assert.equal(keys.openToken(keys.sealToken(longest, { purpose: PURPOSE }), { purpose: PURPOSE }), longest);
      assert.throws(() => keys.sealToken(longest + character, { purpose: PURPOSE }), tooLong);
    }
    assert.throws(() => keys.sealToken('x'.repeat(5_000_000), { purpose: PURPOSE }), tooLong);
  });

  it('expire at the time that stands in them', (t) => {
    const keys = ring();
    t.mock.method(Date, 'now', () => 1_800_000_000_000);
    for (const [expiry, isOpen] of [
      [0n, true],
      [1n, false],
      [1_800_000_000_000n, false],
      [1_800_000_000_001n, true],
      [2n ** 53n, true],
      [2n ** 64n - 1n, true],
    ]) {
      const open = () => keys.openToken(tokenOf('1', expiry), { purpose: PURPOSE });
      if (isOpen) assert.equal(open(), 1);
      else assert.throws(open, { code: 'ERR_TOKEN_EXPIRED' });
    }
  });

  it('are not for ever because a clock went wrong', (t) => {
    const keys = ring();
    let now = 0;
    t.mock.method(Date, 'now', () => now);
    for (const wrong of [-5, 0, -1_000_000]) {
      now = wrong;
      const token = keys.sealToken(1, { purpose: PURPOSE, ttlMs: Math.max(1, -wrong) });
      now = 1_900_000_000_000;
      assert.throws(() => keys.openToken(token, { purpose: PURPOSE }), { code: 'ERR_TOKEN_EXPIRED' });
    }
  });

  it('keep their purpose when somebody writes over a pool', () => {
    const keys = ring();
    const purpose = 'a purpose of this test';
    const before = keys.sealToken(1, { purpose });
    // The classic mistake: all of the pool, and not the part that is theirs.
    new Uint8Array(Buffer.from('x').buffer).fill(0);
    assert.equal(keys.openToken(before, { purpose }), 1);
    const long = 'x'.repeat(5000);
    assert.equal(keys.openToken(keys.sealToken(3, { purpose: long }), { purpose: long }), 3);
  });

  it('of several purposes and rings do not get mixed up, whatever was used last', () => {
    const rings = [ring('k1'), ring('k2'), new Keyring({ primary: 'k1', keys: { k1: generateKey() } })];
    const purposes = ['session', 'reset', 'session2', 'e-mail', 'é', '中'];
    const tokens = rings.map((keys) => purposes.map((purpose) => keys.sealToken({ purpose }, { purpose })));
    const random = new Random(SEED);
    for (let round = 0; round < 2000; round++) {
      const [by, to] = [random.below(3), random.below(3)];
      const [sealed, asked] = [random.below(6), random.below(6)];
      const open = () => rings[to].openToken(tokens[by][sealed], { purpose: purposes[asked] });
      if (by === to && sealed === asked) assert.deepEqual(open(), { purpose: purposes[sealed] });
      else assert.throws(open, (error) => error.code === 'ERR_DECRYPT' || error.code === 'ERR_UNKNOWN_KEY');
    }
  });
});
