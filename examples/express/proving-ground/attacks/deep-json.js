// @ts-check
'use strict';

const { duration, megabytes } = require('../words.js');

const LEVELS = 1_000_000;
const TIMES = 10;

/** @type {import('../attacks.js').Attack} */
module.exports = {
  id: 'deep-json',
  name: 'Deep JSON',
  claim: 'Two megabytes of brackets',
  sends: 'Ten bodies of one million arrays inside each other: 2 MB each, well within the limit of 5 MB that both '
    + 'servers have.',
  sample: `${'['.repeat(24)} … ${']'.repeat(24)}`,
  ordinary: 'JSON.parse, and then a walk through what came out that removes MongoDB’s operators, recursively, as it is '
    + 'done by hand and by middleware. The parser builds a million objects, and then the recursion ends where the '
    + 'stack does.',
  holdfast: 'The same limit of bytes, and one of depth. The text is scanned before anything is built, and the scan '
    + 'ends at the 33rd bracket.',
  watch: 'Memory, and the event loop while a million objects are built and thrown away.',

  send({ spread, request }) {
    const body = '['.repeat(LEVELS) + ']'.repeat(LEVELS);
    return spread(TIMES, () => request('POST', '/comments', body));
  },

  results: (figures) => [['Memory that the attack took', megabytes(taken(figures))]],

  verdict(ordinary, holdfast) {
    return `Bodies of 2 MB took ${megabytes(taken(ordinary))} of the ordinary server’s memory and held up its event `
      + `loop for up to ${duration(ordinary.standstillMs)}${ordinary.end.state === 'dead' ? ', until it died' : ''}; `
      + `of Holdfast’s they took ${megabytes(taken(holdfast))}, and held up its loop for `
      + `${duration(holdfast.standstillMs)} at most.`;
  },
};

/** @param {import('../figures.js').Figures} figures */
function taken({ rssMost, rssBefore }) {
  return Math.max(0, rssMost - rssBefore);
}
