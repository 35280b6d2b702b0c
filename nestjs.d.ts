/**
 * `holdfast/nestjs`: the same for NestJS 11 and 12, on Express and on Fastify. `docs/nestjs.md` has the whole of it.
 */

import type { ArgumentsHost, CanActivate, DynamicModule, ExceptionFilter, ExecutionContext, ModuleMetadata, PipeTransform, Type } from '@nestjs/common';
import type { Keyring, JsonOptions, PasswordHasherOptions } from './index.js';
import type { HardenOptions, ProblemOptions, RateLimitOptions } from './express.js';

export { Problem, gracefulShutdown, hardenServer, requireEnv } from './express.js';

export interface HoldfastModuleOptions extends Omit<HardenOptions, 'limits' | 'problems'> {
  /** For the injectable PasswordHasher. */
  passwords?: PasswordHasherOptions;
  /** Limits by name, for `@RateLimit(name)`. */
  limits?: Record<string, RateLimitOptions>;
  /** `false`: no ProblemFilter for the whole application. */
  problems?: false | ProblemOptions;
}

export interface HoldfastModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  useFactory?: (...args: any[]) => HoldfastModuleOptions | Promise<HoldfastModuleOptions>;
  useClass?: Type<HoldfastOptionsFactory>;
  useExisting?: Type<HoldfastOptionsFactory>;
  inject?: any[];
}

export interface HoldfastOptionsFactory {
  createHoldfastOptions(): HoldfastModuleOptions | Promise<HoldfastModuleOptions>;
}

/**
 * Global. Provides `PasswordHasher`, `Keyring` (when there is one) and `RateLimiter`s, by the classes of `holdfast`;
 * hardens the application (headers, CORS, limits, JSON, query, session, CSRF) before Nest's own body parsers, on both
 * platforms; answers with problem documents; frees native memory in onApplicationShutdown.
 */
export class HoldfastModule {
  static forRoot(options?: HoldfastModuleOptions): DynamicModule;
  static forRootAsync(options: HoldfastModuleAsyncOptions): DynamicModule;
}

/** Limits the routes that have a {@link RateLimit}. `@UseGuards(RateLimitGuard)`, or `APP_GUARD`. */
export class RateLimitGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean | Promise<boolean>;
}

/** The named limit of `forRoot({ limits })`, or a new one with these options. */
export function RateLimit(name: string, options?: RateLimitOptions): MethodDecorator & ClassDecorator;

/** Checks and copies a value that something else parsed: as `sanitize`. `@Body(new SafeJsonPipe())`; text is parsed. */
export class SafeJsonPipe implements PipeTransform {
  constructor(options?: JsonOptions);
  transform(value: unknown): unknown;
}

/** `@Param('id', PatternPipe.of(/^[a-z0-9]+$/))`: a string that matches, by SafeRegExp. Otherwise `ERR_PATTERN` (400). */
export class PatternPipe implements PipeTransform<unknown, string> {
  private constructor();
  static of(pattern: string | RegExp, flags?: string): PatternPipe;
  transform(value: unknown, metadata?: unknown): string;
}

/** Whatever is thrown, as `application/problem+json`. */
export class ProblemFilter implements ExceptionFilter {
  constructor(options?: ProblemOptions);
  catch(error: unknown, host: ArgumentsHost): void;
}

/** `@SafeQuery() query`, `@SafeQuery('page') page`: from `req.safe.query`. */
export function SafeQuery(name?: string): ParameterDecorator;

/** The provider of a named limit's limiter: `@Inject(rateLimiterToken('login'))`. */
export function rateLimiterToken(name: string): string;

/** `@Session() session` with the sealed session's type. */
export type { SealedSession } from './express.js';
