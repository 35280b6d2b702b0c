// @ts-check
'use strict';

// Where mail would go out: there is none here, so each message is a line of JSON in a file that only its owner reads.
// Whatever sends mail renames the file and takes what is in it; the next message makes a new one. A message that cannot
// be written is lost, and logged: nobody waits for it.

const fs = require('node:fs/promises');

const MOST_WAITING = 1000;

class Outbox {
  #file;
  #maxBytes;
  #warn;
  #waiting = 0;
  #last = Promise.resolve();

  /**
   * @param {string} file
   * @param {{ maxBytes?: number, warn?: (message: string, error?: unknown) => void }} [options] `maxBytes`: a file
   *   that nobody takes does not grow for ever
   */
  constructor(file, { maxBytes = 1024 * 1024, warn = () => {} } = {}) {
    this.#file = file;
    this.#maxBytes = maxBytes;
    this.#warn = warn;
  }

  /**
   * @param {{ kind: string, to: string, [name: string]: unknown }} message
   */
  send(message) {
    if (this.#waiting >= MOST_WAITING) return this.#warn('a message was lost: too many wait for the outbox');
    this.#waiting += 1;
    const line = `${JSON.stringify({ time: new Date().toISOString(), ...message })}\n`;
    this.#last = this.#last.then(() => this.#write(line))
      .catch((error) => this.#warn('a message was lost: the outbox cannot be written', error))
      .finally(() => { this.#waiting -= 1; });
  }

  /** Waits for what was sent before. */
  async close() {
    await this.#last;
  }

  /** @param {string} line */
  async #write(line) {
    const file = await fs.open(this.#file, 'a', 0o600);
    try {
      const { size } = await file.stat();
      if (size + line.length > this.#maxBytes) return this.#warn('a message was lost: the outbox is full');
      await file.appendFile(line);
    } finally {
      await file.close();
    }
  }
}

module.exports = { Outbox };
