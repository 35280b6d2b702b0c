// @ts-check
'use strict';

/**
 * sanitize: a clean copy of a value that something else has parsed, or built. Plain objects and arrays are copied with
 * the checks of parseJson; everything else is taken over by reference. No accessor is invoked, cycles stay cycles,
 * shared parts stay shared, nothing recurses. parseJson calls `cleanValue` on what a reviver made.
 */

const { JsonError } = require('./errors.js');
const { readJsonOptions } = require('./json-options.js');
const { recentlyRead } = require('./recently-read.js');
const { hasPrototype } = require('./unsafe-key.js');

/** @typedef {import('./json-options.js').ReadJsonOptions} ReadJsonOptions */

const settingsFor = recentlyRead(readJsonOptions);

/**
 * A container that was met.
 *
 * @typedef {object} Entry
 * @property {any} copy Its members are those of the original until their own turn comes.
 * @property {(string | number)[]} branches The keys of those members of `copy` that are objects.
 * @property {number} next Which of them is next.
 * @property {number} below Containers inside each other inside this one, as far as they have been seen.
 * @property {boolean} isOpen Whether it is on the way from the root to where we are.
 */

/**
 * Says whether reading the key would call a getter, and calls none: three times as fast as the property's descriptor.
 * On an own property that holds a value it says no, whatever the prototypes have. Taken before anybody can replace it.
 *
 * @type {{ call(object: object, key: string | number): Function | undefined }}
 */
const lookupGetter = /** @type {any} */ (Object.prototype).__lookupGetter__;

const { toSpliced } = Array.prototype;

const MESSAGES = {
  depth: 'the value nests deeper than limits.depth allows',
  keys: 'the value has more keys than limits.keys allows',
  keyLength: 'the value has a key longer than limits.keyLength allows',
  stringLength: 'the value has a string longer than limits.stringLength allows',
  arrayLength: 'the value has an array longer than limits.arrayLength allows',
  proto: 'the value has a key that sets a prototype when it is copied or merged',
  prototype: 'the value has an object that inherits from one of data, as a key that sets a prototype makes it',
  constructor: 'the value has a constructor with a prototype, which pollutes when it is merged',
  forbidden: 'the value has a key that options.forbiddenKeys names',
  operator: "the value has a key that begins with '$', which options.operatorKeys refuses",
  number: 'the value has a number that is not finite, or an integer beyond 2^53 - 1, which may have been rounded',
};

/**
 * @param {unknown} value
 * @param {unknown} [options]
 */
function sanitize(value, options) {
  return cleanValue(value, settingsFor(options));
}

/**
 * @param {unknown} value
 * @param {ReadJsonOptions} options
 */
function cleanValue(value, options) {
  return new Cleaner(options).clean(value);
}

class Cleaner {
  /** @type {Map<object, Entry>} */
  #entries = new Map();
  /** @type {Entry[]} */
  #open = [];
  #keys = 0;
  /** Prototypes, and whether what inherits from them is an instance. @type {Map<object, boolean> | undefined} */
  #prototypes;
  // Taken from the options, which V8 reads more slowly: they have no prototype.
  #options;
  #protoKey;
  #constructorKey;
  #maxDepth;
  #checksKeys;
  #checksScalars;

  /** @param {ReadJsonOptions} options */
  constructor(options) {
    const { forbiddenKeys, limits, numbers, operatorKeys } = options;
    this.#options = options;
    this.#protoKey = options.protoKey;
    this.#constructorKey = options.constructorKey;
    this.#maxDepth = limits.depth;
    this.#checksKeys = forbiddenKeys !== null || operatorKeys !== 'ignore' || limits.keyLength !== Infinity;
    this.#checksScalars = numbers === 'error' || limits.stringLength !== Infinity;
  }

  /** @param {unknown} root */
  clean(root) {
    if (typeof root !== 'object' || root === null) {
      if (this.#checksScalars) this.#checkScalar(root);
      return root;
    }
    const result = this.#copyOf(root);
    const open = this.#open;
    while (open.length > 0) {
      const entry = open[open.length - 1];
      if (entry.next < entry.branches.length) {
        const key = entry.branches[entry.next++];
        entry.copy[key] = this.#copyOf(entry.copy[key]);
      } else {
        open.pop();
        entry.isOpen = false;
        this.#reach(entry);
      }
    }
    return result;
  }

  /**
   * The copy that stands for a container from now on, or what is no plain object and no array.
   *
   * @param {object} source
   */
  #copyOf(source) {
    const known = this.#entries.get(source);
    if (known !== undefined) {
      if (!known.isOpen) this.#reach(known);
      return known.copy;
    }
    const isArray = Array.isArray(source);
    if (!this.#isPlain(source, isArray)) return source;
    if (this.#open.length >= this.#maxDepth) throw this.#refusal('ERR_JSON_LIMIT', MESSAGES.depth);
    /** @type {(string | number)[]} */
    const branches = [];
    const copy = isArray ? this.#copyArray(source, branches) : this.#copyObject(source, branches);
    const entry = { copy, branches, next: 0, below: 0, isOpen: branches.length > 0 };
    this.#entries.set(source, entry);
    if (entry.isOpen) this.#open.push(entry);
    else this.#reach(entry);
    return copy;
  }

  /**
   * The container just left, or met once more, counts for the depth of the one around it.
   *
   * @param {Entry} entry
   */
  #reach(entry) {
    const depth = this.#open.length;
    const height = entry.below + 1;
    if (depth + height > this.#maxDepth) throw this.#refusal('ERR_JSON_LIMIT', MESSAGES.depth);
    if (depth === 0) return;
    const around = this.#open[depth - 1];
    if (around.below < height) around.below = height;
  }

  /**
   * Its enumerable members with string keys that hold values, and are not to be removed.
   *
   * @param {any} source
   * @param {(string | number)[]} branches
   */
  #copyObject(source, branches) {
    const { limits } = this.#options;
    const keys = Object.keys(source);
    this.#keys += keys.length;
    if (this.#keys > limits.keys) throw this.#refusal('ERR_JSON_LIMIT', MESSAGES.keys);
    /** The keys that stay, once one does not. @type {string[] | undefined} */
    let kept;
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at];
      if (this.#keeps(source, key, branches)) {
        if (kept !== undefined) kept[kept.length] = key;
      } else if (kept === undefined) {
        kept = keys.slice(0, at);
      }
    }
    // A copy by V8 itself is the fastest. It reads the members again, which have been seen to be values; it defines
    // them, so that no inherited setter is called; and it would take symbols too.
    if (kept === undefined && Object.getOwnPropertySymbols(source).length === 0) return { ...source };
    const copy = {};
    for (const key of kept ?? keys) define(copy, key, source[key]);
    return copy;
  }

  /**
   * Checks one member.
   *
   * @param {any} source
   * @param {string} key
   * @param {(string | number)[]} branches
   */
  #keeps(source, key, branches) {
    if (key === '__proto__' && this.#protoKey !== 'ignore') {
      if (this.#protoKey === 'remove') return false;
      throw this.#refusal('ERR_JSON_PROTO_KEY', MESSAGES.proto, key);
    }
    if (this.#checksKeys && !this.#keepsKey(key)) return false;
    if (lookupGetter.call(source, key) !== undefined) return false;
    const value = source[key];
    if (typeof value === 'object') {
      if (value === null) return true;
      if (key === 'constructor' && this.#constructorKey !== 'ignore' && hasPrototype(value)) {
        if (this.#constructorKey === 'remove') return false;
        throw this.#refusal('ERR_JSON_CONSTRUCTOR_KEY', MESSAGES.constructor, key);
      }
      branches[branches.length] = key;
      return true;
    }
    if (this.#checksScalars) this.#checkScalar(value, key);
    return value !== undefined || holdsValue(source, key);
  }

  /** @param {string} key */
  #keepsKey(key) {
    const { forbiddenKeys, limits, operatorKeys } = this.#options;
    if (forbiddenKeys !== null && forbiddenKeys.has(key)) {
      throw this.#refusal('ERR_JSON_FORBIDDEN_KEY', MESSAGES.forbidden, key);
    }
    if (operatorKeys !== 'ignore' && key.startsWith('$')) {
      if (operatorKeys === 'remove') return false;
      throw this.#refusal('ERR_JSON_FORBIDDEN_KEY', MESSAGES.operator, key);
    }
    if (key.length > limits.keyLength) throw this.#refusal('ERR_JSON_LIMIT', MESSAGES.keyLength);
    return true;
  }

  /**
   * Its elements, and no other members.
   *
   * @param {any} source
   * @param {(string | number)[]} branches
   */
  #copyArray(source, branches) {
    const { length } = source;
    if (length > this.#options.limits.arrayLength) throw this.#refusal('ERR_JSON_LIMIT', MESSAGES.arrayLength);
    for (let at = 0; at < length; at++) {
      const isHole = !Object.hasOwn(source, at) || lookupGetter.call(source, at) !== undefined;
      const element = isHole ? undefined : source[at];
      if (element === undefined && !holdsValue(source, at)) {
        branches.length = 0;
        return this.#copySparse(source, length, branches);
      }
      if (typeof element === 'object') {
        if (element !== null) branches[branches.length] = at;
      } else if (this.#checksScalars) {
        this.#checkScalar(element, at);
      }
    }
    // By V8 itself, as above. It asks no constructor for the result, as slice does, and calls no iterator.
    return Reflect.apply(toSpliced, source, [0, 0]);
  }

  /**
   * An array with holes keeps them, at the cost of its elements, not of its length; an element behind an accessor is
   * one.
   *
   * @param {any} source
   * @param {number} length
   * @param {(string | number)[]} branches
   */
  #copySparse(source, length, branches) {
    /** @type {any[]} */
    const copy = [];
    // Set far from the others, an element makes V8 keep a table, where it would reserve the room for `length` of them.
    define(copy, String(length - 1), null);
    delete copy[length - 1];
    for (const key of Reflect.ownKeys(source)) {
      if (typeof key === 'symbol' || key === 'length') break; // the elements come first
      if (!holdsValue(source, key)) continue;
      const element = source[key];
      if (typeof element === 'object' && element !== null) branches[branches.length] = Number(key);
      else if (this.#checksScalars) this.#checkScalar(element, Number(key));
      define(copy, key, element);
    }
    return copy;
  }

  /**
   * Whether it is an array, or an object as a literal makes it, of this realm or another. What inherits from data and
   * from nothing else is one that some parser has poisoned, not an instance of a class.
   *
   * @param {object} source
   * @param {boolean} isArray
   */
  #isPlain(source, isArray) {
    const prototype = Object.getPrototypeOf(source);
    if (prototype === null || prototype === (isArray ? Array.prototype : Object.prototype)) return true;
    if (isArray ? isArrayPrototype(prototype) : isObjectPrototype(prototype)) return true;
    if (this.#isClass(prototype)) return false;
    if (this.#protoKey === 'error') {
      throw this.#refusal('ERR_JSON_PROTO_KEY', MESSAGES.prototype, '__proto__');
    }
    return true;
  }

  /**
   * Whether a prototype, or one that it inherits from, has a function or an accessor. Data alone is no class.
   *
   * @param {object} prototype
   */
  #isClass(prototype) {
    const known = (this.#prototypes ??= new Map());
    const chain = [];
    let answer = false;
    for (let at = prototype; at !== null && !isObjectPrototype(at); at = Object.getPrototypeOf(at)) {
      const before = known.get(at);
      answer = before ?? Reflect.ownKeys(at).some((key) => !isData(at, key));
      chain.push(at);
      if (answer || before !== undefined) break;
    }
    for (const at of chain) known.set(at, answer);
    return answer;
  }

  /**
   * @param {unknown} value
   * @param {string | number} [key] None for the root.
   */
  #checkScalar(value, key) {
    const { limits, numbers } = this.#options;
    if (typeof value === 'string') {
      if (value.length > limits.stringLength) throw this.#refusal('ERR_JSON_LIMIT', MESSAGES.stringLength, key);
    } else if (typeof value === 'number' && numbers === 'error') {
      // What is no integer is far from the rounding of integers: beyond 2^53 every double is one.
      const isExact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
      if (!isExact) throw this.#refusal('ERR_JSON_NUMBER', MESSAGES.number, key);
    }
  }

  /**
   * @param {string} code
   * @param {string} message
   * @param {string | number} [key] What is wrong in the container that is being copied; without it, that is.
   */
  #refusal(code, message, key) {
    const path = this.#open.map(({ branches, next }) => branches[next - 1]);
    if (key !== undefined) path.push(key);
    const pointer = path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
    return new JsonError(code, message, { path, pointer, offset: -1, line: 0, column: 0 });
  }
}

/**
 * @param {object} object
 * @param {string} key
 * @param {unknown} value
 */
function define(object, key, value) {
  const member = { __proto__: null, value, configurable: true, enumerable: true, writable: true };
  Object.defineProperty(object, key, member);
}

/**
 * Not behind an accessor.
 *
 * @param {object} object
 * @param {string | symbol | number} key
 */
function holdsValue(object, key) {
  const member = Object.getOwnPropertyDescriptor(object, key);
  return member !== undefined && Object.hasOwn(member, 'value');
}

/**
 * @param {object} object
 * @param {string | symbol} key
 */
function isData(object, key) {
  return holdsValue(object, key) && typeof (/** @type {any} */ (object)[key]) !== 'function';
}

/** Object.prototype of this realm or another. @param {object} prototype */
function isObjectPrototype(prototype) {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

/** Array.prototype of this realm or another: an array itself. @param {object} prototype */
function isArrayPrototype(prototype) {
  if (!Array.isArray(prototype)) return false;
  const above = Object.getPrototypeOf(prototype);
  return above !== null && isObjectPrototype(above);
}

module.exports = { cleanValue, sanitize };
