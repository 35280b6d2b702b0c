// @ts-check
'use strict';

/** What the command line asks for. Every option is known by name, or refused by name. */

const MAX_TIMEOUT_MS = 60_000;
const COMPLEXITIES = ['polynomial', 'exponential'];

const HELP = `Finds the regular expressions that one input can hang (ReDoS), with a proof and a fix.

  holdfast scan [options] [paths]

Scans JavaScript and TypeScript (.js .mjs .cjs .jsx .ts .mts .cts .tsx): the present folder, or the files
and folders given. A file that is given is always scanned; folders leave out node_modules.

  --dependencies            scan installed packages too, and name them
  --unknown                 list patterns that the analysis cannot decide
  --min-complexity=<which>  polynomial (default) or exponential: the least that is a finding
  --timeout-ms=<number>     for one pattern, 1 to ${MAX_TIMEOUT_MS} (default 1000)
  --json, --sarif           one JSON document, or SARIF 2.1.0, instead of text
  --output=<file>           write there instead of to standard output
  --quiet                   no progress, no notes, no summary
  --color, --no-color       default: colour on a terminal, unless NO_COLOR is set
  --version, --help
  --                        what follows is a path

Exit code: 0 nothing found, 1 findings, 2 it could not be done, 130 interrupted.

Known and accepted? Say why, on the line or the line above:
  // holdfast-ignore-next-line redos: the reason
`;

/** Wrong usage: the message is for the user. */
class UsageError extends Error {}

/**
 * @typedef {object} Options
 * @property {'scan' | 'help' | 'version'} command
 * @property {string[]} paths
 * @property {boolean} dependencies
 * @property {boolean} unknown
 * @property {'polynomial' | 'exponential'} minComplexity
 * @property {number} timeoutMs
 * @property {'text' | 'json' | 'sarif'} format
 * @property {string | null} output
 * @property {boolean} quiet
 * @property {boolean | null} color Null: as the output is a terminal or not.
 */

/** @returns {Options} */
function defaults() {
  return {
    command: 'scan',
    paths: [],
    dependencies: false,
    unknown: false,
    minComplexity: 'polynomial',
    timeoutMs: 1000,
    format: 'text',
    output: null,
    quiet: false,
    color: null,
  };
}

/** @type {Map<string, { value?: boolean, set: (options: Options, value: string) => void }>} */
const OPTIONS = new Map(Object.entries({
  '--dependencies': { set: (options) => { options.dependencies = true; } },
  '--unknown': { set: (options) => { options.unknown = true; } },
  '--min-complexity': { value: true, set: (options, value) => { options.minComplexity = complexity(value); } },
  '--timeout-ms': { value: true, set: (options, value) => { options.timeoutMs = milliseconds(value); } },
  '--json': { set: (options) => format(options, 'json') },
  '--sarif': { set: (options) => format(options, 'sarif') },
  '--output': { value: true, set: (options, value) => { options.output = value; } },
  '--quiet': { set: (options) => { options.quiet = true; } },
  '--color': { set: (options) => { options.color = true; } },
  '--no-color': { set: (options) => { options.color = false; } },
  '--version': { set: (options) => { options.command = 'version'; } },
  '--help': { set: (options) => { options.command = 'help'; } },
}));
const SHORT = new Map([['-h', '--help'], ['-v', '--version'], ['-o', '--output'], ['-q', '--quiet']]);

/**
 * @param {string[]} given Without the interpreter and the script.
 * @returns {Options}
 */
function readArguments(given) {
  const options = defaults();
  /** @type {string[]} */
  const words = [];
  let ended = false;
  for (let place = 0; place < given.length; place += 1) {
    const argument = given[place];
    if (ended || argument === '-' || !argument.startsWith('-')) {
      words.push(argument);
    } else if (argument === '--') {
      ended = true;
    } else {
      place += option(argument, given[place + 1], options);
    }
  }
  if (options.command !== 'scan') return options;
  const [command, ...paths] = words;
  if (command === undefined) throw new UsageError('a command is missing: holdfast scan [paths], or holdfast --help');
  if (command === 'help') return { ...options, command: 'help' };
  if (command !== 'scan') throw new UsageError(`unknown command ${quote(command)}; there is: scan`);
  if (paths.includes('')) throw new UsageError('a path must not be empty');
  return { ...options, paths: paths.length === 0 ? ['.'] : paths };
}

/**
 * @param {string} argument
 * @param {string | undefined} next
 * @param {Options} options
 * @returns {number} how many arguments it took besides itself
 */
function option(argument, next, options) {
  const equals = argument.startsWith('--') ? argument.indexOf('=') : -1;
  const written = equals === -1 ? argument : argument.slice(0, equals);
  const name = SHORT.get(written) ?? written;
  const known = OPTIONS.get(name);
  if (known === undefined) throw new UsageError(`unknown option ${quote(written)}; see holdfast --help`);
  if (known.value !== true) {
    if (equals !== -1) throw new UsageError(`${name} takes no value`);
    known.set(options, '');
    return 0;
  }
  const value = equals === -1 ? next : argument.slice(equals + 1);
  if (value === undefined || value === '') throw new UsageError(`${name} needs a value`);
  known.set(options, value);
  return equals === -1 ? 1 : 0;
}

/** @param {string} value */
function complexity(value) {
  if (!COMPLEXITIES.includes(value)) throw new UsageError(`--min-complexity must be one of ${COMPLEXITIES.join(', ')}`);
  return /** @type {'polynomial' | 'exponential'} */ (value);
}

/** @param {string} value */
function milliseconds(value) {
  const number = /^\d{1,6}$/.test(value) ? Number(value) : 0;
  if (number < 1 || number > MAX_TIMEOUT_MS) {
    throw new UsageError(`--timeout-ms must be an integer from 1 to ${MAX_TIMEOUT_MS}`);
  }
  return number;
}

/**
 * @param {Options} options
 * @param {'json' | 'sarif'} wanted
 */
function format(options, wanted) {
  const isOther = options.format !== 'text' && options.format !== wanted;
  if (isOther) throw new UsageError('either --json or --sarif, not both');
  options.format = wanted;
}

/** @param {string} text */
function quote(text) {
  return `'${text.slice(0, 40).replace(/[^\x20-\x7e]/g, '?')}'`;
}

module.exports = { HELP, UsageError, readArguments };
