'use strict';

/** safeQuery: req.safe.query by parseQuery, before any route; req.query is nobody's business here. */

const assert = require('node:assert/strict');
const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const { describe, it } = require('node:test');
const express = require('express');
const { safeQuery } = require('../../lib/http/safe-query.js');
const { listener, send, serve } = require('../support/serving.js');

const SECRET = 'hunter2';

async function client(options) {
  const { port } = await serve(listener([safeQuery(options)]));
  return async (target) => {
    const { status, json } = await send(port, { path: target });
    return status === 200 ? json.query : [status, json.code];
  };
}

describe('safeQuery', () => {
  const cases = [
    ['/', {}],
    ['/?', {}],
    ['/?&&', {}],
    ['/?a=1&b=x+y%20z', { a: '1', b: 'x y z' }],
    ['/?a=1#b=2', { a: '1' }],
    ['/?a=?', { a: '?' }],
    ['/??a=1', { '?a': '1' }],
    ['/path/with=equals?a=b=c', { a: 'b=c' }],
    ['/?toString=1', { toString: '1' }],
    ['/?a[b]=1', { 'a[b]': '1' }],
    [`/?a=1&a=${SECRET}`, [400, 'ERR_QUERY_DUPLICATE']],
    [`/?a=1&%61=${SECRET}`, [400, 'ERR_QUERY_DUPLICATE']],
    ['/?__proto__=1', [400, 'ERR_QUERY_KEY']],
    ['/?a=%', [400, 'ERR_QUERY_ENCODING']],
    [`/?${Array.from({ length: 1001 }, (_, at) => `a${at}`).join('&')}`, [413, 'ERR_QUERY_LIMIT']],
  ];
  for (const [target, expected] of cases) {
    it(`${target.slice(0, 40)} is ${JSON.stringify(expected)}`, async () => {
      assert.deepEqual(await (await client())(target), expected);
    });
  }

  it('gives objects without a prototype, that of no query frozen', async () => {
    const { port } = await serve(
      listener([safeQuery()], (req, res) => {
        const { query } = req.safe;
        res.end(`${Object.getPrototypeOf(query)} ${Object.getPrototypeOf(req.safe)} ${Object.isFrozen(query)}`);
      }),
    );
    assert.equal((await send(port, { path: '/' })).text, 'null null true');
    assert.equal((await send(port, { path: '/?a=1' })).text, 'null null false');
  });

  it('reads as its options say', async () => {
    const ask = await client({ duplicates: 'array', arrays: ['tag'], nested: true, limits: { depth: 1 } });
    assert.deepEqual(await ask('/?a=1&a=2&tag=x&b[c]=3'), { a: ['1', '2'], tag: ['x'], b: { c: '3' } });
    assert.deepEqual(await ask('/?a[b][c]=1'), [413, 'ERR_QUERY_LIMIT']);
  });

  it('reads its options once', async () => {
    const options = { arrays: ['a'], limits: { parameters: 2 } };
    const ask = await client(options);
    options.arrays.push('b');
    options.limits.parameters = 5;
    options.duplicates = 'last';
    assert.deepEqual(await ask('/?a=1&b=2'), { a: ['1'], b: '2' });
    assert.deepEqual(await ask('/?a=1&b=2&c=3'), [413, 'ERR_QUERY_LIMIT']);
    assert.deepEqual(await ask('/?b=1&b=2'), [400, 'ERR_QUERY_DUPLICATE']);
  });

  for (const [options, code] of [
    [{ parser: 1 }, 'ERR_INVALID_ARG_VALUE'],
    [{ duplicates: 'all' }, 'ERR_INVALID_ARG_VALUE'],
    [{ arrays: 'tag' }, 'ERR_INVALID_ARG_TYPE'],
    [{ nested: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [{ limits: { parameters: -1 } }, 'ERR_OUT_OF_RANGE'],
    [{ limits: 5 }, 'ERR_INVALID_ARG_TYPE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
  ]) {
    it(`refuses the options ${JSON.stringify(options)}`, () => assert.throws(() => safeQuery(options), { code }));
  }

  it('leaves req.query to Express', async () => {
    const app = express();
    app.use(safeQuery({ duplicates: 'last' }));
    app.get('/', (req, res) => res.json({ query: req.query, safe: req.safe.query }));
    const { port } = await serve(app);
    const { json } = await send(port, { path: '/?a=1&a=2' });
    assert.deepEqual(json, { query: { a: ['1', '2'] }, safe: { a: '2' } });
  });

  it('tells of what it refuses, without what it was', async () => {
    const events = [];
    const listen = (event) => events.push(event);
    subscribe('holdfast:security', listen);
    await (await client())(`/x?a=1&a=${SECRET}`);
    unsubscribe('holdfast:security', listen);
    const [{ kind, code, route }] = events;
    assert.deepEqual([kind, code, route], ['query.refused', 'ERR_QUERY_DUPLICATE', '/x']);
    assert.ok(!JSON.stringify(events).includes(SECRET));
  });

  it('takes nothing from a polluted prototype', async () => {
    const ask = await client();
    const polluted = { safe: { query: { isAdmin: '1' } }, duplicates: 'last', nested: true, arrays: ['a'] };
    for (const [name, value] of Object.entries(polluted)) Object.prototype[name] = value;
    try {
      assert.deepEqual(Object.keys(await ask('/')), []);
      assert.equal((await ask('/?a=1')).a, '1');
      assert.deepEqual(await ask('/?a=1&a=2'), [400, 'ERR_QUERY_DUPLICATE']);
    } finally {
      for (const name of Object.keys(polluted)) delete Object.prototype[name];
    }
  });
});
