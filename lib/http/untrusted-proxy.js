// @ts-check
'use strict';

/**
 * Notices requests that say they came through a proxy where the application has not been told to believe that one: if
 * there is a proxy, all of its clients are one address. Said once for each application, by an event and a process
 * warning; what the header says does not matter, and changes no key.
 */

const { publish } = require('./events.js');

/** Express and Fastify read the first, and nothing else. */
const FORWARDED_FOR = 'x-forwarded-for';
const FORWARDED = 'forwarded';
const REAL_IP = 'x-real-ip';

/** @type {WeakSet<object>} */
const noticed = new WeakSet();

/**
 * @param {any} req
 * @param {string} address What the request is counted by.
 */
function noticeProxy(req, address) {
  const { headers } = req;
  const header = headers[FORWARDED_FOR] ?? headers[FORWARDED] ?? headers[REAL_IP];
  if (header === undefined) return;
  const peer = req.socket?.remoteAddress ?? '';
  // The framework took it from the header, as it trusts the peer.
  if (address !== peer) return;
  notice(req, peer);
}

/**
 * @param {any} req
 * @param {string} peer
 */
function notice(req, peer) {
  const owner = typeof req.app === 'function' ? req.app : (req.socket?.server ?? process);
  if (noticed.has(owner)) return;
  const header = nameOf(req.headers);
  if (header === undefined || (header === 'X-Forwarded-For' && isTrusted(req, peer))) return;
  noticed.add(owner);
  publish('proxy.untrusted', req, { header });
  process.emitWarning(adviceOn(header), { type: 'HoldfastWarning', code: 'HOLDFAST_PROXY_UNTRUSTED' });
}

/** @param {object} headers */
function nameOf(headers) {
  if (Object.hasOwn(headers, FORWARDED_FOR)) return 'X-Forwarded-For';
  if (Object.hasOwn(headers, FORWARDED)) return 'Forwarded';
  return Object.hasOwn(headers, REAL_IP) ? 'X-Real-IP' : undefined;
}

/**
 * Whether the peer is a trusted proxy that is the client itself, on one machine with it, say.
 *
 * @param {any} req
 * @param {string} peer
 */
function isTrusted(req, peer) {
  const { app, ips } = req;
  if (typeof app?.enabled === 'function') {
    const trusts = app.get('trust proxy fn');
    return typeof trusts === 'function' && trusts(peer, 0) === true;
  }
  // Fastify's: the peer, and what it is believed about those behind it.
  return Array.isArray(ips) && ips.length > 1;
}

/** @param {string} header */
function adviceOn(header) {
  return [
    `A request with ${header} came from an address that the application does not trust as a proxy,`,
    'so rate limits count it by that address.',
    'If it is your proxy, all of its clients share one limit: have it send X-Forwarded-For, and say that you trust it',
    "(Express: app.set('trust proxy', …), Fastify: trustProxy) by its address or the number of proxies, not by true.",
    'If there is no proxy, a client made the header up: nothing believed it, and there is nothing to do.',
    'This is said once.',
  ].join(' ');
}

module.exports = { noticeProxy };
