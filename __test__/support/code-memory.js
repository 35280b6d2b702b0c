'use strict';

/**
 * Keeps V8's regular expressions as they usually are. When more than 16 MB of machine code are held, V8 compiles them
 * without optimisations from then on, and with other results: `/(?i:a?B|(>))/` no longer finds 'b', and `split` with u
 * no longer splits between the halves of a pair. `node --no-regexp-optimization` shows the same. Code is held until the
 * next full garbage collection.
 */

const v8 = require('node:v8');
const vm = require('node:vm');

const MOST = 6 * 2 ** 20;

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc');

/** Collects garbage when much machine code is held. */
function keepCodeMemoryLow() {
  let held = 0;
  for (const { space_name: name, space_size: size } of v8.getHeapSpaceStatistics()) {
    if (name.startsWith('code')) held += size;
  }
  if (held > MOST) collect();
}

module.exports = { keepCodeMemoryLow };
