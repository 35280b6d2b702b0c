// Benchmark of loading: how long `require('holdfast')` takes in a fresh process, files in the page cache, as the
// median of 20 processes minus the median of 20 empty ones, run in turn. The packages it replaces are there to compare.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quantile, rotate, summarize } from './harness.mjs';
import { stageFolder } from './stage.mjs';
import { formatNs } from './table.mjs';

const PROCESSES = 20;
const PEERS = ['re2', 'argon2', 'bcrypt', 'bcryptjs', '@node-rs/argon2', '@node-rs/bcrypt', 'secure-json-parse'];

export const cases = [
  {
    group: 'Load',
    title: 'What `require` adds to an empty process',
    async measure({ holdfast, peer }, { rounds = PROCESSES }) {
      if (typeof holdfast.SafeRegExp !== 'function') throw new Error('the staged package does not load');
      const names = ['holdfast', ...PEERS];
      const present = [];
      for (const name of names) if (name === 'holdfast' || (await peer(name)) !== null) present.push(name);
      const scripts = {
        empty: scriptOf('empty', ''),
        ...Object.fromEntries(present.map((name) => [name, scriptFor(name)])),
      };
      const samples = measureAll(scripts, rounds);
      const empty = summarize(samples.empty);
      const rows = present.map((name) => {
        const { median, min, q1, q3 } = summarize(samples[name]);
        return [`\`${name}\``, difference(median, empty.median), difference(min, empty.min), formatNs(q3 - q1)];
      });
      return {
        columns: ['', 'median − median', 'minimum − minimum', 'interquartile range'],
        rows,
        samples,
        note:
          `${rounds} processes each. The empty process itself: median ${formatNs(empty.median)}, ` +
          `upper decile ${formatNs(quantile(samples.empty, 0.9))}.`,
      };
    },
  },
];

// A package that costs less than the processes vary may come out below the empty one.
function difference(loaded, empty) {
  return loaded > empty ? formatNs(loaded - empty) : '≈ 0';
}

function measureAll(scripts, rounds) {
  /** @type {Record<string, number[]>} */
  const samples = Object.fromEntries(Object.keys(scripts).map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const name of rotate(Object.keys(scripts), Math.max(0, round))) {
      const elapsed = timeProcess(scripts[name]);
      if (round >= 0) samples[name].push(elapsed); // the round before the first one fills the page cache
    }
  }
  return samples;
}

function timeProcess(script) {
  const start = process.hrtime.bigint();
  const { status, signal, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  const elapsed = Number(process.hrtime.bigint() - start);
  if (status !== 0) throw new Error(`${script} ended with ${signal ?? status}: ${stderr}`);
  return elapsed;
}

function scriptFor(name) {
  return scriptOf(name.replace('/', '-'), `require(${JSON.stringify(name)});\n`);
}

// Inside the stage, so that `holdfast` is the staged package and the peers are found above it.
function scriptOf(name, source) {
  mkdirSync(join(stageFolder, 'load'), { recursive: true });
  const path = join(stageFolder, 'load', `${name}.cjs`);
  writeFileSync(path, source);
  return path;
}
