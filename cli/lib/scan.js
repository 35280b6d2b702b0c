// @ts-check
'use strict';

/**
 * `holdfast scan`: lists the files, has workers find and analyse the patterns, and writes the report. What it prints
 * does not depend on which worker was faster.
 */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { MissingPath, listFiles } = require('./files.js');
const { Findings } = require('./findings.js');
const { packageReader } = require('./packages.js');
const { Pool } = require('./pool.js');
const { Progress } = require('./progress.js');
const { jsonReport } = require('./report-json.js');
const { sarifReport } = require('./report-sarif.js');
const { textReport } = require('./report-text.js');

/** Patterns that are remembered. One that comes back later is analysed again. */
const MAX_KNOWN = 50_000;
/** Files that are under way at once, for each worker: enough to keep it busy. */
const FILES_AHEAD = 4;
const MAX_WORKERS = 8;

const EXIT = { clean: 0, findings: 1, failed: 2 };

/**
 * @typedef {import('./arguments.js').Options} Options
 * @typedef {import('./analyse.js').Analysis} Analysis
 */

/** It could not be done; the message is for the user. */
class ScanError extends Error {}

/**
 * @param {Options} options
 * @param {string} version
 * @returns {Promise<number>} the exit code
 */
async function scan(options, version) {
  const { entries, unread } = listed(options);
  if (entries.length === 0 && unread.length === 0) {
    throw new ScanError('there are no JavaScript or TypeScript files in what was given');
  }
  const shown = displayNames();
  const findings = new Findings(options);
  for (const { file, message } of unread) findings.note(shown(file), message, 'unreadable');
  const progress = new Progress(process.stderr, !options.quiet);
  const pool = new Pool(workers());
  try {
    await Promise.race([scanAll(entries, { options, pool, findings, progress, shown }), pool.broken]);
  } catch (error) {
    throw new ScanError(`the scan cannot be done: ${/** @type {Error} */ (error).message}`, { cause: error });
  } finally {
    progress.clear();
    void pool.close();
  }
  const report = findings.report();
  await write(textOf(report, options, version), options.output);
  if (report.summary.files === 0) throw new ScanError('none of the files could be scanned');
  return report.findings.length + report.bad.length > 0 ? EXIT.findings : EXIT.clean;
}

function workers() {
  return Math.min(os.availableParallelism(), MAX_WORKERS);
}

/** @param {Options} options */
function listed({ paths, dependencies }) {
  try {
    return listFiles(paths, dependencies);
  } catch (error) {
    if (error instanceof MissingPath) throw new ScanError(`no such file or folder: ${error.given.slice(0, 200)}`);
    throw error;
  }
}

/**
 * @param {import('./files.js').Entry[]} entries
 * @param {{ options: Options, pool: Pool, findings: Findings, progress: Progress, shown(file: string): string }} job
 */
async function scanAll(entries, { options, pool, findings, progress, shown }) {
  const packageOf = packageReader();
  const analyse = analyser(pool, options.timeoutMs);
  let [next, done, patterns] = [0, 0, 0];

  const lane = async () => {
    while (next < entries.length) {
      const { file, packageFolder } = entries[next];
      next += 1;
      const answer = await pool.run({ kind: 'file', file });
      if ('failure' in answer) {
        findings.note(shown(file), `could not be scanned: ${answer.failure}`, 'failed');
      } else {
        const { places } = answer.result;
        const analyses = await Promise.all(places.map(analyse));
        findings.add(shown(file), packageOf(packageFolder), answer.result, analyses);
        patterns += places.length;
      }
      done += 1;
      progress.show(done, entries.length, patterns);
    }
  };
  const lanes = Math.min(entries.length, FILES_AHEAD * workers());
  await Promise.all(Array.from({ length: lanes }, lane));
}

/**
 * Analyses each pattern once, as long as it is remembered.
 *
 * @param {Pool} pool
 * @param {number} timeoutMs
 */
function analyser(pool, timeoutMs) {
  /** @type {Map<string, Promise<Analysis>>} */
  const known = new Map();
  return (/** @type {{ source: string, flags: string }} */ { source, flags }) => {
    const key = `${flags}/${source}`;
    let analysis = known.get(key);
    if (analysis === undefined) {
      analysis = pool.run({ kind: 'pattern', source, flags, timeoutMs }).then(
        (answer) => ('failure' in answer ? failed(answer.failure) : answer.result),
      );
      if (known.size >= MAX_KNOWN) known.delete(/** @type {string} */ (known.keys().next().value));
      known.set(key, analysis);
    }
    return analysis;
  };
}

/**
 * @param {string} reason
 * @returns {Analysis}
 */
function failed(reason) {
  return {
    complexity: 'failed',
    degree: null,
    hotspots: [],
    attack: null,
    undecided: `the analysis failed: ${reason}`,
    supported: false,
    reason: 'the analysis failed',
    rewritten: null,
  };
}

/** Paths as they are shown: from the present folder, with `/` everywhere. */
function displayNames() {
  const here = fs.realpathSync(process.cwd());
  return (/** @type {string} */ file) => path.relative(here, file).split(path.sep).join('/') || '.';
}

/**
 * @param {import('./findings.js').Report} report
 * @param {Options} options
 * @param {string} version
 */
function textOf(report, options, version) {
  if (options.format === 'json') return jsonReport(report, version);
  if (options.format === 'sarif') return sarifReport(report, version);
  const isTerminal = options.output === null && process.stdout.isTTY === true;
  const color = options.color ?? (isTerminal && !process.env.NO_COLOR && process.env.TERM !== 'dumb');
  return textReport(report, { color, quiet: options.quiet, unknown: options.unknown });
}

/**
 * To a file: all of it or nothing, by a new file that takes the place of the old one.
 *
 * @param {string} text
 * @param {string | null} output
 */
async function write(text, output) {
  if (output === null) {
    await new Promise((resolve) => { process.stdout.write(text, resolve); });
    return;
  }
  const temporary = `${output}.${process.pid}.tmp`;
  try {
    fs.writeFileSync(temporary, text, { flag: 'wx' });
    fs.renameSync(temporary, output);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw new ScanError(`the output file cannot be written (${/** @type {any} */ (error).code ?? 'error'})`);
  }
}

module.exports = { EXIT, ScanError, scan };
