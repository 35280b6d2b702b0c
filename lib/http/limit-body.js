// @ts-check
'use strict';

/**
 * Refuses a body by what is announced of it, before anything is read. Bodies that safeJson reads are left to it, which
 * counts them itself; of the others nobody here sees a byte, so one without a length is refused altogether.
 */

const { createError, outOfRange, wrongType } = require('../errors.js');
const { integer, readOptions, table } = require('../options.js');
const { tooLarge } = require('./body-errors.js');
const { OTHER, bodyKinds, readTypes } = require('./body-types.js');
const { publish } = require('./events.js');
const { UNKNOWN, bodyLengthOf, headerOf } = require('./framing.js');
const { leaveUnread } = require('./unread-body.js');

const readBytes = integer(0, Number.MAX_SAFE_INTEGER, 2 ** 20);

const OPTIONS = table({
  /** @type {import('../options.js').Reader<number | ((req: any) => unknown)>} */
  maxBytes: (value, name) => (typeof value === 'function' ? /** @type {any} */ (value) : readBytes(value, name)),
});

/** @typedef {(req: any, res: any, next: (error?: unknown) => void) => void} Middleware */

/**
 * @param {unknown} [options]
 * @returns {Middleware}
 */
function limitBody(options) {
  return createBodyLimit(options, kindByDefault);
}

/** As safeJson without options has it. */
const kindByDefault = bodyKinds(readTypes(undefined, 'types'), true);

/**
 * For an application that is hardened as a whole, where safeJson has options.
 *
 * @param {unknown} options
 * @param {(contentType: string | undefined) => number} kindOf What safeJson reads.
 * @returns {Middleware}
 */
function createBodyLimit(options, kindOf) {
  const { maxBytes } = readOptions(options, OPTIONS);

  return function limitBody(req, res, next) {
    const length = bodyLengthOf(req);
    if (length === 0 || kindOf(headerOf(req, 'content-type')) !== OTHER) return next();
    let limit;
    try {
      limit = typeof maxBytes === 'number' ? maxBytes : checkBytes(maxBytes(req));
    } catch (error) {
      return next(error);
    }
    // Of a body without a length nobody can tell when to stop, unless it may be as long as it likes.
    if (length === UNKNOWN ? limit === Infinity : length <= limit) return next();
    leaveUnread(req, res);
    const error = length === UNKNOWN ? createError('ERR_BODY_LENGTH', NO_LENGTH) : tooLarge(limit);
    publish('body.refused', req, { code: /** @type {any} */ (error).code });
    next(error);
  };
}

const NO_LENGTH = 'the request needs a Content-Length';

/**
 * @param {unknown} bytes
 * @returns {number}
 */
function checkBytes(bytes) {
  const name = 'what options.maxBytes returns';
  if (typeof bytes !== 'number') throw wrongType(name, 'a number, and no promise');
  if (!(bytes >= 0)) throw outOfRange(name, 'at least 0');
  return bytes;
}

module.exports = { createBodyLimit, limitBody };
