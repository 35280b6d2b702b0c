'use strict';

/** gracefulShutdown: what it waits for, what it cuts, what clients are told, and how a process ends by signals. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const http = require('node:http');
const http2 = require('node:http2');
const net = require('node:net');
const { after, describe, it } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { gracefulShutdown } = require('../../lib/http/graceful-shutdown.js');
const { hardenServer } = require('../../lib/http/harden-server.js');
const { root } = require('../support/child.js');
const { RawClient, closeAll, collectEvents, createServer, get, listen, until } = require('../support/raw-http.js');

const TYPE = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const VALUE = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
const RANGE = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
const TOGETHER = { concurrency: true };

after(closeAll);

/** A server with answers that wait until they are told: `answers` by path. */
async function serve(options = {}, { kind = 'http', listener } = {}) {
  const answers = new Map();
  const server = createServer(kind, listener ?? ((req, res) => {
    if (req.url.startsWith('/wait')) answers.set(req.url, res);
    else res.end(`ok ${req.url}`);
  }));
  const shutdown = gracefulShutdown(server, { signals: [], ...options });
  const port = await listen(server);
  const connect = () => RawClient.connect(port, { kind });
  const begun = async (path) => {
    const client = (await connect()).send(get(path));
    await until(() => answers.has(path));
    return client;
  };
  return { server, shutdown, answers, port, connect, begun };
}

describe('the arguments', () => {
  for (const [what, server, options, error] of [
    ['no server', undefined, undefined, TYPE],
    ['a server of net', new net.Server(), undefined, TYPE],
    ['a server of HTTP/2', http2.createServer(), undefined, { ...TYPE, message: /HTTP\/2/ }],
    ['an unknown name', new http.Server(), { timeout: 5 }, { ...VALUE, message: /'timeout' is none/ }],
    ['no time at all', new http.Server(), { timeoutMs: 0 }, RANGE],
    ['onClose that is none', new http.Server(), { onClose: Promise.resolve() }, TYPE],
    ['a signal alone', new http.Server(), { signals: 'SIGTERM' }, TYPE],
    ['a number of a signal', new http.Server(), { signals: [15] }, TYPE],
    ['a signal that there is none of', new http.Server(), { signals: ['SIGNAL'] }, VALUE],
    ['a name that every object has', new http.Server(), { signals: ['toString'] }, VALUE],
    ['SIGKILL', new http.Server(), { signals: ['SIGTERM', 'SIGKILL'] }, { ...VALUE, message: /SIGKILL/ }],
    ['exit that is none', new http.Server(), { exit: 1 }, TYPE],
  ]) {
    it(`refuses ${what}, and listens for nothing`, () => {
      const before = process.listenerCount('SIGTERM');
      assert.throws(() => gracefulShutdown(server, options), error);
      assert.equal(process.listenerCount('SIGTERM'), before);
    });
  }

  it('refuses a reason that is none', async () => {
    const shutdown = gracefulShutdown(new http.Server(), { signals: [] });
    assert.throws(() => shutdown.close(5), TYPE);
    assert.throws(() => shutdown.close('x'.repeat(101)), VALUE);
    assert.equal(shutdown.isClosing, false);
    assert.deepEqual(await shutdown.close(), { reason: 'close', finished: 0, cut: 0 });
  });
});

describe('the end of a server', TOGETHER, () => {
  for (const kind of ['http', 'https']) {
    it(`finishes what is under way, and says that it is the last, ${kind}`, async () => {
      const { server, shutdown, answers, begun, port } = await serve({}, { kind });
      const clients = [await begun('/wait/1'), await begun('/wait/2')];
      const closed = shutdown.close('test');
      assert.equal(shutdown.isClosing, true);
      await until(() => !server.listening);
      await assert.rejects(fetch(`http://127.0.0.1:${port}`));
      await sleep(300);
      assert.ok(clients.every((client) => !client.isClosed));
      for (const res of answers.values()) res.end('late');
      assert.deepEqual(await closed, { reason: 'test', finished: 2, cut: 0 });
      await Promise.all(clients.map((client) => client.closed));
      for (const { text, ending } of clients) {
        assert.match(text, / 200 [^]*\r\nConnection: close\r\n[^]*late/);
        assert.equal(ending, 'end');
      }
    });

    it(`closes what is idle, or has not been used, ${kind}`, async () => {
      const { shutdown, connect } = await serve({}, { kind });
      const [fresh, idle] = [await connect(), (await connect()).send(get())];
      await idle.received(/ok/);
      assert.deepEqual(await shutdown.close(), { reason: 'close', finished: 0, cut: 0 });
      await Promise.all([fresh.closed, idle.closed]);
      assert.deepEqual([fresh.ending, idle.ending], ['end', 'end']);
    });

    it(`cuts what does not end in time, ${kind}`, async () => {
      const { server, shutdown, begun } = await serve({ timeoutMs: 300 }, { kind });
      const clients = [await begun('/wait/1'), await begun('/wait/2')];
      assert.deepEqual(await shutdown.close(), { reason: 'close', finished: 0, cut: 2 });
      await Promise.all(clients.map((client) => client.closed));
      assert.equal(server.sockets.size, 0);
    });
  }

  it('answers what comes while it ends, and says that it is the last', async () => {
    const { shutdown, connect } = await serve();
    const client = await connect();
    const closed = shutdown.close();
    client.send(get('/new'));
    await client.closed;
    assert.match(client.text, / 200 [^]*\r\nConnection: close\r\n[^]*ok \/new/);
    assert.equal((await closed).finished, 1);
  });

  it('says so on the connection whose answer had begun, with the next answer', async () => {
    const listener = (req, res) => {
      res.write('first part');
      setTimeout(() => res.end('second part'), 300);
    };
    const { shutdown, connect } = await serve({}, { listener });
    const client = (await connect()).send(get());
    await client.received(/first part/);
    const closed = shutdown.close();
    let isSent = false;
    client.socket.on('data', () => {
      if (isSent || !client.text.includes('second part')) return;
      isSent = true;
      client.send(get('/again'));
    });
    await client.closed;
    const [first, second] = client.text.split('HTTP/1.1').slice(1);
    assert.match(first, /Connection: keep-alive/);
    assert.match(second, /Connection: close/);
    assert.deepEqual(await closed, { reason: 'close', finished: 2, cut: 0 });
  });

  it('sends all answers that are due on a connection', async () => {
    const { shutdown, answers, connect } = await serve();
    const client = (await connect()).send(get('/wait/1') + get('/wait/2') + get('/wait/3'));
    await until(() => answers.size === 3);
    const closed = shutdown.close();
    for (const [path, res] of answers) res.end(`answer ${path}`);
    await client.closed;
    assert.match(client.text, /answer \/wait\/1[^]*answer \/wait\/2[^]*answer \/wait\/3/);
    assert.equal(client.statuses.length, 3);
    await closed;
  });

  it('waits for a body that is on its way', async () => {
    const listener = (req, res) => req.pipe(res);
    const { shutdown, connect } = await serve({}, { listener });
    const client = (await connect()).send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab');
    await client.received(/ 200 /);
    const closed = shutdown.close();
    await sleep(500);
    client.send('cd');
    await client.closed;
    assert.match(client.text, /a[^]*b[^]*c[^]*d/);
    assert.deepEqual(await closed, { reason: 'close', finished: 1, cut: 0 });
  });

  it('does not wait long for a head that does not come, and it counts for nothing', async () => {
    const { shutdown, connect } = await serve({ timeoutMs: 20_000 });
    const slow = (await connect()).send('GET / HT').trickle('T');
    await sleep(50);
    assert.deepEqual(await shutdown.close(), { reason: 'close', finished: 0, cut: 0 });
    await slow.closed;
  });

  it('does not wait long for a handshake of TLS that does not come', async () => {
    const { shutdown, port } = await serve({ timeoutMs: 20_000 }, { kind: 'https' });
    const silent = await RawClient.connect(port);
    await sleep(50);
    assert.deepEqual(await shutdown.close(), { reason: 'close', finished: 0, cut: 0 });
    await silent.closed;
  });

  it('cuts connections that speak another protocol, and answers that never end', async () => {
    const { server, shutdown, connect, begun } = await serve({ timeoutMs: 500 });
    server.on('upgrade', (req, socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'));
    const upgraded = (await connect()).send(get('/', 'Connection: Upgrade\r\nUpgrade: x\r\n'));
    await upgraded.received(/ 101 /);
    const stream = await begun('/wait/stream');
    assert.deepEqual(await shutdown.close(), { reason: 'close', finished: 0, cut: 2 });
    await Promise.all([upgraded.closed, stream.closed]);
  });

  it('waits for connections that the application closes itself', async () => {
    const { server, shutdown, connect } = await serve();
    const sockets = [];
    server.on('upgrade', (req, socket) => {
      sockets.push(socket);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n');
    });
    const client = (await connect()).send(get('/', 'Connection: Upgrade\r\nUpgrade: x\r\n'));
    await client.received(/ 101 /);
    const closed = shutdown.close();
    setTimeout(() => sockets[0].end('bye'), 400);
    assert.deepEqual(await closed, { reason: 'close', finished: 0, cut: 0 });
    assert.match(client.text, /bye/);
  });

  it('does not count who goes by itself', async () => {
    const { shutdown, begun } = await serve();
    const client = await begun('/wait/gone');
    const closed = shutdown.close();
    client.socket.destroy();
    assert.deepEqual(await closed, { reason: 'close', finished: 0, cut: 0 });
  });

  it('loses no request of clients that keep their connections busy', async () => {
    const { server, shutdown, port } = await serve({}, { listener: (req, res) => setTimeout(() => res.end('ok'), 2) });
    hardenServer(server);
    let lost = 0;
    let answered = 0;
    let isClosing = false;
    const client = async () => {
      for (;;) {
        const connection = await RawClient.connect(port);
        if (connection.isClosed) return;
        for (let requests = 1; ; requests++) {
          const seen = connection.statuses.length;
          connection.send(get());
          await until(() => connection.statuses.length > seen || connection.isClosed);
          if (connection.statuses.length === seen) {
            // Nothing that was open when it was told to end and has not been told since.
            if (requests > 1 || !isClosing) lost++;
            break;
          }
          answered++;
          if (/Connection: close/.test(connection.text)) break;
        }
      }
    };
    const clients = Array.from({ length: 20 }, client);
    await until(() => answered > 500);
    isClosing = true;
    const { finished, cut } = await shutdown.close();
    await Promise.all(clients);
    assert.deepEqual([lost, cut], [0, 0]);
    assert.ok(finished > 0 && finished <= answered, `${finished} of ${answered}`);
  });

  it('ends a hardened server whose connections are slow', async () => {
    const { server, shutdown, connect } = await serve({ timeoutMs: 20_000 });
    hardenServer(server, { headersTimeoutMs: 500, requestTimeoutMs: 500, keepAliveTimeoutMs: 60_000 });
    const clients = [];
    for (const text of ['', 'GET /', get(), 'POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc']) {
      clients.push((await connect()).send(text));
    }
    await sleep(50);
    assert.equal((await shutdown.close()).cut, 0);
    await Promise.all(clients.map(({ closed }) => closed));
  });
});

describe('servers in other states', TOGETHER, () => {
  it('one that never listened', async () => {
    const shutdown = gracefulShutdown(http.createServer(), { signals: [] });
    assert.deepEqual(await shutdown.close(), { reason: 'close', finished: 0, cut: 0 });
  });

  it('one that is about to listen', async () => {
    const server = http.createServer();
    const shutdown = gracefulShutdown(server, { signals: [] });
    server.listen(0, '127.0.0.1');
    await shutdown.close();
    assert.equal(server.listening, false);
  });

  it('one that has closed by itself', async () => {
    const { server, shutdown } = await serve();
    await new Promise((resolve) => server.close(resolve));
    assert.deepEqual(await shutdown.close(), { reason: 'close', finished: 0, cut: 0 });
  });

  it('one that closes by itself, with requests under way', async () => {
    const { server, shutdown, answers, begun } = await serve();
    const client = await begun('/wait');
    server.close();
    const closed = shutdown.close();
    await sleep(300);
    assert.equal(client.isClosed, false);
    answers.get('/wait').end('late');
    assert.deepEqual(await closed, { reason: 'close', finished: 1, cut: 0 });
    assert.match((await client.closed).text, /late/);
  });

  it('one that is told twice, with another reason', async () => {
    let closes = 0;
    const { shutdown } = await serve({ onClose: () => closes++ });
    const first = shutdown.close('first');
    const second = shutdown.close('second');
    assert.equal(first, second);
    assert.deepEqual(await second, { reason: 'first', finished: 0, cut: 0 });
    assert.equal(shutdown.close(), first);
    assert.equal(closes, 1);
  });

  it('one with two of them', async () => {
    const { server, shutdown, answers, begun } = await serve();
    const other = gracefulShutdown(server, { signals: [] });
    const client = await begun('/wait');
    const [first, second] = [shutdown.close('a'), other.close('b')];
    answers.get('/wait').end();
    assert.deepEqual([await first, await second].map(({ finished, cut }) => [finished, cut]), [[1, 0], [1, 0]]);
    await client.closed;
  });

  it('one that listened already, with connections that are open', async () => {
    const server = http.createServer((req, res) => res.end('ok'));
    const port = await listen(server);
    const idle = (await RawClient.connect(port)).send(get());
    await idle.received(/ok/);
    const shutdown = gracefulShutdown(server, { signals: [] });
    await shutdown.close();
    await idle.closed;
  });

  it('one with a connection of another protocol that was open before', async () => {
    const server = http.createServer();
    server.on('upgrade', (req, socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'));
    const port = await listen(server);
    const upgraded = (await RawClient.connect(port)).send(get('/', 'Connection: Upgrade\r\nUpgrade: x\r\n'));
    await upgraded.received(/ 101 /);
    const shutdown = gracefulShutdown(server, { signals: [], timeoutMs: 200 });
    assert.deepEqual(await shutdown.close(), { reason: 'close', finished: 0, cut: 1 });
    assert.equal(upgraded.isClosed, false);
  });

  it('one that listens again afterwards', async () => {
    const { server, shutdown } = await serve();
    await shutdown.close();
    const port = await listen(server);
    const client = (await RawClient.connect(port)).send(get());
    await client.received(/ok/);
    assert.match(client.text, /Connection: keep-alive/);
  });

  it('one with a polluted Object.prototype', async () => {
    Object.prototype.timeoutMs = 'x';
    Object.prototype.onClose = () => assert.fail();
    try {
      const { shutdown } = await serve();
      const { error } = await shutdown.close();
      assert.equal(error, undefined);
    } finally {
      delete Object.prototype.timeoutMs;
      delete Object.prototype.onClose;
    }
  });
});

describe('onClose', TOGETHER, () => {
  it('is awaited when the last connection is gone', async () => {
    const order = [];
    const onClose = async () => {
      order.push(`connections: ${server.sockets.size}`);
      await sleep(100);
      order.push('closed');
    };
    const { server, shutdown, answers, begun } = await serve({ onClose });
    const client = await begun('/wait');
    const closed = shutdown.close().then(() => order.push('done'));
    setTimeout(() => answers.get('/wait').end(), 300);
    await closed;
    await client.closed;
    assert.deepEqual(order, ['connections: 0', 'closed', 'done']);
  });

  it('comes also when connections were cut', async () => {
    let isCalled = false;
    const { shutdown, begun } = await serve({ timeoutMs: 200, onClose: () => (isCalled = true) });
    await begun('/wait');
    const { cut } = await shutdown.close();
    assert.deepEqual([cut, isCalled], [1, true]);
  });

  for (const [what, onClose] of [
    ['throws', () => { throw new Error('no'); }],
    ['rejects', async () => { throw new Error('no'); }],
  ]) {
    it(`is reported when it ${what}`, async () => {
      const { shutdown } = await serve({ onClose });
      const { error, ...rest } = await shutdown.close();
      assert.equal(error.message, 'no');
      assert.deepEqual(rest, { reason: 'close', finished: 0, cut: 0 });
    });
  }

  it('is reported when it throws nothing in particular', async () => {
    const { shutdown } = await serve({ onClose: () => Promise.reject() });
    assert.deepEqual(await shutdown.close(), { reason: 'close', finished: 0, cut: 0, error: undefined });
  });

  it('is given up when it takes too long, and may fail later', async () => {
    let fail;
    const onClose = () => new Promise((resolve, reject) => (fail = reject));
    const { shutdown } = await serve({ timeoutMs: 200, onClose });
    const { error } = await shutdown.close();
    assert.equal(error.code, 'ABORT_ERR');
    assert.match(error.cause.message, /options\.onClose took longer/);
    fail(new Error('later')); // and no unhandledRejection, which would fail the test
    await sleep(10);
  });
});

describe('events and signals of this process', () => {
  it('tells how it went', async () => {
    const events = collectEvents();
    const { shutdown, begun } = await serve({ timeoutMs: 200, onClose: () => Promise.reject(new Error('secret')) });
    await begun('/wait');
    await shutdown.close('deploy');
    events.stop();
    const [{ kind, reason, finished, cut, failed }] = events;
    assert.equal(events.length, 1);
    assert.deepEqual([kind, reason, finished, cut, failed], ['server.shutdown', 'deploy', 0, 1, true]);
    assert.doesNotMatch(JSON.stringify(events), /secret/);
  });

  it('listens once for a signal, however many servers there are, and not any more when they are done', async () => {
    const counts = () => ['SIGTERM', 'SIGINT', 'SIGUSR2'].map((signal) => process.listenerCount(signal));
    const before = counts();
    const shutdowns = Array.from({ length: 20 }, (_, index) =>
      gracefulShutdown(http.createServer(), { signals: index === 0 ? ['SIGUSR2', 'SIGUSR2'] : undefined }),
    );
    assert.deepEqual(counts(), before.map((count) => count + 1));
    await shutdowns[0].close();
    assert.deepEqual(counts(), [before[0] + 1, before[1] + 1, before[2]]);
    await Promise.all(shutdowns.map((shutdown) => shutdown.close()));
    assert.deepEqual(counts(), before);
  });
});

const onPosix = { concurrency: true, skip: process.platform === 'win32' && 'no signals to send' };

describe('a process that gets signals', onPosix, () => {
  /** Its lines, as they come; its code or signal at the end. */
  class Service {
    output = '';
    errors = '';

    constructor(source) {
      const script = `
        const http = require('node:http');
        const { gracefulShutdown } = require(${JSON.stringify(`${root}/lib/http/graceful-shutdown.js`)});
        const say = (text) => require('node:fs').writeSync(1, text + '\\n');
        const listen = (server) => server.listen(0, '127.0.0.1', () => say('port ' + server.address().port));
        process.on('exit', () => say('exit'));
        const slow = http.createServer((req, res) => { say('begun'); setTimeout(() => res.end('answer'), 600); });
        const never = http.createServer(() => say('begun'));
        ${source}`;
      this.child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
      this.child.stdout.on('data', (chunk) => (this.output += chunk));
      this.child.stderr.on('data', (chunk) => (this.errors += chunk));
      const timer = setTimeout(() => this.child.kill('SIGKILL'), 15_000);
      this.ended = new Promise((resolve) =>
        this.child.on('close', (code, signal) => {
          clearTimeout(timer);
          resolve(signal ?? code);
        }),
      );
    }

    async said(text) {
      await until(() => this.output.includes(text) || this.child.exitCode !== null, text);
      assert.ok(this.output.includes(text), this.output + this.errors);
      return this;
    }

    async port(index = 0) {
      await until(() => [...this.output.matchAll(/port (\d+)\n/g)].length > index || this.child.exitCode !== null);
      return Number([...this.output.matchAll(/port (\d+)\n/g)][index]?.[1]);
    }

    async request(index = 0) {
      const client = (await RawClient.connect(await this.port(index))).send(get());
      await this.said('begun');
      return client;
    }
  }

  it('SIGTERM: the request is answered, then onClose, then exit code 0', async () => {
    const service = new Service(`
      const onClose = async () => {
        say('closing');
        await new Promise((go) => setTimeout(go, 100));
        say('closed');
      };
      gracefulShutdown(slow, { onClose });
      listen(slow);`);
    const client = await service.request();
    service.child.kill('SIGTERM');
    assert.equal(await service.ended, 0, service.errors);
    assert.match(client.text, /Connection: close[^]*answer/);
    assert.match(service.output, /begun\nclosing\nclosed\nexit\n$/);
    assert.equal(service.errors, '');
  });

  it('SIGINT, thrice within a second: is one', async () => {
    const service = new Service('gracefulShutdown(slow); listen(slow);');
    const client = await service.request();
    for (const ms of [0, 50, 50]) {
      await sleep(ms);
      service.child.kill('SIGINT');
    }
    assert.equal(await service.ended, 0, service.errors);
    assert.match(client.text, /answer/);
  });

  it('a second signal, later: ends it at once, with 1', async () => {
    const service = new Service('gracefulShutdown(never, { onClose: () => say("closing") }); listen(never);');
    const client = await service.request();
    service.child.kill('SIGTERM');
    await sleep(1200);
    assert.equal(service.child.exitCode, null);
    service.child.kill('SIGINT');
    assert.equal(await service.ended, 1);
    await client.closed;
    assert.doesNotMatch(service.output, /closing/);
  });

  it('time that ran out: 1', async () => {
    const service = new Service(`
      gracefulShutdown(never, { timeoutMs: 300, onClose: () => say('closed') });
      listen(never);`);
    const client = await service.request();
    service.child.kill('SIGTERM');
    assert.equal(await service.ended, 1);
    await client.closed;
    assert.match(service.output, /closed\nexit\n$/);
  });

  it('onClose that fails: 1, and it is said why', async () => {
    const service = new Service(`
      gracefulShutdown(slow, { onClose: () => { throw new Error('pool'); } });
      listen(slow);`);
    await service.port();
    service.child.kill('SIGTERM');
    assert.equal(await service.ended, 1);
    assert.match(service.errors, /onClose failed: Error: pool/);
  });

  it('onClose that hangs, with nothing to wait for: 1', async () => {
    const service = new Service(`
      gracefulShutdown(slow, { timeoutMs: 300, onClose: () => new Promise(() => {}) });
      listen(slow);`);
    await service.port();
    service.child.kill('SIGTERM');
    assert.equal(await service.ended, 1);
    assert.match(service.errors, /onClose took longer/);
  });

  it('several servers: the process ends when all are done', async () => {
    const service = new Service(`
      for (const [name, server] of Object.entries({ slow, quick: http.createServer() })) {
        gracefulShutdown(server, { onClose: () => say(name + ' is done') });
        listen(server);
      }`);
    const client = await service.request();
    await service.port(1);
    service.child.kill('SIGTERM');
    assert.equal(await service.ended, 0);
    assert.match(client.text, /answer/);
    assert.match(service.output, /quick is done\nslow is done\nexit\n$/);
  });

  it('exit: false leaves the process to others, and the signal to the system', async () => {
    const service = new Service(`
      const shutdown = gracefulShutdown(slow, { exit: false });
      slow.on('close', () => shutdown.close().then(() => setImmediate(say, 'all done')));
      listen(slow);
      setInterval(() => {}, 1000);`);
    await service.port();
    service.child.kill('SIGTERM');
    await service.said('all done');
    service.child.kill('SIGTERM'); // the same
    await sleep(1200);
    assert.deepEqual([service.child.exitCode, service.child.signalCode], [null, null]);
    service.child.kill('SIGTERM');
    assert.equal(await service.ended, 'SIGTERM');
  });

  it('exit: false, and nothing else to do: the process ends by itself', async () => {
    const service = new Service("gracefulShutdown(slow, { exit: false, onClose: () => say('closed') }); listen(slow);");
    await service.port();
    service.child.kill('SIGTERM');
    assert.equal(await service.ended, 0);
    assert.match(service.output, /closed\nexit\n$/);
  });

  it('signals: [] leaves them as they are', async () => {
    const service = new Service('gracefulShutdown(slow, { signals: [] }); listen(slow);');
    await service.port();
    service.child.kill('SIGTERM');
    assert.equal(await service.ended, 'SIGTERM');
  });

  it('another signal', async () => {
    const service = new Service(`
      gracefulShutdown(slow, { signals: ['SIGUSR2'], onClose: () => say('closed') });
      listen(slow);`);
    await service.port();
    service.child.kill('SIGUSR2');
    assert.equal(await service.ended, 0);
    assert.match(service.output, /closed\nexit\n$/);
  });

  it('a signal after close() was called: the process ends when that is done', async () => {
    const service = new Service(`
      const shutdown = gracefulShutdown(slow, { onClose: () => say('closed') });
      listen(slow);
      slow.on('request', () => shutdown.close('own').then(({ reason }) => say(reason)));`);
    await service.request();
    service.child.kill('SIGTERM');
    assert.equal(await service.ended, 0);
    assert.match(service.output, /closed\nown\nexit\n$/);
  });

  it('requests that wait in the buffers of a process that is busy are answered', async () => {
    const service = new Service(`
      const server = http.createServer((req, res) => {
        if (req.url === '/busy') {
          say('busy');
          for (const end = Date.now() + 1500; Date.now() < end;);
        }
        res.end('answer ' + req.url);
      });
      gracefulShutdown(server);
      listen(server);`);
    const port = await service.port();
    const kept = (await RawClient.connect(port)).send(get('/first'));
    await kept.received(/answer \/first/);
    const busy = (await RawClient.connect(port)).send(get('/busy'));
    await service.said('busy\n');
    // While nothing is read: a signal, a request on a connection that is idle, and one on a new connection.
    service.child.kill('SIGTERM');
    kept.send(get('/second'));
    const fresh = (await RawClient.connect(port)).send(get('/third'));
    assert.equal(await service.ended, 0);
    await Promise.all([busy, kept, fresh].map((client) => client.closed));
    assert.match(busy.text, /answer \/busy/);
    assert.match(kept.text, /answer \/second/);
    assert.match(fresh.text, /answer \/third/);
  });
});
