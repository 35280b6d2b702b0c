'use strict';

/**
 * Sealed streams once more, from the description of their format and over node:crypto, to check them against something
 * that shares no code with them.
 */

const { createCipheriv, createDecipheriv, createHmac, randomBytes } = require('node:crypto');

const CHUNK = 65_536;
const FRAME = 4 + CHUNK + 16;
const NO_BYTES = Buffer.alloc(0);

/** HKDF-SHA-256 (RFC 5869) by hand: that of node:crypto takes at most 1,024 bytes of info. */
function hkdf(secret, salt, info, length) {
  const hmac = (key, ...parts) => parts.reduce((mac, part) => mac.update(part), createHmac('sha256', key)).digest();
  const key = hmac(salt, secret);
  const blocks = [NO_BYTES];
  for (let count = 1; (count - 1) * 32 < length; count++) {
    blocks.push(hmac(key, blocks.at(-1), info, Buffer.from([count])));
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/** The key of the stream, and its commitment. */
function derive(key, header, salt, aad) {
  const derived = hkdf(key, salt, Buffer.concat([Buffer.from('holdfast stream'), header, Buffer.from(aad)]), 64);
  return { streamKey: derived.subarray(0, 32), commitment: derived.subarray(32) };
}

function nonceOf(number, isLast) {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(number), 3);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

/** One frame. `word` is what stands in front, when that is to be another than the plaintext's length. */
function sealFrame(streamKey, number, isLast, plaintext, word = plaintext.length + (isLast ? 2 ** 31 : 0)) {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(word);
  const cipher = createCipheriv('aes-256-gcm', streamKey, nonceOf(number, isLast)).setAAD(prefix);
  return Buffer.concat([prefix, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** Header and frames of a stream; `cut` says where the plaintext is cut, for streams that are not as they must be. */
function sealFrames({ id, key, plaintext, aad = '', salt = randomBytes(32), kind = 3, cut = CHUNK }) {
  const header = Buffer.concat([Buffer.from([kind, id.length]), Buffer.from(id)]);
  const { streamKey, commitment } = derive(key, header, salt, aad);
  const frames = [];
  let from = 0;
  do {
    const chunk = plaintext.subarray(from, from + cut);
    from += cut;
    frames.push(sealFrame(streamKey, frames.length, from >= plaintext.length, chunk));
  } while (from < plaintext.length);
  return { header: Buffer.concat([header, salt, commitment]), frames, streamKey };
}

function sealStream(how) {
  const { header, frames } = sealFrames(how);
  return Buffer.concat([header, ...frames]);
}

/** Header and frames of a stream, by the lengths that stand in it. */
function framesOf(sealed) {
  const headerLength = 2 + sealed[1] + 64;
  const frames = [];
  for (let at = headerLength; at < sealed.length; at += frames.at(-1).length) {
    frames.push(sealed.subarray(at, at + 4 + (sealed.readUInt32BE(at) & 0x7fffffff) + 16));
  }
  return { header: sealed.subarray(0, headerLength), frames };
}

/** The plaintext of a stream that is right in every respect; anything else throws. */
function openStream(sealed, key, aad = '') {
  const { header, frames } = framesOf(sealed);
  const end = header.length - 64;
  const { streamKey, commitment } = derive(key, header.subarray(0, end), header.subarray(end, end + 32), aad);
  if (header[0] !== 3 || !commitment.equals(header.subarray(end + 32))) throw new Error('no stream of this key');
  const chunks = frames.map((frame, number) => {
    const isLast = frame[0] >= 128;
    const length = frame.length - 20;
    if (isLast !== (number === frames.length - 1)) throw new Error(`frame ${number} is in the wrong place`);
    if (isLast ? length > CHUNK || (length === 0 && number > 0) : length !== CHUNK) throw new Error(`length ${length}`);
    const decipher = createDecipheriv('aes-256-gcm', streamKey, nonceOf(number, isLast), { authTagLength: 16 });
    decipher.setAAD(frame.subarray(0, 4)).setAuthTag(frame.subarray(-16));
    return Buffer.concat([decipher.update(frame.subarray(4, -16)), decipher.final()]);
  });
  if (chunks.length === 0) throw new Error('no frames');
  return Buffer.concat(chunks);
}

module.exports = { CHUNK, FRAME, framesOf, openStream, sealFrame, sealFrames, sealStream };
