'use strict';

/** Key rings with keys that a test can name: the key of `k7` is 32 bytes of 7. */

const { Keyring } = require('../..');

function ring(primary = 'k1', ids = [primary]) {
  const byte = (id) => Number(id.replace(/\D/g, '')) || 1;
  return new Keyring({ primary, keys: Object.fromEntries(ids.map((id) => [id, Buffer.alloc(32, byte(id))])) });
}

module.exports = { ring };
