// @ts-check
'use strict';

/**
 * The fields RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10), lists to which each limit of a
 * request adds its item.
 *
 * `q` and `w` (§3.1) are the bucket: as many tokens as it holds, and how long an empty one takes to be full, rounded
 * up. With `burst` as `limit` these are `limit` and `windowMs`. With another burst they are not, on purpose: whoever
 * makes no more than `q` requests in any `w` seconds is never refused, which `limit` could not say with a smaller
 * burst; and what remains (`r`) is never more than `q`, as it could be with a larger one. The rate is the same.
 *
 * `t` (§4.1.2) is the time until there is another token, not until there are all: when a request with a cost of 1 is
 * refused it is what Retry-After says, which should not be earlier (§6). It is left out when nothing is missing.
 */

/**
 * @typedef {{ allowed: boolean, limit: number, remaining: number, retryAfterMs: number, resetMs: number }} Answer
 * @typedef {{ limit: number, windowMs: number, burst: number }} Rate
 */

const POLICY = 'RateLimit-Policy';
const STANDING = 'RateLimit';

/** Fifteen digits (RFC 9651, §3.3.1). */
const MOST_INTEGER = 999_999_999_999_999;

class RateFields {
  #name;
  #rate;
  /** Of a limiter that does not tell its rate the policy is the limit that it last answered with. */
  #limit;
  #policy;
  #standing;
  #tokenMs;

  /**
   * @param {string} name
   * @param {Rate | undefined} rate
   */
  constructor(name, rate) {
    this.#name = name;
    this.#rate = rate;
    this.#limit = rate?.limit ?? 0;
    this.#policy = rate === undefined ? '' : policyOf(name, rate);
    this.#standing = `"${name}";r=`;
    this.#tokenMs = rate === undefined ? 0 : rate.windowMs / rate.limit;
  }

  /**
   * @param {any} res
   * @param {Answer} answer
   */
  write(res, answer) {
    if (this.#rate === undefined && answer.limit !== this.#limit) this.#follow(answer.limit);
    const nextMs = this.#nextMs(answer);
    const standing = this.#standing + whole(answer.remaining);
    append(res, POLICY, this.#policy);
    append(res, STANDING, nextMs > 0 && nextMs < Infinity ? `${standing};t=${seconds(nextMs)}` : standing);
  }

  /** @param {number} limit */
  #follow(limit) {
    this.#limit = limit;
    this.#policy = `"${this.#name}";q=${whole(limit)}`;
  }

  /**
   * Milliseconds until another token is there.
   *
   * @param {Answer} answer
   */
  #nextMs({ allowed, remaining, resetMs, retryAfterMs }) {
    if (this.#rate === undefined) return allowed ? resetMs : retryAfterMs;
    const missing = this.#rate.burst - remaining;
    if (missing <= 0) return 0;
    const nextMs = resetMs - (missing - 1) * this.#tokenMs;
    // Both are rounded up to milliseconds, and may be so by different parts of one.
    return allowed ? nextMs : Math.min(nextMs, retryAfterMs);
  }
}

/**
 * @param {string} name
 * @param {Rate} rate
 */
function policyOf(name, { limit, windowMs, burst }) {
  return `"${name}";q=${burst};w=${seconds((burst * windowMs) / limit)}`;
}

/**
 * What there is no less than one of in these fields, and in Retry-After.
 *
 * @param {number} milliseconds
 */
function seconds(milliseconds) {
  return whole(Math.ceil(milliseconds / 1000)) || 1;
}

/**
 * A structured field's integer, whatever a limiter of somebody else answers.
 *
 * @param {number} value
 */
function whole(value) {
  return value >= 1 ? Math.min(Math.floor(value), MOST_INTEGER) : 0;
}

/**
 * @param {any} res
 * @param {string} name
 * @param {string} item
 */
function append(res, name, item) {
  const before = res.getHeader(name);
  if (before === undefined) res.setHeader(name, item);
  else res.setHeader(name, `${Array.isArray(before) ? before.join(', ') : before}, ${item}`);
}

module.exports = { RateFields, seconds };
