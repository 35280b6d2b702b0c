// @ts-check
'use strict';

// Who may use the proving ground: a browser on this machine that shows its page. The server attacks processes of its
// own on request, which is nothing to offer to anybody else: not to the network, not to a proxy's clients, not to a
// site that has its name resolve to 127.0.0.1, and not to a page of another origin.

const LOOPBACK = /^(?:::1|(?:::ffff:)?127(?:\.\d{1,3}){3})$/;
const LOCAL_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;

// A proxy on this machine connects from loopback as well, and says for whom.
const BY_PROXIES = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/**
 * To others there is no proving ground: the router is left, and the application answers as it does for any address
 * that it does not know.
 * @param {any} req
 * @param {any} res
 * @param {(reason?: any) => void} next
 */
function localOnly(req, res, next) {
  const { headers, socket } = req;
  const isLocal = process.env.NODE_ENV !== 'production'
    && LOOPBACK.test(socket.remoteAddress ?? '')
    && LOCAL_HOST.test(headers.host ?? '')
    && !BY_PROXIES.some((name) => headers[name] !== undefined);
  next(isLocal ? undefined : 'router');
}

/**
 * Whether the request comes from this origin, as far as it says: browsers do, programs like curl say nothing.
 * @param {any} req
 */
function isSameOrigin({ headers }) {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  return origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
}

module.exports = { localOnly, isSameOrigin };
