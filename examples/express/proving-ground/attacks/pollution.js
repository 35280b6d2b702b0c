// @ts-check
'use strict';

const { count } = require('../words.js');

const PAYLOADS = [
  '{"__proto__":{"isAdmin":true}}',
  '{"constructor":{"prototype":{"isAdmin":true}}}',
  '{"\\u005f_proto__":{"isAdmin":true}}',
  '{"mail":{"__proto__":{"isAdmin":true}}}',
];
const TIMES = 5;

/** @type {import('../attacks.js').Attack} */
module.exports = {
  id: 'pollution',
  name: 'Prototype pollution',
  claim: 'One request makes everybody an administrator',
  sends: 'Settings to be saved, with a key that is the name of every object’s prototype, spelt in four ways.',
  sample: PAYLOADS[0],
  ordinary: 'A deep merge as lodash.merge, jQuery.extend and dozens of packages had it until somebody reported it '
    + '(CVE-2018-16487, CVE-2019-11358), and as it is still written by hand.',
  holdfast: 'parseJson refuses the text before any object exists; merge would refuse the object as well.',
  watch: 'Whom the server takes for an administrator. The other curves stay as they are: this attack makes no noise.',
  counted: { title: 'Visitors taken for administrators', of: ({ admins }) => admins },

  send({ spread, request }) {
    return spread(PAYLOADS.length * TIMES, (index) => request('POST', '/settings', PAYLOADS[index % PAYLOADS.length]));
  },

  results: ({ admins, visitors }) => [['Visitors taken for administrators', `${count(admins)} of ${count(visitors)}`]],

  verdict: (ordinary, holdfast) => `The ordinary server ${says(ordinary)}; Holdfast ${says(holdfast)}.`,
};

/** @param {import('../figures.js').Figures} figures */
function says({ admins, visitors, tally }) {
  return `accepted ${tally.accepted} of ${count(tally.sent, 'polluting request')} and took ${count(admins)} of `
    + `${count(visitors, 'visitor')} for administrators`;
}
