// @ts-check
'use strict';

/**
 * Whether the store is there: a circuit breaker. One failure says that it is away; from then on nothing is sent to it
 * but a probe from time to time, which is a call like any other: one at a time, further apart each time, at moments
 * that differ between processes. A probe that is answered says that it is back. Nothing happens without a call, so
 * that no timer is needed.
 */

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5000;
/** So many probes may be without an answer: a client that is not connected may keep each of them for later. */
const MOST_UNANSWERED = 8;

class StoreHealth {
  #isAway = false;
  #isProbing = false;
  #unanswered = 0;
  #delayMs = 0;
  #probeAt = 0;
  #backAt = -Infinity;
  #epoch = 0;
  #probes = 0;

  get isAway() {
    return this.#isAway;
  }

  /** Changes whenever the store goes or comes back. */
  get epoch() {
    return this.#epoch;
  }

  /** How many probes there have been. */
  get probes() {
    return this.#probes;
  }

  /** Until the next probe. */
  get retryAfterMs() {
    return Math.max(1, Math.ceil(this.#probeAt - performance.now()));
  }

  /** Whether a call that is made now, while the store is away, is the probe. */
  beginProbe() {
    if (this.#isProbing || this.#unanswered >= MOST_UNANSWERED || performance.now() < this.#probeAt) return false;
    this.#isProbing = true;
    this.#unanswered++;
    this.#probes++;
    return true;
  }

  probeAnswered() {
    this.#isProbing = false;
    this.#isAway = false;
    this.#epoch++;
    this.#backAt = performance.now();
  }

  probeFailed() {
    this.#isProbing = false;
    this.#wait();
  }

  /**
   * The client is done with a probe, in time or not. An answer that comes late is no proof that the next one would be
   * in time, but a reason to ask.
   *
   * @param {boolean} isAnswer
   */
  probeSettled(isAnswer) {
    this.#unanswered--;
    if (isAnswer) this.#probeAt = 0;
  }

  /**
   * A call failed that is no probe.
   *
   * @param {number} epoch When it was made: what is older than the last change is no news.
   */
  failed(epoch) {
    if (epoch !== this.#epoch) return;
    this.#isAway = true;
    this.#epoch++;
    // A store that comes and goes is asked less and less often, like one that stays away.
    if (performance.now() - this.#backAt > 2 * LONGEST_DELAY_MS) this.#delayMs = 0;
    this.#wait();
  }

  #wait() {
    this.#delayMs = Math.min(LONGEST_DELAY_MS, Math.max(FIRST_DELAY_MS, this.#delayMs * 2));
    this.#probeAt = performance.now() + (this.#delayMs * (1 + Math.random())) / 2;
  }
}

module.exports = { StoreHealth };
