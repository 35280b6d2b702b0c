// Whether Holdfast and the packages that docs/passwords.md leads away from take each other's hashes, and whether the
// calls that the guides there begin with work with the packages themselves. Run by hand, `node password-peers.mjs`, as
// the peers are not installed by the root's tests; those have hashes made by the peers in a file. Prints a line a peer.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { probe } from './peers.mjs';

const here = import.meta.dirname;
const require = createRequire(import.meta.url);
const { PasswordHasher } = require('..');

const PASSWORDS = ['correct horse battery staple', 'pässwörd 😀🔑', '', 'nul\0inside', 'x'.repeat(72), '😀'.repeat(18)];
const SECRET = Buffer.from('a secret of thirty-two bytes, ok');

/** Holdfast's settings; the same work by the peer; and how the peer verifies. */
const bcrypt = (hash, verify) => [{ options: { algorithm: 'bcrypt', bcrypt: { cost: 4 } }, hash, verify }];
const argon2 = (library) => [
  {
    options: { argon2: { memoryKiB: 64, passes: 2 } },
    hash: (password) => library.hash(password, { memoryCost: 64, timeCost: 2, parallelism: 1 }),
    verify: (stored, password) => library.verify(stored, password),
  },
  {
    options: { argon2: { memoryKiB: 64, passes: 1, lanes: 4, tagLength: 24, saltLength: 32 } },
    verify: (stored, password) => library.verify(stored, password),
  },
  {
    // A name of more than the eight bytes that the PHC string format gives it.
    options: {
      argon2: { memoryKiB: 64, passes: 1 },
      pepper: { current: 'pepper-2026', keys: { 'pepper-2026': SECRET } },
    },
    verify: (stored, password) => library.verify(stored, password, { secret: SECRET }),
  },
];
const likeNpm = (library) =>
  bcrypt(
    (password) => library.hash(password, 4),
    (stored, password) => library.compare(password, stored),
  );
const PEERS = {
  bcrypt: likeNpm,
  bcryptjs: likeNpm,
  '@node-rs/bcrypt': (library) =>
    bcrypt(
      (password) => library.hash(password, { cost: 4 }),
      (stored, password) => library.verify(password, stored),
    ),
  argon2,
  '@node-rs/argon2': argon2,
};

for (const [name, checksOf] of Object.entries(PEERS)) {
  const { version, reason } = probe(name);
  if (reason === null) {
    const [theirs, ours] = await exchange(checksOf(require(name)));
    await runGuide(name);
    console.log(
      `${name} ${version}: takes ${ours} of our hashes, we take ${theirs} of its own; the guide's calls work`,
    );
  } else {
    console.log(`${name}: not checked: ${reason}`);
    process.exitCode = 1;
  }
}

/** How many hashes of theirs and of ours the other side took; throws at the first that is refused, or taken wrongly. */
async function exchange(checks) {
  const counts = [0, 0];
  for (const { options, hash, verify } of checks) {
    const hasher = new PasswordHasher(options);
    for (const password of PASSWORDS) {
      const own = await hasher.hash(password);
      assert.equal(await verify(own, password), true, own);
      assert.equal(await verify(own, `!${password}`), false, own);
      counts[1]++;
      if (hash === undefined) continue;
      const stored = await hash(password);
      assert.deepEqual(await hasher.verify(stored, password), { valid: true, needsRehash: false }, stored);
      assert.equal((await hasher.verify(stored, `!${password}`)).valid, false, stored);
      counts[0]++;
    }
    await hasher.close();
  }
  return counts;
}

/** The block headed "before" of the guide from this package, with the package. */
async function runGuide(name) {
  const text = readFileSync(join(here, '../docs/passwords.md'), 'utf8').replaceAll('\r\n', '\n');
  const [, code] = /^```js\n(\/\/ before\n[^]*?)^```$/m.exec(text.split(`### From ${name}\n`)[1]);
  const { register, login } = new Function('require', `${code}\nreturn { register, login };`)(require);
  const stored = await register('pw');
  assert.equal(await login(stored, 'pw'), true);
  assert.equal(await login(stored, 'no'), false);
}
