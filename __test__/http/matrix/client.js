'use strict';

/**
 * Sends the requests of matrix.cases.json over real connections and compares the answers with what is expected. In texts
 * `<<x*5>>` stands for x five times (`#` in it for the number of the time), `$name` for what an earlier request of the
 * case saved, `$name~` for the same with one character changed, `$origin` for the server's own origin.
 */

const assert = require('node:assert/strict');
const http = require('node:http');
const net = require('node:net');
const { once } = require('node:events');

const ANSWER_MS = 10_000;
const PROBLEM_MEMBERS = ['type', 'title', 'status', 'detail', 'code', 'instance', 'errorId'];

/** One case: a client with an address and cookies of its own. */
async function runCase({ requests }, port, address) {
  const client = { port, address, cookies: new Map(), saved: new Map([['origin', `http://127.0.0.1:${port}`]]) };
  for (const [index, request] of requests.entries()) {
    const answer = await send(client, request);
    try {
      check(client, request, answer);
    } catch (error) {
      error.message = `request ${index + 1}, answered ${answer.status} ${answer.text.slice(0, 300)}: ${error.message}`;
      throw error;
    }
    for (const [name, where] of Object.entries(request.save ?? {})) client.saved.set(name, find(answer, where));
  }
}

async function send(client, request) {
  const body = bodyOf(client, request);
  const headers = { 'x-forwarded-for': client.address, ...cookieHeader(client) };
  for (const [name, value] of Object.entries(request.headers ?? {})) headers[name] = fill(client, value);
  if (request.json !== undefined) headers['content-type'] ??= 'application/json';
  if (body !== undefined && !request.chunked) headers['content-length'] = body.length;
  const sent = http.request({
    host: '127.0.0.1',
    port: client.port,
    method: request.method,
    path: fill(client, request.path),
    headers,
    agent: false,
    timeout: ANSWER_MS,
  });
  sent.on('timeout', () => sent.destroy(new Error('no answer')));
  const answered = once(sent, 'response');
  if (request.chunked) {
    for (let at = 0; at < body.length; at += 5000) sent.write(body.subarray(at, at + 5000));
  }
  if (body === undefined || request.chunked) sent.end();
  else sent.end(body);
  sent.on('error', () => {}); // the connection of a body that was refused may be cut after the answer
  const [response] = await answered;
  const text = await textOf(response);
  for (const cookie of response.headers['set-cookie'] ?? []) keep(client, cookie);
  return { status: response.statusCode, headers: response.headers, text };
}

/** The whole text, or what there is of it when the connection is cut. */
async function textOf(stream) {
  const chunks = [];
  try {
    for await (const chunk of stream) chunks.push(chunk);
  } catch {
    chunks.push(Buffer.from(' (cut)'));
  }
  return Buffer.concat(chunks).toString();
}

function bodyOf(client, { body, json, repeat, raw }) {
  if (body !== undefined) return Buffer.from(fill(client, body));
  if (json !== undefined) return Buffer.from(fill(client, JSON.stringify(json)));
  if (raw !== undefined) return Buffer.from(raw, 'hex');
  if (repeat !== undefined) return Buffer.from(repeat.before + repeat.text.repeat(repeat.times) + repeat.after);
  return undefined;
}

function fill(client, text) {
  return text
    .replace(/<<([^*]+)\*(\d+)>>/g, (_, part, times) => {
      return Array.from({ length: Number(times) }, (__, index) => part.replace('#', String(index))).join('');
    })
    .replace(/\$([a-z]+)(~?)/g, (whole, name, changed) => {
      const value = client.saved.get(name);
      if (value === undefined) return whole;
      return changed === '' ? value : (value[0] === 'A' ? 'B' : 'A') + value.slice(1);
    });
}

function cookieHeader({ cookies }) {
  if (cookies.size === 0) return {};
  return { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') };
}

function keep({ cookies }, header) {
  const [, name, value] = /^([^=;]+)=([^;]*)/.exec(header);
  if (value === '' || /max-age=0\b/i.test(header)) cookies.delete(name);
  else cookies.set(name, value);
}

/** `/pointer` into the JSON, `header:name`, `cookie:name`. */
function find({ headers, text }, where) {
  const [kind, name] = where.split(':');
  if (kind === 'header') return headers[name];
  if (kind === 'cookie') return headers['set-cookie'].map((header) => header.split(';')[0].split('=')).find(([own]) => own === name)[1];
  return JSON.parse(text)[where.slice(1)];
}

function check(client, { method, expect }, { status, headers, text }) {
  if (expect.status === '2xx-or-4xx') assert.ok((status >= 200 && status < 300) || (status >= 400 && status < 500));
  else assert.equal(status, expect.status);
  if (expect.answer !== undefined) {
    const json = JSON.parse(text);
    for (const [name, value] of Object.entries(expect.answer)) assert.deepEqual(json[name], value, name);
  }
  if (expect.problem) checkProblem(status, headers, text, method);
  if (expect.code !== undefined) assert.equal(JSON.parse(text).code, expect.code);
  if (expect.no !== undefined) assert.ok(!text.includes(expect.no), `the answer holds ${expect.no}`);
  if (expect.text !== undefined) assert.ok(text.includes(expect.text), `the answer has no ${expect.text}`);
  for (const [name, value] of Object.entries(expect.header ?? {})) checkHeader(client, name, value, headers[name]);
}

function checkProblem(status, headers, text) {
  assert.match(headers['content-type'], /^application\/problem\+json/);
  const problem = JSON.parse(text);
  for (const name of Object.keys(problem)) assert.ok(PROBLEM_MEMBERS.includes(name), name);
  assert.equal(problem.status, status);
  assert.equal(problem.title, http.STATUS_CODES[status]);
  assert.match(problem.errorId, /^[0-9a-f-]{36}$/);
  assert.equal(problem.instance, `urn:uuid:${problem.errorId}`);
  assert.ok(!/\bat .*:\d+:\d+|node_modules|node:internal/.test(text), 'a stack');
}

/** null: absent; `/…/`: matches; `!…`: differs. */
function checkHeader(client, name, expected, given) {
  const value = Array.isArray(given) ? given.join('\n') : given;
  if (expected === null) return assert.equal(value, undefined, name);
  assert.notEqual(value, undefined, `${name} is missing`);
  const pattern = /^\/(.*)\/(i?)$/.exec(expected);
  if (pattern !== null) return assert.match(value, new RegExp(pattern[1], pattern[2]), name);
  if (expected.startsWith('!')) return assert.notEqual(value, fill(client, expected.slice(1)), name);
  return assert.equal(value, expected, name);
}

/** A case of bytes on a socket of its own. */
async function runRaw({ raw, expect }, port) {
  const socket = net.connect(port, '127.0.0.1');
  socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('no answer')));
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += chunk;
    // An interim answer, or an answer on a connection that stays open: enough has been seen.
    if (expect.status === 100 && / 200 /.test(text)) socket.end();
    if (expect.status === '413-or-100' && /\r\n\r\n/.test(text)) socket.end();
  });
  socket.on('error', () => {}); // resets come after the answer, or there is none, which is told below
  socket.write(fill({ saved: new Map() }, raw), 'latin1');
  await once(socket, 'close');
  const [status] = [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map((match) => Number(match[1]));
  if (expect.status === '413-or-100') assert.ok([413, 100].includes(status), text);
  else assert.equal(status, expect.status, text);
  if (expect.answers !== undefined) assert.equal([...text.matchAll(/HTTP\/1\.1 200/g)].length, expect.answers, text);
  if (status >= 400 && expect.problem !== false) assert.match(text, /content-type: application\/problem\+json/i);
}

module.exports = { runCase, runRaw };
