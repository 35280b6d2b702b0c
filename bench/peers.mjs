// The packages Holdfast is measured against: which version is installed, whether it can be loaded, and why not.
// Called by run.mjs and setup.mjs. Loading is tried in a process of its own first, because an addon built for another
// runtime may not throw but crash; a peer that cannot be loaded is named in the results, never silently left out.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;

/** The names in package.json, in their order there; what a peer needs beside itself is in its devDependencies. */
export const PEERS = Object.keys(JSON.parse(readFileSync(join(here, 'package.json'), 'utf8')).dependencies);

/**
 * @typedef {{ version: string | null, compiled: boolean, reason: string | null }} Probe
 *   `reason` is null when the package can be loaded; `compiled`: its addon was compiled on this machine
 */

/** @returns {Record<string, Probe>} */
export function probeAll() {
  return Object.fromEntries(PEERS.map((name) => [name, probe(name)]));
}

/** @returns {Probe} */
export function probe(name) {
  const folder = join(here, 'node_modules', name);
  if (!existsSync(folder)) return { version: null, compiled: false, reason: 'not installed (node setup.mjs)' };
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const script = `await import(${JSON.stringify(name)})`;
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: here,
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { version, compiled: existsSync(join(folder, 'build/Release')), reason: failureOf(child) };
}

/**
 * What a case gets to load its peers with: the module, or null when the probe said it cannot be loaded.
 * @param {Record<string, Probe>} probes
 */
export function loaderFor(probes) {
  return async (name) => {
    if (!(name in probes)) throw new Error(`${name} is not a dependency of bench/package.json`);
    return probes[name].reason === null ? await import(name) : null;
  };
}

function failureOf({ status, signal, stderr, error }) {
  if (error) return error.message;
  if (signal) return `crashes when loaded (${signal})`;
  if (status === 0) return null;
  const line = stderr.split('\n').find((text) => /^\w*Error\b/.test(text));
  return line ?? `loading it ends with status ${status}`;
}
