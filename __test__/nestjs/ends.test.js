'use strict';

/** How an application with HoldfastModule ends: what it had is given back, threads stop, and the process can. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { describe, it } = require('node:test');
const { root, runNode } = require('../support/child.js');
const { common, controller, decorate, run, start } = require('../support/nest.js');
const { gracefulShutdown, hardenServer } = require('../../lib/nestjs/index.js');

/** An application in a process of its own: `serve(platform, options)` starts it, `app` is it, `ask` one request. */
const PRELUDE = `
  const { common, controller, run, start } = require(holdfast + '/__test__/support/nest.js');
  const { PasswordHasher, RateLimiter, Keyring } = require(holdfast);
  const { rateLimiterToken } = require(holdfast + '/lib/nestjs/index.js');
  const hello = controller({ hello: [common.Get('hello'), run(() => 'hello')] });
  const serve = (platform, options) => start(platform, { options, module: { controllers: [hello] } });
  const keyring = () => new Keyring({ primary: 'k1', keys: { k1: Buffer.alloc(32, 1) } });
`;

for (const platform of ['Express', 'Fastify']) {
  describe(`an application on ${platform} that is closed`, () => {
    it('gives everything back', async () => {
      const { stdout, stderr, code } = await runNode(
        `${PRELUDE}
        const { setImmediate: turn } = require('node:timers/promises');
        const lives = new Set();
        const registry = new FinalizationRegistry((name) => lives.delete(name));
        async function once() {
          const limits = { login: { limit: 3, windowMs: 1000 } };
          const client = await serve(${JSON.stringify(platform)}, { keyring: keyring(), limits });
          const { app } = client;
          await client.get('/hello');
          await app.get(PasswordHasher).hash('a password');
          for (const token of [PasswordHasher, RateLimiter, Keyring, rateLimiterToken('login')]) {
            const name = String(token.name ?? token);
            lives.add(name);
            registry.register(app.get(token), name);
          }
          await client.close();
        }
        (async () => {
          await once();
          for (let count = 0; count < 100 && lives.size > 0; count++) {
            await turn();
            gc();
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
          console.log(JSON.stringify([...lives]));
        })();`,
        { flags: ['--expose-gc'] },
      );
      assert.equal(code, 0, stderr);
      assert.equal(stdout, '[]\n', stderr);
    });

    it('lets the process end, and refuses passwords', async () => {
      const { stdout, code, stderr } = await runNode(`${PRELUDE}
        (async () => {
          const client = await serve(${JSON.stringify(platform)}, {});
          const hasher = client.app.get(PasswordHasher);
          const under = hasher.hash('a password');
          await client.close();
          console.log(typeof (await under));
          await hasher.hash('another').catch((error) => console.log(error.code));
        })();`);
      assert.equal(code, 0, stderr);
      assert.equal(stdout, 'string\nERR_CLOSED\n');
    });

    it('can be started again and again', async () => {
      const { stdout, code, stderr } = await runNode(`${PRELUDE}
        (async () => {
          for (let count = 0; count < 20; count++) {
            const client = await serve(${JSON.stringify(platform)}, { keyring: keyring() });
            const { status } = await client.get('/hello');
            await client.close();
            if (status !== 200) throw new Error(String(status));
          }
          console.log('done');
        })();
        process.on('warning', (warning) => console.log(warning.name));`);
      assert.equal(code, 0, stderr);
      assert.equal(stdout, 'done\n');
    });
  });
}

for (const platform of ['Express', 'Fastify']) {
  describe(`gracefulShutdown of an application on ${platform}`, () => {
    /** An application with a route that answers when it is told to, and what its hooks have seen. */
    async function slow(create) {
      const seen = [];
      class Hooks {
        onModuleDestroy() {
          seen.push('onModuleDestroy');
        }
        onApplicationShutdown() {
          seen.push('onApplicationShutdown');
        }
      }
      decorate(Hooks, common.Injectable());
      const reached = withResolvers();
      const routes = controller({
        slow: [common.Get('slow'), run(() => new Promise((resolve) => reached.resolve(() => resolve('late'))))],
        hello: [common.Get('hello'), run(() => 'hello')],
      });
      const client = await start(platform, { module: { controllers: [routes], providers: [Hooks] }, create });
      const server = hardenServer(client.app.getHttpServer());
      const onClose = () => client.app.close();
      const shutdown = gracefulShutdown(server, { signals: [], exit: false, timeoutMs: 500, onClose });
      return { ...client, shutdown, seen, reached: reached.promise };
    }

    it('finishes what is under way, then runs the hooks of Nest', async () => {
      for (const create of [{}, { return503OnClosing: true }]) {
        const { get, shutdown, seen, reached } = await slow(create);
        const under = get('/slow');
        const answer = await reached;
        const ended = shutdown.close('the test');
        setTimeout(answer, 50);
        const { status, text, headers } = await under;
        assert.deepEqual([status, text, headers.connection], [200, 'late', 'close']);
        assert.deepEqual(await ended, { reason: 'the test', finished: 1, cut: 0 });
        assert.deepEqual(seen, ['onModuleDestroy', 'onApplicationShutdown']);
      }
    });

    it('cuts what does not end, and runs the hooks all the same', async () => {
      const { get, shutdown, seen, reached, app } = await slow({});
      const under = assert.rejects(get('/slow'));
      await reached;
      const { cut, finished } = await shutdown.close();
      assert.deepEqual([cut, finished], [1, 0]);
      await under;
      assert.deepEqual(seen, ['onModuleDestroy', 'onApplicationShutdown']);
      await app.close(); // once more does no harm
    });

    it('answers what is no HTTP with a problem document', async () => {
      const { port, close, shutdown } = await slow({});
      const socket = net.connect(port, '127.0.0.1');
      let text = '';
      socket.on('data', (chunk) => (text += chunk));
      socket.write('hunter2\r\n\r\n');
      await once(socket, 'close');
      assert.match(text, /^HTTP\/1\.1 400 [^]*application\/problem\+json/i);
      assert.ok(!text.includes('hunter2'));
      await shutdown.close();
      await close();
    });
  });
}

function withResolvers() {
  const all = {};
  all.promise = new Promise((resolve, reject) => Object.assign(all, { resolve, reject }));
  return all;
}

describe('without Nest', () => {
  it('holdfast/nestjs says what to install, and holdfast/express works', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-no-nest-'));
    try {
      fs.cpSync(path.join(root, 'lib'), path.join(folder, 'lib'), { recursive: true });
      for (const name of fs.readdirSync(root)) {
        if (/^(?:index\.js|package\.json|holdfast\..*\.node(?:\.json)?)$/.test(name))
          fs.copyFileSync(path.join(root, name), path.join(folder, name));
      }
      const run = (source) =>
        spawnSync(process.execPath, ['-e', source], {
          cwd: folder,
          encoding: 'utf8',
          env: { ...process.env, NODE_PATH: '' },
        });
      const { status, stderr } = run("require('./lib/nestjs/index.js')");
      assert.equal(status, 1);
      assert.match(stderr, /ERR_PEER/);
      assert.match(stderr, /npm install @nestjs\/common/);
      const other = run("console.log(typeof require('./lib/http/problem.js').Problem)");
      assert.equal(other.stdout, 'function\n', other.stderr);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
});
