// @ts-check
'use strict';

const { createHmac, randomBytes, randomInt } = require('node:crypto');
const { Keyring, generateKey } = require('holdfast');
const { count } = require('../words.js');

const TIMES = 20; // each kind, spread over the attack

/** What stands in tutorials, templates and the documentation of token libraries. */
const SECRETS = ['secret', 'changeme', 'password', 'your-256-bit-secret', 'your_jwt_secret', 'keyboard cat', 'shhhhh'];

const base64 = (/** @type {unknown} */ value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = () => ({ user: 'admin', exp: Math.floor(Date.now() / 1000) + 3600 });

/**
 * Tokens that the server gave to the attacker: a session, one that has run out, and one from the mail of a password
 * reset.
 * @typedef {{ session: string, expired: string, reset: string }} Given
 */

/** The kinds of forgery: each makes a token that the server has not made, or not for this. */
const FORGERIES = [
  function altered(/** @type {Given} */ { session }) {
    const at = randomInt(session.length);
    return session.slice(0, at) + (session[at] === 'A' ? 'B' : 'A') + session.slice(at + 1);
  },
  function truncated(/** @type {Given} */ { session }) {
    return session.slice(0, -randomInt(1, 20));
  },
  function extended(/** @type {Given} */ { session }) {
    return session + 'A'.repeat(randomInt(1, 20));
  },
  function halvesOfTwo(/** @type {Given} */ { session, reset }) {
    return session.slice(0, session.length / 2) + reset.slice(session.length / 2);
  },
  function expired(/** @type {Given} */ given) {
    return given.expired;
  },
  function madeForAnotherPurpose(/** @type {Given} */ { reset }) {
    return reset;
  },
  function otherClaims(/** @type {Given} */ { session }) {
    const [header, , signature] = session.split('.');
    return `${header}.${base64(claims())}.${signature}`;
  },
  function algorithmNone() {
    return `${base64({ alg: 'none', typ: 'JWT' })}.${base64(claims())}.`;
  },
  function algorithmNoneInCapitals() {
    return `${base64({ alg: 'NONE', typ: 'JWT' })}.${base64(claims())}.`;
  },
  function guessedSecret(/** @type {Given} */ given, /** @type {number} */ time) {
    return signed(SECRETS[time % SECRETS.length]);
  },
  function keyOfAnotherServer() {
    return signed(randomBytes(32));
  },
  function keyringOfAnotherServer() {
    const keyring = new Keyring({ primary: 'k1', keys: { k1: generateKey() } });
    return keyring.sealToken({ user: 'admin' }, { purpose: 'session', ttlMs: 3_600_000 });
  },
];

/** @type {import('../attacks.js').Attack} */
module.exports = {
  id: 'token-tampering',
  name: 'Token tampering',
  claim: 'A session that nobody was given',
  sends: `Forged sessions of ${FORGERIES.length} kinds, ${TIMES} of each: altered, cut, put together from two, `
    + 'run out, made for a password reset, signed by nobody, signed with a secret from a tutorial, sealed with another '
    + 'server’s keys.',
  sample: '{"alg":"none"}.{"user":"admin"}.',
  ordinary: 'A JSON Web Token checked by hand, with a signature and an expiry. The token itself says whether it is '
    + 'signed, as in many libraries once (CVE-2015-9235); the secret has a default, so that the server also starts '
    + 'without one; nothing says what a token is for.',
  holdfast: 'A sealed token. There is one algorithm, keys are 32 random bytes, and the purpose is authenticated with '
    + 'the rest. Nor can anybody read what is in it.',
  watch: 'How many forgeries open somebody’s account. The other curves stay as they are.',
  counted: { title: 'Forged sessions accepted', of: ({ tally }) => tally?.opened ?? 0 },

  async send({ spread, request, tally }) {
    const given = {
      session: JSON.parse((await request('POST', '/tokens/session')).text),
      expired: JSON.parse((await request('POST', '/tokens/short')).text),
      reset: JSON.parse((await request('POST', '/tokens/reset')).text),
    };
    Object.assign(tally, { forged: 0, opened: 0, kinds: 0 });
    const opening = new Set();
    await spread(FORGERIES.length * TIMES, async (index) => {
      const forge = FORGERIES[index % FORGERIES.length];
      const authorization = `Bearer ${forge(given, Math.floor(index / FORGERIES.length))}`;
      tally.forged++;
      const { status } = await request('GET', '/account', undefined, { authorization });
      if (status !== 200) return;
      tally.opened++;
      tally.kinds = opening.add(forge).size;
    });
  },

  results: ({ tally }) => [
    ['Forged sessions accepted', `${count(tally.opened ?? 0)} of ${count(tally.forged ?? 0)}`],
    ['Kinds of forgery that worked', `${tally.kinds ?? 0} of ${FORGERIES.length}`],
  ],

  verdict(ordinary, holdfast) {
    return `The ordinary server accepted ${says(ordinary)}, and with them ${ordinary.tally.kinds ?? 0} of `
      + `${FORGERIES.length} kinds of forgery; Holdfast accepted ${says(holdfast)}.`;
  },
};

/** @param {import('../figures.js').Figures} figures */
function says({ tally }) {
  return `${tally.opened ?? 0} of ${count(tally.forged ?? 0, 'forged session')}`;
}

/** @param {string | Buffer} secret */
function signed(secret) {
  const text = `${base64({ alg: 'HS256', typ: 'JWT' })}.${base64(claims())}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}
