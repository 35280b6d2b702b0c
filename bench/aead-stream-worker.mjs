// Sealing on another thread, for aead-stream.mjs: what it would gain, and cost, to take the work of a stream away from
// the main thread with the means that Node has. A piece is copied into memory that belongs to the message alone, that
// memory is handed over and not copied, and comes back to be used again; so does what was sealed. Four are under way.
import { Transform } from 'node:stream';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { createRequire } from 'node:module';

const UNDER_WAY = 4;

export class ThreadSealer extends Transform {
  #worker;
  /** Memory that came back. @type {ArrayBuffer[]} */
  #free = [];
  #underWay = 0;
  /** @type {(() => void) | undefined} */
  #goOn;
  /** @type {((error?: Error) => void) | undefined} */
  #ended;

  constructor(keyBytes) {
    super({ writableHighWaterMark: 64 * 1024, readableHighWaterMark: 256 * 1024 });
    this.#worker = new Worker(import.meta.filename, { workerData: keyBytes });
    this.#worker.on('message', (message) => this.#receive(message));
    this.#worker.once('error', (error) => this.destroy(error));
  }

  _transform(piece, _, callback) {
    const last = this.#free.pop();
    const memory = last?.byteLength >= piece.length ? last : new ArrayBuffer(piece.length);
    const bytes = new Uint8Array(memory, 0, piece.length);
    bytes.set(piece);
    this.#worker.postMessage(bytes, [memory]);
    this.#underWay++;
    if (this.#underWay < UNDER_WAY) callback();
    else this.#goOn = callback;
  }

  _flush(callback) {
    this.#ended = callback;
    this.#worker.postMessage(null);
  }

  _destroy(error, callback) {
    this.#worker.terminate().then(() => callback(error), callback);
  }

  #receive({ sealed, used }) {
    if (sealed) {
      this.push(Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength));
    } else if (used) {
      this.#free.push(used);
      this.#underWay--;
      const goOn = this.#goOn;
      this.#goOn = undefined;
      goOn?.();
    } else {
      this.#ended?.();
    }
  }
}

if (!isMainThread && workerData instanceof Uint8Array) await sealAll(workerData);

async function sealAll(keyBytes) {
  const { Keyring } = createRequire(import.meta.url)('..');
  const ring = new Keyring({ primary: 'k1', keys: { k1: keyBytes } });
  for await (const part of ring.sealFile(received())) {
    parentPort.postMessage({ sealed: part }, [part.buffer]);
  }
  parentPort.postMessage({});
  parentPort.close();
}

/** What the main thread sends, whose memory goes back once the sealer has asked for more. */
async function* received() {
  const queue = [];
  let wake = () => {};
  parentPort.on('message', (piece) => {
    queue.push(piece);
    wake();
  });
  for (;;) {
    while (queue.length === 0) await new Promise((resolve) => (wake = resolve));
    const piece = queue.shift();
    if (piece === null) return;
    yield piece;
    parentPort.postMessage({ used: piece.buffer }, [piece.buffer]);
  }
}
