'use strict';

/** What sealed streams take, from whom, and what they refuse: chunks, sources, options. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { Readable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { describe, it } = require('node:test');
const vm = require('node:vm');
const { runNode } = require('./support/child.js');
const { ring } = require('./support/ring.js');
const { FORMS, NO_HANG, content, outcome, readAll, through } = require('./support/stream-forms.js');
const { CHUNK, openStream, sealStream } = require('./support/stream-format.js');

const KEY = Buffer.alloc(32, 1);
const CALLS = ['sealStream', 'openStream', 'sealWebStream', 'openWebStream', 'sealFile', 'openFile'];
const refusal = (code) => ({ name: 'TypeError', code });

/** The call of this name with these options; those over iterables are given an empty one. */
function call(name, ...options) {
  return name.endsWith('File') ? ring()[name]([], ...options) : ring()[name](...options);
}

/** Bytes that look empty, as their memory went to somebody else; `make` decides what they are at first. */
function transferred(bytes) {
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  assert.equal(bytes.length, 0);
  return bytes;
}

function freshBytes(length) {
  return new Uint8Array(new ArrayBuffer(length)).fill(7);
}

describe('options of streams', () => {
  for (const name of CALLS) {
    it(`${name} reads them when it is called`, NO_HANG, () => {
      for (const options of [null, 1, 'aad', true, [], () => {}]) {
        assert.throws(() => call(name, options), refusal('ERR_INVALID_ARG_TYPE'));
      }
      for (const aad of [null, 1, {}, [], true, new ArrayBuffer(1), new Uint16Array(1), Object('x')]) {
        assert.throws(() => call(name, { aad }), refusal('ERR_INVALID_ARG_TYPE'));
      }
      for (const options of [{ aad: '\ud800' }, { aad: 'a\udc00' }, { AAD: '' }, { aad: '', into: Buffer.alloc(9) }]) {
        assert.throws(() => call(name, options), refusal('ERR_INVALID_ARG_VALUE'));
      }
      assert.throws(() => call(name, { [Symbol('aad')]: 1 }), refusal('ERR_INVALID_ARG_VALUE'));
      for (const options of [[], [undefined], [{}], [{ aad: undefined }], [{ aad: '' }], [Object.create({ aad: 1 })]]) {
        assert.equal(typeof call(name, ...options), 'object');
      }
    });
  }

  it('aad is what it was at the call, whoever changes it afterwards', NO_HANG, async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(6));
    for (const aad of [Buffer.from('to Bob'), shared]) {
      for (const form of FORMS) {
        const options = { aad };
        aad.set(Buffer.from('to Bob'));
        let input = (function* () {
          aad.fill(0);
          options.aad = 'to Eve';
          yield 'attack at dawn';
        })();
        const sealed = await through(form, ring(), 'seal', input, options);
        assert.equal(openStream(sealed, KEY, 'to Bob').toString(), 'attack at dawn');
        aad.set(Buffer.from('to Bob'));
        options.aad = aad;
        input = (function* () {
          aad.fill(0);
          yield sealed;
        })();
        assert.equal((await through(form, ring(), 'open', input, options)).toString(), 'attack at dawn');
      }
    }
  });

  it('aad may be long, and text is its UTF-8', NO_HANG, async () => {
    for (const aad of ['é€😀', 'x'.repeat(1_000_000)]) {
      const sealed = await through('node', ring(), 'seal', ['note'], { aad });
      assert.equal(openStream(sealed, KEY, aad).toString(), 'note');
      assert.equal((await through('web', ring(), 'open', [sealed], { aad: Buffer.from(aad) })).toString(), 'note');
    }
  });
});

describe('text', () => {
  it('is sealed as UTF-8, wherever it is cut', NO_HANG, async () => {
    const text = 'a\u00e9\u20ac\ud83d\ude00\u0000\ufeff'.repeat(20_000);
    const parts = text.match(/.{1,1000}/gsu);
    for (const form of FORMS) {
      for (const input of [[text], parts, ['', text, '']]) {
        const sealed = await through(form, ring(), 'seal', input);
        assert.ok(openStream(sealed, KEY).equals(Buffer.from(text)), form);
      }
      const mixed = await through(form, ring(), 'seal', ['é', Buffer.from([0xff]), '😀']);
      assert.ok(openStream(mixed, KEY).equals(Buffer.concat(['é', [0xff], '😀'].map((part) => Buffer.from(part)))));
    }
  });

  it('that has no UTF-8 is refused, also a pair that is cut in two', NO_HANG, async () => {
    for (const form of FORMS) {
      for (const input of [['\ud83d'], ['a\ude00'], ['ok', 'x\ud83d', '\ude00x'], ['\ud83d', '\ude00']]) {
        const { output, error } = await outcome(form, ring(), 'seal', input);
        assert.equal(error?.name, 'TypeError', form);
        assert.equal(error.code, 'ERR_INVALID_ARG_VALUE');
        assert.match(error.message, /lone surrogate/);
        // No last frame came out: what did is no stream.
        assert.throws(() => openStream(output, KEY));
      }
    }
  });

  it('in another encoding is what the encoding says', NO_HANG, async () => {
    const bytes = Buffer.from('00ff80c3', 'hex');
    for (const encoding of ['hex', 'base64', 'base64url', 'latin1', 'binary']) {
      for (const isDefault of [false, true]) {
        const sealer = ring().sealStream();
        if (isDefault) sealer.setDefaultEncoding(encoding);
        sealer.write(bytes.toString(encoding), ...(isDefault ? [] : [encoding]));
        sealer.end(bytes.toString(encoding), ...(isDefault ? [] : [encoding]));
        const sealed = await readAll(sealer);
        assert.deepEqual(openStream(sealed, KEY), Buffer.concat([bytes, bytes]), encoding);
        const opener = ring().openStream();
        if (encoding === 'latin1' || encoding === 'binary') continue;
        opener.end(sealed.toString(encoding), encoding);
        assert.deepEqual(await readAll(opener), Buffer.concat([bytes, bytes]), encoding);
      }
    }
    for (const encoding of ['utf8', 'UTF-8', 'utf-8', 'Utf8']) {
      const sealer = ring().sealStream();
      sealer.end('\ud800', encoding);
      await assert.rejects(readAll(sealer), refusal('ERR_INVALID_ARG_VALUE'));
    }
    assert.throws(() => ring().sealStream().write('x', 'utf9'), { code: 'ERR_UNKNOWN_ENCODING' });
  });

  it('in front of an opener is a mistake that it names', NO_HANG, async () => {
    const sealed = await through('node', ring(), 'seal', ['attack at dawn']);
    for (const form of FORMS) {
      for (const input of [[sealed.toString('utf8')], [sealed.toString('latin1')], ['']]) {
        const { output, error } = await outcome(form, ring(), 'open', input);
        assert.equal(output.length, 0);
        assert.equal(error?.name, 'TypeError', form);
        assert.equal(error.code, 'ERR_INVALID_ARG_TYPE');
        assert.match(error.message, /Uint8Array; text is what is left of sealed bytes that were read as text/);
      }
    }
    const source = Readable.from([sealed], { objectMode: false }).setEncoding('utf8');
    await assert.rejects(pipeline(source, ring().openStream().resume()), refusal('ERR_INVALID_ARG_TYPE'));
  });
});

describe('chunks', () => {
  const WRONG = [0, 1.5, true, 1n, Symbol('x'), {}, [], [1], new Date(0), new ArrayBuffer(2), new Uint16Array(2)];
  WRONG.push(new DataView(new ArrayBuffer(2)), Object.create(Uint8Array.prototype), Object('text'));

  it('of another type are refused by an event, and not by an exception out of a pipe', NO_HANG, async () => {
    for (const what of ['sealStream', 'openStream']) {
      for (const wrong of [...WRONG, null, undefined]) {
        for (const method of ['write', 'end']) {
          // For `end` these are no chunks.
          if (method === 'end' && (wrong === null || wrong === undefined)) continue;
          const stream = ring()[what]();
          const answered = new Promise((resolve) => stream[method](wrong, resolve));
          const [error] = await once(stream, 'error');
          assert.equal(error.name, 'TypeError', `${what}, ${String(typeof wrong)}`);
          assert.equal(error.code, 'ERR_INVALID_ARG_TYPE');
          assert.match(error.message, what === 'sealStream' ? /a string or a Uint8Array$/ : /a Uint8Array$/);
          assert.equal(await answered, error);
          assert.ok(stream.destroyed);
        }
      }
      const ended = ring()[what]();
      const answered = new Promise((resolve) => ended.end({}, 'utf8', resolve));
      const [error] = await once(ended, 'error');
      assert.equal(await answered, error);
    }
    for (const form of FORMS) {
      for (const what of ['seal', 'open']) {
        const { error } = await outcome(form, ring(), what, [{}]);
        assert.equal(error?.code, 'ERR_INVALID_ARG_TYPE', `${form}, ${what}`);
        if (form === 'node') continue;
        for (const wrong of [...WRONG, null, undefined]) {
          const failed = await outcome(form, ring(), what, [wrong]);
          assert.equal(failed.error?.code, 'ERR_INVALID_ARG_TYPE', `${form}, ${what}, ${typeof wrong}`);
          assert.equal(failed.output.length <= 68, true);
        }
      }
    }
  });

  it('that are refused out of a pipe do not end the process', NO_HANG, async () => {
    const { code, stdout, stderr } = await runNode(`
      const { Readable, pipeline } = require('node:stream');
      const { Keyring, generateKey } = require(holdfast);
      const ring = new Keyring({ primary: 'k1', keys: { k1: generateKey() } });
      for (const stream of [ring.sealStream(), ring.openStream()]) {
        pipeline(Readable.from([{ user: 7 }]), stream, (error) => console.log(error.code));
        stream.resume();
      }`);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.equal(stdout, 'ERR_INVALID_ARG_TYPE\n'.repeat(2));
  });

  it('are refused in their turn: what was written before comes out', NO_HANG, async () => {
    const sealer = ring().sealStream();
    const chunks = [];
    sealer.on('data', (chunk) => chunks.push(chunk));
    sealer.write(content(2 * CHUNK));
    sealer.write(7);
    sealer.write(content(9));
    await once(sealer, 'error');
    assert.equal(Buffer.concat(chunks).length, 68 + CHUNK + 20);
  });

  it(
    'may be in shared memory, of another realm, in the middle of a buffer, or of a class of their own',
    NO_HANG,
    async () => {
      const plaintext = content(3 * CHUNK + 5);
      const sealed = sealStream({ id: 'k1', key: KEY, plaintext });
      const copies = {
        shared(bytes) {
          const copy = new Uint8Array(new SharedArrayBuffer(bytes.length + 9), 4, bytes.length);
          copy.set(bytes);
          return copy;
        },
        growable(bytes) {
          const copy = new Uint8Array(new SharedArrayBuffer(bytes.length, { maxByteLength: 2 * bytes.length }));
          copy.set(bytes);
          return copy;
        },
        resizable(bytes) {
          const copy = new Uint8Array(new ArrayBuffer(bytes.length, { maxByteLength: 2 * bytes.length }));
          copy.set(bytes);
          return copy;
        },
        foreign(bytes) {
          const copy = vm.runInNewContext('new Uint8Array(length)', { length: bytes.length });
          copy.set(bytes);
          return copy;
        },
        inside: (bytes) => Buffer.concat([Buffer.alloc(7), bytes, Buffer.alloc(7)]).subarray(7, 7 + bytes.length),
        plain: (bytes) => new Uint8Array(bytes),
        ofClass: (bytes) => new (class Bytes extends Uint8Array {})(bytes),
      };
      for (const [name, copy] of Object.entries(copies)) {
        for (const form of FORMS) {
          const made = await through(form, ring(), 'seal', [copy(plaintext)]);
          assert.ok(openStream(made, KEY).equals(plaintext), `${form}, ${name}`);
          assert.ok((await through(form, ring(), 'open', [copy(sealed)])).equals(plaintext), `${form}, ${name}`);
        }
      }
    },
  );

  it("are the caller's again once the write is answered", NO_HANG, async () => {
    const plaintext = content(20 * CHUNK + 9);
    const sealed = sealStream({ id: 'k1', key: KEY, plaintext });
    for (const [what, input] of [
      ['sealStream', plaintext],
      ['openStream', sealed],
    ]) {
      const stream = ring()[what]();
      const output = readAll(stream);
      const place = Buffer.alloc(70_001);
      for (let from = 0; from < input.length; from += place.length) {
        const length = input.copy(place, 0, from);
        await new Promise((resolve) => stream.write(place.subarray(0, length), resolve));
        place.fill(0xee);
      }
      stream.end();
      const found = await output;
      assert.ok((what === 'sealStream' ? openStream(found, KEY) : found).equals(plaintext), what);
    }
    for (const what of ['seal', 'open']) {
      const input = what === 'seal' ? plaintext : sealed;
      const place = Buffer.alloc(70_001);
      const source = (function* () {
        for (let from = 0; from < input.length; from += place.length) {
          yield place.subarray(0, input.copy(place, 0, from));
          place.fill(0xee);
        }
      })();
      const found = await through('iterable', ring(), what, source);
      assert.ok((what === 'seal' ? openStream(found, KEY) : found).equals(plaintext), what);
    }
  });

  it('are not the buffers that come out, which nothing overwrites', NO_HANG, async () => {
    const plaintext = content(9 * CHUNK);
    for (const form of FORMS) {
      const { chunks } = await outcome(form, ring(), 'seal', [plaintext]);
      const sealed = Buffer.concat(chunks);
      const opened = await outcome(form, ring(), 'open', [sealed]);
      for (const list of [chunks, opened.chunks]) {
        const memory = new Set(list.map((chunk) => chunk.buffer));
        assert.equal(memory.size, list.length);
        assert.ok(!memory.has(plaintext.buffer) && !memory.has(sealed.buffer));
      }
      assert.ok(opened.output.equals(plaintext));
    }
  });

  it('whose memory has gone are no empty ones', NO_HANG, async () => {
    const gone = [
      () => transferred(freshBytes(100)),
      () => transferred(Buffer.from(new ArrayBuffer(100))),
      () => {
        const bytes = new Uint8Array(new ArrayBuffer(100, { maxByteLength: 100 }), 50, 50);
        bytes.buffer.resize(60);
        assert.equal(bytes.length, 0);
        return bytes;
      },
    ];
    for (const make of gone) {
      for (const form of FORMS) {
        for (const what of ['seal', 'open']) {
          const { output, error } = await outcome(form, ring(), what, [make()]);
          assert.equal(error?.code, 'ERR_INVALID_ARG_VALUE', `${form}, ${what}: ${error}`);
          assert.equal(error.name, 'TypeError');
          assert.equal(output.length, 0);
        }
      }
      const stream = ring().sealStream();
      stream.write(make());
      assert.equal((await once(stream, 'error'))[0].code, 'ERR_INVALID_ARG_VALUE');
    }
    // While it waits behind another.
    const queued = ring().sealStream();
    const bytes = Buffer.from(new ArrayBuffer(100));
    queued.write(content(20 * CHUNK));
    queued.write(bytes);
    transferred(bytes);
    await assert.rejects(readAll(queued), refusal('ERR_INVALID_ARG_VALUE'));
  });

  it('whose memory goes while they are written are not cut short in silence', NO_HANG, async () => {
    const plaintext = content(40 * CHUNK);
    const sealed = sealStream({ id: 'k1', key: KEY, plaintext });
    for (const [what, input] of [
      ['sealStream', plaintext],
      ['openStream', sealed],
    ]) {
      for (const isRest of [false, true]) {
        const place = Buffer.from(new ArrayBuffer(input.length));
        input.copy(place);
        const stream = ring()[what]();
        if (isRest) stream.write(place.subarray(0, 10));
        stream.end(isRest ? place.subarray(10) : place);
        await once(stream, 'readable');
        transferred(place);
        const chunks = [];
        stream.on('data', (chunk) => chunks.push(chunk));
        const [error] = await once(stream, 'error');
        assert.equal(error.code, 'ERR_INVALID_ARG_VALUE');
        assert.match(error.message, /transferred or resized/);
        assert.ok(Buffer.concat(chunks).length < input.length / 2);
      }
    }
    for (const [what, input] of [
      ['sealFile', plaintext],
      ['openFile', sealed],
    ]) {
      const place = new Uint8Array(new ArrayBuffer(input.length, { maxByteLength: input.length }));
      place.set(input);
      const parts = ring()[what]([place]);
      await parts.next();
      await parts.next();
      place.buffer.resize(10);
      await assert.rejects(parts.next(), refusal('ERR_INVALID_ARG_VALUE'));
    }
  });

  it('of a polluted prototype are not taken: what comes out are bytes', NO_HANG, async () => {
    const { code, stdout, stderr } = await runNode(`
      const { Keyring, generateKey } = require(holdfast);
      const ring = new Keyring({ primary: 'k1', keys: { k1: generateKey() } });
      const content = Buffer.from([0xff, 0xfe, 1, 2]);
      async function main() {
        for (const [name, value] of Object.entries({ encoding: 'utf8', readable: false, writable: false, objectMode: true,
          readableObjectMode: true, highWaterMark: 1, defaultEncoding: 'hex', emitClose: false, autoDestroy: false })) {
          Object.prototype[name] = value;
          try {
            const parts = [];
            const sealed = ring.sealStream();
            const opened = ring.openStream();
            sealed.on('data', (part) => opened.write(part)).on('end', () => opened.end());
            opened.on('data', (part) => parts.push(part));
            const ended = new Promise((resolve, reject) => opened.once('end', resolve).once('error', reject));
            sealed.end(content);
            await ended;
            if (!parts.every(Buffer.isBuffer) || !Buffer.concat(parts).equals(content)) throw new Error(name);
          } finally {
            delete Object.prototype[name];
          }
        }
        for (const name of ['readableType', 'writableType', 'start', 'flush', 'transform']) {
          Object.prototype[name] = 'x';
          try {
            ring.sealWebStream();
          } finally {
            delete Object.prototype[name];
          }
        }
        console.log('bytes');
      }
      main();`);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'bytes\n', stderr: '' });
  });
});
