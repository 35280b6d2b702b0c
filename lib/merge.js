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
  countSpreadable,
  elementOf,
  isDense,
  isIndex,
  isPlainArray,
  isPlainObject,
  isUnsafe,
  keysOf,
  setOwn,
  spend,
  spread,
  valueOf,
} = require('./merge-members.js');

const { hasOwn } = Object;
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
  const policy = policyOf(readOptions(options, OPTIONS));
  return function merge(/** @type {unknown} */ target, /** @type {unknown[]} */ ...sources) {
    return mergeAll(policy, target, sources);
  };
}

/** @param {ReturnType<typeof readOptions<typeof OPTIONS>>} options */
function policyOf(options) {
  return {
    arrays: options.arrays,
    assignsUndefined: options.undefined === 'assign',
    removes: options.unsafeKeys === 'remove',
    maxDepth: options.maxDepth,
  };
}

/**
 * @param {ReturnType<typeof policyOf>} policy
 * @param {unknown} target
 * @param {unknown[]} sources
 */
function mergeAll(policy, target, sources) {
  if (!isPlainObject(target)) throw wrongType('target', 'a plain object');
  const walk = new Walk(policy);
  const result = {};
  mergeInto(walk, target, result);
  finish(walk);
  for (let at = 0; at < sources.length; at++) {
    const source = sources[at];
    if (!isPlainObject(source)) throw wrongType(`source ${at + 1}`, 'a plain object');
    mergeInto(walk, source, result);
    finish(walk);
  }
  return result;
}

/**
 * A container that is being merged.
 *
 * @typedef {object} Level
 * @property {object} source
 * @property {any} target
 * @property {boolean} isSpread Whether the source's own objects are still in the target, to be replaced.
 * @property {import('./merge-members.js').Pending | undefined} end The first pending member that is not its own.
 * @property {Level | undefined} outer
 * @property {number} depth
 */

/** What one call knows: the policy, the budget, and where it is. */
class Walk {
  /** @param {ReturnType<typeof policyOf>} policy */
  constructor(policy) {
    this.arrays = policy.arrays;
    this.assignsUndefined = policy.assignsUndefined;
    this.removes = policy.removes;
    this.maxDepth = policy.maxDepth;
    this.left = MAX_MEMBERS;
    this.isPolluted = 'value' in Object.prototype;
    /** @type {import('./merge-members.js').Pending | undefined} */
    this.pending = undefined;
    /** The innermost container. @type {Level | undefined} */
    this.level = undefined;
    /** From every container's source to its target, once there are many. @type {Map<object, any> | undefined} */
    this.ancestors = undefined;
    /** What arrays hold that is known to be safe. @type {Set<object> | undefined} */
    this.safe = undefined;
    /** Copies of arrays, and of what is in them, without unsafe members. @type {Map<object, any> | undefined} */
    this.cleaned = undefined;
    /** Arrays that this call has made by appending. @type {Map<unknown[], Set<unknown>> | undefined} */
    this.joined = undefined;
  }
}

/** @param {Walk} walk */
function nextDepth(walk) {
  return walk.level === undefined ? 1 : walk.level.depth + 1;
}

/**
 * A new object with the members of `source`; the objects among them are left for `finish`.
 *
 * @param {Walk} walk
 * @param {object} source
 */
function copy(walk, source) {
  checkDepth(walk, nextDepth(walk));
  const end = walk.pending;
  const count = countSpreadable(walk, source);
  if (count === -1) {
    const target = {};
    mergeInto(walk, source, target);
    return target;
  }
  const target = spread(source, count);
  enter(walk, source, target, end, true);
  return target;
}

/**
 * Member by member into an object that this call has made.
 *
 * @param {Walk} walk
 * @param {object} source
 * @param {any} target
 */
function mergeInto(walk, source, target) {
  checkDepth(walk, nextDepth(walk));
  const end = walk.pending;
  const keys = keysOf(source);
  spend(walk, keys.length);
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at];
    const value = valueOf(walk, source, key);
    if (value === ABSENT || (value === undefined && !walk.assignsUndefined) || isUnsafe(walk, key, value)) continue;
    take(walk, target, key, value);
  }
  enter(walk, source, target, end, false);
}

/**
 * Element by element, as the policy `index` has it.
 *
 * @param {Walk} walk
 * @param {unknown[]} source
 * @param {any} target
 */
function mergeElements(walk, source, target) {
  checkDepth(walk, nextDepth(walk));
  const end = walk.pending;
  const keys = Object.keys(source);
  spend(walk, keys.length);
  const { length } = source;
  const dense = isDense(source, keys);
  for (let at = 0; at < keys.length; at++) {
    if (!dense && !isIndex(keys[at])) continue;
    const index = dense ? at : Number(keys[at]);
    const value = dense ? elementOf(walk, source, index) : valueOf(walk, source, index);
    if (value === ABSENT) continue;
    if (value === undefined && !walk.assignsUndefined && hasOwn(target, index)) continue;
    take(walk, target, index, value);
  }
  if (target.length < length) target.length = length;
  enter(walk, source, target, end, false);
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
  walk.pending = { key, value, next: walk.pending };
}

/**
 * Goes on with this container, if it has left members for `finish`.
 *
 * @param {Walk} walk
 * @param {object} source
 * @param {any} target
 * @param {import('./merge-members.js').Pending | undefined} end
 * @param {boolean} isSpread
 */
function enter(walk, source, target, end, isSpread) {
  if (walk.pending === end) return;
  const outer = walk.level;
  walk.level = { source, target, isSpread, end, outer, depth: outer === undefined ? 1 : outer.depth + 1 };
  if (walk.ancestors !== undefined) {
    walk.ancestors.set(source, target);
  } else if (walk.level.depth > FEW_ANCESTORS) {
    walk.ancestors = new Map();
    for (let level = /** @type {Level | undefined} */ (walk.level); level !== undefined; level = level.outer) {
      walk.ancestors.set(level.source, level.target);
    }
  }
}

/**
 * Merges what has been left, down to the last. Each key is there in its target already.
 *
 * @param {Walk} walk
 */
function finish(walk) {
  while (walk.level !== undefined) {
    const { source, target, isSpread, end, outer } = walk.level;
    const { pending } = walk;
    if (pending === end || pending === undefined) {
      walk.level = outer;
      if (walk.ancestors !== undefined) walk.ancestors.delete(source);
      continue;
    }
    const { key, value } = pending;
    walk.pending = pending.next;
    const existing = isSpread ? undefined : target[key];
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
 * @param {PropertyKey} key
 * @param {unknown[]} value
 * @param {unknown} existing
 */
function mergeArray(walk, target, key, value, existing) {
  if (walk.arrays === 'replace' || !isPlainArray(value)) {
    target[key] = adopted(walk, value, nextDepth(walk));
    return;
  }
  if (walk.arrays !== 'index') {
    const safe = adopted(walk, value, nextDepth(walk));
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
  for (let level = walk.level; level !== undefined; level = level.outer) {
    if (level.source === source) return level.target;
  }
  return undefined;
}

module.exports = { createMerge, merge: createMerge() };
