// Benchmarks of AesGcmKey, Keyring and tokens. The peer is node:crypto as it has to be used: a random nonce, associated
// data, tag, everything in one Buffer; and WebCrypto (subtle). Every sealed message is opened by every contestant that
// shares the format. Keyring's XAES-256-GCM derives a key for each message, which plain AES-GCM does not.
import assert from 'node:assert/strict';
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, webcrypto } from 'node:crypto';

const SIZES = [
  ['16 B', 16],
  ['256 B', 256],
  ['1 KB', 1024],
  ['1 MiB', 1024 * 1024],
];
const AAD = Buffer.from('notes/v1');
const PURPOSE = 'session';
const TTL_SECONDS = 14 * 24 * 3600;

/** Two hundred bytes of JSON: what a session cookie holds. */
const SESSION = {
  userId: '5f0c1f0e-6a86-4a0a-9f5e-2f9c1a1b7c3d',
  name: 'Ana Horvat',
  roles: ['editor', 'billing'],
  signedInAt: 1_760_000_000_000,
  csrf: 'q3tZk1nC0mWcV5y8Rj2xLw',
  locale: 'nl-NL',
  theme: 'dark',
  device: 'laptop-42',
};

export const cases = [
  ...SIZES.map(([title, bytes]) => seal(title, Number(bytes))),
  ...SIZES.map(([title, bytes]) => open(title, Number(bytes))),
  sealToken(),
  openToken(),
];

function seal(title, bytes) {
  return {
    group: 'Seal with a random nonce and associated data',
    title,
    headline: bytes === 1024 ? 'seal 1 KB (AES-256-GCM)' : undefined,
    async setup({ holdfast }) {
      const plaintext = randomBytes(bytes);
      const { own, ring, into, crypto, subtle } = await sealers(holdfast);
      const room = Buffer.alloc(bytes + 28);
      return {
        contestants: {
          holdfast: () => own.seal(plaintext, { aad: AAD }),
          'holdfast into': () => into.seal(plaintext, { aad: AAD, into: room }),
          'holdfast Keyring': () => ring.seal(plaintext, { aad: AAD }),
          'node:crypto': () => crypto.seal(plaintext),
          subtle: () => subtle.seal(plaintext),
        },
        async check(outputs) {
          assert.ok(ring.open(outputs['holdfast Keyring'], { aad: AAD }).equals(plaintext));
          for (const name of ['holdfast', 'holdfast into', 'node:crypto', 'subtle']) {
            const sealed = Buffer.from(outputs[name]);
            assert.equal(sealed.length, bytes + 28);
            assert.ok(own.open(sealed, { aad: AAD }).equals(plaintext), name);
            assert.ok(crypto.open(sealed).equals(plaintext), name);
            assert.ok((await subtle.open(sealed)).equals(plaintext), name);
          }
        },
      };
    },
  };
}

function open(title, bytes) {
  return {
    group: 'Open',
    title,
    async setup({ holdfast }) {
      const plaintext = randomBytes(bytes);
      const { own, ring, into, crypto, subtle } = await sealers(holdfast);
      const sealed = crypto.seal(plaintext);
      const ringSealed = ring.seal(plaintext, { aad: AAD });
      const room = Buffer.alloc(bytes);
      return {
        contestants: {
          holdfast: () => own.open(sealed, { aad: AAD }),
          'holdfast into': () => into.open(sealed, { aad: AAD, into: room }),
          'holdfast Keyring': () => ring.open(ringSealed, { aad: AAD }),
          'node:crypto': () => crypto.open(sealed),
          subtle: () => subtle.open(sealed),
        },
        normalize: (output) => Buffer.compare(output, plaintext) === 0,
        check(outputs) {
          for (const [name, output] of Object.entries(outputs)) assert.ok(plaintext.equals(output), name);
        },
      };
    },
  };
}

function sealToken() {
  return {
    group: 'Token of a 200-byte session',
    title: 'seal',
    headline: 'seal a 200-byte session into a token',
    async setup({ holdfast, peer }) {
      const { own, crypto, iron } = await tokens(holdfast, await peer('iron-session'));
      return {
        contestants: {
          holdfast: () => own.seal(SESSION),
          'node:crypto': () => crypto.seal(SESSION),
          'iron-session': iron && (() => iron.seal(SESSION)),
        },
        async check(outputs) {
          assert.deepEqual(own.open(outputs.holdfast), SESSION);
          assert.deepEqual(crypto.open(outputs['node:crypto']), SESSION);
          if (iron) assert.deepEqual(await iron.open(outputs['iron-session']), SESSION);
        },
      };
    },
  };
}

function openToken() {
  return {
    group: 'Token of a 200-byte session',
    title: 'open',
    headline: 'open a token of a 200-byte session',
    async setup({ holdfast, peer }) {
      const { own, crypto, iron } = await tokens(holdfast, await peer('iron-session'));
      const token = { own: own.seal(SESSION), crypto: crypto.seal(SESSION), iron: iron && (await iron.seal(SESSION)) };
      return {
        contestants: {
          holdfast: () => own.open(token.own),
          'node:crypto': () => crypto.open(token.crypto),
          'iron-session': iron && (() => iron.open(token.iron)),
        },
      };
    },
  };
}

async function sealers({ AesGcmKey, Keyring, generateKey }) {
  const key = generateKey();
  return {
    own: new AesGcmKey(key),
    into: new AesGcmKey(key),
    ring: new Keyring({ primary: 'k1', keys: { k1: key } }),
    crypto: nodeCrypto(createSecretKey(key)),
    subtle: await webCrypto(key),
  };
}

async function tokens({ Keyring, generateKey }, ironSession) {
  const key = generateKey();
  const ring = new Keyring({ primary: 'k1', keys: { k1: key } });
  const password = key.toString('base64url');
  return {
    own: {
      seal: (value) => ring.sealToken(value, { purpose: PURPOSE, ttlMs: TTL_SECONDS * 1000 }),
      open: (token) => ring.openToken(token, { purpose: PURPOSE }),
    },
    crypto: handWritten(createSecretKey(key)),
    iron: ironSession && {
      seal: (value) => ironSession.sealData(value, { password, ttl: TTL_SECONDS }),
      open: (token) => ironSession.unsealData(token, { password, ttl: TTL_SECONDS }),
    },
  };
}

function nodeCrypto(key) {
  return {
    seal(plaintext) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(AAD);
      const body = cipher.update(plaintext);
      const rest = cipher.final();
      return Buffer.concat([nonce, body, rest, cipher.getAuthTag()]);
    },
    open(sealed) {
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), { authTagLength: 16 });
      decipher.setAAD(AAD);
      decipher.setAuthTag(sealed.subarray(-16));
      return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
    },
  };
}

async function webCrypto(bytes) {
  const { subtle } = webcrypto;
  const key = await subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']);
  return {
    async seal(plaintext) {
      const nonce = randomBytes(12);
      const sealed = await subtle.encrypt({ name: 'AES-GCM', iv: nonce, additionalData: AAD }, key, plaintext);
      return Buffer.concat([nonce, Buffer.from(sealed)]);
    },
    async open(sealed) {
      const algorithm = { name: 'AES-GCM', iv: sealed.subarray(0, 12), additionalData: AAD };
      return Buffer.from(await subtle.decrypt(algorithm, key, sealed.subarray(12)));
    },
  };
}

// A token as careful code with node:crypto makes it: purpose as associated data, expiry inside, base64url.
function handWritten(key) {
  const purpose = Buffer.from(PURPOSE);
  return {
    seal(value) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(purpose);
      const body = cipher.update(JSON.stringify({ value, expires: Date.now() + TTL_SECONDS * 1000 }), 'utf8');
      const rest = cipher.final();
      return Buffer.concat([nonce, body, rest, cipher.getAuthTag()]).toString('base64url');
    },
    open(token) {
      const sealed = Buffer.from(token, 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), { authTagLength: 16 });
      decipher.setAAD(purpose);
      decipher.setAuthTag(sealed.subarray(-16));
      const text = decipher.update(sealed.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8');
      const { value, expires } = JSON.parse(text);
      if (expires < Date.now()) throw new Error('expired');
      return value;
    },
  };
}
