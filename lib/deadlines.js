// @ts-check
'use strict';

/**
 * A time limit for many calls at once, all of the same length: one queue and one timer, which keeps no process alive.
 * Time is counted in ticks of a quarter of the limit, so a call ends at the limit or up to a quarter later. A process
 * that was busy for longer than the limit has missed ticks, and not counted them: answers that have arrived meanwhile
 * are read before their calls are given up.
 */

const TICKS = 4;

/** What is waited for, to be extended. */
class Waiting {
  isOver = false;
  tick = 0;
  /** @type {Waiting | undefined} */
  next;
}

/** @template {Waiting} T */
class Deadlines {
  #tickMs;
  #expire;
  #tick = 0;
  /** @type {T | undefined} */
  #first;
  /** @type {T | undefined} */
  #last;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  #isTicking = false;

  /**
   * @param {number} limitMs
   * @param {(waiting: T) => void} expire Called for what is not over by then.
   */
  constructor(limitMs, expire) {
    this.#tickMs = Math.ceil(limitMs / TICKS);
    this.#expire = expire;
  }

  /** @param {T} waiting */
  add(waiting) {
    // The tick that is under way may be nearly over.
    waiting.tick = this.#tick + TICKS + 1;
    this.#dropOver();
    if (this.#last === undefined) this.#first = waiting;
    else this.#last.next = waiting;
    this.#last = waiting;
    if (!this.#isTicking) this.#start();
  }

  /** Answers come nearly in the order of the calls, so that the queue is about as long as there are calls waiting. */
  #dropOver() {
    while (this.#first?.isOver) this.#shift();
  }

  #shift() {
    const first = /** @type {T} */ (this.#first);
    this.#first = /** @type {T | undefined} */ (first.next);
    first.next = undefined;
    if (this.#first === undefined) this.#last = undefined;
    return first;
  }

  #start() {
    this.#isTicking = true;
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#ticked(), this.#tickMs).unref();
    else this.#timer.refresh();
  }

  #ticked() {
    this.#tick++;
    this.#dropOver();
    while (this.#first !== undefined && this.#first.tick <= this.#tick) {
      this.#expire(this.#shift());
      this.#dropOver();
    }
    this.#isTicking = false;
    if (this.#first !== undefined) this.#start();
  }
}

module.exports = { Deadlines, Waiting };
