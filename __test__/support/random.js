'use strict';

/** A seeded generator of pseudo-random choices, so that every failure can be repeated. */

class Random {
  #state;

  /** @param {number} seed */
  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 up to, not including, `bound`. Mulberry32. */
  below(bound) {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  }

  /** One of `items`. */
  pick(items) {
    return items[this.below(items.length)];
  }

  /** A list of up to `most` results of `make`. */
  list(most, make) {
    return Array.from({ length: this.below(most + 1) }, make);
  }
}

module.exports = { Random };
