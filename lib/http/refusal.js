// @ts-check
'use strict';

/**
 * Answers to what never reaches an application: bytes that are no HTTP, requests that take too long, more headers
 * than a server takes. A problem document, the end of the connection, and an event with the same errorId.
 */

const http = require('node:http');
const { randomUUID } = require('node:crypto');
const { PHASES } = require('./connections.js');
const { publish } = require('./events.js');
const { TYPE, problemBody } = require('./problem.js');
const { endAnswer } = require('./unread-body.js');

/**
 * Status and reason by the codes of node:http. The other codes of its parser begin with HPE_, too.
 *
 * @type {Readonly<Record<string, readonly [number, string]>>}
 */
const KNOWN = Object.assign(Object.create(null), {
  HPE_HEADER_OVERFLOW: [431, 'max-headers'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'malformed'],
});
/** The client has gone in the middle of a request: an upload that was cancelled, most likely. */
const GONE = 'HPE_INVALID_EOF_STATE';

/** @type {readonly [number, string]} */
const MALFORMED = [400, 'malformed'];
/** @type {readonly [number, string]} */
const LATE_HEAD = [408, 'headers-timeout'];
/** @type {readonly [number, string]} */
const LATE_BODY = [408, 'request-timeout'];

/**
 * Answers an error of a connection where an answer would be taken for that of this request and no other, and ends it:
 * whoever calls this destroys what the client does not close.
 *
 * @param {unknown} error
 * @param {any} socket
 * @param {import('./connections.js').Connection | undefined} connection
 */
function refuseSocket(error, socket, connection) {
  const phase = connection?.phase();
  const req = phase === PHASES.BODY ? connection?.req : undefined;
  const code = codeOf(error);
  const known = whatIs(code, req);
  if (known === undefined) {
    socket.destroy(); // there is nobody to tell
    return;
  }
  const [status, reason] = known;
  const errorId = randomUUID();
  publishRefusal(reason, req, socket, { status, code, errorId });
  if (!socket.writable || connection === undefined || !mayAnswer(connection, phase)) {
    socket.destroy();
    return;
  }
  const body = problemBody(status, errorId);
  const lines = Object.entries(headersOf(body)).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\n${lines.join('')}\r\n`;
  socket.end(Buffer.concat([Buffer.from(head, 'latin1'), body]));
}

/**
 * Answers a request instead of the application.
 *
 * @param {number} status
 * @param {string} reason
 * @param {any} req
 * @param {any} res
 */
function refuseRequest(status, reason, req, res) {
  const errorId = randomUUID();
  publishRefusal(reason, req, req.socket, { status, errorId });
  const body = problemBody(status, errorId);
  res.statusCode = status;
  for (const [name, value] of Object.entries(headersOf(body))) res.setHeader(name, value);
  endAnswer(req, res, body);
}

/**
 * @param {string} reason
 * @param {any} req
 * @param {{ remoteAddress?: string } | undefined} ends
 * @param {Record<string, string | number>} [details]
 */
function publishRefusal(reason, req, ends, details) {
  // Of a request the address is known better: a proxy that is trusted may have told it.
  const whose = req === undefined ? { address: ends?.remoteAddress } : undefined;
  publish('server.connection-refused', req, { reason, ...whose, ...details });
}

/**
 * @param {string} code
 * @param {unknown} req Whose body is incomplete.
 */
function whatIs(code, req) {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return req === undefined ? LATE_HEAD : LATE_BODY;
  return KNOWN[code] ?? (code.startsWith('HPE_') && code !== GONE ? MALFORMED : undefined);
}

/**
 * Whether what is written now is read as the answer to what is wrong: nothing else is due, or the body that is wrong
 * belongs to the only request that is, and nothing of its answer has been sent.
 *
 * @param {import('./connections.js').Connection} connection
 * @param {number | undefined} phase
 */
function mayAnswer({ isPipelined, res }, phase) {
  if (phase === PHASES.BODY) return !isPipelined && res?.headersSent === false;
  return phase === PHASES.IDLE || phase === PHASES.HEAD;
}

/**
 * @param {Buffer} body
 * @returns {Record<string, string>}
 */
function headersOf(body) {
  return {
    'Content-Type': TYPE,
    'Content-Length': String(body.length),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    Connection: 'close',
  };
}

/** @param {any} error */
function codeOf(error) {
  const code = error?.code;
  return typeof code === 'string' ? code : '';
}

module.exports = { publishRefusal, refuseRequest, refuseSocket };
