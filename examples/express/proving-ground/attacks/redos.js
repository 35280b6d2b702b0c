// @ts-check
'use strict';

const { duration, percent } = require('../words.js');

// With each letter the time doubles: from some hundredths of a second to some seconds, whatever the machine.
const SHORTEST = 26;
const STRINGS = 5;

const attackText = (/** @type {number} */ letters) => `${'a'.repeat(letters)}!`;

/** @type {import('../attacks.js').Attack} */
module.exports = {
  id: 'redos',
  name: 'ReDoS',
  claim: 'An e-mail check that takes seconds',
  sends: 'Five “e-mail addresses” without an @, of 26 to 30 letters and an exclamation mark. Before a backtracking '
    + 'engine gives up, it tries every way of dividing the letters between \\w+ and its repetition: with each letter '
    + 'there are twice as many.',
  sample: attackText(SHORTEST + STRINGS - 1),
  ordinary: 'The check for e-mail addresses of a much visited tutorial, as it stands in any number of repositories. It '
    + 'is right about the addresses that people have, and its tests pass.',
  holdfast: 'The same pattern, the same answers. SafeRegExp runs it in time linear in the text.',
  watch: 'The event loop: while a string is tried, nothing else happens in the process.',

  send({ spread, request }) {
    return spread(STRINGS, (index) => request('POST', '/addresses', attackText(SHORTEST + index)));
  },

  results: ({ standstillMs }) => [['Longest check of an address, at most', duration(standstillMs)]],

  verdict(ordinary, holdfast) {
    return 'Five short strings stopped the ordinary server’s event loop for up to '
      + `${duration(ordinary.standstillMs)}, and ${percent(ordinary.soon)} of its visitors were answered within `
      + `100 ms; they held up Holdfast’s for ${duration(holdfast.standstillMs)} at most, and ${percent(holdfast.soon)} `
      + 'were.';
  },
};
