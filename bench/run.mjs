// Runs the benchmarks: node run.mjs [case …] [--rounds N] [--out file] [--only text] [--development]
// A case is a file of this folder (`regexp`, `json`, …); without one, all of them. Writes results/<case>.json, or
// everything into one file with --out, and prints the tables. Ends with status 1 when a case failed.
import { fork } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { currentCommit, factsOf, loadAverage, warningsOf } from './facts.mjs';
import { overhead } from './harness.mjs';
import { probeAll } from './peers.mjs';
import { stage } from './stage.mjs';
import { FILES, sectionOf } from './table.mjs';

const CASE_TIMEOUT_MS = 180_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    out: { type: 'string' },
    only: { type: 'string' },
    development: { type: 'boolean', default: false },
  },
});
const files = positionals.length > 0 ? positionals : FILES;
for (const name of files) if (!FILES.includes(name)) fail(`there is no case ${name}; there are ${FILES.join(', ')}`);
if (values.rounds !== undefined && !/^[1-9]\d{0,3}$/.test(values.rounds))
  fail('--rounds takes a number from 1 to 9999');
if (values.only !== undefined && values.out === undefined)
  fail('--only needs --out: a part must not replace the results of the whole');

const probes = probeAll();
for (const [name, { reason }] of Object.entries(probes)) if (reason) console.error(`not available: ${name}: ${reason}`);
const binary = stage({ development: values.development });
const commit = currentCommit();

const collected = [];
let failures = 0;
for (const name of files) {
  const before = { ...factsOf(binary, commit, probes), loopOverheadNs: await overhead() };
  const results = await resultsOf(name);
  const facts = { ...before, loadAverageAfter: loadAverage() };
  const warnings = warningsOf(facts);
  for (const warning of warnings) console.error(`warning: ${name}: ${warning}`);
  const file = { case: name, facts, warnings, results };
  failures += file.results.filter((result) => result.error).length;
  collected.push(file);
  if (values.out === undefined) write(join(import.meta.dirname, 'results', `${name}.json`), file);
  console.log(`## ${name}\n\n${sectionOf(file)}\n`);
}
if (values.out !== undefined) write(values.out, collected);
if (failures > 0) fail(`${failures} case${failures === 1 ? '' : 's'} failed`);

async function resultsOf(name) {
  const results = [];
  const { message: list, failure } = await inChild(name, 'list');
  if (!list) fail(`${name}: ${failure}`);
  for (const [index, description] of list.entries()) {
    if (values.only !== undefined && !`${description.group} ${description.title}`.includes(values.only)) continue;
    console.error(`${name}: ${description.group}: ${description.title}`);
    const started = Date.now();
    const { message, failure: reason } = await inChild(name, String(index));
    results.push({ ...description, ...(message?.result ?? { error: reason }), tookMs: Date.now() - started });
  }
  return results;
}

/** @returns {Promise<{ message?: any, failure: string }>} */
function inChild(name, index) {
  return new Promise((resolve) => {
    const args = [name, index, JSON.stringify(probes), ...(values.rounds ? [values.rounds] : [])];
    const child = fork(join(import.meta.dirname, 'child.mjs'), args, {
      execArgv: ['--expose-gc'],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), CASE_TIMEOUT_MS);
    let message;
    child.once('message', (received) => (message = received));
    child.once('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ message, failure: signal ? `ended by ${signal}` : `ended with status ${status} and no result` });
    });
  });
}

// Indented, but a list of numbers stays on one line.
function write(path, value) {
  mkdirSync(join(path, '..'), { recursive: true });
  const text = JSON.stringify(value, null, 2).replace(
    /\[\s+(-?[\d.e+-]+(?:,\s+-?[\d.e+-]+)*)\s+\]/g,
    (_, numbers) => `[${numbers.replace(/\s+/g, ' ')}]`,
  );
  writeFileSync(path, `${text}\n`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
