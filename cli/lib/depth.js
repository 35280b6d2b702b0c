// @ts-check
'use strict';

/**
 * Whether a text might nest so deeply that the parser, which is native and calls itself for each level, would run out
 * of stack and take the whole process with it. An estimate on characters, without a grammar, that errs on the side of
 * "deep"; it only has to tell real code (hundreds of levels) from what no one wrote.
 */

/** Levels. The parser needs about 2.5 KB a level; a worker has WORKER_STACK_MIB. */
const MAX_LEVELS = 25_000;
const WORKER_STACK_MIB = 256;

const OPEN = new Set([...'([{'].map(code));
const CLOSE = new Set([...')]}'].map(code));
const SEPARATORS = new Set([...';,'].map(code));
/** What an expression or a type can be chained with, so that each link is a level. */
const CHAIN = new Set([...'!~+-*/%?:=<>&|^.@'].map(code));
const [E, N, T] = [code('e'), code('n'), code('t')];

/** @param {string} text */
function tooDeep(text) {
  if (text.length <= MAX_LEVELS) return false;
  // The chains of the brackets that are open, and of what is around the present place.
  /** @type {number[]} */
  const open = [];
  let [levels, chain] = [0, 0];
  for (let place = 0; place < text.length; place += 1) {
    const unit = text.charCodeAt(place);
    if (OPEN.has(unit)) {
      open.push(chain);
      levels += chain + 1;
      chain = 0;
    } else if (CLOSE.has(unit)) {
      const before = open.pop();
      if (before === undefined) continue;
      levels -= before + 1;
      chain = before + 1; // `a()()()…` and `if {} else if {} …` go on
    } else if (SEPARATORS.has(unit)) {
      // `if (a) b; else if (c) d; else …` is one chain; elsewhere a separator ends it.
      chain = text.startsWith('else', skipSpace(text, place + 1)) ? chain + 1 : 0;
    } else if (CHAIN.has(unit) || startsOperator(text, place, unit)) {
      chain += 1;
    }
    if (levels + chain > MAX_LEVELS) return true;
  }
  return false;
}

/**
 * `new`, `typeof`, `void` and the like, by their letters: too many rather than too few.
 *
 * @param {string} text
 * @param {number} place
 * @param {number} unit
 */
function startsOperator(text, place, unit) {
  if (unit === N) return text.startsWith('new', place);
  if (unit === T) return text.startsWith('typeof', place);
  return unit === E && text.startsWith('else', place);
}

/**
 * @param {string} text
 * @param {number} place
 */
function skipSpace(text, place) {
  const from = place;
  while (place < text.length && place < from + 64 && text.charCodeAt(place) <= 32) place += 1;
  return place;
}

/** @param {string} character */
function code(character) {
  return character.charCodeAt(0);
}

module.exports = { MAX_LEVELS, WORKER_STACK_MIB, tooDeep };
