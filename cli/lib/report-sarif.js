// @ts-check
'use strict';

/**
 * The findings as SARIF 2.1.0 (OASIS Standard, 27 March 2020), with what GitHub code scanning reads: rules with help
 * and a security severity, one result for each place, relative paths, fingerprints that do not depend on the line.
 */

const { createHash } = require('node:crypto');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const { attackCode, printable } = require('./escape.js');

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';
const ROOT = '%SRCROOT%';
const INFORMATION = 'https://www.npmjs.com/package/holdfast-cli';
const WEAKNESS = 'external/cwe/cwe-1333';

const HELP = 'A backtracking matcher, as V8 has it, tries the ways to match one after the other. When a text can be '
  + 'divided among the loops of a pattern in many ways, and no way matches, it tries them all, and does nothing else '
  + 'meanwhile. Use SafeRegExp from holdfast, which takes linear time for every pattern it accepts; or write the '
  + 'pattern so that only one loop can take each character; or limit the length of the input. When the input cannot '
  + 'be hostile, say so: `// holdfast-ignore-next-line redos: the reason`.';

const RULES = [
  rule('redos-exponential', 'ExponentialRegExp', 'error', '7.5',
    'A regular expression that takes exponential time on some inputs',
    'A few dozen characters are enough to keep the thread busy for years.'),
  rule('redos-polynomial', 'PolynomialRegExp', 'warning', '5.3',
    'A regular expression that takes polynomial time on some inputs',
    'The time grows with the square of the length, or faster: some ten thousand characters take seconds.'),
  rule('redos-unknown', 'UndecidedRegExp', 'note', '1.0',
    'A regular expression whose worst time could not be decided',
    'No proof was found, neither that it is linear nor that it is not.'),
  rule('suppression-without-reason', 'SuppressionWithoutReason', 'warning', null,
    'A suppression comment without a rule or a reason',
    'It suppresses nothing. Write: `// holdfast-ignore-next-line redos: the reason`.'),
];

/**
 * @typedef {import('./findings.js').Report} Report
 * @typedef {import('./findings.js').Finding} Finding
 * @typedef {import('./findings.js').Location} Location
 */

/**
 * @param {Report} report
 * @param {string} toolVersion
 */
function sarifReport({ findings, suppressed, bad, notes }, toolVersion) {
  const nth = counter();
  const results = [];
  for (const finding of [...findings, ...suppressed]) {
    for (const place of finding.locations) results.push({ place, result: resultOf(finding, place, nth) });
    for (const place of finding.suppressed) {
      const suppressions = [{ kind: 'inSource', status: 'accepted', justification: place.reason }];
      results.push({ place, result: { ...resultOf(finding, place, nth), suppressions } });
    }
  }
  for (const { message, ...place } of bad) results.push({ place, result: badResult(message, place, nth) });
  results.sort((a, b) => compare(a.place.file, b.place.file)
    || a.place.line - b.place.line || a.place.column - b.place.column);

  const log = {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [{
      tool: {
        driver: {
          name: 'holdfast',
          fullName: 'holdfast scan',
          semanticVersion: toolVersion,
          informationUri: INFORMATION,
          rules: RULES,
        },
      },
      invocations: [{ executionSuccessful: true, toolExecutionNotifications: notes.map(notification) }],
      originalUriBaseIds: { [ROOT]: { description: { text: 'The folder that the scan was started in.' } } },
      columnKind: 'utf16CodeUnits',
      results: results.map(({ result }) => result),
    }],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

/**
 * @param {Finding} finding
 * @param {Location} place
 * @param {(key: string) => number} nth
 */
function resultOf({ source, flags, analysis }, place, nth) {
  const kind = analysis.complexity === 'failed' ? 'unknown' : analysis.complexity;
  const ruleIndex = RULES.findIndex(({ id }) => id === `redos-${kind}`);
  return {
    ruleId: RULES[ruleIndex].id,
    ruleIndex,
    level: RULES[ruleIndex].defaultConfiguration.level,
    message: { text: messageOf(source, flags, analysis, place) },
    locations: [locationOf(place)],
    partialFingerprints: { 'holdfastPattern/v1': fingerprint(`${place.file}\0${flags}/${source}`, nth) },
  };
}

/**
 * @param {string} source
 * @param {string} flags
 * @param {import('./analyse.js').Analysis} analysis
 * @param {Location} place
 */
function messageOf(source, flags, analysis, place) {
  const { complexity, degree, attack, undecided, rewritten, supported, reason } = analysis;
  const shown = source.length > 200 ? `${source.slice(0, 200)}…` : source;
  const subject = `The pattern /${printable(shown)}/${source.length > 200 ? '' : flags}`;
  const from = place.package === null ? '' : ` (in ${place.package.name}@${place.package.version ?? 'unknown'})`;
  if (attack === null) return `${subject}${from} could not be decided: ${printable(undecided ?? 'no reason given')}.`;
  const growth = complexity === 'exponential' ? 'exponential time' : `polynomial time of degree ${degree}`;
  const sentences = [`${subject}${from} takes ${growth} on ${limited(attackCode(attack, degree))}.`];
  if (rewritten !== null) sentences.push(`/${printable(rewritten)}/${flags} matches exactly the same in linear time.`);
  sentences.push(supported
    ? 'SafeRegExp from holdfast runs it in linear time.'
    : `SafeRegExp refuses it (${printable(reason ?? '')}): limit the length of the input.`);
  return sentences.join(' ');
}

/** @param {string} code */
function limited(code) {
  return code.length > 1000 ? 'a text that is too long to be shown here' : code;
}

/**
 * @param {string} message
 * @param {Location} place
 * @param {(key: string) => number} nth
 */
function badResult(message, place, nth) {
  const ruleIndex = RULES.length - 1;
  return {
    ruleId: RULES[ruleIndex].id,
    ruleIndex,
    level: 'warning',
    message: { text: `${message[0].toUpperCase()}${message.slice(1)}.` },
    locations: [locationOf(place)],
    partialFingerprints: { 'holdfastPattern/v1': fingerprint(`${place.file}\0suppression`, nth) },
  };
}

/** @param {Location} place */
function locationOf({ file, line, column, endLine, endColumn }) {
  return {
    physicalLocation: {
      artifactLocation: artifactOf(file),
      region: { startLine: line, startColumn: column, endLine, endColumn },
    },
  };
}

/** @param {string} file */
function artifactOf(file) {
  if (path.isAbsolute(file) || file.startsWith('../')) return { uri: pathToFileURL(path.resolve(file)).href };
  return { uri: file.split('/').map(encodeURIComponent).join('/'), uriBaseId: ROOT };
}

/** @param {import('./findings.js').Note} note */
function notification({ file, line, column, message }) {
  const region = line === null ? {} : { region: { startLine: line, startColumn: column } };
  return {
    level: 'warning',
    message: { text: printable(message) },
    locations: [{ physicalLocation: { artifactLocation: artifactOf(file), ...region } }],
  };
}

/**
 * @param {string} key
 * @param {(key: string) => number} nth
 */
function fingerprint(key, nth) {
  return createHash('sha256').update(`${key}\0${nth(key)}`).digest('hex').slice(0, 32);
}

/** How often each key was counted before. */
function counter() {
  /** @type {Map<string, number>} */
  const counts = new Map();
  return (/** @type {string} */ key) => {
    const before = counts.get(key) ?? 0;
    counts.set(key, before + 1);
    return before;
  };
}

/**
 * @param {string} id
 * @param {string} name
 * @param {string} level
 * @param {string | null} severity As CVSS, from 0 to 10.
 * @param {string} short
 * @param {string} full
 */
function rule(id, name, level, severity, short, full) {
  return {
    id,
    name,
    shortDescription: { text: short },
    fullDescription: { text: full },
    help: { text: `${full} ${HELP}`, markdown: `${full}\n\n${HELP}` },
    helpUri: INFORMATION,
    defaultConfiguration: { level },
    properties: {
      tags: severity === null ? ['maintainability'] : ['security', WEAKNESS],
      precision: 'very-high',
      ...(severity === null ? { 'problem.severity': 'warning' } : { 'security-severity': severity }),
    },
  };
}

/**
 * @param {string} a
 * @param {string} b
 */
function compare(a, b) {
  return a < b ? -1 : Number(a > b);
}

module.exports = { sarifReport };
