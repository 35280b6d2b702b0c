'use strict';

/**
 * Redis servers of the tests' own: on free ports of 127.0.0.1, nothing kept on disk, ended by their process id.
 * Without `redis-server` on the PATH, `skip` says why the tests that need one do not run; under CI=true they fail.
 */

const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

const isMissing = missing();
/** For `describe`: a reason, or false. */
const skip = isMissing && process.env.CI !== 'true' ? 'there is no redis-server here' : false;
if (skip) console.log(`# skipped, ${skip}: the tests that need one (Debian: apt-get install redis-server)`);

function missing() {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return true;
  }
}

/** @type {Set<Server>} */
const running = new Set();
process.once('exit', () => {
  for (const server of running) server.kill();
});
// The test runner ends what takes too long this way; without a listener there is no 'exit'.
process.once('SIGTERM', () => process.exit(143));

class Server {
  #folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-redis-'));
  #process;

  /** @param {{ port: number, settings?: string[] }} how */
  constructor({ port, settings = [] }) {
    this.port = port;
    this.settings = settings;
  }

  /** Starts it, also again on the same port, and waits until it takes commands. */
  async start() {
    const nothingKept = ['--save', '', '--appendonly', 'no', '--dir', this.#folder];
    const settings = ['--port', String(this.port), '--bind', '127.0.0.1', ...nothingKept, ...this.settings];
    this.#process = spawn('redis-server', settings, { stdio: ['ignore', 'pipe', 'inherit'] });
    running.add(this);
    const ended = new Promise((_, reject) => {
      this.#process.once('error', reject);
      this.#process.once('exit', () => reject(new Error(`redis-server on port ${this.port} ended: ${output}`)));
    });
    let output = '';
    const ready = new Promise((resolve) => {
      this.#process.stdout.on('data', (text) => {
        output = (output + text).slice(-2000);
        if (output.includes('Ready to accept connections')) resolve(undefined);
      });
    });
    ended.catch(() => {});
    await Promise.race([ready, ended]);
    return this;
  }

  get isRunning() {
    return running.has(this);
  }

  /** @param {NodeJS.Signals} name */
  signal(name) {
    this.#process.kill(name);
  }

  /** As by a power failure. */
  async crash() {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
    running.delete(this);
  }

  kill() {
    this.#process?.kill('SIGKILL');
    running.delete(this);
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** @param {string[]} [settings] */
async function startRedis(settings) {
  if (isMissing) throw new Error('redis-server is missing, and has to be there under CI=true');
  return new Server({ port: await freePort(), settings }).start();
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {net.AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/**
 * Both clients, connected. `send` sends any command.
 *
 * @type {Record<string, (port: number, options?: any) => Promise<any>>}
 */
const CLIENTS = {
  async ioredis(port, options = {}) {
    const { Redis } = require('ioredis');
    const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => 50, ...options });
    client.on('error', () => {});
    await client.connect();
    return { client, send: (...args) => client.call(...args), close: () => client.disconnect() };
  },
  async redis(port, options = {}) {
    const { createClient } = require('redis');
    const client = createClient({ socket: { port, host: '127.0.0.1', reconnectStrategy: () => 50 }, ...options });
    client.on('error', () => {});
    await client.connect();
    return { client, send: (...args) => client.sendCommand(args.map(String)), close: () => end(client) };
  },
};

/** redis 4 has another name for it. */
function end(client) {
  return client.destroy === undefined ? client.disconnect() : client.destroy();
}

/**
 * How often a command has been called since the server started.
 *
 * @param {(...args: any[]) => Promise<any>} send
 * @param {string} command
 */
async function callsOf(send, command) {
  const info = String(await send('INFO', 'commandstats'));
  return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}

module.exports = { CLIENTS, Server, callsOf, end, freePort, skip, startRedis };
