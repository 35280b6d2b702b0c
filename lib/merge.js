// @ts-check
'use strict';

/**
 * merge and createMerge: plain objects into one new object, later sources winning. In JavaScript, because property
 * access from native code is several times slower. Iterative, so that no depth overflows the stack; bounded, so that
 * shared parts of the arguments cannot multiply without end. No argument is changed, no accessor invoked.
 */

const { wrongType } = require('./errors.js');
const { integer, oneOf, readOptions, table } = require('./options.js');
const { adopted, appended } = require('./merge-arrays.js');
const {
  ABSENT,
  MAX_MEMBERS,
  checkDepth,
  elementOf,
  isDense,
  isPlainArray,
  isPlainObject,
  isUnsafe,
  setOwn,
  spend,
  spread,
  spreadableKeys,
  valueOf,
} = require('./merge-members.js');

const { hasOwn, keys: keysOf } = Object;
const { isArray } = Array;

/** Ancestors are few, as a rule, and comparing with each is faster than keeping a Map up to here. */
const FEW_ANCESTORS = 16;

const OPTIONS = table({
  arrays: oneOf(['replace', 'concat', 'unique', 'index']),
  undefined: oneOf(['skip', 'assign']),
  maxDepth: integer(1, 1_000_000, 1_000_000),
  unsafeKeys: oneOf(['error', 'remove']),
});

/** @param {unknown} [options] */
function createMerge(options) {
  const read = readOptions(options, OPTIONS);
  return (/** @type {unknown} */ target, /** @type {unknown[]} */ ...sources) => mergeAll(read, target, sources);
}

const DEFAULTS = readOptions(undefined, OPTIONS);

/**
 * @param {object} target
 * @param {...object} sources
 */
function merge(target, ...sources) {
  return mergeAll(DEFAULTS, target, sources);
}

/**
 * @param {ReturnType<typeof readOptions<typeof OPTIONS>>} options
 * @param {unknown} target
 * @param {unknown[]} sources
 */
function mergeAll(options, target, sources) {
  if (!isPlainObject(target)) throw wrongType('target', 'a plain object');
  const walk = new Walk(options);
  const result = copy(walk, target);
  finish(walk);
  for (let at = 0; at < sources.length; at++) {
    const source = sources[at];
    if (!isPlainObject(source)) throw wrongType(`source ${at + 1}`, 'a plain object');
    mergeInto(walk, source, result);
    finish(walk);
  }
  return result;
}

/** What one call knows: the options, the budget, and the way from the argument down to where it is. */
class Walk {
  /** @param {ReturnType<typeof readOptions<typeof OPTIONS>>} options */
  constructor(options) {
    this.arrays = options.arrays;
    this.assignsUndefined = options.undefined === 'assign';
    this.removes = options.unsafeKeys === 'remove';
    this.maxDepth = options.maxDepth;
    this.left = MAX_MEMBERS;
    /** Members that hold objects and have still to be merged; the innermost container's are last. @type {PropertyKey[]} */
    this.keys = [];
    /** @type {unknown[]} */
    this.values = [];
    /** The containers that are being merged, outermost first: from where, to where. @type {object[]} */
    this.sources = [];
    /** @type {any[]} */
    this.targets = [];
    /** Where in `keys` the container's members start. @type {number[]} */
    this.starts = [];
    /** Whether the target is a spread of the source, in which the source's own objects have still to be replaced. @type {boolean[]} */
    this.spreads = [];
    /** From source to target, once there are many. @type {Map<object, any> | undefined} */
    this.ancestors = undefined;
    /** What arrays hold that is known to be safe. @type {Set<object> | undefined} */
    this.safe = undefined;
    /** Copies of arrays, and of what is in them, without unsafe members. @type {Map<object, any> | undefined} */
    this.cleaned = undefined;
    /** Arrays that this call has made by appending, with what is in them. @type {Map<unknown[], Set<unknown>> | undefined} */
    this.joined = undefined;
  }
}

/**
 * A new object with the members of `source`; the objects among them are left for `finish`.
 *
 * @param {Walk} walk
 * @param {object} source
 */
function copy(walk, source) {
  checkDepth(walk, walk.sources.length + 1);
  const start = walk.keys.length;
  const keys = spreadableKeys(walk, source, walk.keys, walk.values);
  if (keys === undefined) {
    const target = {};
    mergeMembers(walk, source, target);
    return target;
  }
  const target = spread(source, keys.length);
  enter(walk, source, target, start, true);
  return target;
}

/**
 * @param {Walk} walk
 * @param {any} source
 * @param {any} target An object that this call has made.
 */
function mergeInto(walk, source, target) {
  checkDepth(walk, walk.sources.length + 1);
  const start = walk.keys.length;
  const keys = spreadableKeys(walk, source, walk.keys, walk.values);
  if (keys === undefined) {
    mergeMembers(walk, source, target);
    return;
  }
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at];
    const value = source[key];
    if (typeof value !== 'object' || value === null) setOwn(target, key, value);
    else if (!hasOwn(target, key)) setOwn(target, key, undefined);
  }
  enter(walk, source, target, start, false);
}

/**
 * The same for any object, member by member.
 *
 * @param {Walk} walk
 * @param {object} source
 * @param {any} target
 */
function mergeMembers(walk, source, target) {
  const start = walk.keys.length;
  const keys = Reflect.ownKeys(source);
  spend(walk, keys.length);
  for (const key of keys) {
    const value = valueOf(source, key);
    if (value === ABSENT || (value === undefined && !walk.assignsUndefined) || isUnsafe(walk, key, value)) continue;
    take(walk, target, key, value);
  }
  enter(walk, source, target, start, false);
}

/**
 * Element by element, as the policy `index` has it.
 *
 * @param {Walk} walk
 * @param {unknown[]} source
 * @param {any} target
 */
function mergeElements(walk, source, target) {
  checkDepth(walk, walk.sources.length + 1);
  const start = walk.keys.length;
  const keys = keysOf(source);
  spend(walk, keys.length);
  const { length } = source;
  const dense = isDense(source, keys);
  for (let at = 0; at < keys.length; at++) {
    const index = dense ? at : Number(keys[at]);
    if (!dense && `${index >>> 0}` !== keys[at]) break; // After the indices come names, which are no elements.
    const value = dense ? elementOf(source, index) : valueOf(source, keys[at]);
    if (value === ABSENT) continue;
    if (value === undefined && !walk.assignsUndefined && hasOwn(target, index)) continue;
    take(walk, target, index, value);
  }
  if (target.length < length) target.length = length;
  enter(walk, source, target, start, false);
}

/**
 * A member into its place; an object only gets a place, for `finish`.
 *
 * @param {Walk} walk
 * @param {any} target
 * @param {PropertyKey} key
 * @param {unknown} value
 */
function take(walk, target, key, value) {
  if (typeof value !== 'object' || value === null) {
    setOwn(target, key, value);
    return;
  }
  if (!hasOwn(target, key)) setOwn(target, key, undefined);
  walk.keys.push(key);
  walk.values.push(value);
}

/**
 * Goes on with this container, if it has left members for `finish`.
 *
 * @param {Walk} walk
 * @param {object} source
 * @param {any} target
 * @param {number} start
 * @param {boolean} isSpread
 */
function enter(walk, source, target, start, isSpread) {
  if (walk.keys.length === start) return;
  walk.sources.push(source);
  walk.targets.push(target);
  walk.starts.push(start);
  walk.spreads.push(isSpread);
  if (walk.ancestors !== undefined) {
    walk.ancestors.set(source, target);
  } else if (walk.sources.length > FEW_ANCESTORS) {
    walk.ancestors = new Map(walk.sources.map((ancestor, at) => [ancestor, walk.targets[at]]));
  }
}

/** @param {Walk} walk */
function leave(walk) {
  const source = walk.sources.pop();
  walk.targets.pop();
  walk.starts.pop();
  walk.spreads.pop();
  if (walk.ancestors !== undefined) walk.ancestors.delete(/** @type {object} */ (source));
}

/**
 * Merges what has been left, down to the last. Each key is there in its target already.
 *
 * @param {Walk} walk
 */
function finish(walk) {
  const { keys, values, targets, starts, spreads } = walk;
  while (starts.length > 0) {
    const top = starts.length - 1;
    if (keys.length === starts[top]) {
      leave(walk);
      continue;
    }
    const key = /** @type {string} */ (keys.pop());
    const value = /** @type {object} */ (values.pop());
    const target = targets[top];
    const existing = spreads[top] ? undefined : target[key];
    if (isArray(value)) {
      mergeArray(walk, target, key, value, existing);
    } else if (!isPlainObject(value)) {
      target[key] = value;
    } else {
      const made = madeFrom(walk, value);
      if (made !== undefined) target[key] = made;
      else if (isPlainObject(existing)) mergeInto(walk, value, existing);
      else target[key] = copy(walk, value);
    }
  }
}

/**
 * @param {Walk} walk
 * @param {any} target
 * @param {string} key
 * @param {unknown[]} value
 * @param {unknown} existing
 */
function mergeArray(walk, target, key, value, existing) {
  if (walk.arrays === 'replace' || !isPlainArray(value)) {
    target[key] = adopted(walk, value, walk.sources.length + 1);
    return;
  }
  if (walk.arrays !== 'index') {
    const safe = adopted(walk, value, walk.sources.length + 1);
    target[key] = appended(walk, existing, safe);
    return;
  }
  const made = madeFrom(walk, value);
  if (made !== undefined) {
    target[key] = made;
    return;
  }
  const list = isPlainArray(existing) ? existing : [];
  if (list !== existing) target[key] = list;
  mergeElements(walk, value, list);
}

/**
 * What a container on the way here is being merged into: meeting it again means a cycle.
 *
 * @param {Walk} walk
 * @param {object} source
 */
function madeFrom(walk, source) {
  if (walk.ancestors !== undefined) return walk.ancestors.get(source);
  for (let at = walk.sources.length - 1; at >= 0; at--) {
    if (walk.sources[at] === source) return walk.targets[at];
  }
  return undefined;
}

module.exports = { createMerge, merge };
