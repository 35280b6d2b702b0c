// @ts-check
'use strict';

/**
 * What is to be done right before the head of an answer is written, whoever writes it and however: `writeHead`,
 * `write`, `end`, `flushHeaders`, or a stream that is piped into it. A step may still set headers.
 *
 * A step that fails makes another answer of it, and what the route writes afterwards is dropped. Nothing is thrown
 * into the caller: that may be a stream or a timer, where an exception ends the process, and whether a step fails may
 * be up to a client.
 */

const HEAD = Symbol('holdfast.head');

/** The steps have not been done; they have; or another answer was given. */
const WAITING = 0;
const DONE = 1;
const REPLACED = 2;

/** @typedef {(error: unknown, req: any, res: any) => void} Answer Answers an error, at once. */

/**
 * Does the step when the head is about to be written. Where it has been written already, nothing.
 *
 * @param {any} req
 * @param {any} res A ServerResponse of node:http.
 * @param {() => void} step
 * @param {Answer} [answer] To what the step throws. Without it, a 500 without content.
 */
function beforeHead(req, res, step, answer = ignore) {
  const head = res[HEAD];
  if (head !== undefined) head.steps.push({ step, answer });
  else if (!res.headersSent) res[HEAD] = new Head(req, res, { step, answer });
}

class Head {
  #req;
  #res;
  #writeHead;
  #write;
  #end;
  #flushHeaders;
  #phase = WAITING;

  /**
   * @param {any} req
   * @param {any} res
   * @param {{ step: () => void, answer: Answer }} first
   */
  constructor(req, res, first) {
    this.#req = req;
    this.#res = res;
    this.steps = [first];
    // What others have put there before, as it is.
    this.#writeHead = res.writeHead;
    this.#write = res.write;
    this.#end = res.end;
    this.#flushHeaders = res.flushHeaders;
    this.#hook();
  }

  #hook() {
    const head = this;
    const res = this.#res;
    /** @this {any} @param {any[]} given */
    res.writeHead = function writeHead(...given) {
      if (head.#phase === WAITING && !res.headersSent) return head.#writeHeadAfterSteps(given);
      return head.#phase === REPLACED ? this : head.#writeHead.apply(this, given);
    };
    /** @this {any} @param {any[]} given */
    res.write = function write(...given) {
      head.#doSteps();
      return head.#phase === REPLACED ? drop(true, given) : head.#write.apply(this, given);
    };
    /** @this {any} @param {any[]} given */
    res.end = function end(...given) {
      head.#doSteps();
      return head.#phase === REPLACED ? drop(this, given) : head.#end.apply(this, given);
    };
    /** @this {any} */
    res.flushHeaders = function flushHeaders() {
      head.#doSteps();
      if (head.#phase !== REPLACED) head.#flushHeaders.call(this);
    };
  }

  #doSteps() {
    if (this.#phase !== WAITING || this.#res.headersSent) return;
    // Before the first: what they call must not come back here.
    this.#phase = DONE;
    for (const { step, answer } of this.steps) {
      try {
        step();
      } catch (error) {
        this.#replace(error, answer);
        return;
      }
    }
  }

  /**
   * The headers that are given to `writeHead` take the place of others, so they have to be there before the steps.
   *
   * @param {any[]} given
   */
  #writeHeadAfterSteps([status, reason, headers]) {
    const res = this.#res;
    const hasReason = typeof reason === 'string';
    setHeaders(res, hasReason ? headers : (headers ?? reason));
    this.#doSteps();
    if (this.#phase === REPLACED) return res;
    return hasReason ? this.#writeHead.call(res, status, reason) : this.#writeHead.call(res, status);
  }

  /**
   * @param {unknown} error
   * @param {Answer} answer
   */
  #replace(error, answer) {
    const res = this.#res;
    try {
      answer(error, this.#req, res);
    } catch {
      // Without content the answer says as much: it is the status that counts.
    }
    if (!res.headersSent) {
      for (const name of res.getHeaderNames()) res.removeHeader(name);
      res.statusCode = 500;
    }
    if (!res.writableEnded) this.#end.call(res);
    this.#phase = REPLACED;
  }
}

/**
 * As `writeHead` takes them: an object, or an array of names and values by turns; pairs are taken by it where no header
 * was set before.
 *
 * @param {any} res
 * @param {any} headers
 */
function setHeaders(res, headers) {
  if (headers === undefined || headers === null) return;
  if (!Array.isArray(headers)) {
    for (const name of Object.keys(headers)) {
      if (name !== '') res.setHeader(name, headers[name]);
    }
    return;
  }
  const flat = Array.isArray(headers[0]) ? headers.flat() : headers;
  for (let at = 0; at < flat.length; at += 2) res.removeHeader(flat[at]);
  for (let at = 0; at < flat.length; at += 2) res.appendHeader(flat[at], flat[at + 1]);
}

/**
 * Nobody waits for what is dropped.
 *
 * @template T
 * @param {T} result
 * @param {any[]} given
 */
function drop(result, given) {
  const callback = given.find((argument) => typeof argument === 'function');
  if (callback !== undefined) process.nextTick(callback);
  return result;
}

function ignore() {}

module.exports = { beforeHead };
