// @ts-check
'use strict';

/**
 * The named limits of one application: those of `forRoot({ limits })`, and those that a `@RateLimit(name, options)`
 * declares. A name is one limit, however many routes have it. `checkAll` finds wrong names when the application starts,
 * and not at the first request.
 */

const { createError, wrongType, wrongValue } = require('../errors.js');
const { inside } = require('../express/option-names.js');
const { sequence } = require('../http/sequence.js');
const { makeLimit } = require('./limit.js');
const { common } = require('./nest.js');
const { readLimitName } = require('./tokens.js');

const METADATA = 'holdfast:rate-limits';

/** With what reflect-metadata adds, which Nest loads. */
const reflect = /** @type {any} */ (Reflect);

/**
 * @typedef {import('../http/sequence.js').Middleware} Middleware
 * @typedef {{ name: string, options: Record<string, unknown> | undefined }} Declared
 * @typedef {{ options: Record<string, unknown>, limiter: any, middleware: Middleware }} Limit
 */

/**
 * @param {unknown} name
 * @param {unknown} [options]
 * @returns {MethodDecorator & ClassDecorator}
 */
function RateLimit(name, options) {
  const declared = { name: readLimitName(name, 'name'), options: readDeclared(options) };
  /** @type {(target: any, key?: string | symbol, descriptor?: PropertyDescriptor) => any} */
  const decorate = (target, key, descriptor) => {
    const bearer = descriptor === undefined ? target : descriptor.value;
    // Its own: a class, or a method, that is extended keeps what it has.
    const before = reflect.getOwnMetadata(METADATA, bearer) ?? [];
    // The decorator that stands first is called last.
    common.SetMetadata(METADATA, [declared, ...before])(target, key, descriptor);
    return descriptor ?? target;
  };
  return decorate;
}

class RateLimits {
  /** @type {Map<string, Limit>} */
  #limits = new Map();
  /** @type {WeakMap<Function, WeakMap<Function, Middleware | null>>} */
  #routes = new WeakMap();
  /** On requests: an entry of a WeakSet would cost more. */
  #counted = Symbol('holdfast.counted');

  /** @param {Record<string, unknown>} limits Of forRoot. */
  constructor(limits) {
    for (const [name, options] of Object.entries(limits)) {
      inside(`limits.${name}`, () => this.#add(name, readDeclared(options) ?? {}));
    }
  }

  /**
   * The limiter of a limit of forRoot.
   *
   * @param {string} name
   */
  limiterOf(name) {
    const limit = this.#limits.get(name);
    if (limit === undefined) throw unknown(name);
    return limit.limiter;
  }

  /**
   * What stands in front of a route, or null.
   *
   * @param {Function} controller
   * @param {Function} handler
   * @returns {Middleware | null}
   */
  of(controller, handler) {
    let handlers = this.#routes.get(controller);
    if (handlers === undefined) this.#routes.set(controller, (handlers = new WeakMap()));
    let found = handlers.get(handler);
    if (found === undefined) handlers.set(handler, (found = this.#find(controller, handler)));
    return found;
  }

  /**
   * False the first time that it is asked about a request.
   *
   * @param {any} request node:http's.
   */
  hasCounted(request) {
    if (request[this.#counted] === true) return true;
    request[this.#counted] = true;
    return false;
  }

  /**
   * Looks at every decorated class and method of the application. The limits of a name that stands at several routes,
   * once with options, are known before the first request.
   *
   * @param {Iterable<{ controllers: Map<any, { metatype: any }>, providers: Map<any, { metatype: any }> }>} modules
   */
  checkAll(modules) {
    const classes = [...modules].flatMap(({ controllers, providers }) => {
      return [...controllers.values(), ...providers.values()].map(({ metatype }) => metatype);
    });
    const routes = classes.filter((one) => typeof one === 'function' && isObject(one.prototype)).flatMap(routesOf);
    const limited = routes.filter(({ controller, handler }) => declaredAt(controller, handler).length > 0);
    for (const { controller, handler } of limited) {
      for (const { name, options } of declaredAt(controller, handler))
        if (options !== undefined) this.#add(name, options);
    }
    for (const { controller, handler } of limited) this.of(controller, handler);
  }

  /** Gives the memory back: whoever has a limiter of ours keeps it alive. */
  clear() {
    this.#limits.clear();
    this.#routes = new WeakMap();
  }

  /**
   * @param {Function} controller
   * @param {Function} handler
   * @returns {Middleware | null}
   */
  #find(controller, handler) {
    const declared = declaredAt(controller, handler);
    if (declared.length === 0) return null;
    const limits = declared.map(({ name, options }) => this.#limitOf(name, options).middleware);
    // Twice the same, at the class and at the method, is once.
    return sequence([...new Set(limits)]);
  }

  /**
   * @param {string} name
   * @param {Record<string, unknown> | undefined} options
   */
  #limitOf(name, options) {
    const limit = options === undefined ? this.#limits.get(name) : this.#add(name, options);
    if (limit === undefined) throw unknown(name);
    return limit;
  }

  /**
   * @param {string} name
   * @param {Record<string, unknown>} options
   * @returns {Limit}
   */
  #add(name, options) {
    const known = this.#limits.get(name);
    if (known !== undefined) {
      if (isEqual(known.options, options)) return known;
      throw wrongValue(`the limit '${name}'`, 'declared with one set of options, and used elsewhere by its name alone');
    }
    const made = { options, ...makeLimit(name, options) };
    this.#limits.set(name, made);
    return made;
  }
}

/**
 * A copy, of own members: what stands in a decorator is read once.
 *
 * @param {unknown} options
 * @returns {Record<string, unknown> | undefined}
 */
function readDeclared(options) {
  if (options === undefined) return undefined;
  if (!isObject(options) || Array.isArray(options)) throw wrongType('options', 'an object');
  return Object.assign(Object.create(null), options);
}

/**
 * The class's before the method's.
 *
 * @param {Function} controller
 * @param {Function} handler
 * @returns {Declared[]}
 */
function declaredAt(controller, handler) {
  const ofClass = reflect.getMetadata(METADATA, controller) ?? [];
  return [...ofClass, ...(reflect.getMetadata(METADATA, handler) ?? [])];
}

/**
 * The class with each of its methods.
 *
 * @param {Function} controller
 */
function routesOf(controller) {
  const routes = [];
  for (let at = controller.prototype; isObject(at) && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const { value } of Object.values(Object.getOwnPropertyDescriptors(at))) {
      if (typeof value === 'function' && value !== controller) routes.push({ controller, handler: value });
    }
  }
  return routes;
}

/**
 * @param {Record<string, unknown>} left
 * @param {Record<string, unknown>} right
 */
function isEqual(left, right) {
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => Object.is(left[name], right[name]));
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isObject(value) {
  return typeof value === 'object' && value !== null;
}

/** @param {string} name */
function unknown(name) {
  const where = `in HoldfastModule's option limits, or gets options by @RateLimit('${name}', { … })`;
  return createError('ERR_INVALID_ARG_VALUE', `there is no limit '${name}': it stands ${where}`);
}

module.exports = { RateLimit, RateLimits };
