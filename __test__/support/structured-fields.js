'use strict';

/**
 * Lists of structured fields (RFC 9651, §4.2), as strictly as the RFC parses them and as far as the rate limit's
 * headers use them: items that are strings, with parameters that are integers.
 */

/**
 * @param {string} text
 * @returns {{ name: string, parameters: Record<string, number> }[]}
 */
function parseList(text) {
  let at = 0;
  const take = (pattern, what) => {
    const sticky = new RegExp(pattern, 'y');
    sticky.lastIndex = at;
    const match = sticky.exec(text);
    if (match === null) throw new SyntaxError(`${what} is missing at ${at} of ${JSON.stringify(text)}`);
    at = sticky.lastIndex;
    return match;
  };
  take(' *', 'nothing');
  const items = [];
  while (at < text.length) {
    const [, quoted] = take('"((?:[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\["\\\\])*)"', 'a string');
    const parameters = {};
    while (text[at] === ';') {
      take('; *', 'a parameter');
      const [key] = take('[a-z*][a-z0-9_\\-.*]*', 'a key');
      take('=', 'a value');
      const [digits] = take('-?[0-9]{1,15}(?![0-9.])', 'an integer');
      parameters[key] = Number(digits);
    }
    items.push({ name: quoted.replaceAll(/\\(["\\])/g, '$1'), parameters });
    take('[ \\t]*', 'nothing');
    if (at === text.length) return items;
    take(',[ \\t]*', 'a comma');
    if (at === text.length) throw new SyntaxError('a comma at the end');
  }
  return items;
}

module.exports = { parseList };
