// @ts-check
'use strict';

// Files: in and out as streams, sealed on the disk, each its owner's. What is too large, cut off, misnamed or damaged
// leaves nothing, tells nothing, and never looks like a whole file.

const test = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { randomBytes } = require('node:crypto');
const { setTimeout: sleep } = require('node:timers/promises');
const { assertProblem, onEachService, sessionCookie } = require('./service.js');

const MIB = 1024 * 1024;
const WAIT_MS = 15_000;
const OCTETS = { 'content-type': 'application/octet-stream' };

/** Names that are paths, or look like something else, or are not one. */
const BAD_NAMES = [
  '..', '.', '../../etc/passwd', '..\\..\\boot.ini', '/etc/passwd', 'C:\\boot.ini', 'a/b', 'a\\b', '.htaccess', 'a\0',
  'a\n.txt', 'a\r\nSet-Cookie: x=y', 'a"b', "a'b", 'a;b', 'a:b', 'a|b', 'a*', 'a?', '<script>', 'a.', 'a ', ' a', '-rf',
  '\u202efdp.exe', 'a\u202efdp.exe', 'a\u200bb', '\ud800', '\u{1f512}', 'x'.repeat(101), '',
];

onEachService((start, variant, shared) => {
  test('a file goes in and comes out, sealed on the disk, also after a restart', async (t) => {
    const service = await start(t);
    const { cookie, name, password } = await service.signUp();
    const content = Buffer.concat([Buffer.from('<script>marker-content</script>'), randomBytes(200_000)]);
    const file = await service.upload(cookie, 'Übersicht (2) 二.html', content);
    const { id, created, ...rest } = file;
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.ok(Date.parse(created) > 0);
    assert.deepEqual(rest, { name: 'Übersicht (2) 二.html', bytes: content.length });
    const empty = await service.upload(cookie, 'empty', '');
    assert.deepEqual(await files(service, cookie), [file, empty]);

    const answer = await service.request('GET', `/files/${id}`, { cookie });
    assert.equal(answer.status, 200);
    assert.ok(answer.bytes.equals(content));
    assert.equal(answer.headers['content-type'], 'application/octet-stream');
    assert.equal(answer.headers['content-length'], String(content.length));
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    assert.equal(answer.headers['content-security-policy'], "default-src 'none'; sandbox");
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.headers['content-disposition'],
      "attachment; filename=\"_bersicht (2) _.html\"; filename*=UTF-8''%C3%9Cbersicht%20%282%29%20%E4%BA%8C.html");
    const head = await service.request('HEAD', `/files/${id}`, { cookie });
    assert.deepEqual([head.status, head.headers['content-length'], head.text], [200, String(content.length), '']);
    const nothing = await service.request('GET', `/files/${empty.id}`, { cookie });
    assert.deepEqual([nothing.status, nothing.headers['content-length'], nothing.text], [200, '0', '']);

    const directory = path.join(service.dataDir, 'files');
    assert.deepEqual(fs.readdirSync(directory).sort(), [id, empty.id].sort());
    const sealed = fs.readFileSync(path.join(directory, id));
    assert.ok(!sealed.includes('marker-content') && !sealed.includes('script'));
    if (process.platform !== 'win32') {
      assert.equal(fs.statSync(path.join(directory, id)).mode & 0o777, 0o600);
      assert.equal(fs.statSync(directory).mode & 0o777, 0o700);
    }

    assert.deepEqual(await service.stop(), { code: 0, signal: null });
    const after = await start(t, { dataDir: service.dataDir });
    const again = sessionCookie(await after.logIn(name, password));
    assert.ok((await after.request('GET', `/files/${id}`, { cookie: again })).bytes.equals(content));
    assert.equal((await after.request('DELETE', `/files/${id}`, { cookie: again })).status, 204);
    assertProblem(await after.request('DELETE', `/files/${id}`, { cookie: again }), 404);
    assertProblem(await after.request('GET', `/files/${id}`, { cookie: again }), 404);
    assert.deepEqual(fs.readdirSync(directory), [empty.id]);
    assert.deepEqual(await files(after, again), [empty]);
  });

  test('files of others are not there', async () => {
    const service = await shared();
    const ada = await service.signUp();
    const bob = await service.signUp();
    const { id } = await service.upload(ada.cookie, 'a.txt', 'private');
    assert.deepEqual(await files(service, bob.cookie), []);
    for (const method of ['GET', 'DELETE']) {
      assertProblem(await service.request(method, `/files/${id}`, { cookie: bob.cookie }), 404);
      assertProblem(await service.request(method, `/files/${id}`), 401);
    }
    assertProblem(await service.request('POST', '/files?name=a.txt', { body: 'x', headers: OCTETS }), 401);
    assert.equal((await service.request('GET', `/files/${id}`, { cookie: ada.cookie })).text, 'private');
  });

  test('no name is a path, and none hides what it is', async () => {
    const service = await shared();
    const { cookie } = await service.signUp();
    const before = tree(service.dataDir);
    const send = (/** @type {string} */ query) =>
      service.request('POST', `/files?${query}`, { body: 'x', cookie, headers: OCTETS });
    const queries = [
      ...BAD_NAMES.map((name) => `name=${name === '\ud800' ? '%ed%a0%80' : encodeURIComponent(name)}`),
      'name=a.txt&name=b.txt', 'name[]=a.txt', 'name[__proto__]=a', '__proto__=a.txt', '__proto__[name]=a',
      'name=%zz', 'name=%ff', 'name=a.txt&path=/etc', 'name', '', 'name=%252e%252e%252fx', 'name=a%00.txt',
      'name=..%c0%afx',
    ];
    for (const query of queries) {
      const answer = await send(query);
      assert.equal(answer.status, 400, `${query}: ${answer.text}`);
      assertProblem(answer, 400, answer.json.code);
    }
    for (const id of ['..%2fnotes.keys', '..%2f..%2fetc%2fpasswd', '%2e%2e%2fnotes.keys', '__proto__', 'constructor',
      'a'.repeat(2000), '..%5cnotes.keys', 'notes.keys%00']) {
      for (const method of ['GET', 'DELETE']) {
        const { status } = await service.request(method, `/files/${id}`, { cookie });
        assert.ok([400, 404, 414].includes(status), `${method} ${id.slice(0, 20)}: ${status}`);
      }
    }
    assert.deepEqual(tree(service.dataDir), before, 'nothing came, nothing went');
    for (const name of ['a', 'README', 'a.tar.gz', 'a b (1).txt', 'ǅ_二.pdf', 'x'.repeat(100), 'CON', 'constructor']) {
      assert.equal((await service.upload(cookie, name, 'x')).name, name);
    }
  });

  test('what is too large, of no length or of another type is refused before it is kept', async () => {
    const service = await shared();
    const { cookie } = await service.signUp();
    const kept = newFilesOf(service);
    const target = '/files?name=a.bin';
    const send = (/** @type {string} */ body, /** @type {http.OutgoingHttpHeaders} */ headers) =>
      service.request('POST', target, { body, cookie, headers: { ...OCTETS, ...headers } });
    assertProblem(await refusedBody(service, cookie, 5 * MIB + 1), 413, 'ERR_BODY_LIMIT');
    assertProblem(await refusedBody(service, cookie, 1e15), 413, 'ERR_BODY_LIMIT');
    const chunked = { 'content-length': undefined, 'transfer-encoding': 'chunked' };
    assertProblem(await send('x', chunked), 411, 'ERR_BODY_LENGTH');
    for (const type of ['text/plain', 'text/html', 'multipart/form-data; boundary=x', 'application/octet-stream; x=y',
      'application/json', 'application/x-www-form-urlencoded']) {
      const { status } = await send('"x"', { 'content-type': type });
      assert.equal(status, 415, type);
    }
    assert.ok([400, 415].includes((await send('{', { 'content-type': 'application/json' })).status));
    assertProblem(await send('x', { 'content-encoding': 'gzip' }), 415);
    assert.equal((await send('x', { 'content-type': undefined })).status, 201, 'as curl -T sends it');
    const large = randomBytes(5 * MIB);
    const { id } = await service.upload(cookie, 'large.bin', large);
    assert.ok((await service.request('GET', `/files/${id}`, { cookie })).bytes.equals(large));
    assert.equal(kept().length, 2);
    assertProblem(await service.request('POST', '/notes',
      { body: Buffer.alloc(20_000), cookie, headers: OCTETS }), 413, 'ERR_BODY_LIMIT');
  });

  test('there is room for 20 files and 25 MiB, also when they come at once', async () => {
    const service = await shared();
    const { cookie } = await service.signUp();
    const send = (/** @type {number} */ bytes) =>
      service.request('POST', '/files?name=a.bin', { body: Buffer.alloc(bytes), cookie, headers: OCTETS });
    const large = await Promise.all(Array.from({ length: 6 }, () => send(4.5 * MIB)));
    assert.deepEqual(large.map(({ status }) => status).sort(), [201, 201, 201, 201, 201, 409]);
    const small = await Promise.all(Array.from({ length: 18 }, () => send(10)));
    assert.equal(small.filter(({ status }) => status === 201).length, 15);
    assert.equal(small.filter(({ status }) => status === 409).length, 3);
    const { id } = large.find(({ status }) => status === 201)?.json;
    assert.equal((await service.request('DELETE', `/files/${id}`, { cookie })).status, 204);
    assert.equal((await send(4 * MIB)).status, 201, 'what was deleted makes room');
    const bob = await service.signUp();
    await service.upload(bob.cookie, 'b.bin', Buffer.alloc(MIB));
  });

  test('an upload that is cut off leaves nothing, and its room is free again', async () => {
    const service = await shared();
    const { cookie } = await service.signUp();
    const kept = newFilesOf(service);
    const cut = async (/** @type {number} */ sent) => {
      const socket = net.connect(Number(new URL(service.url).port), '127.0.0.1');
      socket.on('error', () => {});
      socket.write(`POST /files?name=a.bin HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nCookie: ${cookie}\r\n`
        + `Content-Type: application/octet-stream\r\nContent-Length: ${5 * MIB}\r\n\r\n`);
      socket.write(Buffer.alloc(sent));
      return socket;
    };
    const sockets = await Promise.all([0, 1, 70_000, MIB, 3 * MIB].map(cut));
    await until(() => kept().length === 5, 'all five have begun');
    assert.ok(kept().every((name) => name.endsWith('.part')));
    assert.deepEqual(await files(service, cookie), [], 'none is a file');
    for (const socket of sockets) socket.destroy();
    await until(() => kept().length === 0, 'nothing is left');
    const whole = await Promise.all(Array.from({ length: 5 }, () =>
      service.request('POST', '/files?name=a.bin', { body: Buffer.alloc(5 * MIB), cookie, headers: OCTETS })));
    assert.deepEqual(whole.map(({ status }) => status), [201, 201, 201, 201, 201]);
    if (process.platform === 'linux') {
      const open = fs.readdirSync(`/proc/${service.child.pid}/fd`).map((fd) => {
        try {
          return fs.readlinkSync(`/proc/${service.child.pid}/fd/${fd}`);
        } catch {
          return '';
        }
      });
      assert.deepEqual(open.filter((target) => target.startsWith(path.join(service.dataDir, 'files'))), []);
    }
    assert.doesNotMatch(service.stderr, /"level":"error"/, 'a client that goes is no mistake of the service');
  });

  test('a download that is cut off holds nothing open', async (t) => {
    if (process.platform !== 'linux') return t.skip('looks into /proc');
    const service = await shared();
    const { cookie } = await service.signUp();
    const { id } = await service.upload(cookie, 'a.bin', Buffer.alloc(5 * MIB));
    const held = () => fs.readdirSync(`/proc/${service.child.pid}/fd`).filter((fd) => {
      try {
        return fs.readlinkSync(`/proc/${service.child.pid}/fd/${fd}`).includes(id);
      } catch {
        return false;
      }
    }).length;
    const sockets = Array.from({ length: 8 }, () => {
      const socket = net.connect(Number(new URL(service.url).port), '127.0.0.1');
      socket.on('error', () => {});
      socket.write(`GET /files/${id} HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\n\r\n`);
      return socket.pause();
    });
    await until(() => held() === 8, 'all are being read');
    for (const socket of sockets) socket.destroy();
    await until(() => held() === 0, 'none is');
    assert.equal((await service.request('GET', `/files/${id}`, { cookie })).bytes.length, 5 * MIB);
    assert.doesNotMatch(service.stderr, /"level":"error"/, 'a client that goes is no mistake of the service');
  });

  test('a file that was altered on the disk never looks like a whole one', async (t) => {
    const service = await start(t);
    const { cookie } = await service.signUp();
    const bob = await service.signUp();
    const content = randomBytes(MIB);
    const one = await service.upload(cookie, 'one.bin', content);
    const two = await service.upload(cookie, 'two.bin', randomBytes(MIB));
    const his = await service.upload(bob.cookie, 'one.bin', content);
    const file = (/** @type {{ id: string }} */ { id }) => path.join(service.dataDir, 'files', id);
    const good = fs.readFileSync(file(one));
    const flipped = (/** @type {number} */ at) => {
      const copy = Buffer.from(good);
      copy[at] ^= 1;
      return copy;
    };
    const get = () => service.request('GET', `/files/${one.id}`, { cookie });
    const atOnce = {
      'the first byte': flipped(0),
      'the header': flipped(20),
      'the first chunk': flipped(1000),
      'nothing at all': Buffer.alloc(0),
      'another file of the same user': fs.readFileSync(file(two)),
      'the same file of another user': fs.readFileSync(file(his)),
      'cut in the first chunk': good.subarray(0, 5000),
    };
    for (const [what, bytes] of Object.entries(atOnce)) {
      fs.writeFileSync(file(one), bytes);
      const answer = await get();
      assert.equal(answer.status, 500, what);
      assertProblem(answer, 500);
      assert.equal(answer.headers['content-disposition'], undefined);
    }
    const later = { 'a later chunk': flipped(700_000), 'the last byte': flipped(good.length - 1),
      'cut in the middle': good.subarray(0, 600_000) };
    for (const [what, bytes] of Object.entries(later)) {
      fs.writeFileSync(file(one), bytes);
      await assert.rejects(get(), what);
    }
    fs.rmSync(file(one));
    assertProblem(await get(), 500);
    fs.writeFileSync(file(one), good);
    assert.ok((await get()).bytes.equals(content), 'as it was');
    assert.equal((await service.request('GET', '/healthz')).status, 200);
  });

  test('what a crash leaves is finished or taken away by the next start', async (t) => {
    const before = await start(t);
    const { cookie } = await before.signUp();
    const kept = await before.upload(cookie, 'kept.bin', randomBytes(100_000));
    const directory = path.join(before.dataDir, 'files');
    const socket = net.connect(Number(new URL(before.url).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`POST /files?name=a.bin HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nCookie: ${cookie}\r\n`
      + `Content-Type: application/octet-stream\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(500_000)}`);
    await until(() => fs.readdirSync(directory).length === 2, 'the upload has begun');
    await before.kill();
    socket.destroy();
    assert.equal(fs.readdirSync(directory).length, 2);
    fs.renameSync(path.join(directory, kept.id), path.join(directory, `${kept.id}.part`)); // killed before its rename
    fs.writeFileSync(path.join(directory, 'stranger'), 'not ours');

    const after = await start(t, { dataDir: before.dataDir });
    assert.deepEqual(fs.readdirSync(directory).sort(), [kept.id, 'stranger'].sort());
    assert.match(after.stderr, /"level":"warn".*stranger/);
    assert.deepEqual(await files(after, cookie), [kept]);
    assert.equal((await after.request('GET', `/files/${kept.id}`, { cookie })).bytes.length, 100_000);
  });
}, { atOnce: true });

/** @typedef {import('./service.js').Service} Service */

/**
 * The names in the directory that are not there yet.
 * @param {Service} service
 */
function newFilesOf(service) {
  const names = () => fs.readdirSync(path.join(service.dataDir, 'files'));
  const before = new Set(names());
  return () => names().filter((name) => !before.has(name));
}

/**
 * @param {Service} service
 * @param {string} cookie
 */
async function files(service, cookie) {
  const answer = await service.request('GET', '/files', { cookie });
  assert.equal(answer.status, 200, answer.text);
  return answer.json.files;
}

/**
 * A request that only announces its body: the answer has to come without it.
 * @param {Service} service
 * @param {string} cookie
 * @param {number} bytes
 * @returns {Promise<any>}
 */
function refusedBody(service, cookie, bytes) {
  return new Promise((resolve, reject) => {
    const request = http.request(`${service.url}/files?name=a.bin`, {
      method: 'POST', agent: false,
      headers: { ...OCTETS, cookie, 'content-length': bytes, 'sec-fetch-site': 'same-origin' },
    }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => { text += chunk; });
      response.on('end', () => {
        request.destroy();
        resolve({ status: response.statusCode, headers: response.headers, text, json: JSON.parse(text) });
      });
    });
    request.on('error', reject);
    request.flushHeaders();
  });
}

/**
 * @param {() => boolean} condition
 * @param {string} what
 */
async function until(condition, what) {
  const end = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > end) assert.fail(`it did not happen: ${what}`);
    await sleep(10);
  }
}

/** What there is, and how large. @param {string} directory */
function tree(directory) {
  return fs.readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => `${name} ${fs.statSync(path.join(directory, name)).size}`).sort();
}
