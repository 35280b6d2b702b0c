// @ts-check
'use strict';

/**
 * What a RegExp is made of, by RegExp's own accessors: a subclass may hide them, and other code may replace them.
 */

const { apply, getOwnPropertyDescriptor } = Reflect;
const { prototype } = RegExp;

const getSource = getter('source');
const FLAGS = Object.entries({
  d: getter('hasIndices'),
  g: getter('global'),
  i: getter('ignoreCase'),
  m: getter('multiline'),
  s: getter('dotAll'),
  u: getter('unicode'),
  v: getter('unicodeSets'),
  y: getter('sticky'),
});

/** @param {RegExp} re */
function sourceOf(re) {
  return apply(getSource, re, []);
}

/**
 * In the order of RegExp's `flags`.
 *
 * @param {RegExp} re
 */
function flagsOf(re) {
  let flags = '';
  for (const [flag, get] of FLAGS) if (apply(get, re, [])) flags += flag;
  return flags;
}

/**
 * @param {string} name
 * @returns {() => any}
 */
function getter(name) {
  return /** @type {any} */ (getOwnPropertyDescriptor(prototype, name)).get;
}

const ownFlags = getter('flags');

/** Whether RegExp's `flags` is still the language's own. */
function isFlagsOwn() {
  return getOwnPropertyDescriptor(prototype, 'flags')?.get === ownFlags;
}

/** V8 reads `unicodeSets` last, up to version 12; the standard has `sticky` there. */
const READS_STICKY_EARLY = readsStickyEarly();

function readsStickyEarly() {
  /** @type {string[]} */
  const read = [];
  const observed = {
    get sticky() {
      return read.push('sticky') < 0;
    },
    get unicodeSets() {
      return read.push('unicodeSets') < 0;
    },
  };
  apply(ownFlags, observed, []);
  return read[0] === 'sticky';
}

/**
 * The language's `flags`, ECMA-262, §22.2.6.4, which V8 is slow to take for what is no plain RegExp.
 *
 * @param {any} re
 */
function readFlags(re) {
  let flags = re.hasIndices ? 'd' : '';
  if (re.global) flags += 'g';
  if (re.ignoreCase) flags += 'i';
  if (re.multiline) flags += 'm';
  if (re.dotAll) flags += 's';
  if (re.unicode) flags += 'u';
  const isSticky = READS_STICKY_EARLY && Boolean(re.sticky);
  if (re.unicodeSets) flags += 'v';
  if (READS_STICKY_EARLY ? isSticky : re.sticky) flags += 'y';
  return flags;
}

module.exports = { flagsOf, isFlagsOwn, readFlags, sourceOf };
