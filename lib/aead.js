// @ts-check
'use strict';

/**
 * AES-GCM under one key. JavaScript takes the output from Node's buffer pool and native code fills it.
 */

const native = require('./native.js');
const { requireBytes, toBytes } = require('./content.js');
const { KEY_BYTES, NONCE_BYTES, TAG_BYTES } = require('./aead-call.js');
const { checkKey, checkNonce, output, plaintextLength, readCall, written } = require('./aead-call.js');
const { makeDisposable } = require('./disposable.js');

const fillRandom = native.randomFiller();
const [encryptOnce, decryptOnce] = native.aesGcm();

const KEY_LENGTHS = Object.freeze([16, KEY_BYTES]);

function generateKey() {
  const key = Buffer.alloc(KEY_BYTES);
  fillRandom(key);
  return key;
}

/**
 * @param {unknown} key
 * @param {unknown} nonce
 * @param {unknown} plaintext
 * @param {unknown} [options]
 */
function aesGcmEncrypt(key, nonce, plaintext, options) {
  const bytes = toBytes(plaintext, 'plaintext');
  const { aad, into } = readCall(options);
  const out = output(into, bytes.length + TAG_BYTES);
  return written(out, encryptOnce(checkKey(key, 'key', KEY_LENGTHS), checkNonce(nonce), aad, bytes, out));
}

/**
 * @param {unknown} key
 * @param {unknown} nonce
 * @param {unknown} ciphertextAndTag
 * @param {unknown} [options]
 */
function aesGcmDecrypt(key, nonce, ciphertextAndTag, options) {
  const bytes = requireBytes(ciphertextAndTag, 'ciphertextAndTag');
  const { aad, into } = readCall(options);
  const out = output(into, plaintextLength(bytes, TAG_BYTES));
  return written(out, decryptOnce(checkKey(key, 'key', KEY_LENGTHS), checkNonce(nonce), aad, bytes, out));
}

class AesGcmKey {
  #encrypt;
  #decrypt;
  #seal;
  #open;
  #dispose;

  /** @param {unknown} key */
  constructor(key) {
    [this.#encrypt, this.#decrypt, this.#seal, this.#open, this.#dispose] = native.aesGcmKey(
      checkKey(key, 'key', KEY_LENGTHS),
    );
  }

  /**
   * @param {unknown} nonce
   * @param {unknown} plaintext
   * @param {unknown} [options]
   */
  encrypt(nonce, plaintext, options) {
    const bytes = toBytes(plaintext, 'plaintext');
    const { aad, into } = readCall(options);
    const out = output(into, bytes.length + TAG_BYTES);
    return written(out, this.#encrypt(checkNonce(nonce), aad, bytes, out));
  }

  /**
   * @param {unknown} nonce
   * @param {unknown} ciphertextAndTag
   * @param {unknown} [options]
   */
  decrypt(nonce, ciphertextAndTag, options) {
    const bytes = requireBytes(ciphertextAndTag, 'ciphertextAndTag');
    const { aad, into } = readCall(options);
    const out = output(into, plaintextLength(bytes, TAG_BYTES));
    return written(out, this.#decrypt(checkNonce(nonce), aad, bytes, out));
  }

  /**
   * @param {unknown} plaintext
   * @param {unknown} [options]
   */
  seal(plaintext, options) {
    const bytes = toBytes(plaintext, 'plaintext');
    const { aad, into } = readCall(options);
    const out = output(into, NONCE_BYTES + bytes.length + TAG_BYTES);
    return written(out, this.#seal(aad, bytes, out));
  }

  /**
   * @param {unknown} sealed
   * @param {unknown} [options]
   */
  open(sealed, options) {
    const bytes = requireBytes(sealed, 'sealed');
    const { aad, into } = readCall(options);
    const out = output(into, plaintextLength(bytes, NONCE_BYTES + TAG_BYTES));
    return written(out, this.#open(aad, bytes, out));
  }

  dispose() {
    this.#dispose();
  }
}
makeDisposable(AesGcmKey);

module.exports = { AesGcmKey, aesGcmDecrypt, aesGcmEncrypt, generateKey };
