'use strict';

/**
 * A process that waits for the other one, and then makes as many calls as it is told on one key, many at once. Prints
 * how many were allowed, and when that was by the clock of the server, in microseconds:
 * `node redis-racer.js <port> <client> <calls> <options as JSON>`.
 */

const { RedisRateLimiter } = require('../..');
const { CLIENTS } = require('./redis.js');

const AT_ONCE = 100;

async function main(port, kind, calls, options) {
  const { client, send, close } = await CLIENTS[kind](Number(port));
  // A machine that is busy makes nobody give up here.
  const limiter = new RedisRateLimiter({ client, ...JSON.parse(options), timeoutMs: 60_000, onStoreError: 'closed' });
  const { prefix } = JSON.parse(options);
  await send('INCR', `${prefix}there`);
  while ((await send('GET', `${prefix}there`)) !== '2');

  const micros = async () => {
    const [seconds, microseconds] = await send('TIME');
    return Number(seconds) * 1e6 + Number(microseconds);
  };
  const start = await micros();
  let [made, allowed] = [0, 0];
  const racer = async () => {
    while (made++ < Number(calls)) if ((await limiter.consume('a')).allowed) allowed++;
  };
  await Promise.all(Array.from({ length: AT_ONCE }, racer));
  const end = await micros();
  const { answered, failed, local } = limiter.stats();
  close();
  process.stdout.write(JSON.stringify({ allowed, answered, failed, local, start, end }));
}

void main(...process.argv.slice(2));
