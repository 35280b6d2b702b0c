'use strict';

/**
 * Loaded before every test file by `npm test`: takes a snapshot of the own keys and prototypes of every built-in
 * object, and compares it when the file has run. Whatever a test did, no built-in prototype may be left changed.
 */

/** Every object that is reachable from the global one through own data properties and prototypes, with its path. */
function builtIns() {
  const seen = new Map([[globalThis, 'globalThis']]);
  for (const [object, path] of seen) {
    const isGlobal = object === globalThis;
    const prototype = Object.getPrototypeOf(object);
    const add = (value, name) => {
      const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
      if (isObject && !seen.has(value)) seen.set(value, name);
    };
    for (const key of Reflect.ownKeys(object)) {
      // Not process, console and the like, which change as they should; and what is lazy stays so.
      if (isGlobal && !/^(?:[A-Z]\w+)$/.test(String(key))) continue;
      const { value } = Object.getOwnPropertyDescriptor(object, key);
      add(value, isGlobal ? String(key) : `${path}.${String(key)}`);
    }
    if (!isGlobal) add(prototype, `the prototype of ${path}`);
  }
  seen.delete(globalThis);
  return seen;
}

/** What can be changed to poison: which keys there are (in whatever order), of which kind, and the prototype. */
function stateOf(object) {
  const keys = Reflect.ownKeys(object).sort((a, b) => (String(a) < String(b) ? -1 : 1));
  const descriptors = keys.map((key) => {
    const { value, get, set } = Object.getOwnPropertyDescriptor(object, key);
    return [key, typeof value === 'object' || typeof value === 'function' ? value : typeof value, get, set];
  });
  return [Object.getPrototypeOf(object), ...descriptors.flat()];
}

/**
 * What has changed since `before`, by path.
 *
 * @param {Map<object, { path: string, state: unknown[] }>} before
 */
function changesSince(before) {
  const changes = [];
  for (const [object, { path, state }] of before) {
    const now = stateOf(object);
    if (now.length !== state.length || now.some((part, index) => !Object.is(part, state[index]))) changes.push(path);
  }
  return changes;
}

function snapshot() {
  return new Map(Array.from(builtIns(), ([object, path]) => [object, { path, state: stateOf(object) }]));
}

module.exports = { changesSince, snapshot };

// As `--require`, and not where the tests of this file ask for it.
if (module.parent === null || module.parent === undefined || module.parent.id === 'internal/preload') {
  const before = snapshot();
  process.on('exit', () => {
    const changes = changesSince(before);
    if (changes.length === 0) return;
    process.exitCode = 1;
    console.error(`The tests have left built-in objects changed: ${changes.join(', ')}`);
  });
}
