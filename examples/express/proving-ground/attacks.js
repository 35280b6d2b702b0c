// @ts-check
'use strict';

// The attacks, in the order of the page. Each is a file in attacks/: what it is in words, what it sends, and what the
// figures of both sides say about it.

/** @typedef {import('./figures.js').Figures} Figures */

/**
 * @typedef {object} Attack
 * @property {string} id also the name of the region in ordinary.js and holdfast.js
 * @property {string} name
 * @property {string} claim one line
 * @property {string} sends what the attacker sends
 * @property {string} sample a piece of it
 * @property {string} ordinary who writes such code, and why it looks right
 * @property {string} holdfast what is different there
 * @property {string} watch where on the page it shows
 * @property {Counted} [counted] what the usual curves do not show
 * @property {(attacker: import('./attacker.js').Attacker) => Promise<unknown>} send
 * @property {(side: Figures) => [label: string, value: string][]} results rows of its own
 * @property {(ordinary: Figures, holdfast: Figures) => string} verdict one sentence, of measured figures only
 */

/** @typedef {{ title: string, of: (tick: import('./watch.js').Tick) => number }} Counted a number that only grows */

/** @type {readonly Attack[]} */
const ATTACKS = Object.freeze([
  require('./attacks/redos.js'),
  require('./attacks/pollution.js'),
  require('./attacks/deep-json.js'),
  require('./attacks/login-storm.js'),
  require('./attacks/token-tampering.js'),
  require('./attacks/flood.js'),
]);

/** @param {string} id */
function attackById(id) {
  return ATTACKS.find((attack) => attack.id === id);
}

module.exports = { ATTACKS, attackById };
