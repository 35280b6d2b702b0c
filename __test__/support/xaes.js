'use strict';

/**
 * XAES-256-GCM once more, from its specification (C2SP, XAES-256-GCM.md) and over node:crypto, to check the sealed
 * format against something that shares no code with it.
 */

const { createCipheriv, createDecipheriv } = require('node:crypto');

/** @param {Uint8Array} key @param {Uint8Array} block */
function aesBlock(key, block) {
  return createCipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(block);
}

/** The key of AES-256-GCM for this nonce: two blocks of CMAC in counter mode, each of one complete block. */
function deriveKey(key, nonce) {
  const l = aesBlock(key, Buffer.alloc(16));
  const k1 = Buffer.alloc(16);
  for (let at = 0; at < 16; at++) k1[at] = (l[at] << 1) | (at < 15 ? l[at + 1] >> 7 : 0);
  if ((l[0] & 0x80) !== 0) k1[15] ^= 0x87;
  const blocks = [1, 2].map((counter) => {
    const message = Buffer.concat([Buffer.from([0, counter, 0x58, 0]), nonce.subarray(0, 12)]);
    return aesBlock(
      key,
      message.map((byte, at) => byte ^ k1[at]),
    );
  });
  return Buffer.concat(blocks);
}

/** nonce(24) → ciphertext ‖ tag */
function xaesSeal(key, nonce, plaintext, aad) {
  const cipher = createCipheriv('aes-256-gcm', deriveKey(key, nonce), nonce.subarray(12));
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function xaesOpen(key, nonce, sealed, aad) {
  const decipher = createDecipheriv('aes-256-gcm', deriveKey(key, nonce), nonce.subarray(12), { authTagLength: 16 });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(sealed.length - 16));
  return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - 16)), decipher.final()]);
}

/** A message as the documentation lays it out: kind, length of the key id, key id, nonce, ciphertext, tag. */
function sealMessage({ kind, id, key, nonce, plaintext, aad = Buffer.alloc(0) }) {
  const header = Buffer.concat([Buffer.from([kind, id.length]), Buffer.from(id)]);
  return Buffer.concat([header, nonce, xaesSeal(key, nonce, plaintext, Buffer.concat([header, aad]))]);
}

/** The plaintext of such a message. */
function openMessage(message, key, aad = Buffer.alloc(0)) {
  const end = 2 + message[1];
  const header = message.subarray(0, end);
  return xaesOpen(key, message.subarray(end, end + 24), message.subarray(end + 24), Buffer.concat([header, aad]));
}

module.exports = { deriveKey, openMessage, sealMessage, xaesSeal };
