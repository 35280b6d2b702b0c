'use strict';

/** sealFile and openFile: what they iterate over, and how that ends. */

const assert = require('node:assert/strict');
const { Readable } = require('node:stream');
const { describe, it } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');
const vm = require('node:vm');
const { ring } = require('./support/ring.js');
const { NO_HANG, content, readAll } = require('./support/stream-forms.js');
const { CHUNK, openStream, sealStream } = require('./support/stream-format.js');

const KEY = Buffer.alloc(32, 1);
const refusal = (code) => ({ name: 'TypeError', code });

describe('iterables', () => {
  it('are refused at the call when they are none, or bytes or text themselves', NO_HANG, () => {
    for (const name of ['sealFile', 'openFile']) {
      for (const source of [undefined, null, 1, true, {}, () => {}, 'text', '', Buffer.from('x'), new Uint8Array(9)]) {
        assert.throws(() => ring()[name](source), refusal('ERR_INVALID_ARG_TYPE'));
      }
      assert.throws(() => ring()[name](vm.runInNewContext('new Uint8Array(9)')), refusal('ERR_INVALID_ARG_TYPE'));
    }
  });

  it('are of every kind', NO_HANG, async () => {
    const parts = [Buffer.from('attack '), 'at ', Buffer.from('dawn')];
    const sources = {
      array: () => parts,
      set: () => new Set(parts),
      generator: () => parts.values(),
      promises: () => parts.map((part) => Promise.resolve(part)),
      async: async function* () {
        for (const part of parts) {
          await turn();
          yield part;
        }
      },
      readable: () => Readable.from(parts),
      web: () => new Blob(parts).stream(),
      own: () => ({ [Symbol.asyncIterator]: () => Readable.from(parts)[Symbol.asyncIterator]() }),
    };
    for (const [name, make] of Object.entries(sources)) {
      const sealed = await readAll(ring().sealFile(make()));
      assert.equal(openStream(sealed, KEY).toString(), 'attack at dawn', name);
      const opened = await readAll(ring().openFile(ring().sealFile(make())));
      assert.equal(opened.toString(), 'attack at dawn', name);
    }
    const keys = ring();
    const [sealed] = [await readAll(keys.sealStream().end('dawn'))];
    assert.equal((await readAll(keys.openFile(Readable.from([sealed])))).toString(), 'dawn');
    assert.equal((await readAll(keys.openFile(keys.sealStream().end('dawn')))).toString(), 'dawn');
  });

  it('are closed by a reader that has had enough, and by what is wrong', NO_HANG, async () => {
    const block = content(CHUNK);
    const sealed = sealStream({ id: 'k1', key: KEY, plaintext: content(9 * CHUNK) });
    for (const isAsync of [false, true]) {
      let closed = 0;
      const source = (values) => {
        const iterator = values[Symbol.iterator]();
        const own = {
          next: () => iterator.next(),
          return: () => {
            closed++;
            return { done: true, value: undefined };
          },
        };
        return { [isAsync ? Symbol.asyncIterator : Symbol.iterator]: () => own };
      };
      for await (const part of ring().sealFile(source([block, block, block]))) if (part.length > 100) break;
      assert.equal(closed, 1);
      for await (const part of ring().openFile(source([sealed, sealed]))) if (part.length > 100) break;
      assert.equal(closed, 2);
      const parts = ring().sealFile(source([block, block]));
      await parts.next();
      assert.deepEqual(await parts.return(), { done: true, value: undefined });
      assert.deepEqual(await parts.next(), { done: true, value: undefined });
      assert.equal(closed, 3);
      const mine = new Error('mine');
      const thrown = ring().sealFile(source([block, block]));
      await thrown.next();
      await assert.rejects(thrown.throw(mine), (error) => error === mine);
      assert.equal(closed, 4);
      await assert.rejects(readAll(ring().openFile(source([block, block]))), { code: 'ERR_DECRYPT' });
      await assert.rejects(readAll(ring().sealFile(source([block, 1]))), refusal('ERR_INVALID_ARG_TYPE'));
      assert.equal(closed, 6);
      // A source that has come to its end by itself is not closed again.
      await readAll(ring().sealFile(source([block])));
      assert.equal(closed, 6);
    }
  });

  it('that throw pass their very error on, and seal no end', NO_HANG, async () => {
    for (const mine of [new Error('mine'), 'text', undefined, null]) {
      const source = async function* (first) {
        yield first;
        throw mine;
      };
      const plaintext = content(2 * CHUNK);
      const sealed = sealStream({ id: 'k1', key: KEY, plaintext });
      for (const parts of [ring().sealFile(source(plaintext)), ring().openFile(source(sealed))]) {
        let caught = 'nothing';
        try {
          await readAll(parts);
        } catch (error) {
          caught = error;
        }
        assert.equal(caught, mine);
      }
    }
  });
});
