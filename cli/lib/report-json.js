// @ts-check
'use strict';

/**
 * The findings for programs. `version` changes when a field changes its meaning or goes away; fields may be added. The
 * README documents every field.
 */

const { attackCode } = require('./escape.js');

const VERSION = 1;

/**
 * @typedef {import('./findings.js').Report} Report
 * @typedef {import('./findings.js').Finding} Finding
 */

/**
 * @param {Report} report
 * @param {string} toolVersion
 */
function jsonReport({ findings, suppressed, bad, notes, summary }, toolVersion) {
  const document = {
    version: VERSION,
    tool: { name: 'holdfast-cli', version: toolVersion },
    summary,
    findings: findings.map(findingOf),
    suppressed: [...findings, ...suppressed].filter(({ suppressed: places }) => places.length > 0)
      .map((finding) => ({ ...findingOf(finding), locations: finding.suppressed })),
    badSuppressions: bad,
    notes,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** @param {Finding} finding */
function findingOf({ source, flags, analysis, locations }) {
  const { complexity, degree, hotspots, attack, undecided, supported, reason, rewritten } = analysis;
  return {
    pattern: source,
    flags,
    complexity: complexity === 'failed' ? 'unknown' : complexity,
    degree,
    hotspots,
    attack: attack === null ? null : { ...attack, code: attackCode(attack, degree) },
    undecided,
    safeRegExp: { supported, reason },
    rewritten,
    locations,
  };
}

module.exports = { jsonReport };
