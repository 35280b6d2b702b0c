// @ts-check
'use strict';

/** One line on a terminal that says how far a long scan is, and is gone when it ends. Nothing where there is none. */

/** Milliseconds: what is done by then needs no progress. */
const QUIET_AT_FIRST_MS = 500;
const BETWEEN_MS = 100;
const CLEAR = '\r\x1b[K';

class Progress {
  #stream;
  #shown = false;
  #next;
  #now;

  /**
   * @param {{ isTTY?: boolean, write(text: string): unknown }} stream
   * @param {boolean} wanted
   * @param {() => number} [now] Milliseconds.
   */
  constructor(stream, wanted, now = () => performance.now()) {
    this.#now = now;
    this.#stream = wanted && stream.isTTY === true && process.env.TERM !== 'dumb' ? stream : null;
    this.#next = now() + QUIET_AT_FIRST_MS;
  }

  /**
   * @param {number} done
   * @param {number} total
   * @param {number} found
   */
  show(done, total, found) {
    if (this.#stream === null) return;
    const now = this.#now();
    if (now < this.#next) return;
    this.#next = now + BETWEEN_MS;
    this.#shown = true;
    this.#stream.write(`${CLEAR}${done} of ${total} files, ${found} patterns`);
  }

  clear() {
    if (this.#shown) this.#stream?.write(CLEAR);
    this.#shown = false;
  }
}

module.exports = { Progress };
