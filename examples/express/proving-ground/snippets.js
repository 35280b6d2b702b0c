// @ts-check
'use strict';

// The code that the page shows: cut out of the files that run, between `#region` and `#endregion`, so that nothing else
// can be shown than what is attacked. Comments that only say types are left out.

const fs = require('node:fs');
const path = require('node:path');

/**
 * The regions of a file by name.
 * @param {string} file in this directory
 * @returns {Map<string, string>}
 */
function regionsOf(file) {
  const source = fs.readFileSync(path.join(__dirname, file), 'utf8').replaceAll('\r\n', '\n');
  const regions = new Map();
  for (const part of source.split('// #region ').slice(1)) {
    const [name] = part.split('\n', 1);
    const code = part.slice(name.length + 1, part.indexOf('// #endregion'));
    regions.set(name, code.replace(/^[ ]*\/\*\*[^]*?\*\/\n/gm, '').replace(/\/\*\* .*? \*\/ /g, '').trim());
  }
  return regions;
}

module.exports = { regionsOf };
