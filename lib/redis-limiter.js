// @ts-check
'use strict';

/**
 * RedisRateLimiter: one rate for all processes that use the same Redis, and an answer also when it is away: from a
 * limiter in this process, or an error. How long a call may take, and how many may be under way, is bounded, whatever
 * the client does with commands that it cannot send.
 */

const { wrongType } = require('./errors.js');
const { Deadlines, Waiting } = require('./deadlines.js');
const { checkKey, ipKey, readPrefix: readIpv6Prefix } = require('./ip-key.js');
const { RateLimiter, rateIn, readCost } = require('./limiter.js');
const { integer, oneOf, readOptions, table, unchecked } = require('./options.js');
const { RATE_OPTIONS, rateOf } = require('./rate.js');
const { readClient } = require('./redis-client.js');
const { defaultPrefix, readPrefix, redisKey } = require('./redis-key.js');
const { CONSUME, PEEK, REFUND, RESET } = require('./redis-questions.js');
const { RedisScript } = require('./redis-script.js');
const { codeOf, isAboutKey, storeError } = require('./store-errors.js');
const { StoreHealth } = require('./store-health.js');

const OPTIONS = table({
  client: readClient,
  ...RATE_OPTIONS,
  prefix: readPrefix,
  ipv6Prefix: readIpv6Prefix,
  onStoreError: oneOf(['open', 'closed']),
  timeoutMs: integer(1, 60_000, 500),
  maxPending: integer(1, 1_000_000, 10_000),
  fallback: readFallback,
});

/**
 * @typedef {import('./redis-questions.js').Question} Question
 * @typedef {import('./redis-questions.js').LocalLimiter} LocalLimiter
 */

/** A call that the client has been given. */
class Call extends Waiting {
  /**
   * @param {Question} question
   * @param {string} key
   * @param {number} cost
   * @param {number} epoch
   * @param {boolean} isProbe
   */
  constructor(question, key, cost, epoch, isProbe) {
    super();
    this.question = question;
    this.key = key;
    this.cost = cost;
    this.epoch = epoch;
    this.isProbe = isProbe;
    /** @type {(answer: any) => void} */
    this.resolve = ignore;
    /** @type {(error: unknown) => void} */
    this.reject = ignore;
  }
}

class RedisRateLimiter {
  #rate;
  #script;
  #commands;
  #prefix;
  #ipv6Prefix;
  #maxPending;
  #isOpen;
  /** What answers while the store is away. @type {LocalLimiter | undefined} */
  #local;
  /** The local limiter if its levels mean the same as those in Redis. @type {LocalLimiter | undefined} */
  #mirror;
  #health = new StoreHealth();
  /** @type {Deadlines<Call>} */
  #deadlines;
  #perMicrosecond;
  #capacity;
  #pending = 0;
  #counts = { answered: 0, failed: 0, local: 0, rejected: 0 };
  /** @type {string | null} */
  #lastFailure = null;

  /** @param {unknown} options */
  constructor(options) {
    const { client, prefix, ipv6Prefix, onStoreError, timeoutMs, maxPending, fallback, ...rate } = readOptions(
      options,
      OPTIONS,
    );
    this.#rate = rateOf(rate);
    this.#commands = client;
    this.#script = new RedisScript(client);
    this.#prefix = prefix ?? defaultPrefix(this.#rate);
    this.#ipv6Prefix = ipv6Prefix;
    this.#maxPending = maxPending;
    this.#isOpen = onStoreError === 'open';
    if (this.#isOpen && fallback === undefined) this.#mirror = localLimiter(this.#rate, ipv6Prefix);
    this.#local = fallback === undefined ? this.#mirror : fallback || undefined;
    this.#deadlines = new Deadlines(timeoutMs, (call) => this.#expired(call));
    this.#perMicrosecond = String(this.#rate.perMicrosecond);
    this.#capacity = String(this.#rate.capacity);
  }

  /**
   * @param {unknown} key
   * @param {unknown} [cost]
   */
  async consume(key, cost = 1) {
    return this.#ask(CONSUME, this.#readKey(key), readCost(cost));
  }

  /** @param {unknown} key */
  async peek(key) {
    return this.#ask(PEEK, this.#readKey(key), 0);
  }

  /**
   * @param {unknown} key
   * @param {unknown} [cost]
   */
  async refund(key, cost = 1) {
    return this.#ask(REFUND, this.#readKey(key), readCost(cost));
  }

  /** @param {unknown} key */
  async reset(key) {
    return this.#ask(RESET, this.#readKey(key), 0);
  }

  stats() {
    const { answered, failed, local, rejected } = this.#counts;
    return {
      away: this.#health.isAway,
      lastFailure: this.#lastFailure,
      pending: this.#pending,
      answered,
      failed,
      local,
      rejected,
      probes: this.#health.probes,
    };
  }

  /**
   * @param {unknown} key
   * @returns {string}
   */
  #readKey(key) {
    checkKey(key, 'key');
    return ipKey(key, this.#ipv6Prefix);
  }

  /**
   * @param {Question} question
   * @param {string} key
   * @param {number} cost
   */
  #ask(question, key, cost) {
    const isProbe = this.#health.isAway;
    if (isProbe ? !this.#health.beginProbe() : this.#pending >= this.#maxPending) {
      return this.#answerLocally(question, key, cost);
    }
    const call = new Call(question, key, cost, this.#health.epoch, isProbe);
    const answer = new Promise((resolve, reject) => {
      call.resolve = resolve;
      call.reject = reject;
    });
    this.#pending++;
    this.#deadlines.add(call);
    this.#send(call).then(
      (reply) => this.#replied(call, reply),
      (error) => this.#failed(call, error),
    );
    return answer;
  }

  /** @param {Call} call */
  #send({ question, key, cost, isProbe }) {
    const name = this.#prefix + redisKey(key);
    if (question === RESET) return this.#commands.del(name);
    const values = [String(question.units(this.#rate, cost)), this.#perMicrosecond, this.#capacity];
    return isProbe ? this.#script.runWhole(name, values) : this.#script.run(name, values);
  }

  /**
   * @param {Call} call
   * @param {unknown} reply
   */
  #replied(call, reply) {
    const answer = this.#readReply(call, reply);
    if (answer === undefined) return this.#failed(call, new Error('REPLY is no level'));
    this.#settled(call, true);
    if (call.isOver) return;
    call.isOver = true;
    if (call.isProbe) this.#health.probeAnswered();
    this.#counts.answered++;
    const { question, key, cost } = call;
    if (this.#mirror !== undefined) question.mirror(this.#mirror, key, cost, answer);
    call.resolve(question.result(this.#rate, answer, cost));
  }

  /**
   * What the script can have returned, or nothing: a client may queue a command instead of sending it (`multi`), or be a
   * mock. Clients can be told to give integers as text.
   *
   * @param {Call} call
   * @param {unknown} reply
   */
  #readReply(call, reply) {
    if (typeof reply !== 'number' && typeof reply !== 'bigint' && (typeof reply !== 'string' || reply === '')) return;
    const answer = Number(reply);
    if (!Number.isSafeInteger(answer)) return;
    // How many keys were deleted.
    if (call.question === RESET) return answer;
    return answer >= -1 - this.#rate.capacity && answer <= this.#rate.capacity ? answer : undefined;
  }

  /**
   * @param {Call} call
   * @param {unknown} error
   */
  #failed(call, error) {
    const isOfKey = isAboutKey(error);
    this.#settled(call, isOfKey);
    if (call.isOver) return;
    if (isOfKey && call.isProbe) this.#health.probeAnswered();
    this.#giveUp(call, isOfKey, codeOf(error), error);
  }

  /** @param {Call} call */
  #expired(call) {
    this.#giveUp(call, false, 'TIMEOUT', undefined);
  }

  /**
   * @param {Call} call
   * @param {boolean} isOfKey The store is well, and has something else under the key.
   * @param {string} code
   * @param {unknown} cause
   */
  #giveUp(call, isOfKey, code, cause) {
    call.isOver = true;
    this.#counts.failed++;
    this.#lastFailure = code;
    if (!isOfKey) {
      if (call.isProbe) this.#health.probeFailed();
      else this.#health.failed(call.epoch);
    }
    try {
      call.resolve(this.#answerLocally(call.question, call.key, call.cost, cause));
    } catch (error) {
      call.reject(error);
    }
  }

  /**
   * The client is done with the call, which may have been given up before.
   *
   * @param {Call} call
   * @param {boolean} isAnswer
   */
  #settled(call, isAnswer) {
    this.#pending--;
    if (call.isProbe) this.#health.probeSettled(isAnswer);
  }

  /**
   * Without Redis.
   *
   * @param {Question} question
   * @param {string} key
   * @param {number} cost
   * @param {unknown} [cause]
   */
  #answerLocally(question, key, cost, cause) {
    if (!this.#isOpen) {
      this.#counts.rejected++;
      throw storeError(this.#health.retryAfterMs, cause);
    }
    this.#counts.local++;
    if (this.#local !== undefined) return question.local(this.#local, key, cost);
    return question.result(this.#rate, cost > this.#rate.burst && question === CONSUME ? -1 : 0, cost);
  }

  /**
   * The rate of a limiter, or nothing for what is none.
   *
   * @param {any} value
   */
  static sharedRateIn(value) {
    return typeof value === 'object' && value !== null && #rate in value ? value.#rate : undefined;
  }
}

const { sharedRateIn } = RedisRateLimiter;
// @ts-expect-error Not for users.
delete RedisRateLimiter.sharedRateIn;

/** @param {import('./redis-questions.js').Rate} rate @param {number} ipv6Prefix */
function localLimiter({ limit, windowMs, burst }, ipv6Prefix) {
  return new RateLimiter({ __proto__: null, limit, windowMs, burst, ipv6Prefix });
}

/** @type {import('./options.js').Reader<LocalLimiter | false | undefined>} */
function readFallback(value, name) {
  if (value === undefined || value === false || rateIn(value)) return /** @type {any} */ (value);
  throw wrongType(name, 'a RateLimiter or false');
}

function ignore() {}

module.exports = { RedisRateLimiter, sharedRateIn };
