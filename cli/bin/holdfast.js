#!/usr/bin/env node
// @ts-check
'use strict';

const { HELP, UsageError, readArguments } = require('../lib/arguments.js');
const { EXIT, ScanError, scan } = require('../lib/scan.js');
const { version } = require('../package.json');

/** 128 and the number of SIGINT, as shells count. */
const INTERRUPTED = 130;

async function main() {
  const options = readArguments(process.argv.slice(2));
  if (options.command === 'help') return print(HELP);
  if (options.command === 'version') return print(`${version}\n`);
  return scan(options, version);
}

/** @param {string} text */
function print(text) {
  process.stdout.write(text);
  return EXIT.clean;
}

process.on('SIGINT', () => {
  // Nothing is written before all is known, so that there is nothing to undo but the progress line.
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  process.exit(INTERRUPTED);
});
// Whoever reads the output has enough: `holdfast scan | head`.
process.stdout.on('error', (error) => {
  if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EPIPE') throw error;
  process.exit(EXIT.findings);
});

main().then(
  (code) => { process.exitCode = code; },
  (error) => {
    const isExpected = error instanceof UsageError || error instanceof ScanError;
    process.stderr.write(`holdfast: ${isExpected ? error.message : (error?.stack ?? error)}\n`);
    process.exitCode = EXIT.failed;
  },
);
