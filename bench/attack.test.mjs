// Tests of what attack.mjs sends: that it is what it says, the same to everybody, and really sent. Needs undici, and not
// the addon. The whole program is tried in express.test.mjs.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { KINDS, REQUESTS, SLOW } from './attack-mix.mjs';

const SECONDS = 2;

test('the same number is the same request', async () => {
  for (const [kind, { make }] of Object.entries(REQUESTS)) {
    for (let number = 0; number < 6; number++) assert.deepEqual(await written(make(number)), await written(make(number)), kind);
  }
});

test('the flood has 102,000 addresses, and nobody else has one of them', () => {
  const addressOf = (message) => message.headers['x-forwarded-for'];
  const flood = new Set(Array.from({ length: 102_000 }, (_, number) => addressOf(REQUESTS.flood.make(number))));
  assert.equal(flood.size, 102_000);
  for (const address of flood) assert.match(address, /^198\.1[89]\.\d{1,3}\.\d{1,3}$/);
  for (const kind of ['redos', 'depth', 'pollution', 'logins', 'hammer']) {
    for (let number = 0; number < 200; number++) assert.ok(!flood.has(addressOf(REQUESTS[kind].make(number))), kind);
  }
});

test('what is sent as JSON is JSON, and as deep as it says', async () => {
  for (const kind of ['redos', 'depth', 'pollution', 'logins']) {
    for (let number = 0; number < 6; number++) JSON.parse((await written(REQUESTS[kind].make(number))).body);
  }
  for (const number of [0, 1]) {
    const { body } = await written(REQUESTS.depth.make(number));
    assert.equal(body.match(/\[/g).length, 1_000_000);
  }
  assert.ok((await written(REQUESTS.depth.make(2))).body.length <= 9000);
});

test('every kind is really sent, at its rate and not above it', async (t) => {
  const seen = {};
  const server = createServer((req, res) => {
    const kind = kindOf(req);
    seen[kind] = (seen[kind] ?? 0) + 1;
    req.resume().on('end', () => res.end());
  });
  let connections = 0;
  server.on('connection', () => connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());

  const job = JSON.stringify({ port: server.address().port, seconds: SECONDS, kinds: KINDS });
  const attackers = fork(join(import.meta.dirname, 'attackers.mjs'), [job], { execArgv: [] });
  const messages = [];
  attackers.on('message', (message) => messages.push(message));
  const [status] = await once(attackers, 'exit');
  assert.equal(status, 0);

  const { sent } = messages.at(-1);
  assert.deepEqual(Object.keys(sent), [...KINDS]);
  for (const [kind, { perSecond }] of Object.entries(REQUESTS)) {
    const counts = sent[kind];
    assert.ok(counts.sent > 0, `${kind}: nothing was sent`);
    assert.ok(counts.sent + counts.heldBack <= perSecond * (SECONDS + 1), `${kind}: more than its rate`);
    assert.ok(counts.statuses[200] > 0, `${kind}: nothing was answered`);
  }
  assert.equal(sent.slow.opened, SLOW.sockets);
  assert.equal(sent.slow.mostOpen, SLOW.sockets);
  assert.ok(connections >= SLOW.sockets);
  for (const kind of ['/subscribe', '/login', '/notes']) assert.ok(seen[kind] > 0, `${kind} was not asked for`);
});

const kindOf = ({ url }) => url;

async function written({ body, ...message }) {
  if (body === undefined || typeof body === 'string') return { ...message, body };
  if (Buffer.isBuffer(body)) return { ...message, body: body.toString() };
  const pieces = [];
  for await (const piece of body) pieces.push(piece);
  return { ...message, body: Buffer.concat(pieces).toString() };
}
