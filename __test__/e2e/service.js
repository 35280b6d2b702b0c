// @ts-check
'use strict';

// The examples as child processes, and a client for them: what all end-to-end tests share. A service started here has
// a data directory of its own, and both are gone when the test that asked for them ends.

const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { after, describe } = require('node:test');
const assert = require('node:assert/strict');

const EXAMPLES = path.join(__dirname, '..', '..', 'examples');

/** @typedef {{ server: string, env: Record<string, string> }} Variant */

/** The same service three times. @type {Record<string, Variant>} */
const VARIANTS = {
  Express: { server: path.join(EXAMPLES, 'express', 'server.js'), env: {} },
  'Nest on Express': { server: path.join(EXAMPLES, 'nestjs', 'server.js'), env: { PLATFORM: 'express' } },
  'Nest on Fastify': { server: path.join(EXAMPLES, 'nestjs', 'server.js'), env: { PLATFORM: 'fastify' } },
};

/** No test uses up what another may do: each request comes from an address of its own, as if through a proxy. */
let clients = 0;
let users = 0;
const newAddress = () => `198.18.${(clients += 1) >> 8 & 255}.${clients & 255}`;

const START_MS = 20_000;
const ANSWER_MS = 10_000; // a server that hangs fails its test, and does not hang it

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {http.IncomingHttpHeaders} headers
 * @property {Buffer} bytes
 * @property {string} text
 * @property {any} json undefined when the body is not JSON
 * @property {number} ms from the request to the last byte of the answer
 */

/**
 * @typedef {object} RequestOptions
 * @property {unknown} [json] the body, to be serialised
 * @property {string | Uint8Array} [body] the body as it is
 * @property {http.OutgoingHttpHeaders} [headers] undefined takes away what would be sent
 * @property {string} [cookie]
 * @property {http.Agent} [agent]
 */

/** @type {WeakMap<import('node:test').TestContext, (() => unknown)[]>} */
const cleanups = new WeakMap();

/**
 * As `t.after`, last first: a process has to end before its directory can go.
 * @param {import('node:test').TestContext} t
 * @param {() => unknown} cleanup
 */
function atEnd(t, cleanup) {
  let stack = cleanups.get(t);
  if (stack === undefined) {
    /** @type {(() => unknown)[]} */
    const fresh = [];
    stack = fresh;
    cleanups.set(t, fresh);
    t.after(async () => {
      while (fresh.length > 0) await fresh.pop()?.();
    });
  }
  stack.push(cleanup);
}

/**
 * An empty directory that goes away with the test.
 * @param {import('node:test').TestContext} t
 */
function temporaryDirectory(t) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-e2e-'));
  atEnd(t, () => fs.rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

class Service {
  stdout = '';
  stderr = '';
  url = '';

  /**
   * @param {string} dataDir
   * @param {Record<string, string>} env
   * @param {Variant} variant
   */
  constructor(dataDir, env, variant) {
    this.dataDir = dataDir;
    this.child = spawn(process.execPath, [variant.server], {
      env: {
        ...process.env, PORT: '0', HOST: '127.0.0.1', DATA_DIR: dataDir, TRUST_PROXY: 'loopback', ADMIN: '',
        ...variant.env, ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(this.child);
    this.child.once('exit', () => running.delete(this.child));
    this.child.stdout.setEncoding('utf8').on('data', (text) => { this.stdout += text; });
    this.child.stderr.setEncoding('utf8').on('data', (text) => { this.stderr += text; });
    /** @type {Promise<{ code: number | null, signal: string | null }>} */
    this.ended = once(this.child, 'close').then(([code, signal]) => ({ code, signal }));
    this.agent = new http.Agent({ keepAlive: true });
  }

  /**
   * @param {import('node:test').TestContext} t
   * @param {{ dataDir?: string, env?: Record<string, string>, variant?: Variant }} [options]
   */
  static async start(t, { dataDir = temporaryDirectory(t), env = {}, variant = VARIANTS.Express } = {}) {
    const service = new Service(dataDir, env, variant);
    atEnd(t, () => service.kill());
    const started = await Promise.race([service.#address(), service.ended]);
    if (typeof started !== 'string') {
      throw new Error(`the service did not start: ${JSON.stringify(started)}\n${service.stderr}`);
    }
    service.url = started;
    return service;
  }

  /**
   * For a start that must be refused.
   * @param {import('node:test').TestContext} t
   * @param {{ dataDir: string, env?: Record<string, string>, variant?: Variant }} options
   */
  static async startRefused(t, { dataDir, env = {}, variant = VARIANTS.Express }) {
    const service = new Service(dataDir, env, variant);
    atEnd(t, () => service.kill());
    const timer = setTimeout(() => service.kill(), START_MS);
    const { code } = await service.ended;
    clearTimeout(timer);
    assert.equal(code, 1, `expected a refusal with exit code 1: ${service.stdout}${service.stderr}`);
    assert.doesNotMatch(service.stderr, /\n\s+at /, 'an operator gets a sentence, not a stack');
    return service.stderr;
  }

  /** Ends without a chance to do anything. */
  async kill() {
    this.agent.destroy();
    this.child.kill('SIGKILL');
    return this.ended;
  }

  /** Ends in order. */
  async stop() {
    this.agent.destroy();
    this.child.kill('SIGTERM');
    return this.ended;
  }

  /**
   * @param {string} method
   * @param {string} target
   * @param {RequestOptions} [options]
   * @returns {Promise<Answer>}
   */
  request(method, target, { json, body = json === undefined ? undefined : JSON.stringify(json), headers = {}, cookie,
    agent = this.agent } = {}) {
    const bytes = body === undefined ? undefined : Buffer.from(body);
    const all = {
      'sec-fetch-site': 'same-origin', // as a browser says; a program would have to send an Origin or a token
      'x-forwarded-for': newAddress(),
      ...(bytes === undefined ? {} : { 'content-type': 'application/json', 'content-length': bytes.length }),
      ...(cookie === undefined ? {} : { cookie }),
      ...headers,
    };
    return new Promise((resolve, reject) => {
      const begin = performance.now();
      const request = http.request(this.url + target, {
        method,
        agent,
        signal: AbortSignal.timeout(ANSWER_MS),
        headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
      }, (response) => {
        /** @type {Buffer[]} */
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            bytes,
            text,
            json: parse(text),
            ms: performance.now() - begin,
          });
        });
      });
      request.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
        // An idle connection that the server closed in this very moment: clients try again.
        const isStale = request.reusedSocket && error.code === 'ECONNRESET' && agent === this.agent;
        if (isStale) resolve(this.request(method, target, { body, headers: all, agent: new http.Agent() }));
        else reject(error);
      });
      request.end(bytes);
    });
  }

  /**
   * A new user, logged in.
   * @param {string} [name] one of its own, if it is not given
   * @returns {Promise<{ name: string, password: string, cookie: string, device: string }>}
   */
  async signUp(name = `user${users += 1}`) {
    const password = 'correct horse battery staple';
    const answer = await this.request('POST', '/signup', { json: { name, password } });
    assert.equal(answer.status, 201, answer.text);
    return { name, password, cookie: sessionCookie(answer), device: cookieOf(answer, 'device') };
  }

  /**
   * @param {string} name
   * @param {string} password
   * @param {RequestOptions} [options]
   */
  logIn(name, password, options) {
    return this.request('POST', '/login', { json: { name, password }, ...options });
  }

  /**
   * @param {string} cookie
   * @param {string} name
   * @param {string | Uint8Array} body
   * @returns {Promise<{ id: string, name: string, bytes: number, created: string }>}
   */
  async upload(cookie, name, body) {
    const answer = await this.request('POST', `/files?name=${encodeURIComponent(name)}`, {
      body, cookie, headers: { 'content-type': 'application/octet-stream' },
    });
    assert.equal(answer.status, 201, answer.text);
    return answer.json;
  }

  /** What would have been mailed. @returns {{ kind: string, to: string, token: string }[]} */
  get outbox() {
    const file = path.join(this.dataDir, 'outbox.jsonl');
    if (!fs.existsSync(file)) return [];
    return fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }

  /**
   * @param {string} cookie
   * @param {string} text
   */
  async write(cookie, text) {
    const answer = await this.request('POST', '/notes', { json: { text }, cookie });
    assert.equal(answer.status, 201, answer.text);
    return answer.json;
  }

  /**
   * @param {string} cookie
   * @returns {Promise<{ id: string, text: string, created: string }[]>}
   */
  async notes(cookie) {
    const answer = await this.request('GET', '/notes', { cookie });
    assert.equal(answer.status, 200, answer.text);
    return answer.json.notes;
  }

  #address() {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no address after ${START_MS} ms\n${this.stderr}`)), START_MS);
      const look = () => {
        const found = /^Notes service on (http:\S+),.*\n(?:.*\n){5}/m.exec(this.stdout);
        if (found === null) return;
        clearTimeout(timer);
        this.child.stdout.off('data', look);
        resolve(found[1]);
      };
      this.child.stdout.on('data', look);
      this.ended.then(() => clearTimeout(timer));
    });
  }
}

/**
 * The cookie of an answer as a client sends it back.
 * @param {Answer} answer
 */
function sessionCookie(answer) {
  return cookieOf(answer, 'session');
}

/**
 * @param {Answer} answer
 * @param {string} name without its prefix
 */
function cookieOf(answer, name) {
  return setCookie(answer, name).split(';')[0];
}

/**
 * The one Set-Cookie header of this name.
 * @param {Pick<Answer, 'headers'>} answer
 * @param {string} name without its prefix
 */
function setCookie({ headers }, name) {
  const found = (headers['set-cookie'] ?? []).filter((header) => header.replace(/^__Host-/, '').startsWith(`${name}=`));
  assert.equal(found.length, 1, `the answer sets one cookie ${name}`);
  return found[0];
}

/**
 * The same tests for each variant of the service. `start` starts one for a test, `shared` one for all tests of the file
 * that need nothing of their own but users.
 * @param {(start: typeof Service.start, variant: Variant, shared: () => Promise<Service>, name: string) => void} define
 * @param {{ atOnce?: boolean, names?: string[] }} [options] `atOnce` for tests in which time does not count
 */
function onEachService(define, { atOnce = false, names = Object.keys(VARIANTS) } = {}) {
  describe('on each service', { concurrency: atOnce ? names.length : 1 }, () => {
    for (const name of names) defineOn(name, VARIANTS[name], define);
  });
}

/**
 * @param {string} name
 * @param {Variant} variant
 * @param {Parameters<typeof onEachService>[0]} define
 */
function defineOn(name, variant, define) {
  describe(name, { concurrency: 1 }, () => {
    /** @type {(() => unknown)[]} */
    const cleanups = [];
    /** @type {Promise<Service> | undefined} */
    let service;
    after(async () => {
      for (const cleanup of cleanups) await cleanup();
    });
    const suite = /** @type {any} */ ({ after: (/** @type {() => unknown} */ cleanup) => cleanups.push(cleanup) });
    const start = (/** @type {any} */ t, /** @type {object | undefined} */ options) =>
      Service.start(t, { ...options, variant });
    define(start, variant, () => (service ??= start(suite, {})), name);
  });
}

/**
 * Checks that an answer is a problem document, and nothing more than one.
 * @param {Pick<Answer, 'status' | 'text' | 'json'> & { headers: Record<string, any> }} answer
 * @param {number} status
 * @param {string} [code]
 */
function assertProblem(answer, status, code) {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  const { detail, ...problem } = answer.json;
  assert.match(problem.errorId, /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.deepEqual(problem, {
    type: 'about:blank',
    title: http.STATUS_CODES[status],
    status,
    ...(code === undefined ? {} : { code }),
    instance: `urn:uuid:${problem.errorId}`,
    errorId: problem.errorId,
  });
  assert.doesNotMatch(answer.text, /\bat .*:\d+:\d+|node_modules|\.js\b/, 'no stack');
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

module.exports = {
  Service, VARIANTS, assertProblem, cookieOf, newAddress, onEachService, sessionCookie, setCookie, temporaryDirectory,
};
