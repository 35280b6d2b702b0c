// Benchmarks of password hashing: argon2id and bcrypt at identical parameters, one hash at a time (latency) and 16 at
// once (throughput, given as time per hash). Every hash that is measured is verified by every other contestant.
// All peers but Holdfast work on libuv's four threads, which serve fs and dns too; bcryptjs works on the main thread.
import assert from 'node:assert/strict';

const PASSWORD = 'correct horse battery staple';
const ARGON2 = [
  { memoryKiB: 19_456, passes: 2, lanes: 1, label: '19 MiB, 2 passes, 1 lane', rounds: 15 },
  { memoryKiB: 65_536, passes: 3, lanes: 4, label: '64 MiB, 3 passes, 4 lanes', rounds: 7 },
];
const COST = 10;
const AT_ONCE = 16;

export const cases = [
  ...ARGON2.flatMap(({ label, rounds, ...params }) => {
    const make = (tools) => argon2(tools, params);
    return [
      hashing({ group: 'argon2id', label, rounds, make }),
      hashing({ group: 'argon2id', label, rounds: 5, make, atOnce: AT_ONCE }),
      verifying({ group: 'argon2id', label, rounds, make }),
    ];
  }),
  hashing({ group: 'bcrypt', label: `cost ${COST}`, rounds: 7, make: bcrypt }),
  hashing({ group: 'bcrypt', label: `cost ${COST}`, rounds: 3, make: bcrypt, atOnce: AT_ONCE }),
  verifying({ group: 'bcrypt', label: `cost ${COST}`, rounds: 7, make: bcrypt }),
  verifying({ group: 'bcrypt', label: `cost ${COST}`, rounds: 3, make: bcrypt, atOnce: 64 }),
];

/** @typedef {{ hash(): Promise<string>, verify(stored: string): Promise<boolean>, close?(): Promise<void> }} Hasher */

function hashing({ group, label, rounds, make, atOnce = 1 }) {
  const title = atOnce === 1 ? `hash, ${label}` : `${atOnce} hashes at once, ${label}: time per hash`;
  return {
    group,
    title,
    headline: `${group}: ${title}`,
    rounds,
    operations: atOnce,
    async setup(tools) {
      const hashers = await make(tools);
      const batch = (hasher) => () => Promise.all(Array.from({ length: atOnce }, () => hasher.hash()));
      return {
        contestants: mapValues(hashers, batch),
        check: (outputs) =>
          crossVerify(
            hashers,
            mapValues(outputs, (hashes) => hashes[0]),
          ),
        close: () => hashers.holdfast.close(),
      };
    },
  };
}

function verifying({ group, label, rounds, make, atOnce = 1 }) {
  const title = atOnce === 1 ? `verify, ${label}` : `${atOnce} verifies at once, ${label}: time per verify`;
  return {
    group,
    title,
    ...(atOnce === 1 ? {} : { headline: `${group}: ${title}` }),
    rounds,
    operations: atOnce,
    async setup(tools) {
      const hashers = await make(tools);
      const stored = await hashers.holdfast.hash();
      return {
        contestants: mapValues(
          hashers,
          (hasher) => () => Promise.all(Array.from({ length: atOnce }, () => hasher.verify(stored))),
        ),
        check(outputs) {
          for (const [name, verdicts] of Object.entries(outputs)) {
            assert.ok(
              verdicts.every((valid) => valid === true),
              `${name} refuses a right password`,
            );
          }
        },
        close: () => hashers.holdfast.close(),
      };
    },
  };
}

/** @returns {Promise<Record<string, Hasher | null>>} */
async function argon2({ holdfast: { PasswordHasher }, peer }, { memoryKiB, passes, lanes }) {
  const own = new PasswordHasher({ argon2: { memoryKiB, passes, lanes, tagLength: 32, saltLength: 16 } });
  const nodeRs = await peer('@node-rs/argon2');
  const npm = (await peer('argon2'))?.default;
  // 2 is Argon2id in @node-rs/argon2, 1 is version 0x13.
  const nodeRsOptions = {
    memoryCost: memoryKiB,
    timeCost: passes,
    parallelism: lanes,
    outputLen: 32,
    algorithm: 2,
    version: 1,
  };
  const npmOptions = {
    type: npm?.argon2id,
    memoryCost: memoryKiB,
    timeCost: passes,
    parallelism: lanes,
    hashLength: 32,
  };
  return {
    holdfast: hasherOf(own),
    '@node-rs/argon2': nodeRs && {
      hash: () => nodeRs.hash(PASSWORD, nodeRsOptions),
      verify: (stored) => nodeRs.verify(stored, PASSWORD),
    },
    argon2: npm && { hash: () => npm.hash(PASSWORD, npmOptions), verify: (stored) => npm.verify(stored, PASSWORD) },
  };
}

/** @returns {Promise<Record<string, Hasher | null>>} */
async function bcrypt({ holdfast: { PasswordHasher }, peer }) {
  const own = new PasswordHasher({ algorithm: 'bcrypt', bcrypt: { cost: COST } });
  const nodeRs = await peer('@node-rs/bcrypt');
  const npm = (await peer('bcrypt'))?.default;
  const js = (await peer('bcryptjs'))?.default;
  const likeNpm = (library) =>
    library && { hash: () => library.hash(PASSWORD, COST), verify: (stored) => library.compare(PASSWORD, stored) };
  return {
    holdfast: hasherOf(own),
    '@node-rs/bcrypt': nodeRs && {
      hash: () => nodeRs.hash(PASSWORD, { cost: COST }),
      verify: (stored) => nodeRs.verify(PASSWORD, stored),
    },
    bcrypt: likeNpm(npm),
    bcryptjs: likeNpm(js),
  };
}

/** @returns {Hasher} */
function hasherOf(own) {
  return {
    hash: () => own.hash(PASSWORD),
    verify: async (stored) => (await own.verify(stored, PASSWORD)).valid,
    close: () => own.close(),
  };
}

// The parameters are the same, and everyone accepts everyone's hash.
async function crossVerify(hashers, hashes) {
  for (const [maker, hash] of Object.entries(hashes)) {
    assert.deepEqual(parametersOf(hash), parametersOf(hashes.holdfast), `${maker} hashed with other parameters`);
    for (const [verifier, hasher] of Object.entries(hashers)) {
      if (hasher) assert.equal(await hasher.verify(hash), true, `${verifier} refuses the hash of ${maker}`);
    }
  }
}

// In a PHC string they come in any order; in a bcrypt string the cost follows a prefix that may differ ($2a$, $2b$).
function parametersOf(hash) {
  if (!hash.startsWith('$argon2')) return { cost: hash.slice(4, 7) };
  const [, algorithm, version, parameters] = hash.split('$');
  return { algorithm, version, parameters: parameters.split(',').sort() };
}

function mapValues(object, change) {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, value === null ? null : change(value)]),
  );
}
