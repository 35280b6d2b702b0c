// @ts-check
'use strict';

/**
 * Names with brackets, for parseQuery: `a[b][c]` is a member of a member, `a[]` adds to an array, and members named 0
 * to n − 1, in any order, are an array. Every name has one reading or is refused, and so are names that cannot stand
 * together. Nothing recurses, and no index reserves room for others: what is taken is in proportion to the query.
 */

const { createError } = require('./errors.js');

/** @typedef {import('./query.js').QuerySettings} QuerySettings */
/** @typedef {Map<string, any>} Members Values: text, an array of text by `duplicates`, List, Members. */

/** What `[]` or `options.arrays` makes, apart from the arrays of `duplicates: 'array'`. */
class List {
  /** @type {string[]} */
  items = [];
}

const INDEX = /^(?:0|[1-9][0-9]{0,9})$/;
/** An index may lie so far beyond the number of members before V8 has to be kept from reserving the room between. */
const GAP = 32;
const FAR = 2 ** 32 - 2;

/** @param {QuerySettings} settings */
function createTree(settings) {
  /** @type {Members} */
  const root = new Map();
  /** Every map but the root, with where it stands: parents before children. */
  const places = /** @type {{ parent: Members, key: string, members: Members }[]} */ ([]);

  /** @type {(name: string, value: string, place: number) => void} */
  function add(name, value, place) {
    const { steps, isList } = readName(name, settings.depth, place);
    let members = root;
    for (let at = 0; at < steps.length - 1; at++) {
      const key = steps[at];
      let child = members.get(key);
      if (child === undefined) {
        child = new Map();
        places.push({ parent: members, key, members: child });
        members.set(key, child);
      } else if (!(child instanceof Map)) {
        throw conflict(place);
      }
      members = child;
    }
    const isArray = isList || (settings.arrays !== undefined && settings.arrays.has(name));
    addLeaf(members, steps[steps.length - 1], value, isArray, place);
  }

  /** @type {(members: Members, key: string, value: string, isList: boolean, place: number) => void} */
  function addLeaf(members, key, value, isList, place) {
    const existing = members.get(key);
    if (isList) {
      const list = existing === undefined ? new List() : existing;
      if (!(list instanceof List)) throw conflict(place);
      append(list.items, value, settings, place);
      if (existing === undefined) members.set(key, list);
    } else if (existing === undefined) {
      members.set(key, value);
    } else {
      if (existing instanceof List || existing instanceof Map) throw conflict(place);
      members.set(key, collect(existing, value, settings, place));
    }
  }

  /** The objects and arrays, children first. */
  function finish() {
    for (let at = places.length - 1; at >= 0; at--) {
      const { parent, key, members } = places[at];
      parent.set(key, isDense(members) ? toArray(members, settings) : toObject(members));
    }
    return toObject(root);
  }

  return { add, finish };
}

/**
 * The name and what stands in its brackets. Brackets that are not a row of pairs after a name are refused, and so is an
 * empty pair that is not the last.
 *
 * @param {string} name
 * @param {number} maxDepth
 * @param {number} place
 */
function readName(name, maxDepth, place) {
  const open = name.indexOf('[');
  const root = open === -1 ? name : name.slice(0, open);
  if (root.includes(']')) throw unreadable(place);
  if (open === -1) return { steps: [name], isList: false };
  if (root === '') throw unreadable(place);
  const steps = [root];
  let isList = false;
  let depth = 0;
  for (let at = open; at < name.length;) {
    const close = name.indexOf(']', at);
    const key = name.slice(at + 1, close);
    if (isList || close === -1 || name[at] !== '[' || key.includes('[')) throw unreadable(place);
    if (++depth > maxDepth) {
      throw createError('ERR_QUERY_LIMIT', `parameter ${place} nests deeper than limits.depth allows`);
    }
    if (key === '') isList = true;
    else steps.push(key);
    at = close + 1;
  }
  return { steps, isList };
}

/**
 * A name that `__proto__` or `constructor[prototype]` is part of, once brackets are settings. It is looked for also
 * where brackets have no meaning: whoever gives them one later would be its victim.
 *
 * @param {string} name
 */
function isDangerousName(name) {
  if (!name.includes('[')) return false;
  return (
    name.startsWith('__proto__[') ||
    name.includes('[__proto__]') ||
    name.startsWith('constructor[prototype]') ||
    name.includes('[constructor][prototype]')
  );
}

/**
 * What a name stands for after its second value, or one after that.
 *
 * @param {string | string[]} existing
 * @param {string} value
 * @param {QuerySettings} settings
 * @param {number} place
 */
function collect(existing, value, settings, place) {
  switch (settings.duplicates) {
    case 'last':
      return value;
    case 'first':
      return existing;
    case 'array':
      return append(
        typeof existing === 'string' ? append([], existing, settings, place) : existing,
        value,
        settings,
        place,
      );
    default:
      throw createError(
        'ERR_QUERY_DUPLICATE',
        `parameter ${place} has the name of one before it; expected every name once, or among options.arrays`,
      );
  }
}

/**
 * @param {string[]} list
 * @param {string} value
 * @param {QuerySettings} settings
 * @param {number} place
 */
function append(list, value, settings, place) {
  if (list.length >= settings.arrayLength) throw tooLong(`parameter ${place} makes an array longer`);
  list[list.length] = value;
  return list;
}

/**
 * Whether the keys are 0 to n − 1.
 *
 * @param {Members} members
 */
function isDense(members) {
  for (const key of members.keys()) {
    if (!isIndex(key) || Number(key) >= members.size) return false;
  }
  return true;
}

/** @param {string} key */
function isIndex(key) {
  const first = key.charCodeAt(0);
  return first >= 0x30 && first <= 0x39 && INDEX.test(key);
}

/**
 * @param {Members} members
 * @param {QuerySettings} settings
 */
function toArray(members, settings) {
  if (members.size > settings.arrayLength) throw tooLong('the query makes an array longer');
  return Array.from({ length: members.size }, (_, at) => valueOf(members.get(String(at))));
}

/** @param {Members} members */
function toObject(members) {
  /** @type {Record<string | number, unknown>} */
  const object = { __proto__: null };
  for (const key of members.keys()) {
    if (!isIndex(key) || Number(key) <= members.size + GAP) continue;
    // For an index up to about 1000 V8 reserves the room below it: 12 KB for every `a[1000]=`. After one much farther
    // out it keeps a table instead, also when that one is gone.
    object[FAR] = null;
    delete object[FAR];
    break;
  }
  for (const [key, value] of members) object[key] = valueOf(value);
  return object;
}

/** @param {any} value */
function valueOf(value) {
  return value instanceof List ? value.items : value;
}

/** @param {number} place */
function unreadable(place) {
  const expected = "expected a name and then pairs like '[key]', an empty one only at the end";
  return createError('ERR_QUERY_KEY', `parameter ${place} has brackets that cannot be read; ${expected}`);
}

/** @param {number} place */
function conflict(place) {
  return createError(
    'ERR_QUERY_KEY',
    `parameter ${place} gives a name a second shape; expected one of a text, a list ('a[]') or an object ('a[b]')`,
  );
}

/** @param {string} what */
function tooLong(what) {
  return createError('ERR_QUERY_LIMIT', `${what} than limits.arrayLength allows`);
}

module.exports = { append, collect, createTree, isDangerousName };
