// Runs one command in the foreground for the other scripts: its output goes straight to the terminal, a signal that
// reaches this process reaches the command too, and the command has ended before `run` settles, so that nobody
// starts over while it is still writing.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const PARENT_POLL_MS = 250;

/** A failure the user can act on: the message says all, so the scripts print it without a stack. */
export class SetupError extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A signal ended the command; the scripts end the same way. */
export class Interrupted extends Error {
  constructor(signal) {
    super(`ended by ${signal}`);
    this.signal = signal;
  }
}

/** Resolves with the exit code. Throws Interrupted when a signal arrived here or ended the command. */
export async function run(command, args, options = {}) {
  const child = spawn(command, args, { stdio: 'inherit', ...options });
  let received;
  const forward = (signal) => {
    received ??= signal;
    child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, forward);
  try {
    const [code, signal] = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (...end) => resolve(end));
    });
    if (received ?? signal) throw new Interrupted(received ?? signal);
    return code;
  } finally {
    for (const signal of SIGNALS) process.off(signal, forward);
  }
}

/**
 * Under npm, ends this process as SIGTERM would when its parent is gone. npm passes a SIGTERM on to the shell that
 * runs the script, and that shell dies without passing it on: a server would stay behind with nobody to stop it.
 */
export function endWithParent() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, PARENT_POLL_MS);
  timer.unref();
}

/** What a short command prints, trimmed, or undefined when it cannot be run or fails. */
export function answer(command, args, options = {}) {
  const { status, stdout } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    ...options,
  });
  return status === 0 ? stdout.trim() : undefined;
}

/** npm as [command, ...leading arguments]: the one that started this script, or the one on the path. */
export function npmCommand() {
  const script = process.env.npm_execpath;
  if (script?.endsWith('npm-cli.js')) return [process.execPath, script];
  const beside = path.join(path.dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js');
  if (process.platform === 'win32' && existsSync(beside)) return [process.execPath, beside];
  return ['npm'];
}

/**
 * A program of the Rust toolchain, and its version in the folder `cwd`: the one on the path, or the one where rustup
 * puts it, for a shell that has not been restarted since. Undefined when there is none.
 */
export function rustProgram(name, cwd) {
  const installed = path.join(homedir(), '.cargo', 'bin', process.platform === 'win32' ? `${name}.exe` : name);
  for (const command of [name, installed]) {
    const version = answer(command, ['--version'], { cwd });
    if (version !== undefined) return { command, version };
  }
  return undefined;
}

/** Whether the module with this URL is the script that was started, not one that it imports. */
export function isScript(url) {
  return process.argv[1] !== undefined && url === pathToFileURL(realpathSync(process.argv[1])).href;
}

/** Runs a script's body and ends the process as it went: the exit code it returns, a message, or the signal. */
export async function main(body) {
  try {
    const code = await body();
    if (code !== undefined) process.exitCode = code;
  } catch (error) {
    if (error instanceof Interrupted) {
      process.kill(process.pid, error.signal);
      return;
    }
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exitCode = error.exitCode;
  }
}
