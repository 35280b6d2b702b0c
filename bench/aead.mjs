// Benchmarks of AesGcmKey, Keyring and tokens. Every sealed message is opened by every contestant that shares its
// format. Keyring's XAES-256-GCM derives a key for each message, which plain AES-GCM does not.
//
// The peers are driven as careful code drives them, and where there are several ways, in the fastest that was found:
// - node:crypto has a KeyObject that is made once; a nonce of `randomBytes`, associated data, tag, one Buffer in which
//   all of it is written in its place (`Buffer.concat` takes longer); opens from views into the message; and does not
//   join the output of `final` to anything, because with GCM it is always empty.
// - `pooled nonces` is the same with the nonces of 256 messages drawn in one call, as Holdfast draws them: asking for
//   random bytes is a third of the time of a short message. Few write it.
// - `pieces` is the same without the one Buffer: nonce, ciphertext and tag stay where they are, for a caller who sends
//   them one by one. It is the nearest that node:crypto comes to `into`, as `update` has no destination. There is
//   nothing of the kind to open, which makes one Buffer anyway.
// - subtle has a CryptoKey that is made once. Putting its nonce in front costs a copy of the message. It works on
//   threads of its own, so a single message shows mostly how long the way there and back is; a group of its own shows
//   eight at once, which it spreads over the cores while the others do one after the other.
import assert from 'node:assert/strict';
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, webcrypto } from 'node:crypto';

const MIB = 1024 * 1024;
const SIZES = [
  ['16 B', 16],
  ['256 B', 256],
  ['1 KB', 1024],
  ['1 MiB', MIB],
];
const AT_ONCE = 8;
/** Kind, length of the key id, key id `k1`, nonce, tag. */
const RING_OVERHEAD = 2 + 2 + 24 + 16;
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
  manyAtOnce('seal'),
  manyAtOnce('open'),
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
      const { own, ring, into, ringInto, crypto, pooled, subtle } = await sealers(holdfast);
      const room = Buffer.alloc(bytes + 28);
      const ringRoom = Buffer.alloc(bytes + RING_OVERHEAD);
      const pieces = bytes === MIB && (() => crypto.sealPieces(plaintext));
      return {
        contestants: {
          holdfast: () => own.seal(plaintext, { aad: AAD }),
          'holdfast into': () => into.seal(plaintext, { aad: AAD, into: room }),
          'holdfast Keyring': () => ring.seal(plaintext, { aad: AAD }),
          'holdfast Keyring into': () => ringInto.seal(plaintext, { aad: AAD, into: ringRoom }),
          'node:crypto': () => crypto.seal(plaintext),
          'node:crypto, concat': () => crypto.sealConcat(plaintext),
          'node:crypto, pooled nonces': () => pooled.seal(plaintext),
          ...(pieces && { 'node:crypto pieces': pieces }),
          subtle: () => subtle.seal(plaintext),
        },
        async check(outputs) {
          for (const [name, output] of Object.entries(outputs)) {
            const sealed = Array.isArray(output) ? Buffer.concat(output) : output;
            if (name.startsWith('holdfast Keyring')) {
              assert.equal(sealed.length, bytes + RING_OVERHEAD);
              assert.ok(ring.open(sealed, { aad: AAD }).equals(plaintext), name);
              continue;
            }
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
      const { own, ring, into, ringInto, crypto, subtle } = await sealers(holdfast);
      const sealed = crypto.seal(plaintext);
      const ringSealed = ring.seal(plaintext, { aad: AAD });
      const room = Buffer.alloc(bytes);
      const ringRoom = Buffer.alloc(bytes);
      return {
        contestants: {
          holdfast: () => own.open(sealed, { aad: AAD }),
          'holdfast into': () => into.open(sealed, { aad: AAD, into: room }),
          'holdfast Keyring': () => ring.open(ringSealed, { aad: AAD }),
          'holdfast Keyring into': () => ringInto.open(ringSealed, { aad: AAD, into: ringRoom }),
          'node:crypto': () => crypto.open(sealed),
          'node:crypto, concat': () => crypto.openConcat(sealed),
          subtle: () => subtle.open(sealed),
        },
        check(outputs) {
          for (const [name, output] of Object.entries(outputs)) assert.ok(plaintext.equals(output), name);
        },
      };
    },
  };
}

function manyAtOnce(direction) {
  return {
    group: `${AT_ONCE} messages of 1 MiB at once: time per message`,
    title: direction,
    operations: AT_ONCE,
    async setup({ holdfast }) {
      const plaintext = randomBytes(MIB);
      const { own, crypto, subtle } = await sealers(holdfast);
      const input = direction === 'seal' ? plaintext : own.seal(plaintext, { aad: AAD });
      // Of each the same: none can begin to use the memory of a message again before all eight are there.
      const all = (run) => Array.from({ length: AT_ONCE }, run);
      return {
        contestants: {
          holdfast: () => all(() => own[direction](input, { aad: AAD })),
          'node:crypto': () => all(() => crypto[direction](input)),
          subtle: () => Promise.all(all(() => subtle[direction](input))),
        },
        check(outputs) {
          for (const [name, output] of Object.entries(outputs)) {
            assert.equal(output.length, AT_ONCE);
            for (const one of output) {
              const opened = direction === 'seal' ? own.open(one, { aad: AAD }) : one;
              assert.ok(plaintext.equals(opened), name);
            }
          }
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
  const object = createSecretKey(key);
  const newRing = () => new Keyring({ primary: 'k1', keys: { k1: key } });
  return {
    own: new AesGcmKey(key),
    into: new AesGcmKey(key),
    ring: newRing(),
    ringInto: newRing(),
    crypto: nodeCrypto(object),
    pooled: withPooledNonces(object),
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
      const sealed = Buffer.allocUnsafe(12 + plaintext.length + 16);
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(AAD);
      sealed.set(nonce, 0);
      sealed.set(cipher.update(plaintext), 12);
      cipher.final();
      sealed.set(cipher.getAuthTag(), 12 + plaintext.length);
      return sealed;
    },
    sealPieces(plaintext) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(AAD);
      const body = cipher.update(plaintext);
      return [nonce, body, cipher.final(), cipher.getAuthTag()];
    },
    // As Node's documentation and most programs have it: all pieces into one Buffer.
    sealConcat(plaintext) {
      return Buffer.concat(this.sealPieces(plaintext));
    },
    openConcat(sealed) {
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), { authTagLength: 16 });
      decipher.setAAD(AAD);
      decipher.setAuthTag(sealed.subarray(-16));
      return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
    },
    open(sealed) {
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), { authTagLength: 16 });
      decipher.setAAD(AAD);
      decipher.setAuthTag(sealed.subarray(-16));
      const plaintext = decipher.update(sealed.subarray(12, -16));
      decipher.final(); // throws when the message is not what was sealed
      return plaintext;
    },
  };
}

function withPooledNonces(key) {
  let nonces = Buffer.alloc(0);
  let used = 0;
  return {
    seal(plaintext) {
      if (used === nonces.length) {
        nonces = randomBytes(12 * 256);
        used = 0;
      }
      const nonce = nonces.subarray(used, used + 12);
      used += 12;
      const sealed = Buffer.allocUnsafe(12 + plaintext.length + 16);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(AAD);
      sealed.set(nonce, 0);
      sealed.set(cipher.update(plaintext), 12);
      cipher.final();
      sealed.set(cipher.getAuthTag(), 12 + plaintext.length);
      return sealed;
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
      return Buffer.concat([nonce, new Uint8Array(sealed)]);
    },
    async open(sealed) {
      const algorithm = { name: 'AES-GCM', iv: sealed.subarray(0, 12), additionalData: AAD };
      return Buffer.from(await subtle.decrypt(algorithm, key, sealed.subarray(12)));
    },
  };
}

// A token as careful code with node:crypto makes it: purpose as associated data, expiry inside, base64url. That the
// text is valid UTF-8 and its JSON harmless, which Holdfast looks at, is not looked at here.
function handWritten(key) {
  const purpose = Buffer.from(PURPOSE);
  return {
    seal(value) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(purpose);
      const body = cipher.update(JSON.stringify({ value, expires: Date.now() + TTL_SECONDS * 1000 }), 'utf8');
      cipher.final();
      const sealed = Buffer.allocUnsafe(12 + body.length + 16);
      sealed.set(nonce, 0);
      sealed.set(body, 12);
      sealed.set(cipher.getAuthTag(), 12 + body.length);
      return sealed.toString('base64url');
    },
    open(token) {
      const sealed = Buffer.from(token, 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), { authTagLength: 16 });
      decipher.setAAD(purpose);
      decipher.setAuthTag(sealed.subarray(-16));
      const json = decipher.update(sealed.subarray(12, -16)); // as text at once would take a StringDecoder, and longer
      decipher.final();
      const { value, expires } = JSON.parse(json.toString());
      if (expires < Date.now()) throw new Error('expired');
      return value;
    },
  };
}
