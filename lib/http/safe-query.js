// @ts-check
'use strict';

/**
 * The query of a request, by parseQuery, as `req.safe.query`: read before any route, so that a query which is refused
 * reaches none. `req.query` stays what the framework makes of it.
 */

const { HoldfastError } = require('../errors.js');
const { readOptions, table, unchecked } = require('../options.js');
const { parseQuery } = require('../query.js');
const { publish } = require('./events.js');

/** Those of parseQuery, which says what is wrong with them. */
const OPTIONS = table({ duplicates: unchecked, arrays: unchecked, nested: unchecked, limits: unchecked });

/** That of all requests without one. */
const EMPTY = Object.freeze(Object.create(null));
const NONE = Object.freeze({ __proto__: null, query: EMPTY });

/**
 * @param {unknown} [options]
 * @returns {(req: any, res: any, next: (error?: unknown) => void) => void}
 */
function safeQuery(options) {
  return createSafeQuery(options).middleware;
}

/**
 * For an application that is hardened as a whole: also the parser, for its framework.
 *
 * @param {unknown} [options]
 */
function createSafeQuery(options) {
  const settings = settingsOf(readOptions(options, OPTIONS));

  /** @type {(req: any, res: any, next: (error?: unknown) => void) => void} */
  function safeQuery(req, res, next) {
    const query = queryOf(req.url);
    if (query.length <= 1) {
      if (req.safe !== NONE) req.safe = NONE;
      return next();
    }
    try {
      req.safe = { __proto__: null, query: parseQuery(query, settings) };
    } catch (error) {
      if (error instanceof HoldfastError) publish('query.refused', req, { code: codeOf(error) });
      return next(error);
    }
    next();
  }

  /** @param {unknown} text Without the question mark. */
  function parse(text) {
    return typeof text === 'string' ? parseQuery(`?${text}`, settings) : Object.create(null);
  }

  return { middleware: safeQuery, parse };
}

/**
 * From the first question mark to the end, or to a number sign, which no browser sends.
 *
 * @param {string} url
 */
function queryOf(url) {
  const start = url.indexOf('?');
  if (start === -1) return '';
  const end = url.indexOf('#', start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
}

/**
 * Copies: what is done to the arrays and limits afterwards changes nothing.
 *
 * @param {{ duplicates: unknown, arrays: any, nested: unknown, limits: any }} options
 */
function settingsOf({ duplicates = 'error', arrays, nested, limits }) {
  parseQuery('', { __proto__: null, duplicates, arrays, nested, limits }); // says what is wrong with them
  const copies = { arrays: arrays && [...arrays], limits: limits && { __proto__: null, ...limits } };
  return Object.freeze({ __proto__: null, duplicates, nested, ...copies });
}

/** @param {any} error */
function codeOf(error) {
  return error.code;
}

module.exports = { NONE, createSafeQuery, safeQuery };
