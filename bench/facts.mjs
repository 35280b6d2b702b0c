// What a figure depends on, written beside the figures: machine, Node, packages, commit, addon, load.
// Called by run.mjs.
import { execFileSync } from 'node:child_process';
import os from 'node:os';

/** @param {import('./stage.mjs').Binary} binary */
export function factsOf(binary, commit, probes) {
  return {
    date: new Date().toISOString(),
    node: process.versions.node,
    v8: process.versions.v8,
    openssl: process.versions.openssl,
    platform: `${process.platform}-${process.arch}`,
    cpu: os.cpus()[0].model,
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    loadAverage: loadAverage(),
    commit,
    binary,
    peers: probes,
  };
}

/** Processes that ran or waited to run, averaged over the last minute; the benchmark itself is one or more of them. */
export function loadAverage() {
  return os.loadavg()[0];
}

/** Things a reader of the figures must be warned of. */
export function warningsOf({ binary, loadAverage: before, loadAverageAfter: after, cores }) {
  const warnings = [];
  if (binary.profile !== 'release') {
    warnings.push(
      'measured on a development build of the addon: for figures that count, run `node scripts/build.mjs` first',
    );
  }
  if (binary.stale) warnings.push('a Rust source is newer than the addon that was measured');
  if (before > cores) {
    const figures = `${before.toFixed(1)} before, ${after.toFixed(1)} after, on ${cores} cores`;
    warnings.push(`the machine was busy with other work (load average ${figures}): look at the spread`);
  }
  return warnings;
}

/** What is checked out; asked once, when the package is staged. */
export function currentCommit() {
  const git = (...args) =>
    execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const changed = git(
      'status',
      '--porcelain',
      '--untracked-files=no',
      '--',
      ':(top)src',
      ':(top)crates',
      ':(top)lib',
    );
    return git('rev-parse', '--short=12', 'HEAD') + (changed === '' ? '' : ' with changes');
  } catch {
    return 'unknown';
  }
}
