// For the scripts in which every contestant has a process of its own (storm.mjs, aead-stream.mjs): starts the
// processes, round by round in an order that rotates, and writes the rounds as a table, median and range.
import { fork } from 'node:child_process';
import os from 'node:os';
import { median, rotate } from './harness.mjs';

/**
 * A fresh process for every contestant and round, so that memory, compiled code and threads are nobody else's.
 * @param {{ script: string, rounds: number, timeoutMs: number, execArgv?: string[], onExit?: () => void }} how  `script
 *   contestant <job>` has to send one message; `execArgv`: Node's options; `onExit` is called however this process ends
 * @param {string[]} names
 * @param {(name: string) => unknown} jobOf
 * @returns {Promise<{ results: Record<string, any[]>, failures: string[] }>}  undefined for a round that failed
 */
export async function runRounds({ script, rounds, timeoutMs, execArgv, onExit }, names, jobOf) {
  let running;
  process.once('exit', () => {
    running?.kill('SIGKILL');
    onExit?.();
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => process.exit(128 + os.constants.signals[signal]));
  }

  const results = Object.fromEntries(names.map((name) => [name, []]));
  const failures = [];
  for (let round = 0; round < rounds; round++) {
    for (const name of rotate(names, round)) {
      console.error(`round ${round + 1} of ${rounds}: ${name}`);
      const { result, failure } = await inProcess({ script, timeoutMs, execArgv }, jobOf(name), (child) => {
        running = child;
      });
      results[name].push(result);
      if (failure) failures.push(`Failed: ${name} in round ${round + 1}: ${failure}`);
    }
  }
  return { results, failures };
}

/** To be called first in a contestant's process: it ends when the one that started it is gone. */
export function endWithParent() {
  // A plain exit would wait until libuv's threads have done all that is queued.
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
}

/** @returns {Promise<{ result: any, failure: string | null }>} */
function inProcess({ script, timeoutMs, execArgv = process.execArgv }, job, started) {
  return new Promise((resolve) => {
    const child = fork(script, ['contestant', JSON.stringify(job)], {
      execArgv,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    started(child);
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    let result;
    child.once('message', (message) => (result = message));
    child.once('close', (status, signal) => {
      clearTimeout(timer);
      started(undefined);
      resolve({ result, failure: result ? null : `ended with ${signal ?? `status ${status}`} and no result` });
    });
  });
}

/** A figure of all rounds that did not fail: the median, and the range. */
export function cell(rounds, of, write) {
  const figures = rounds.map((result, round) => result && of(result, round));
  const known = figures.filter((figure) => figure !== undefined);
  if (known.length === 0) return 'failed';
  const range = `${write(Math.min(...known))} to ${write(Math.max(...known))}`;
  return known.length === 1 ? write(known[0]) : `${write(median(known))} (${range})`;
}

/** Markdown that can be read in a terminal too. */
export function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const pad = (text, column) => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column]));
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const [head, ...rest] = rows.map((row) => row.map(pad));
  return [head, rule, ...rest].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
