// @ts-check
'use strict';

/**
 * The rate limit as Redis runs it: a script that reads a key's state, takes tokens and writes the state back, in one
 * round trip that nothing else comes between; and how a server gets to know it, also after it was restarted.
 */

const { createHash } = require('node:crypto');
const { isAboutKey } = require('./store-errors.js');

/**
 * GCRA, as crates/limiter has it. The state of a key is the time at which its bucket is full again, by the clock of the
 * server: whole microseconds, and with a colon the units beyond them, of which `per` are a microsecond. Everything is
 * an integer below 2^53, which Lua's doubles hold exactly; `%.0f`, because Lua would write large ones with an exponent.
 *
 * KEYS[1]: the key. ARGV: the units to take, less than nothing to give back; the units in a microsecond; the capacity.
 * Returns the level after that, or, when they are more than there are, -1 less the level as it is.
 *
 * - A level above the capacity means that the clock went backwards. It counts as an empty bucket, and is written down
 *   as one: the key is refused for one recovery at most, not until the clock is where it was.
 * - What is refused, or takes nothing, is not written otherwise.
 * - A second more to live than it takes to recover: expiry counts from a clock that was read before TIME is.
 * - What is not a state is somebody else's: it is left alone.
 *
 * Errors of GET and SET are returned as they are; before Redis 7, those that end a script come in words of their own.
 *
 * A script that reads TIME before it writes takes Redis 5, which replicates what a script did and not the script.
 */
const SCRIPT = `
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local take, per, capacity = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local state = redis.pcall('GET', KEYS[1])
if type(state) == 'table' then return state end
local at, level = now(), 0
if state then
  local us, units = string.match(state, '^(%d+):?(%d*)$')
  if not us then return redis.error_reply('HOLDFAST the key holds something else') end
  level = math.max(0, (us - at) * per + (tonumber(units) or 0))
end

local after = math.min(level, capacity)
local refused = take > 0 and after + take > capacity
if not refused then after = math.max(0, after + take) end
if take ~= 0 and after ~= level then
  if after == 0 then
    redis.call('DEL', KEYS[1])
  else
    local units = after % per
    local full = string.format('%.0f', at + (after - units) / per)
    if units > 0 then full = full .. string.format(':%.0f', units) end
    local lifetime = string.format('%.0f', math.ceil(after / (per * 1000)) + 1000)
    local written = redis.pcall('SET', KEYS[1], full, 'PX', lifetime)
    if written.err then return written end
  end
end
if refused then return -1 - after end
return after
`;

/** @typedef {import('./redis-client.js').Commands} Commands */

/**
 * The script on one client. A server that does not know it is sent the whole of it once, however many calls find that
 * out at the same time: EVAL runs it and keeps it.
 */
class RedisScript {
  #commands;
  #digest = createHash('sha1').update(SCRIPT).digest('hex');
  /** @type {Promise<unknown> | undefined} */
  #sending;

  /** @param {Commands} commands */
  constructor(commands) {
    this.#commands = commands;
  }

  /**
   * @param {string} key
   * @param {string[]} values
   * @returns {Promise<unknown>}
   */
  run(key, values) {
    return this.#commands.evalsha(this.#digest, key, values).then(undefined, (error) => {
      if (!isUnknownScript(error)) throw error;
      return this.#sending === undefined ? this.#send(key, values) : this.#runAfter(this.#sending, key, values);
    });
  }

  /**
   * As `run`, without asking whether the server knows the script. It does afterwards.
   *
   * @param {string} key
   * @param {string[]} values
   */
  runWhole(key, values) {
    return this.#commands.eval(SCRIPT, key, values);
  }

  /**
   * @param {string} key
   * @param {string[]} values
   */
  #send(key, values) {
    const sending = this.runWhole(key, values);
    const forget = () => {
      this.#sending = undefined;
    };
    this.#sending = sending;
    sending.then(forget, forget);
    return sending;
  }

  /**
   * @param {Promise<unknown>} sending
   * @param {string} key
   * @param {string[]} values
   */
  async #runAfter(sending, key, values) {
    // When that fails, the store has failed, and this call need not try it too; unless it was about its own key.
    await sending.catch((error) => {
      if (!isAboutKey(error)) throw error;
    });
    try {
      return await this.#commands.evalsha(this.#digest, key, values);
    } catch (error) {
      // It went to another node of a cluster.
      if (isUnknownScript(error)) return this.runWhole(key, values);
      throw error;
    }
  }
}

/** @param {unknown} error */
function isUnknownScript(error) {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

module.exports = { RedisScript, SCRIPT };
