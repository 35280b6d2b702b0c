'use strict';

// The proving ground without a browser: who may use it, what it serves, and that a run is bounded whatever happens.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const cases = require('./proving-ground.guard.cases.json');
const { provingGround } = require('../../examples/express/proving-ground');
const { ATTACKS } = require('../../examples/express/proving-ground/attacks.js');
const { figuresOf, tableOf } = require('../../examples/express/proving-ground/figures.js');
const { isSameOrigin, localOnly } = require('../../examples/express/proving-ground/guard.js');
const { Watch } = require('../../examples/express/proving-ground/watch.js');
const { CAN_LIST, descendantsOf, eventually, isAlive } = require('../support/processes.js');
const { Service } = require('./service.js');
const { SHORT, eventsIn, startGround } = require('../support/proving-ground.js');

const onLinux = { skip: CAN_LIST ? false : 'processes are looked at in /proc' };
const QUICK = 'token-tampering';

const mine = () => descendantsOf(process.pid).filter(({ command }) => command.includes('proving-ground'));
const nothingIsLeft = () => eventually('no process of a run is left', () => !CAN_LIST || mine().length === 0, 5000);

describe('who may use it', () => {
  const verdict = (headers, remoteAddress) => {
    let said = 'nothing';
    localOnly({ headers, socket: { remoteAddress } }, {}, (reason) => (said = reason));
    return said === undefined;
  };

  for (const [address, allowed] of cases.addresses) {
    test(`from ${address}: ${allowed}`, () => {
      assert.equal(verdict({ host: 'localhost:3000' }, address ?? undefined), allowed);
    });
  }

  for (const [host, allowed] of cases.hosts) {
    test(`as ${JSON.stringify(host)}: ${allowed}`, () => {
      assert.equal(verdict(host === null ? {} : { host }, '127.0.0.1'), allowed);
    });
  }

  for (const name of cases.proxies) {
    test(`not through a proxy that sends ${name}`, () => {
      assert.equal(verdict({ host: 'localhost', [name]: '127.0.0.1' }, '127.0.0.1'), false);
    });
  }

  for (const [headers, allowed] of cases.origins) {
    test(`a POST with ${JSON.stringify(headers)}: ${allowed}`, () => {
      assert.equal(isSameOrigin({ headers: { host: 'localhost:3000', ...headers } }), allowed);
    });
  }
});

describe('over HTTP', () => {
  let ground;
  before(async () => (ground = await startGround(SHORT, { host: '0.0.0.0' })));
  after(() => ground.close());

  test('the page is served with and without a slash, and everything that it refers to', async () => {
    for (const url of [ground.url, `${ground.url}/`]) {
      const response = await fetch(url);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
      assert.equal(response.headers.get('cache-control'), 'no-store');
      const html = await response.text();
      assert.ok(!html.includes('{base}'));
      const links = Array.from(html.matchAll(/(?:src|href)="([^"#]+)"/g), ([, link]) => link);
      assert.equal(links.length, 3);
      for (const link of links) assert.equal((await fetch(ground.origin + link)).status, 200, link);
    }
  });

  test('nothing in it needs more than the policy allows', () => {
    const directory = path.join(__dirname, '../../examples/express/proving-ground/page');
    for (const name of fs.readdirSync(directory)) {
      const text = fs.readFileSync(path.join(directory, name), 'utf8');
      assert.doesNotMatch(text.replaceAll('http://www.w3.org/2000/svg', ''), /https?:|\/\/[a-z0-9-]+\.[a-z]/i, name);
      assert.doesNotMatch(text, /@import|url\((?!#)(?!\$)/, name);
      assert.doesNotMatch(text, /innerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function/, name);
      if (!name.endsWith('.html')) continue;
      assert.doesNotMatch(text, /<style|\sstyle=|\son[a-z]+=|javascript:/i, name);
      for (const [script] of text.matchAll(/<script[^]*?<\/script>/g)) assert.match(script, / src="[^"]+"><\/script>$/);
    }
  });

  test('every attack is described, with code that is cut out of what runs', async () => {
    const { attacks, timing } = await (await fetch(`${ground.url}/attacks`)).json();
    assert.deepEqual(timing, SHORT);
    assert.deepEqual(attacks.map(({ id }) => id),
      ['redos', 'pollution', 'deep-json', 'login-storm', 'token-tampering', 'flood']);
    for (const { ordinary, holdfast, ...words } of attacks) {
      for (const [name, text] of Object.entries(words)) assert.ok(text.length > 3, `${words.id}: ${name}`);
      for (const { code, why } of [ordinary, holdfast]) {
        assert.ok(why.length > 40, words.id);
        assert.match(code, /^(?:const|function|async|\/\/)/);
        assert.doesNotMatch(code, /@param|@type|#region|#endregion/);
      }
    }
  });

  for (const target of ['/page/index.html', '/page/nothing.js', '/page/..%2findex.js', '/page/..%2Fguard.js', '/page/',
    '/page/%2e%2e%2fpackage.json', '/page/constructor', '/page/__proto__', '/index.js', '/runs', `/runs/${QUICK}`,
    '/attacks.js']) {
    test(`GET ${target} is nothing`, async () => assert.equal((await fetch(ground.url + target)).status, 404));
  }

  for (const id of ['nothing', '__proto__', 'constructor', 'toString', '..%2fredos', 'redos.js', '']) {
    test(`there is no attack ${JSON.stringify(id)}`, async () => {
      assert.equal((await fetch(`${ground.url}/runs/${id}`, { method: 'POST' })).status, 404);
    });
  }

  for (const method of ['GET', 'POST']) {
    const target = method === 'GET' ? '/proving-ground' : `/proving-ground/runs/${QUICK}`;
    test(`${method} under another name is 404: DNS that was rebound`, async () => {
      assert.match(await raw(ground.port, `${method} ${target} HTTP/1.1\r\nHost: evil.example\r\n`), /^HTTP\/1.1 404 /);
    });
    test(`${method} without a name is 404`, async () => {
      assert.match(await raw(ground.port, `${method} ${target} HTTP/1.0\r\n`), /^HTTP\/1.1 404 /);
    });
    test(`${method} with two names is not served under the wrong one`, async () => {
      const head = `${method} ${target} HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n`;
      assert.match(await raw(ground.port, head), /^HTTP\/1.1 40[04] /);
    });
  }

  const addresses = Object.values(os.networkInterfaces()).flat();
  const outside = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
  test('from the network it is 404, whatever the name says', {
    skip: outside === undefined ? 'this machine has no address but loopback' : false,
  }, async () => {
    const head = 'GET /proving-ground HTTP/1.1\r\nHost: localhost\r\n';
    assert.match(await raw(ground.port, head, outside.address), /^HTTP\/1.1 404 /);
    assert.match(await raw(ground.port, head), /^HTTP\/1.1 200 /);
  });

  test('in production it is 404, also when it was mounted', async () => {
    const { NODE_ENV } = process.env;
    process.env.NODE_ENV = 'production';
    try {
      assert.equal((await fetch(ground.url)).status, 404);
      assert.equal((await fetch(`${ground.url}/runs/${QUICK}`, { method: 'POST' })).status, 404);
    } finally {
      if (NODE_ENV === undefined) delete process.env.NODE_ENV;
      else process.env.NODE_ENV = NODE_ENV;
    }
    assert.equal((await fetch(ground.url)).status, 200);
  });

  test('another origin cannot start a run', async () => {
    for (const headers of [{ origin: 'http://localhost:1' }, { 'sec-fetch-site': 'cross-site' }]) {
      const response = await fetch(`${ground.url}/runs/${QUICK}`, { method: 'POST', headers });
      assert.equal(response.status, 403);
      assert.match((await response.json()).detail, /page/);
    }
    assert.ok(!CAN_LIST || mine().length === 0);
  });
});

describe('a run', () => {
  let ground;
  let long;
  before(async () => {
    ground = await startGround({ ...SHORT, attackMs: 1000 });
    long = await startGround({ calmMs: 200, attackMs: 10_000 });
  });
  after(() => Promise.all([ground.close(), long.close()]));

  const start = (signal, id = QUICK, { url } = ground) => fetch(`${url}/runs/${id}`, { method: 'POST', signal });

  /** Starts a run after one that was left, which the server may not have noticed yet. */
  async function begin(signal, id, where) {
    let response;
    await eventually('the run can begin', async () => {
      response = await start(signal, id, where);
      if (response.status === 200) return true;
      await response.body.cancel();
      return false;
    });
    return response;
  }

  test('tells of both sides in turn, and what they come to', async () => {
    const response = await begin();
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    assert.equal(response.headers.get('cache-control'), 'no-store');
    const order = [];
    const figures = {};
    let verdict;
    for await (const { event, data } of eventsIn(response)) {
      const name = data.side === undefined ? event : `${event} ${data.side}`;
      if (order.at(-1) !== name) order.push(name);
      if (event === 'figures') figures[data.side] = data;
      if (event === 'verdict') verdict = data;
      if (event !== 'tick') continue;
      assert.ok(data.delayMs >= 0 && data.rss > 1e7 && data.at > 0);
      assert.ok(data.state === 'running' || data.state === 'standing');
    }
    assert.deepEqual(order, ['run', 'side ordinary', 'tick ordinary', 'figures ordinary', 'side holdfast',
      'tick holdfast', 'figures holdfast', 'verdict']);
    assert.ok(figures.ordinary.tally.forged > 0 && figures.holdfast.tally.forged > 0, 'both sides are attacked');
    assert.ok(figures.ordinary.tally.kinds > 0, 'the ordinary side takes forgeries');
    assert.equal(figures.holdfast.tally.opened, 0);
    assert.ok(figures.holdfast.visitors > 0);
    assert.match(verdict.sentence, /accepted 0 of \d+ forged sessions\.$/);
    for (const { label, ordinary, holdfast } of verdict.table) assert.ok(label && ordinary && holdfast, label);
    await nothingIsLeft();
  });

  test('there is one at a time, in all of the process, and the next one can begin when it is over', async () => {
    const first = new AbortController();
    const running = eventsIn(await begin(first.signal));
    await running.next();
    const other = await startGround();
    try {
      for (const url of [ground.url, other.url]) {
        const second = await fetch(`${url}/runs/redos`, { method: 'POST' });
        assert.equal(second.status, 409);
        assert.equal(second.headers.get('content-type'), 'application/problem+json');
        assert.ok(Number(second.headers.get('retry-after')) >= 1);
        assert.match((await second.json()).detail, /^Another attack is under way/);
      }
    } finally {
      first.abort();
      await other.close();
    }
    const again = new AbortController();
    assert.equal((await begin(again.signal)).status, 200);
    again.abort();
    await nothingIsLeft();
  });

  test('ends when its reader is gone: in the beginning, under attack, while the event loop stands still', async () => {
    for (const [id, until] of [
      ['redos', ({ event }) => event === 'side'],
      ['login-storm', ({ data }) => data.tally?.sent > 5],
      ['redos', ({ data }) => data.state === 'standing'],
    ]) {
      const reading = new AbortController();
      const response = await begin(reading.signal, id, long);
      for await (const message of eventsIn(response)) if (until(message)) break;
      reading.abort();
      await nothingIsLeft();
    }
  });

  test('goes on when the server under attack dies, and says so', onLinux, async () => {
    let killed = false;
    const states = new Set();
    const figures = {};
    for await (const { event, data } of eventsIn(await begin())) {
      if (event === 'tick' && data.side === 'ordinary' && data.at > 400) {
        const victim = mine().find(({ command }) => command.includes('ordinary.js'));
        if (!killed && victim !== undefined) process.kill(victim.pid, 'SIGKILL');
        killed = true;
        states.add(data.state);
      }
      if (event === 'figures') figures[data.side] = data;
      if (event === 'verdict') assert.equal(data.table.at(-2).ordinary, 'died: SIGKILL');
    }
    assert.ok(states.has('dead'));
    assert.equal(figures.ordinary.end.state, 'dead');
    assert.equal(figures.ordinary.keptBytes, null);
    assert.equal(figures.holdfast.end.state, 'running');
  });

  test('its processes know nothing of this one’s environment and flags', onLinux, async () => {
    process.env.A_SECRET_OF_THE_APPLICATION = 'hidden';
    const reading = new AbortController();
    try {
      const events = eventsIn(await begin(reading.signal));
      for await (const { event } of events) if (event === 'tick') break;
      const children = mine().filter(({ command }) => /(?:ordinary|visitor|attacker)\.js/.test(command));
      assert.equal(children.length, 3);
      for (const { pid, command } of children) {
        assert.match(command, /--max-old-space-size=(?:512|256) /);
        assert.doesNotMatch(command, /--require|--test/);
        assert.ok(!fs.readFileSync(`/proc/${pid}/environ`, 'latin1').includes('A_SECRET'));
      }
    } finally {
      delete process.env.A_SECRET_OF_THE_APPLICATION;
      reading.abort();
      await nothingIsLeft();
    }
  });

  for (const [how, signal] of [['is told to end', 'SIGTERM'], ['is killed', 'SIGKILL']]) {
    test(`leaves no process when the application ${how} while an event loop stands still`, onLinux, async () => {
      const support = JSON.stringify(path.join(__dirname, '../support/proving-ground.js'));
      const script = `require(${support}).startGround({ calmMs: 200, attackMs: 5000, afterMs: 200 })
        .then(({ url }) => console.log(url))`;
      const application = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
      const [url] = await new Promise((resolve) => {
        application.stdout.once('data', (line) => resolve([String(line).trim()]));
      });
      const response = await fetch(`${url}/runs/redos`, { method: 'POST' });
      const events = eventsIn(response);
      for await (const { data } of { [Symbol.asyncIterator]: () => ({ next: () => events.next() }) }) {
        if (data.state === 'standing') break;
      }
      const children = descendantsOf(application.pid);
      assert.ok(children.length >= 3);
      application.kill(signal);
      await eventually('the children are gone', () => !children.some(({ pid }) => isAlive(pid)), 5000);
      await events.next().catch(() => {});
    });
  }
});

test('a process whose event loop stands still for good ends with its parent', onLinux, async () => {
  const lifetime = JSON.stringify(path.join(__dirname, '../../examples/express/proving-ground/lifetime.js'));
  const child = `require(${lifetime}).endWithParent(); process.send('up', () => { for (;;); });`;
  const parent = `const directory = require('node:os').tmpdir();
    const file = require('node:path').join(directory, 'standing-' + process.pid + '.js');
    require('node:fs').writeFileSync(file, ${JSON.stringify(child)});
    const child = require('node:child_process').fork(file);
    child.on('message', () => {
      require('node:fs').rmSync(file);
      console.log(child.pid);
    });`;
  const application = spawn(process.execPath, ['-e', parent], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = Number(await new Promise((resolve) => application.stdout.once('data', resolve)));
  assert.ok(isAlive(pid));
  application.kill('SIGKILL');
  await eventually('the child is gone', () => !isAlive(pid), 5000);
});

describe('in the Express example', () => {
  test('it is there in development, with what harden() sets, and ends with the application', onLinux, async (t) => {
    const service = await Service.start(t, { env: { NODE_ENV: '' } });
    const page = await fetch(`${service.url}/proving-ground`);
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-security-policy'), /^default-src 'self';.*script-src 'self'/);
    assert.match(service.stdout, /\/proving-ground/);
    const refused = { method: 'POST', headers: { origin: 'http://evil.example' } };
    assert.equal((await fetch(`${service.url}/proving-ground/runs/redos`, refused)).status, 403);
    const response = await fetch(`${service.url}/proving-ground/runs/redos`, { method: 'POST' });
    assert.equal(response.status, 200);
    const events = eventsIn(response);
    assert.equal((await events.next()).value.event, 'run');
    const children = () => descendantsOf(service.child.pid);
    await eventually('its processes are there', () => children().length === 3);
    const pids = children().map(({ pid }) => pid);
    await events.return();
    service.child.kill('SIGTERM');
    assert.deepEqual(await service.ended, { code: 0, signal: null });
    await eventually('its processes are gone', () => !pids.some(isAlive), 5000);
  });

  for (const env of [{ NODE_ENV: 'production' }, { HOST: '0.0.0.0' }]) {
    test(`it is not there with ${JSON.stringify(env)}`, async (t) => {
      const service = await Service.start(t, { env });
      const { port } = new URL(service.url);
      for (const [target, method] of [['', 'GET'], ['/', 'GET'], ['/attacks', 'GET'], ['/runs/redos', 'POST']]) {
        assert.equal((await fetch(`http://127.0.0.1:${port}/proving-ground${target}`, { method })).status, 404, target);
      }
      assert.doesNotMatch(service.stdout, /proving-ground/);
    });
  }
});

describe('options', () => {
  for (const options of [{ calmMs: 99 }, { calmMs: 2001 }, { attackMs: 10_001 }, { afterMs: 1.5 }, { attackMs: '600' },
    { attackMs: NaN }]) {
    test(`${JSON.stringify(options)} is out of range`, () => assert.throws(() => provingGround(options), RangeError));
  }
  test('unknown names are refused', () => assert.throws(() => provingGround({ duration: 1 }), TypeError));
  test('undefined is not given', () => provingGround({ attackMs: undefined }));
});

describe('figures', () => {
  const tally = { sent: 0, accepted: 0, refused: 0, failed: 0 };
  const measured = {
    visits: [], waiting: [], attackAt: 1000, standstillMs: 0, noiseMs: 0, rssBefore: 0, rssMost: 0, keptBytes: null, tally,
    end: { state: 'running' },
  };
  const visit = (at, ms, ok = true, isAdmin = false) => ({ at, ms, ok, isAdmin });

  test('visitors before the attack are their own', () => {
    const visits = [visit(0, 1), visit(500, 3), visit(900, 2), visit(1000, 40, true, true)];
    const figures = figuresOf({ ...measured, visits });
    assert.equal(figures.calmMs, 2);
    assert.equal(figures.visitors, 1);
    assert.equal(figures.medianMs, 40);
    assert.equal(figures.admins, 1);
  });

  test('who was not answered counts with the time until the end, who came just now does not', () => {
    const visits = [visit(1000, 10), visit(1050, 120), visit(1100, 5, false)];
    const figures = figuresOf({ ...measured, visits, waiting: [{ at: 1150, ms: 4000 }, { at: 5100, ms: 20 }] });
    assert.equal(figures.visitors, 4);
    assert.equal(figures.answered, 2);
    assert.equal(figures.soon, 0.25);
    assert.equal(figures.medianMs, 120);
    assert.equal(figures.slowestMs, 4000);
    assert.equal(figures.slowestWaits, true);
  });

  test('percentiles are by nearest rank', () => {
    const visits = Array.from({ length: 100 }, (_, index) => visit(2000, 100 - index));
    const { medianMs, p95Ms, slowestMs } = figuresOf({ ...measured, visits });
    assert.deepEqual([medianMs, p95Ms, slowestMs], [50, 95, 100]);
  });

  for (const attack of ATTACKS) {
    test(`${attack.id}: the words hold for whatever was measured`, () => {
      const died = { state: 'dead', how: 'SIGABRT', outOfMemory: true };
      for (const end of [{ state: 'running' }, { state: 'standing' }, died]) {
        for (const keptBytes of [null, -5, 123_456_789]) {
          const side = figuresOf({ ...measured, end, keptBytes });
          const words = [attack.verdict(side, side), ...tableOf(attack, side, side).flatMap(Object.values)];
          for (const text of words) assert.doesNotMatch(text, /NaN|undefined|null|Infinity|\[object/, text);
          assert.match(words[0], /^The [^.]*|^[A-Z]/);
        }
      }
    });
  }

  test('a server that is silent stands still, for as long as it has been', async () => {
    const watch = new Watch(100);
    watch.hear({ type: 'report', delayMs: 3, rss: 5e7 });
    watch.hear({ type: 'visits', done: [], waiting: [100], now: 900, lateMs: 2 });
    assert.deepEqual([watch.tick(100, false).state, watch.stateOf(true)], ['running', 'dead']);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const tick = watch.tick(500, false);
    assert.equal(tick.state, 'standing');
    assert.ok(tick.delayMs >= 250);
    assert.equal(tick.waitMs, 800);
    watch.hear({ type: 'report', delayMs: 420, rss: 5e7 });
    assert.deepEqual([watch.tick(600, false).state, watch.tick(700, false).delayMs], ['running', 0]);
  });
});

/**
 * Bytes to a server, and what comes back first.
 *
 * @param {number} port
 * @param {string} head
 * @param {string} [host]
 */
function raw(port, head, host = '127.0.0.1') {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, host, () => socket.write(`${head}Connection: close\r\n\r\n`));
    socket.once('data', (data) => {
      socket.destroy();
      resolve(String(data));
    });
    socket.once('error', reject);
  });
}
