'use strict';

/** What hashing takes of memory: a thread's argon2 memory each, however many jobs wait, and nothing that grows. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { runNode } = require('./support/child.js');

const MIB = 2 ** 20;
/** Beside argon2's memory: stacks, promises, and what Node does at the same time. */
const ASIDE = 12 * MIB;

/** Runs `body`, which has `hasher`, and what it added to the largest size that the process ever had. */
async function measure(options, body) {
  const { code, signal, stdout, stderr } = await runNode(`
    const { PasswordHasher } = require(holdfast);
    const hasher = new PasswordHasher(${JSON.stringify(options)});
    const small = new PasswordHasher({ argon2: { memoryKiB: 8, passes: 1 }, threads: 2 });
    const peak = () => process.resourceUsage().maxRSS * 1024;
    (async () => {
      await Promise.all(Array.from({ length: 64 }, () => small.hash('x')));
      await small.close();
      const before = peak();
      let most = 0;
      const timer = setInterval(() => { most = Math.max(most, hasher.stats().arenaBytes); }, 1);
      await (async () => {${body}})();
      clearInterval(timer);
      console.log(JSON.stringify({ added: peak() - before, most, after: hasher.stats().arenaBytes }));
    })();
  `);
  assert.equal(code, 0, `${signal} ${stderr}`);
  return JSON.parse(stdout);
}

describe('the memory of a hasher', { skip: process.platform === 'win32' && 'maxRSS differs' }, () => {
  for (const [threads, memoryKiB] of [
    [1, 65_536],
    [2, 32_768],
    [4, 19_456],
  ]) {
    it(`is ${memoryKiB} KiB for each of ${threads} threads, with 64 hashes at once`, async (t) => {
      const options = { argon2: { memoryKiB, passes: 1 }, threads };
      const { added, most } = await measure(
        options,
        "await Promise.all(Array.from({ length: 64 }, () => hasher.hash('x')));",
      );
      const bound = threads * memoryKiB * 1024;
      t.diagnostic(`${(added / MIB).toFixed(1)} MiB more, ${(bound / MIB).toFixed(1)} allowed and a tenth`);
      assert.ok(most <= bound, `${most} bytes`);
      assert.ok(added <= 1.1 * bound + ASIDE, `${(added / MIB).toFixed(1)} MiB more`);
    });
  }

  it('is given back when the hashes become small', async () => {
    const stored = '$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$4nDCgqqi/MYvPUrUq8ZfVUrFto43iXYW7ryycatUzoI';
    const body = `await hasher.verify('${stored}', 'x'); await hasher.hash('x');`;
    const { most, after } = await measure({ argon2: { memoryKiB: 64, passes: 1 }, threads: 1 }, body);
    assert.ok(most <= 65_536 * 1024);
    assert.equal(after, 64 * 1024);
  });

  it('does not grow with bcrypt, nor with jobs that are refused', async () => {
    const { code, stdout, stderr } = await runNode(`
      const { PasswordHasher } = require(holdfast);
      const options = { algorithm: 'bcrypt', bcrypt: { cost: 4 }, maxQueue: 50, threads: 2 };
      const hasher = new PasswordHasher(options);
      // Some versions of V8 let JavaScript's heap grow for long before they tidy it up.
      const besideTheHeap = () => process.memoryUsage().rss - process.memoryUsage().heapTotal;
      const run = async (rounds) => {
        for (let round = 0; round < rounds; round++) {
          await Promise.allSettled(Array.from({ length: 100 }, () => hasher.hash('x')));
        }
      };
      (async () => {
        await run(100);
        const before = besideTheHeap();
        await run(300);
        console.log(besideTheHeap() - before, hasher.stats().rejected > 1000, hasher.stats().arenaBytes);
      })();`);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    const [added, rejected, arenaBytes] = stdout.trim().split(' ');
    assert.ok(Number(added) <= ASIDE, `${(Number(added) / MIB).toFixed(1)} MiB more`);
    assert.deepEqual([rejected, arenaBytes], ['true', '0']);
  });
});
