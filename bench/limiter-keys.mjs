// The keys that limiter.mjs and limiter-memory.mjs hit: new strings, as every request of a server brings its own, of
// addresses that come in no order.

/**
 * Texts of which a string can be made that nobody has seen: as every request brings its own, whose hash V8 has yet to
 * compute and whose characters a Map has yet to compare.
 */
export class Texts {
  #bytes;
  #ends;

  /**
   * @param {number} count
   * @param {(index: number) => string} textOf
   */
  constructor(count, textOf) {
    const texts = Array.from({ length: count }, (_, index) => textOf(index));
    this.#ends = new Uint32Array(count + 1);
    texts.forEach((text, index) => (this.#ends[index + 1] = this.#ends[index] + text.length));
    this.#bytes = Buffer.from(texts.join(''), 'latin1');
    this.length = count;
  }

  /** A new string. */
  fresh(index) {
    return this.#bytes.toString('latin1', this.#ends[index], this.#ends[index + 1]);
  }
}

/** As many different addresses as there are, in no order. */
export function ipv4(index) {
  const bits = Math.imul(index, 0x9e3779b1); // odd, so that none comes twice
  return `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`;
}

/** Addresses of as many /56, each with an interface of its own. */
export function ipv6(index) {
  const bits = Math.imul(index, 0x9e3779b1) >>> 0;
  const word = (value) => (value & 0xffff).toString(16);
  const low = word(Math.imul(bits, 0x85ebca6b) >>> 16);
  return `2a02:${word(bits >>> 16)}:${word(bits)}:${word((index & 255) << 8)}::${low}`;
}

const room = Buffer.alloc(15);

/** A new string of it. */
export function freshIpv4(index) {
  const bits = Math.imul(index, 0x9e3779b1);
  let end = octet(bits >>> 24, 0);
  for (let shift = 16; shift >= 0; shift -= 8) {
    room[end++] = DOT;
    end = octet((bits >>> shift) & 255, end);
  }
  return room.toString('latin1', 0, end);
}

// Texts that are joined would be a third of the time of a flood.
function octet(value, at) {
  if (value >= 100) room[at++] = ZERO + Math.floor(value / 100);
  if (value >= 10) room[at++] = ZERO + (Math.floor(value / 10) % 10);
  room[at++] = ZERO + (value % 10);
  return at;
}

const BATCH = 1000;
const DOT = 0x2e;
const ZERO = 0x30;

/**
 * Sends keys through a limiter, each of them once and none seen before: those of the indices from `from` on.
 * @param {import('./limiter-peers.mjs').Limiter} limiter
 * @param {object} how
 * @param {number} how.from
 * @param {number} how.count  a multiple of 1000
 * @param {(done: number, keys: string[]) => string | void} [how.after]  called after every 1000 of them; what it
 *   returns is why there shall be no more
 * @returns {Promise<{ done: number, stopped: string | null }>}
 */
export async function passKeys(limiter, { from, count, after = () => {} }) {
  const keys = new Array(BATCH);
  let done = 0;
  while (done < count) {
    for (let index = 0; index < BATCH; index++) keys[index] = freshIpv4(from + done + index);
    const allowed = await limiter.run(keys);
    if (allowed !== BATCH) throw new Error(`${allowed} of ${BATCH} new keys were allowed`);
    done += BATCH;
    const stopped = after(done, keys);
    if (stopped) return { done, stopped };
  }
  return { done, stopped: null };
}
