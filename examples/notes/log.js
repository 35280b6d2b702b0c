// @ts-check
'use strict';

// The log: one line of JSON for each entry, on stderr. Also what Holdfast tells about attacks, on the diagnostics
// channel: a service with pino or winston gives the same objects to those.

const diagnostics = require('node:diagnostics_channel');

/**
 * @param {object} entry
 */
function logLine(entry) {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`);
}

/** Problems have a line of their own already, with the cause. */
function logSecurityEvents() {
  diagnostics.subscribe('holdfast:security', (event) => {
    const { kind, ...rest } = /** @type {import('holdfast/express').SecurityEvent} */ (event);
    if (kind !== 'problem') logLine({ level: kind === 'server.shutdown' ? 'info' : 'warn', kind, ...rest });
  });
}

module.exports = { logLine, logSecurityEvents };
