'use strict';

/** Servers on a port of their own, and requests over real connections, for the tests of holdfast/express. */

const http = require('node:http');
const net = require('node:net');
const { once } = require('node:events');
const { sequence } = require('../../lib/http/sequence.js');

/** No test waits longer for an answer. */
const ANSWER_MS = 10_000;

/**
 * A server with this listener (an Express application, or a function), which does not keep the process from ending.
 *
 * @returns {Promise<{ port: number, url: string, server: http.Server, close: () => Promise<void> }>}
 */
async function serve(listener, options = {}) {
  const server = http.createServer(options, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  const { port } = server.address();
  const close = async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  return { port, url: `http://127.0.0.1:${port}`, server, close };
}

/**
 * Middleware on node:http alone. What they refuse is answered with its code, by `fail` if given; what they let through
 * by `route`.
 */
function listener(middlewares, route = echo, fail = answerWithCode) {
  const run = sequence(middlewares);
  return (req, res) => {
    run(req, res, (error) => {
      if (error !== undefined && error !== null) fail(error, req, res);
      else route(req, res);
    });
  };
}

function echo(req, res) {
  res.end(JSON.stringify({ body: req.body, query: req.safe?.query }) ?? '');
}

function answerWithCode(error, req, res) {
  const { status = 500, code, type, message } = error;
  res.statusCode = status;
  res.end(JSON.stringify({ code, type, message }));
}

/**
 * One request on a connection of its own, or of `agent`.
 *
 * @returns {Promise<{ status: number, headers: http.IncomingHttpHeaders, text: string, json: any }>}
 */
async function send(port, { method = 'GET', path = '/', headers = {}, body, chunks, agent = false } = {}) {
  const request = http.request({ host: '127.0.0.1', port, method, path, headers, agent, timeout: ANSWER_MS });
  request.on('timeout', () => request.destroy(new Error('no answer')));
  const answered = once(request, 'response');
  answered.catch(() => {});
  request.on('error', () => {}); // of a body that was refused: after the answer, or told by what awaits it
  if (chunks !== undefined) {
    for (const chunk of chunks) request.write(chunk);
  }
  request.end(body);
  const [response] = await answered;
  const text = await textOf(response);
  const { statusCode: status, statusMessage: message, headers: given } = response;
  return { status, message, headers: given, text, json: jsonOf(text) };
}

async function textOf(response) {
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function jsonOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Bytes on a socket of its own; resolves with all that comes until the server closes it.
 *
 * @param {(socket: net.Socket) => unknown} [work] More to write, in its own time.
 */
async function sendRaw(port, text, work) {
  const socket = net.connect(port, '127.0.0.1');
  let isLate = false;
  socket.setTimeout(ANSWER_MS, () => {
    isLate = true;
    socket.destroy();
  });
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk) => (answer += chunk));
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.write(text, 'latin1');
  await work?.(socket);
  await closed;
  if (isLate) throw new Error(`the server did not end the connection; it sent: ${answer}`);
  return answer;
}

/** Resolves when `condition` holds, which is looked at until it does. */
async function until(condition, what = String(condition)) {
  const end = Date.now() + ANSWER_MS;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

module.exports = { listener, send, sendRaw, serve, until };
