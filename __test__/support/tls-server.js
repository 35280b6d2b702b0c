'use strict';

/**
 * A server over TLS for tests, and a client with a certificate or without. The key is no secret: it is here, for
 * localhost, until the year 2126.
 */

const https = require('node:https');
const { once } = require('node:events');
const { after } = require('node:test');

const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNO1tbK3K8pVm0C+g
7xPn2++Ighn+HoutdWxkZzEC+ruhRANCAASJO8OY00t5WmPFmtYl9c0D4+UMu9yZ
7Csdo9HpiFsVp1kP3M35uzSjF7E+lC7JbvmJvBC3vwlQht7PtP87iQKT
-----END PRIVATE KEY-----
`;

const cert = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUVLyZwg0e7slouJTtwxmTjkjTVokwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjE3NTM1OVoYDzIxMjYxMDI5
MTc1MzU5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASJO8OY00t5WmPFmtYl9c0D4+UMu9yZ7Csdo9HpiFsVp1kP3M35uzSj
F7E+lC7JbvmJvBC3vwlQht7PtP87iQKTo28wbTAdBgNVHQ4EFgQUS9+7NVZfW4fW
dBYRAw9lZBTaTfgwHwYDVR0jBBgwFoAUS9+7NVZfW4fWdBYRAw9lZBTaTfgwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgDugwIDxZbGfyNNmVzGcID3DhCRUYbMpK/F6c0mVEU4cCIQCs
Bqedxb0ZXaPnR4mjZmOnzfl5iZP3bzT3ootcIH2/8Q==
-----END CERTIFICATE-----
`;

/** `options` as for https.createServer: `requestCert`, `ca`. */
async function serveTls(listener, options = {}) {
  const server = https.createServer({ key, cert, ...options }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: server.address().port, server };
}

/** One request on a connection of its own. */
async function sendTls(port, { method = 'GET', path = '/', headers = {}, hasCertificate = false } = {}) {
  const own = hasCertificate ? { key, cert } : {};
  const request = https.request({ host: '127.0.0.1', port, method, path, headers, agent: false, ca: cert, ...own });
  request.end();
  const [response] = await once(request, 'response');
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode, headers: response.headers, text };
}

module.exports = { cert, sendTls, serveTls };
