// @ts-check
'use strict';

/**
 * Members of requests that are made when they are read: `req.session`, `req.csrfToken`. One descriptor serves all
 * requests, because a closure for each would give each a hidden class of its own.
 *
 * Express gives each request another prototype, and on Node 20 and 22 V8 copies the hidden class of such an object for
 * each member that is added: 1 to 2 µs. Where a middleware runs for every request of an application, its member can be
 * there before, as harden() does it, or stand on the prototype of them all (`app.request`): the middleware sees it.
 */

const { wrongValue } = require('../errors.js');

/** The answer to a request, where no framework has put it at `req.res`. */
const RESPONSE = Symbol('holdfast.response');

/** The getters of our own members. @type {WeakSet<Function>} */
const getters = new WeakSet();

/**
 * @param {() => unknown} get Called with the request as `this`.
 * @param {(value: unknown) => void} set
 * @returns {PropertyDescriptor & ThisType<any>}
 */
function requestMember(get, set) {
  getters.add(get);
  return Object.freeze({ __proto__: null, configurable: true, enumerable: false, get, set });
}

/**
 * Adds the member to a request that does not have it.
 *
 * @param {any} req
 * @param {any} res
 * @param {string} name
 * @param {PropertyDescriptor} member
 * @returns {boolean} False where a member of ours is there already: that of an application around this one.
 * @throws Where something else has the name.
 */
function addMember(req, res, name, member) {
  if (name in req) {
    const found = descriptorIn(req, name);
    if (found !== undefined) {
      if (found.get !== undefined && getters.has(found.get)) return found.get === member.get;
      throw wrongValue(`req.${name}`, 'free: another middleware has made it before');
    }
  }
  if (req.res !== res) req[RESPONSE] = res;
  Object.defineProperty(req, name, member);
  return true;
}

/**
 * @param {any} req
 * @returns {any}
 */
function responseOf(req) {
  return req[RESPONSE] ?? req.res;
}

/**
 * As far as it is a request's: what Object.prototype has been given is not.
 *
 * @param {any} req
 * @param {string} name
 */
function descriptorIn(req, name) {
  for (let object = req; object !== null && object !== Object.prototype; object = Object.getPrototypeOf(object)) {
    const descriptor = Object.getOwnPropertyDescriptor(object, name);
    if (descriptor !== undefined) return descriptor;
  }
  return undefined;
}

module.exports = { addMember, requestMember, responseOf };
