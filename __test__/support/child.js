'use strict';

/** Runs source in a Node process of its own, for tests that change globals, end the process, or count its threads. */

const { spawn } = require('node:child_process');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');

/**
 * Runs `source`, in which `holdfast` is the path to require, and returns what came of it. A process that takes longer
 * than `timeout` is killed and answers with the signal.
 *
 * @param {string} source
 * @param {{ flags?: string[], env?: Record<string, string>, timeout?: number }} [how]
 * @returns {Promise<{ code: number | null, signal: string | null, stdout: string, stderr: string }>}
 */
function runNode(source, { flags = [], env = {}, timeout = 60_000 } = {}) {
  return new Promise((resolve, reject) => {
    const script = `const holdfast = ${JSON.stringify(root)};\n${source}`;
    const child = spawn(process.execPath, [...flags, '-e', script], {
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout,
      killSignal: 'SIGKILL',
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (output.stdout += chunk));
    child.stderr.on('data', (chunk) => (output.stderr += chunk));
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, ...output }));
  });
}

module.exports = { root, runNode };
