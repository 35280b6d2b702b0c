'use strict';

/** Security events: what is in one, what a subscriber can do to a request, and that docs/events.md says all of it. */

const assert = require('node:assert/strict');
const diagnostics = require('node:diagnostics_channel');
const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { describe, it } = require('node:test');
const holdfast = require('../..');
const { CHANNEL, KINDS, publish } = require('../../lib/http/events.js');
const { CODES } = require('../../lib/errors.js');
const { runNode } = require('../support/child.js');
const { eventsDuring } = require('../support/limited.js');

const root = path.join(__dirname, '..', '..');
const read = (...names) => fs.readFileSync(path.join(root, ...names), 'utf8').replaceAll('\r\n', '\n');
const docs = read('docs', 'events.md');

const request = { method: 'POST', url: '/login?token=hunter2', headers: {}, socket: { remoteAddress: '203.0.113.7' } };

describe('an event', () => {
  it('has what every event has, and its details', async () => {
    const details = { status: 500, errorId: 'e', code: 'C' };
    const [event] = await eventsDuring(() => publish('problem', { ...request }, details));
    const { time, requestId, ...rest } = event;
    assert.equal(new Date(time).toISOString(), time);
    assert.match(requestId, /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    assert.deepEqual({ ...rest }, {
      kind: 'problem',
      address: '203.0.113.7',
      method: 'POST',
      route: '/login',
      status: 500,
      errorId: 'e',
      code: 'C',
    });
  });

  it('has one id for all of a request, which is the logger’s if there is one, and never the client’s', async () => {
    const events = await eventsDuring(() => {
      const req = { ...request, headers: { 'x-request-id': 'hunter2' } };
      publish('problem', req);
      publish('problem', req);
      publish('problem', { ...request });
      publish('problem', { ...request, id: 'req-1' });
      publish('problem', { ...request, id: 7 });
      publish('problem', { ...request, id: { toString: () => 'hunter2' } });
    });
    const ids = events.map(({ requestId }) => requestId);
    assert.equal(ids[0], ids[1]);
    assert.notEqual(ids[0], ids[2]);
    assert.deepEqual(ids.slice(3, 5), ['req-1', '7']);
    assert.doesNotMatch(ids.join(), /hunter2/);
  });

  it('has the pattern of a route, or a path that is short and without its query', async () => {
    const events = await eventsDuring(() => {
      publish('problem', { ...request, originalUrl: '/api/users/1?a', baseUrl: '/api', route: { path: '/users/:id' } });
      publish('problem', { ...request, originalUrl: '/api/login?a', url: '/login?a' });
      publish('problem', { ...request, url: `/${'x'.repeat(5000)}` });
      publish('problem', { ...request, url: undefined });
    });
    const routes = events.map(({ route }) => route);
    assert.deepEqual(routes, ['/api/users/:id', '/api/login', `/${'x'.repeat(199)}`, '']);
  });

  it('may be about no request, and about one whose connection is gone', async () => {
    const [none, gone] = await eventsDuring(() => {
      publish('server.shutdown', undefined, { reason: 'SIGTERM' });
      publish('problem', { ...request, socket: null });
    });
    assert.deepEqual(JSON.parse(JSON.stringify(none)), { kind: none.kind, time: none.time, reason: 'SIGTERM' });
    assert.equal(gone.address, '');
  });

  it('has no prototype, so that nothing is in it that was not put there', async () => {
    Object.defineProperty(Object.prototype, 'address', { value: 'evil', configurable: true });
    let event;
    try {
      [event] = await eventsDuring(() => publish('server.shutdown', undefined));
    } finally {
      delete Object.prototype.address;
    }
    assert.equal(Object.getPrototypeOf(event), null);
    assert.equal(event.address, undefined);
  });

  it('is not made when nobody listens', () => {
    const touchy = new Proxy({}, { get: () => assert.fail('nobody asked') });
    publish('problem', touchy, touchy);
  });

  it('goes to every subscriber of the channel, by name or by object', () => {
    assert.equal(CHANNEL, 'holdfast:security');
    const seen = [];
    const one = (event, name) => seen.push([name, event.kind]);
    const channel = diagnostics.channel('holdfast:security');
    channel.subscribe(one);
    diagnostics.subscribe('holdfast:security', one);
    try {
      publish('problem', { ...request });
    } finally {
      channel.unsubscribe(one);
      diagnostics.unsubscribe('holdfast:security', one);
    }
    assert.deepEqual(seen, Array(2).fill(['holdfast:security', 'problem']));
  });

  it('of a subscriber that throws changes nothing for the request or for others', async () => {
    const { stdout } = await runNode(`
      const diagnostics = require('node:diagnostics_channel');
      const { publish } = require(holdfast + '/lib/http/events.js');
      process.on('uncaughtException', (error) => console.log('uncaught', error.message));
      diagnostics.subscribe('holdfast:security', () => { throw new Error('mine'); });
      diagnostics.subscribe('holdfast:security', () => console.log('another'));
      publish('problem', undefined);
      console.log('goes on');
    `);
    assert.equal(stdout, 'another\ngoes on\nuncaught mine\n');
  });
});

describe('the kinds', () => {
  it('are sorted, frozen, and those of express.d.ts', () => {
    assert.ok(Object.isFrozen(KINDS));
    assert.deepEqual([...KINDS], [...new Set(KINDS)].sort());
    const [, union] = /export type SecurityEventKind =\n([^;]*);/.exec(read('express.d.ts'));
    assert.deepEqual([...union.matchAll(/'([^']+)'/g)].map(([, kind]) => kind), [...KINDS]);
  });

  it('are all that is published anywhere', () => {
    const isThere = (folder) => fs.existsSync(path.join(root, folder));
    const folders = ['lib/http', 'lib/express', 'lib/nestjs'].filter(isThere);
    const files = folders.flatMap((folder) => fs.readdirSync(path.join(root, folder)).map((name) => [folder, name]));
    let published = 0;
    for (const [folder, name] of files) {
      for (const [, kind] of read(folder, name).matchAll(/\bpublish\(([^,]*),/g)) {
        for (const [, literal] of kind.matchAll(/'([^']*)'/g)) {
          assert.ok(KINDS.includes(literal), `${name}: ${literal}`);
          published++;
        }
      }
    }
    assert.ok(published >= 3, String(published));
  });
});

describe('docs/events.md', () => {
  const [, table] = /^## The kinds\n([^]*?)^## /m.exec(docs);
  const rows = [...table.matchAll(/^\| `([^`]+)` \| (.*) \|$/gm)].map(([, kind, rest]) => [kind, ...rest.split(' | ')]);

  it('lists exactly the kinds, each with when, what, a level and what to do', () => {
    assert.deepEqual(rows.map(([kind]) => kind).sort(), [...KINDS]);
    for (const row of rows) {
      assert.equal(row.length, 5, row[0]);
      for (const cell of row) assert.ok(cell.length > 3, row[0]);
    }
  });

  it('has the reasons of kinds that have some', () => {
    const [, reasons] = /^## Reasons\n([^]*?)^## /m.exec(docs);
    const kinds = [...reasons.matchAll(/^\| `([^`]+)` \|/gm)].map(([, kind]) => kind);
    const besides = rows.filter(([, , fields]) => fields.includes('`reason`')).map(([kind]) => kind);
    assert.deepEqual(kinds.sort(), besides.sort());
  });

  it('names codes that there are', () => {
    const named = new Set(docs.match(/\b(?:ERR|ABORT)_[A-Z_]+/g));
    assert.ok(named.size >= 4);
    for (const code of named) assert.ok(Object.hasOwn(CODES, code), code);
  });

  const blocks = [...docs.matchAll(/^```js\n([^]*?)^```$/gm)].map(([, code]) => code);
  const [onto, forPino, forWinston] = ['module.exports', "require('pino')", "require('winston')"].map((what) =>
    blocks.find((code) => code.includes(what)),
  );

  /** Runs a block of the document with what it requires. */
  function run(code, modules) {
    const module = { exports: {} };
    const requireAsUser = (name) => modules[name] ?? require(name);
    new Function('require', 'module', code)(requireAsUser, module);
    return module.exports;
  }
  const adapter = run(onto, {});

  it('has a level for each kind, the same as in the table', () => {
    assert.deepEqual([...adapter.LEVELS.keys()].sort(), [...KINDS]);
    for (const [kind, , , level] of rows) assert.equal(adapter.LEVELS.get(kind), /^\w+/.exec(level)[0], kind);
    assert.equal(adapter.levelOf({ kind: 'problem', status: 499 }), 'info');
    assert.equal(adapter.levelOf({ kind: 'problem', status: 500 }), 'error');
    assert.equal(adapter.levelOf({ kind: 'json.refused', code: 'ERR_JSON_PROTO_KEY' }), 'warn');
    assert.equal(adapter.levelOf({ kind: 'query.refused', code: 'ERR_QUERY_KEY' }), 'warn');
    assert.equal(adapter.levelOf({ kind: 'json.refused', code: 'ERR_JSON_SYNTAX' }), 'info');
    assert.equal(adapter.levelOf({ kind: 'constructor' }), 'info', 'one that is not known yet');
  });

  const EVENTS = [
    ['rate-limit.exceeded', { policy: 'login', code: 'ERR_RATE_LIMITED' }, 'warn'],
    ['problem', { status: 503, code: 'ERR_QUEUE_FULL' }, 'error'],
    ['server.shutdown', { reason: 'SIGTERM', cut: 0 }, 'info'],
  ];

  /** Publishes EVENTS while an adapter listens, and ends it. */
  function logged(code, modules) {
    let end;
    const onSecurityEvent = (write) => (end = adapter.onSecurityEvent(write));
    run(code, { ...modules, './security-events.js': { onSecurityEvent } });
    try {
      for (const [kind, details] of EVENTS) publish(kind, { ...request }, details);
    } finally {
      end();
    }
    publish('problem', { ...request });
  }

  it('has an adapter for pino that writes one line of JSON for each event', () => {
    let text = '';
    const requireForNest = createRequire(require.resolve('@nestjs/platform-fastify'));
    const pino = createRequire(requireForNest.resolve('fastify'))('pino');
    logged(forPino, { pino: () => pino({ base: null }, { write: (line) => (text += line) }) });
    const lines = text.trim().split('\n');
    assert.equal(lines.length, EVENTS.length);
    lines.forEach((line, index) => {
      const [kind, details, level] = EVENTS[index];
      // Which also says that no name is in it twice.
      const entry = holdfast.parseJson(line, { duplicateKeys: 'error' });
      assert.equal(entry.level, pino.levels.values[level]);
      assert.equal(entry.msg, kind);
      assert.equal(entry.security.kind, kind);
      for (const [name, value] of Object.entries(details)) assert.equal(entry.security[name], value);
      assert.doesNotMatch(line, /hunter2/);
    });
  });

  it('has an adapter for winston', () => {
    const calls = [];
    const winston = {
      format: { json: () => 'json' },
      transports: { Console: class {} },
      createLogger: () => ({ log: (...given) => calls.push(given) }),
    };
    logged(forWinston, { winston });
    assert.deepEqual(
      calls.map(([level, message, { security }]) => [message, security.kind, level]),
      EVENTS.map(([kind, , level]) => [kind, kind, level]),
    );
  });

  it('has adapters that do not end the process when a logger throws', async (t) => {
    const warn = t.mock.method(process, 'emitWarning', () => {});
    const end = adapter.onSecurityEvent(() => {
      throw new Error('the disk is full');
    });
    publish('problem', { ...request });
    end();
    assert.equal(warn.mock.calls[0].arguments[0].message, 'the disk is full');
  });

  it('shortens addresses', () => {
    const code = blocks.find((block) => block.includes('shortened'));
    const { shortened } = run(`${code}\nmodule.exports = { shortened };`, { holdfast });
    assert.deepEqual(
      ['203.0.113.77', '::ffff:203.0.113.77', '2001:db8:1:2::3', '::1', ''].map(shortened),
      ['203.0.113.0/24', '203.0.113.0/24', '2001:db8:1::/48', '::/48', ''],
    );
  });
});
