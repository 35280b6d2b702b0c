'use strict';

/** That a test which leaves a built-in object changed fails its file: the guard under all other tests. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const vm = require('node:vm');
const { changesSince, snapshot } = require('./support/builtins.js');
const { runNode } = require('./support/child.js');

const GUARD = require.resolve('./support/builtins.js');

describe('the snapshot of the built-in objects', () => {
  it('has every prototype that the language has', () => {
    const paths = new Set(Array.from(snapshot().values(), ({ path }) => path));
    const names = vm.runInNewContext('Object.getOwnPropertyNames(globalThis)');
    const classes = names.filter((name) => typeof globalThis[name]?.prototype === 'object');
    assert.ok(classes.length > 30);
    for (const name of classes) assert.ok(paths.has(`${name}.prototype`) || paths.has(name), name);
  });

  it('tells every way to change one', () => {
    const before = snapshot();
    assert.deepEqual(changesSince(before), []);
    for (const [change, undo, path] of [
      [() => (Object.prototype.x = 1), () => delete Object.prototype.x, 'Object.prototype'],
      [() => (Array.prototype[0] = 1), () => delete Array.prototype[0], 'Array.prototype'],
      [
        () => Object.setPrototypeOf(Map.prototype, Set.prototype),
        () => Object.setPrototypeOf(Map.prototype, Object.prototype),
        'Map.prototype',
      ],
    ]) {
      change();
      const changes = changesSince(before);
      undo();
      assert.deepEqual(changes, [path]);
      assert.deepEqual(changesSince(before), []);
    }
  });

  for (const [source, expected] of [
    ['Object.prototype.cost = 4', 1],
    ['Map.prototype.extra = 1', 1],
    ['({}).__proto__ = { a: 1 }', 0],
  ]) {
    it(`ends a process with ${expected} after ${source}`, async () => {
      const { code, stderr } = await runNode(source, { flags: ['--require', GUARD] });
      assert.equal(code, expected);
      assert.equal(/built-in objects changed: (?:Object|Map)\.prototype\n/.test(stderr), expected === 1);
    });
  }
});
