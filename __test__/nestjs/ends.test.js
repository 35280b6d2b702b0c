'use strict';

/** How an application with HoldfastModule ends: what it had is given back, threads stop, and the process can. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { describe, it } = require('node:test');
const { root, runNode } = require('../support/child.js');

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
