// @ts-check
'use strict';

/**
 * What a RegExp is made of, by RegExp's own accessors: a subclass may hide them, and other code may replace them.
 */

const { apply } = Reflect;

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
  return /** @type {any} */ (Object.getOwnPropertyDescriptor(RegExp.prototype, name)).get;
}

module.exports = { flagsOf, sourceOf };
