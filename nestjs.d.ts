/**
 * `holdfast/nestjs`: the same for NestJS 11 and 12, on Express and on Fastify. `docs/nestjs.md` has the whole of it.
 */

import type {
  ArgumentsHost,
  CanActivate,
  DynamicModule,
  ExceptionFilter,
  ExecutionContext,
  ModuleMetadata,
  PipeTransform,
  Type,
} from '@nestjs/common';
import type { Keyring, JsonOptions, PasswordHasherOptions } from './index.js';
import type { HardenOptions, ProblemOptions, RateLimitOptions } from './express.js';

export { Problem, gracefulShutdown, hardenServer, requireEnv } from './express.js';

export interface HoldfastModuleOptions extends Omit<HardenOptions, 'limits' | 'problems'> {
  /** For the injectable PasswordHasher. */
  passwords?: PasswordHasherOptions;
  /** Limits by name, for `@RateLimit(name)`: 1 to 64 letters, digits, `-` and `_`. */
  limits?: Record<string, RateLimitOptions>;
  /** As for {@link ProblemFilter}. `false`: errors are answered as Nest does. */
  problems?: false | ProblemOptions;
}

export interface HoldfastModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  useFactory?: (...args: any[]) => HoldfastModuleOptions | Promise<HoldfastModuleOptions>;
  useClass?: Type<HoldfastOptionsFactory>;
  useExisting?: Type<HoldfastOptionsFactory>;
  inject?: any[];
  /** Of the limits that the options will have, those whose limiters are injected: see {@link rateLimiterToken}. */
  limitNames?: readonly string[];
}

export interface HoldfastOptionsFactory {
  createHoldfastOptions(): HoldfastModuleOptions | Promise<HoldfastModuleOptions>;
}

/**
 * Global. Hardens the application (headers, CORS, limits, JSON, query, session, CSRF) before Nest's own middleware and
 * body parsers, on Express and on Fastify; answers with problem documents. Import it in one module.
 *
 * Provides `PasswordHasher`, `Keyring` (the option's, when there is one) and `RateLimiter` (that of the option
 * `rateLimit`, unless it is `false`) by the classes of `holdfast`, and the limiters of `limits` by {@link
 * rateLimiterToken}. The PasswordHasher is closed in onApplicationShutdown; a Keyring is disposed of by whoever made
 * it.
 */
export class HoldfastModule {
  /**
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`. What the pieces do not take is an error of
   *   `NestFactory.create`; a `@RateLimit` with a name that nobody declared is one of `app.init`.
   */
  static forRoot(options?: HoldfastModuleOptions): DynamicModule;
  static forRootAsync(options: HoldfastModuleAsyncOptions): DynamicModule;
}

/**
 * Limits the routes that have a {@link RateLimit}: `@UseGuards(RateLimitGuard)`, or `APP_GUARD`. It comes after the
 * body has been read; put it behind the guards whose findings a `key` needs. A request is counted once by all such
 * guards.
 */
export class RateLimitGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean | Promise<boolean>;
}

/**
 * The limit of this name: of `forRoot({ limits })`, or of the `@RateLimit` that gives it options. `key`, `cost` and
 * `skip` are asked with the framework's request. A route can have several; those of its class come first.
 */
export function RateLimit(name: string, options?: RateLimitOptions): MethodDecorator & ClassDecorator;

/**
 * Checks and copies a value that something else parsed, as `sanitize`; text and bytes are parsed, as by `JsonGuard`.
 * For one parameter: `@Body(new SafeJsonPipe())`, `@SafeQuery('filter', new SafeJsonPipe())`.
 */
export class SafeJsonPipe implements PipeTransform {
  constructor(options?: JsonOptions);
  transform(value: unknown): unknown;
}

/**
 * `@Param('id', PatternPipe.of(/^[a-z0-9]+$/))`: a string that matches, by SafeRegExp. Otherwise `ERR_PATTERN` (400).
 * Without `^` and `$` a part of it is enough.
 */
export class PatternPipe implements PipeTransform<unknown, string> {
  private constructor();
  static of(pattern: string | RegExp, flags?: string): PatternPipe;
  transform(value: unknown, metadata?: unknown): string;
}

/**
 * Whatever is thrown, as `application/problem+json`. Part of HoldfastModule; alone `app.useGlobalFilters(new
 * ProblemFilter())`. An HttpException keeps its status, and is told with its message when that is below 500. Without
 * `log`, what is the server's fault goes to Nest's Logger.
 */
export class ProblemFilter implements ExceptionFilter {
  constructor(options?: ProblemOptions);
  catch(error: unknown, host: ArgumentsHost): void;
}

/** `@SafeQuery() query`, `@SafeQuery('page', ParseIntPipe) page`: from `req.safe.query`. */
export function SafeQuery(...pipes: (Type<PipeTransform> | PipeTransform)[]): ParameterDecorator;
export function SafeQuery(name?: string, ...pipes: (Type<PipeTransform> | PipeTransform)[]): ParameterDecorator;

/** The provider of the limiter of one of `limits`: `@Inject(rateLimiterToken('login'))`. */
export function rateLimiterToken(name: string): string;

/** `@Session() session` with the sealed session's type. */
export type { SealedSession } from './express.js';
