// @ts-check
'use strict';

/**
 * HoldfastModule: what harden() is for Express, for an application of Nest, with the primitives to inject. It hardens
 * the application while it is made (`NestFactory.create`), so that no middleware or parser comes before, and gives
 * native memory back when the application has shut down.
 */

const { wrongType } = require('../errors.js');
const { Keyring } = require('../keyring.js');
const { RateLimiter } = require('../limiter.js');
const { readOptions, table, unchecked } = require('../options.js');
const { PasswordHasher } = require('../password.js');
const { hardenAdapter } = require('./harden-adapter.js');
const { makePieces, membersOf, readModuleOptions, typesOf } = require('./module-options.js');
const { common, core, injectable } = require('./nest.js');
const { ProblemFilter } = require('./problem-filter.js');
const { RateLimits } = require('./rate-limits.js');
const { OPTIONS, rateLimiterToken, readLimitName } = require('./tokens.js');

/** Read and checked. */
const SETTINGS = Symbol('HoldfastModule: settings');
const PIECES = Symbol('HoldfastModule: pieces');
const FILTER = Symbol('HoldfastModule: filter');

const ASYNC_OPTIONS = table({
  imports: unchecked,
  useFactory: unchecked,
  useClass: unchecked,
  useExisting: unchecked,
  inject: unchecked,
  limitNames: readNames,
});

const { ConfigurableModuleClass } = new common.ConfigurableModuleBuilder({ optionsInjectionToken: OPTIONS })
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createHoldfastOptions')
  .build();

class HoldfastModule extends ConfigurableModuleClass {
  #settings;
  #pieces;
  #filter;
  #limits;
  #hasher;
  #host;
  #modules;
  #moduleRef;

  /**
   * @param {import('./module-options.js').ModuleOptions} settings
   * @param {ReturnType<typeof makePieces>} pieces
   * @param {any} filter
   * @param {RateLimits} limits
   * @param {PasswordHasher} hasher
   * @param {any} host HttpAdapterHost.
   * @param {any} modules ModulesContainer.
   * @param {any} moduleRef
   */
  constructor(settings, pieces, filter, limits, hasher, host, modules, moduleRef) {
    super();
    this.#settings = settings;
    this.#pieces = pieces;
    this.#filter = filter;
    this.#limits = limits;
    this.#hasher = hasher;
    this.#host = host;
    this.#modules = modules;
    this.#moduleRef = moduleRef;
    withAdapter(host, (adapter) => this.#harden(adapter));
  }

  /**
   * @param {unknown} [options]
   * @returns {any}
   */
  static forRoot(options = {}) {
    const read = readModuleOptions(options);
    const { keyring, rateLimit, problems, limits } = read;
    const absent = [];
    if (keyring === undefined) absent.push(Keyring);
    if (rateLimit === false) absent.push(RateLimiter);
    return withProviders(super.forRoot(read), Object.keys(limits), absent, problems !== false);
  }

  /**
   * @param {unknown} options
   * @returns {any}
   */
  static forRootAsync(options) {
    const { limitNames, ...rest } = readOptions(options, ASYNC_OPTIONS);
    return withProviders(super.forRootAsync(rest), limitNames, [], true);
  }

  /** When all modules are there, and before Nest makes its routes. */
  configure() {
    putFirst(this.#moduleRef, this.#filter);
  }

  onModuleInit() {
    this.#limits.checkAll(this.#modules.values());
  }

  async onApplicationShutdown() {
    this.#limits.clear();
    // A test may have put something else in its place.
    await this.#hasher.close?.();
  }

  /** @param {any} adapter */
  #harden(adapter) {
    const { general, ...pieces } = this.#pieces;
    const parts = { ...pieces, members: membersOf(this.#settings), types: typesOf(this.#settings) };
    hardenAdapter(adapter, parts, this.#filter);
  }
}
common.Module({})(HoldfastModule);
injectable(HoldfastModule, [
  SETTINGS,
  PIECES,
  FILTER,
  RateLimits,
  PasswordHasher,
  core.HttpAdapterHost,
  core.ModulesContainer,
  core.ModuleRef,
]);

/** What catches nothing: stands for the filter where `problems` is false. */
class NoFilter {
  catch() {}
}
common.Catch(NoFilter)(NoFilter);

/**
 * @param {any} definition Of a dynamic module.
 * @param {readonly string[]} names Of limits.
 * @param {readonly unknown[]} absent Tokens of what there is not: who asks for it is told at the start.
 * @param {boolean} hasFilter
 */
function withProviders(definition, names, absent, hasFilter) {
  const provided = [
    from([SETTINGS], RateLimits, (settings) => new RateLimits(settings.limits)),
    from([SETTINGS], PasswordHasher, (settings) => new PasswordHasher(settings.passwords)),
    from([SETTINGS], Keyring, (settings) => settings.keyring),
    from([PIECES], RateLimiter, (pieces) => pieces.general),
    ...names.map((name) => from([RateLimits], rateLimiterToken(name), (limits) => limits.limiterOf(name))),
  ].filter(({ provide }) => !absent.includes(provide));
  return {
    ...definition,
    global: true,
    providers: [
      ...definition.providers,
      from([OPTIONS], SETTINGS, readModuleOptions),
      from([SETTINGS], FILTER, filterOf),
      from([SETTINGS, FILTER], PIECES, (settings, filter) => makePieces(settings, filter?.answer.bind(filter))),
      ...(hasFilter ? [from([FILTER], core.APP_FILTER, (filter) => filter ?? new NoFilter())] : []),
      ...provided,
    ],
    exports: provided.map(({ provide }) => provide),
  };
}

/**
 * @param {unknown[]} inject
 * @param {unknown} provide
 * @param {(...injected: any[]) => unknown} useFactory
 */
function from(inject, provide, useFactory) {
  return { provide, useFactory, inject };
}

/** @param {import('./module-options.js').ModuleOptions} settings */
function filterOf({ problems }) {
  return problems === false ? undefined : new ProblemFilter(problems);
}

/**
 * Now, or when there is one: @nestjs/testing makes the modules first. An application without HTTP has none.
 *
 * @param {any} host
 * @param {(adapter: any) => void} harden
 */
function withAdapter(host, harden) {
  if (host.httpAdapter) return harden(host.httpAdapter);
  Object.defineProperty(
    host,
    'httpAdapter',
    /** @type {any} */ ({
      __proto__: null,
      configurable: true,
      get: () => undefined,
      set(/** @type {any} */ adapter) {
        delete host.httpAdapter; // The class's is behind it.
        host.httpAdapter = adapter;
        if (adapter) harden(adapter);
      },
    }),
  );
}

/**
 * Nest asks filters from the last to the first, those of imported modules before those of the module that imports
 * them. Ours catches everything, so it has to be the first. Where Nest keeps its list elsewhere, it stays where it
 * is.
 *
 * @param {any} moduleRef
 * @param {unknown} filter
 */
function putFirst(moduleRef, filter) {
  const filters = moduleRef.container?.applicationConfig?.getGlobalFilters?.();
  if (!Array.isArray(filters)) return;
  const at = filters.indexOf(filter);
  if (at > 0) filters.unshift(...filters.splice(at, 1));
}

/** @type {import('../options.js').Reader<readonly string[]>} */
function readNames(value, name) {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw wrongType(name, 'an array of names');
  return value.map((one) => readLimitName(one, `each of ${name}`));
}

module.exports = { HoldfastModule };
