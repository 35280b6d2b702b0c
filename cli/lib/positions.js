// @ts-check
'use strict';

/**
 * Lines and columns of a text: both from 1, columns in UTF-16 units, as editors and SARIF count. A line ends at LF,
 * CRLF or CR; not at U+2028, which editors show inside a line.
 */

/**
 * @param {string} text
 * @returns {(offset: number) => { line: number, column: number }}
 */
function positionsOf(text) {
  const starts = [0];
  for (let place = 0; place < text.length; place += 1) {
    const unit = text.charCodeAt(place);
    if (unit === 10 || (unit === 13 && text.charCodeAt(place + 1) !== 10)) starts.push(place + 1);
  }
  return (offset) => {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - starts[low] + 1 };
  };
}

module.exports = { positionsOf };
