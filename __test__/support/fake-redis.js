'use strict';

/** What stands for a Redis client of either kind where a test says what the store does. */

class FakeIoredis {
  /** What was sent: the command, and its arguments. */
  sent = [];
  #answer;

  /** @param {(command: string, args: unknown[]) => unknown} [answer] May throw, or give a promise; by default a 0. */
  constructor(answer = () => 0) {
    this.#answer = answer;
  }

  set answer(answer) {
    this.#answer = answer;
  }

  defineCommand() {}

  evalsha(...args) {
    return this.#ask('evalsha', args);
  }

  eval(...args) {
    return this.#ask('eval', args);
  }

  del(...args) {
    return this.#ask('del', args);
  }

  #ask(command, args) {
    this.sent.push([command, ...args]);
    return (async () => this.#answer(command, args))();
  }
}

class FakeNodeRedis {
  sent = [];

  evalSha(...args) {
    this.sent.push(['evalSha', ...args]);
    return Promise.resolve(0);
  }

  eval() {}

  del() {}
}

module.exports = { FakeIoredis, FakeNodeRedis };
