// @ts-check
'use strict';

const { count, duration } = require('../words.js');

const EACH_SECOND = 200;

/** @type {import('../attacks.js').Attack} */
module.exports = {
  id: 'login-storm',
  name: 'Log-in storm',
  claim: 'Passwords that keep files from being read',
  sends: `${EACH_SECOND} log-ins a second with wrong passwords, at most 500 of them under way.`,
  sample: 'POST /login  correct horse battery stable',
  ordinary: 'crypto.scrypt with Node’s own defaults, asynchronous, as Node’s documentation has it. It runs on libuv’s '
    + 'four threads, which also read files and resolve names, behind a queue without an end.',
  holdfast: 'The same scrypt with the same parameters, on threads of its own, behind a queue of 16. What does not fit '
    + 'is answered at once with 503 and when to try again; a limit for each address and account belongs in front of '
    + 'it, so that it is not the visitors whom that meets.',
  watch: 'The visitors’ wait, and that the event loop knows nothing of it: a server can look well and serve nobody.',

  send({ durationMs, spread, request, tally }) {
    Object.assign(tally, { checked: 0, turnedAway: 0 });
    const logins = Math.round((durationMs / 1000) * EACH_SECOND);
    return spread(logins, async (index) => {
      const { status } = await request('POST', '/login', `correct horse battery stable ${index}`);
      if (status === 401) tally.checked++;
      if (status === 503) tally.turnedAway++;
    });
  },

  results: ({ tally: { sent, checked = 0, turnedAway = 0 } }) => [
    ['Log-ins: password checked', count(checked)],
    ['… told to come later', count(turnedAway)],
    ['… still waiting in the end', count(sent - checked - turnedAway)],
  ],

  verdict(ordinary, holdfast) {
    return `Behind the log-ins of the ordinary server ${waited(ordinary)} for a small file, though its event loop was `
      + `never held up for more than ${duration(ordinary.standstillMs)}, and ${passwords(ordinary)} checked; behind `
      + `Holdfast’s ${waited(holdfast)}, and ${passwords(holdfast)}.`;
  },
};

/** @param {import('../figures.js').Figures} figures */
function waited({ p95Ms }) {
  return `95 of 100 visitors waited up to ${duration(p95Ms)}`;
}

/** @param {import('../figures.js').Figures} figures */
function passwords({ tally }) {
  return `${count(tally.checked ?? 0, 'password was', 'passwords were')}`;
}
