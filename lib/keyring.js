// @ts-check
'use strict';

/**
 * Rings of named keys: messages, and tokens, which are JSON in and text out. The formats are described in docs/aead.md.
 */

const native = require('./native.js');
const { createError, wrongType, wrongValue } = require('./errors.js');
const { isBytes, isLatin1, requireBytes, toBytes } = require('./content.js');
const { integer, readOptions, table, unchecked } = require('./options.js');
const { KEY_BYTES, NO_BYTES, TAG_BYTES, checkKey, decryptionFailed, output } = require('./aead-call.js');
const { ownOptions, plaintextLength, readCall, written } = require('./aead-call.js');
const { makeDisposable } = require('./disposable.js');
const { parseJson } = require('./json.js');
const { Opener, Sealer } = require('./sealed-stream.js');
const { iterate, transformOf, webTransformOf } = require('./stream.js');

const NONCE_BYTES = 24;
/** A header's kind, the length of the key id, and an id of at most 32 characters. */
const ID_AT = 2;
const MAX_ID = 32;
const MAX_KEYS = 1000;
const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;
/** The values of a header's first byte: message, token, stream. */
const KINDS = 3;

const RING_KEY = Object.freeze([KEY_BYTES]);

/** Where the functions for streams start among those that native code gives. */
const STREAMS_AT = 5;

/** Given to the constructor in place of options: a ring that native code has made already. */
class NativeRing {
  #primary;
  #functions;

  /**
   * @param {string} primary
   * @param {any[]} functions
   */
  constructor(primary, functions) {
    this.#primary = primary;
    this.#functions = functions;
  }

  /**
   * What it holds, or nothing for any other value. Options of users, which may be proxies, notice nothing.
   *
   * @param {any} value
   */
  static read(value) {
    if (typeof value !== 'object' || value === null || !(#functions in value)) return undefined;
    return { primary: value.#primary, functions: value.#functions };
  }
}

class Keyring {
  #primary;
  #seal;
  #open;
  #reseal;
  #sealToken;
  #openToken;
  #sealStream;
  #openStream;
  #rotate;
  #dispose;
  #overhead;
  #isDisposed = false;

  /** @param {unknown} options */
  constructor(options) {
    const { primary, functions } = NativeRing.read(options) ?? makeRing(options);
    this.#primary = primary;
    this.#overhead = ID_AT + primary.length + NONCE_BYTES + TAG_BYTES;
    [this.#seal, this.#open, this.#reseal, this.#sealToken, this.#openToken] = functions;
    [this.#sealStream, this.#openStream, this.#rotate, this.#dispose] = functions.slice(STREAMS_AT);
  }

  /**
   * @param {unknown} plaintext
   * @param {unknown} [options]
   */
  seal(plaintext, options) {
    const bytes = toBytes(plaintext, 'plaintext');
    const { aad, into } = readCall(options);
    const out = output(into, bytes.length + this.#overhead);
    return written(out, this.#seal(aad, bytes, out));
  }

  /**
   * @param {unknown} sealed
   * @param {unknown} [options]
   */
  open(sealed, options) {
    const bytes = requireBytes(sealed, 'sealed');
    const { aad, into } = readCall(options);
    const out = output(into, plaintextLength(bytes, overheadOf(bytes)));
    return written(out, this.#open(aad, bytes, out));
  }

  /** @param {unknown} sealed */
  inspect(sealed) {
    const keyId = keyIdOf(sealed);
    return { keyId, stale: keyId !== this.#primary };
  }

  /**
   * @param {unknown} sealed
   * @param {unknown} [options]
   */
  reseal(sealed, options) {
    const bytes = requireBytes(sealed, 'sealed');
    const { aad, into } = readCall(options);
    const out = output(into, plaintextLength(bytes, overheadOf(bytes)) + this.#overhead);
    return written(out, this.#reseal(aad, bytes, out));
  }

  /**
   * @param {unknown} value
   * @param {unknown} options
   */
  sealToken(value, options) {
    const given = ownOptions(options, SEAL_TOKEN_OPTIONS);
    const purpose = purposeOf(given);
    const ttlMs = readTtl(Object.hasOwn(given, 'ttlMs') ? given.ttlMs : undefined, 'options.ttlMs');
    const json = JSON.stringify(value);
    if (json === undefined) throw wrongType('value', 'what JSON can express');
    // 0 is for ever: not even a clock that goes wrong may say that.
    const expires = ttlMs === undefined ? 0 : Math.max(1, Date.now() + ttlMs);
    const token = this.#sealToken(purpose, expires, json, isLatin1(json));
    // What openToken would refuse is not sealed: this says what it is.
    if (token === undefined) parseJson(json);
    return token;
  }

  /**
   * @param {unknown} token
   * @param {unknown} options
   */
  openToken(token, options) {
    const purpose = purposeOf(ownOptions(options, OPEN_TOKEN_OPTIONS));
    if (typeof token !== 'string') throw wrongType('token', 'a string');
    if (token.length > MAX_TOKEN) throw decryptionFailed();
    const json = this.#openToken(purpose, Date.now(), token, isLatin1(token));
    if (typeof json === 'string') {
      try {
        return JSON.parse(json);
      } catch {
        return parseJson(json);
      }
    }
    return parseJson(json[0]);
  }

  /** @param {unknown} [options] */
  sealStream(options) {
    return transformOf(this.#sealer(options), true);
  }

  /** @param {unknown} [options] */
  openStream(options) {
    return transformOf(this.#opener(options), false);
  }

  /** @param {unknown} [options] */
  sealWebStream(options) {
    return webTransformOf(this.#sealer(options), true);
  }

  /** @param {unknown} [options] */
  openWebStream(options) {
    return webTransformOf(this.#opener(options), false);
  }

  /**
   * @param {unknown} source
   * @param {unknown} [options]
   */
  sealFile(source, options) {
    return iterate(source, () => this.#sealer(options), true);
  }

  /**
   * @param {unknown} source
   * @param {unknown} [options]
   */
  openFile(source, options) {
    return iterate(source, () => this.#opener(options), false);
  }

  /** @param {unknown} options */
  #sealer(options) {
    return new Sealer(this.#sealStream, readOptions(options, STREAM_OPTIONS).aad, this.#primary.length);
  }

  /** @param {unknown} options */
  #opener(options) {
    const { aad } = readOptions(options, STREAM_OPTIONS);
    // Otherwise it would come out with the header, if one comes.
    if (this.#isDisposed) throw createError('ERR_CLOSED', 'this Keyring has been disposed of: make a new one');
    return new Opener(this.#openStream, aad);
  }

  /**
   * @param {unknown} id
   * @param {unknown} key
   */
  rotate(id, key) {
    if (typeof id !== 'string') throw wrongType('id', 'a string');
    if (!KEY_ID.test(id)) throw wrongValue('id', 'a key id of 1 to 32 ASCII letters, digits, - and _');
    const functions = this.#rotate(id, checkKey(key, 'key', RING_KEY));
    return new Keyring(new NativeRing(id, functions));
  }

  dispose() {
    this.#isDisposed = true;
    this.#dispose();
  }
}
makeDisposable(Keyring);

/** As in crates/aead: 64 KiB of JSON with everything around it. */
const MAX_TOKEN = Math.ceil(((64 * 1024 + 128) * 4) / 3);

const RING_OPTIONS = table({ primary: unchecked, keys: unchecked });
const STREAM_OPTIONS = table({ aad: readAad });
const OPEN_TOKEN_OPTIONS = table({ purpose: unchecked });
const SEAL_TOKEN_OPTIONS = table({ purpose: unchecked, ttlMs: unchecked });

/** @param {unknown} options */
function makeRing(options) {
  const { primary, keys } = readOptions(options, RING_OPTIONS);
  if (typeof primary !== 'string') throw wrongType('options.primary', 'a string');
  if (typeof keys !== 'object' || keys === null || isBytes(keys)) {
    throw wrongType('options.keys', 'an object of key ids and keys');
  }
  const ids = Object.keys(keys);
  if (!ids.includes(primary)) throw wrongValue('options.primary', 'one of the ids in options.keys');
  if (ids.length > MAX_KEYS) throw wrongValue('options.keys', `at most ${MAX_KEYS} keys`);
  if (!ids.every((id) => KEY_ID.test(id))) {
    throw wrongValue('options.keys', 'named by ids of 1 to 32 ASCII letters, digits, - and _');
  }
  const ordered = [primary, ...ids.filter((id) => id !== primary)];
  const bytes = ordered.map((id) => checkKey(/** @type {any} */ (keys)[id], 'each of options.keys', RING_KEY));
  return { primary, functions: native.keyring(ordered, bytes) };
}

/**
 * Kept by an opener until the header has come: a copy, as the caller's may change.
 *
 * @type {import('./options.js').Reader<Uint8Array>}
 */
function readAad(value, name) {
  return value === undefined ? NO_BYTES : new Uint8Array(toBytes(value, name));
}

/** @param {Uint8Array} sealed */
function overheadOf(sealed) {
  return ID_AT + (sealed.length > 1 ? sealed[1] : 0) + NONCE_BYTES + TAG_BYTES;
}

/**
 * The key id in the header of a message, a stream's start, or a token. Nothing is authenticated yet.
 *
 * @param {unknown} sealed
 */
function keyIdOf(sealed) {
  if (typeof sealed !== 'string' && !isBytes(sealed)) throw wrongType('sealed', 'a Uint8Array, or a token');
  // As many characters as the longest header takes, and whole groups of four.
  const head = typeof sealed === 'string' ? Buffer.from(sealed.slice(0, 48), 'base64url') : sealed;
  const [kind, length] = head;
  const id = Buffer.from(head.subarray(ID_AT, ID_AT + Math.min(length, MAX_ID))).toString('latin1');
  if (!(kind >= 1 && kind <= KINDS) || id.length !== length || !KEY_ID.test(id)) throw decryptionFailed();
  return id;
}

/** The purpose that was read last, and its bytes: most programs have one or two, as constants. */
let lastPurpose = '';
/** @type {Uint8Array} */
let lastPurposeBytes = Buffer.alloc(0);

const LONGEST_KEPT = 256;

/** @param {any} options */
function purposeOf(options) {
  const purpose = options !== undefined && Object.hasOwn(options, 'purpose') ? options.purpose : undefined;
  if (purpose === lastPurpose && lastPurpose !== '') return lastPurposeBytes;
  if (typeof purpose !== 'string') throw wrongType('options.purpose', 'a string');
  if (purpose === '') throw wrongValue('options.purpose', "a name for what the token is for, such as 'session'");
  // In memory of its own: in a pool, what somebody else writes by mistake could make another purpose of it.
  const bytes = new Uint8Array(toBytes(purpose, 'options.purpose'));
  if (purpose.length <= LONGEST_KEPT) [lastPurpose, lastPurposeBytes] = [purpose, bytes];
  return bytes;
}

/** Some 8,900 years. */
const MOST_TTL_MS = 2 ** 48;
const readTtlMs = integer(1, MOST_TTL_MS, 1);

/** @type {import('./options.js').Reader<number | undefined>} */
function readTtl(value, name) {
  return value === undefined ? undefined : readTtlMs(value, name);
}

module.exports = { Keyring };
