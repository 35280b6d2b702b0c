'use strict';

/** The README's own example, as it stands there, run as a server. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const holdfast = require('..');

const root = path.join(__dirname, '..');
const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8');

describe('the example in the README', () => {
  let server;
  let address;
  const users = new Map();

  before(async () => {
    const [, code] = /^```js\n([^]*?)^```$/m.exec(readme.replaceAll('\r\n', '\n'));
    const requireAsUser = createRequire(path.join(root, 'examples', 'express', 'app.js'));
    const storedHash = async (name) => users.get(name) ?? null;
    const app = new Function('require', 'storedHash', `${code}\nreturn app;`)(requireAsUser, storedHash);
    const hasher = new holdfast.PasswordHasher({ argon2: { memoryKiB: 64, passes: 1 } });
    users.set('ada', await hasher.hash('correct horse'));
    await hasher.close();
    server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    address = `http://127.0.0.1:${server.address().port}/login`;
  });
  after(() => server?.close());

  const post = (body) => fetch(address, { method: 'POST', body, headers: { 'content-type': 'application/json' } });

  it('logs in, and seals a session', async () => {
    const response = await post(JSON.stringify({ name: 'ada', password: 'correct horse' }));
    assert.equal(response.status, 200);
    assert.match(response.headers.get('set-cookie'), /^session=[\w-]{60,};.*HttpOnly/);
    assert.match(response.headers.get('content-security-policy'), /object-src 'none'/);
  });

  for (const [what, body, status] of [
    ['a wrong password', '{"name":"ada","password":"wrong"}', 401],
    ['a missing user', '{"name":"bob","password":"wrong"}', 401],
    ['a name that is none', '{"name":"../ada","password":"x"}', 400],
    ['wrong types', '{"name":["ada"],"password":1}', 400],
    ['null', 'null', 400],
    ['a prototype', '{"__proto__":{"name":"ada"}}', 400],
    ['a deep body', '['.repeat(33) + ']'.repeat(33), 413],
    ['a large body', JSON.stringify('x'.repeat(11_000)), 413],
    ['no body', '', 400],
    ['no JSON', 'name=ada', 400],
  ]) {
    it(`answers ${what} with ${status}`, async () => {
      const response = await post(body);
      assert.equal(response.status, status);
      assert.match(response.headers.get('content-type'), /^application\/problem\+json/);
    });
  }
});
