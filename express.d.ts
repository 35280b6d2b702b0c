/**
 * `holdfast/express`: an Express 5 application hardened by one call, and each of its pieces alone. Every piece is
 * middleware of the plain kind, `(req, res, next)`. `docs/express.md` says why each default is what it is.
 *
 * Options are plain objects: own properties only, unknown names are rejected with `ERR_INVALID_ARG_VALUE`. Nothing here
 * tells a client more than a status, a sentence written for it, and an id by which the log knows the rest.
 */

import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { JsonOptions, Keyring, Limiter, RateLimiterOptions } from './index.js';

/** Middleware for Express 5 and whatever else calls `(req, res, next)`. */
export type Middleware = (req: any, res: any, next: (error?: any) => void) => void;
export type ErrorMiddleware = (error: any, req: any, res: any, next: (error?: any) => void) => void;

/** An Express application, as far as it is looked at. */
export interface Application {
  (req: any, res: any, next?: any): any;
  use(...handlers: any[]): any;
  set(name: string, value: any): any;
  disable(name: string): any;
}

// -------------------------------------------------------------------------------------------------------- all at once

export interface HardenOptions {
  /** Seals sessions and CSRF tokens. Without it there are no sessions, and no tokens: see {@link csrf}. */
  keyring?: Keyring;
  /** `false`: no headers, and helmet is not needed. */
  headers?: false | HeadersOptions;
  /** From where browsers may call. Default: nowhere but this origin. Needs the package cors. */
  cors?: false | CorsOptions;
  /** See {@link limitBody}. A number is `maxBytes`. */
  body?: false | number | LimitBodyOptions;
  /** See {@link safeJson}. */
  json?: false | SafeJsonOptions;
  /** See {@link safeQuery}. */
  query?: false | SafeQueryOptions;
  /** For all requests together, by address. Default 600 in a minute. `false`: none. See {@link rateLimit}. */
  rateLimit?: false | RateLimitOptions;
  /** For all requests together, by address. Default: none. See {@link slowDown}. */
  slowDown?: false | SlowDownOptions;
  /**
   * Stricter limits, each with a name, for the paths that need them: `{ login: { path: '/login', limit: 10, windowMs:
   * 900_000, skipSuccessful: true } }`. They come after the body has been read, so that `key` can look at it.
   */
  limits?: Record<string, NamedLimitOptions>;
  /** See {@link sealedSession}. Needs `keyring`, and is on with it. */
  session?: false | Omit<SealedSessionOptions, 'keyring'>;
  /** See {@link csrf}. On by default. */
  csrf?: false | Omit<CsrfOptions, 'keyring'>;
  /** See {@link problemHandler}. On by default: whatever routes are added later, it comes after them. */
  problems?: false | ProblemOptions;
}

export interface NamedLimitOptions extends RateLimitOptions {
  /** As `app.use` takes it: this path and those below it; as the application's router compares paths. */
  path: string | string[];
  /** Default: every method but GET, HEAD and OPTIONS. */
  methods?: readonly string[];
  /** Delays before the limit refuses: the first `after` attempts are free. Counted by the same key. */
  slowDown?: Omit<SlowDownOptions, 'limit' | 'windowMs' | 'key' | 'name'>;
}

/**
 * Hardens an application: call it before the first route. In this order: `x-powered-by` off; a query parser that cannot
 * pollute; headers; CORS; the rate limit; slow-down; the size of bodies; the session; JSON; the query; CSRF; the named
 * limits; your routes; 404 and errors as problem documents.
 *
 * Settings of the router (`case sensitive routing`, `strict routing`) have to be made before.
 *
 * A second call with the same options changes nothing; with others it throws. An application that is mounted in a hardened
 * one runs under the outer one's rules; the named limits of its own stay, as they are about its own routes.
 *
 * @returns `app`
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`: also when routes were added before, and when `cors`
 *   would reflect any origin with credentials
 * @throws {RangeError} `ERR_OUT_OF_RANGE`
 * @throws {HoldfastError} `ERR_PEER` helmet or cors is needed and not installed
 */
export function harden<T extends Application>(app: T, options?: HardenOptions): T;

// ------------------------------------------------------------------------------------------------------------ headers

export interface HeadersOptions {
  /**
   * Directives of the Content-Security-Policy in addition to, or instead of, the default ones. Default: `default-src
   * 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'; script-src 'self'
   * 'nonce-…'; style-src 'self' 'nonce-…'; img-src 'self' data:`. `null`: without that directive. `false`: no policy.
   *
   * The nonce is also in `script-src` and `style-src` of yours, and their `-elem`, where it means something: not beside
   * `'none'` or `'unsafe-inline'`. For scripts `'unsafe-inline'` is refused, and so are names that browsers do not know.
   */
  contentSecurityPolicy?: false | Record<string, readonly string[] | string | null>;
  /** Seconds. Default 31,536,000 (a year), with subdomains. `false`: none. Only sent over TLS. */
  strictTransportSecurity?: false | { maxAge?: number; includeSubDomains?: boolean; preload?: boolean };
  /**
   * Features, each with those that may use it: `[]` nobody, `['self']`, origins, `['*']`; in addition to, or instead of,
   * the default ones: accelerometer, camera, display-capture, geolocation, gyroscope, magnetometer, microphone, midi,
   * payment, usb, each for nobody. `false`: no header.
   */
  permissionsPolicy?: false | Record<string, readonly string[]>;
  /** Default `no-referrer`. Several are separated by commas: a browser takes the last that it knows. */
  referrerPolicy?: string;
  /** `Cache-Control` for answers that say nothing themselves. Default `no-store`. `false`: none. */
  cacheControl?: false | string;
}

/**
 * The headers of helmet 8, which has to be installed, with a nonce for scripts and styles in `res.locals.cspNonce` (made
 * when it is first read: an answer whose nonce nobody reads has a policy without one), and a Permissions-Policy.
 */
export function headers(options?: HeadersOptions): Middleware;

export interface CorsOptions {
  /** Exact origins: `https://app.example`. With `'*'` credentials cannot be allowed. */
  origins: readonly string[] | '*';
  credentials?: boolean;
  /** Default GET, HEAD, PUT, PATCH, POST, DELETE. */
  methods?: readonly string[];
  /** Default: those that a preflight asks for. */
  allowedHeaders?: readonly string[];
  exposedHeaders?: readonly string[];
  /** Seconds that browsers keep the answer to a preflight. Default 600. */
  maxAge?: number;
}

/**
 * The package cors, which has to be installed, with a list of origins that is checked when it is made. It answers
 * preflights; other OPTIONS requests are the application's.
 */
export function allowOrigins(options: CorsOptions): Middleware;

// ------------------------------------------------------------------------------------------------------------- bodies

export interface LimitBodyOptions {
  /**
   * Bytes of a body that nothing here parses. Default 1,048,576. A function is asked for each request with such a body; it
   * may return Infinity, which also lets bodies without a length in.
   */
  maxBytes?: number | ((req: any) => number);
}

/**
 * Refuses a request by its `Content-Length`, before anything is read: `ERR_BODY_LIMIT` (413). Without a length (chunked)
 * a body is refused with `ERR_BODY_LENGTH` (411). JSON and forms pass, whatever their length: they are left to `safeJson`,
 * which has to come later and counts for itself.
 */
export function limitBody(options?: LimitBodyOptions): Middleware;

export interface SafeJsonOptions extends Omit<JsonOptions, 'limits'> {
  /** As in JsonOptions. Defaults here: 10,240 bytes, depth 32, 1,000 keys. */
  limits?: JsonOptions['limits'];
  /** Which media types are JSON, without parameters. Default `application/json` and `application/*+json`. */
  types?: readonly string[];
  /**
   * Also `application/x-www-form-urlencoded`, by parseQuery and with the same limits. Default true: as queries, with no
   * name twice. `{ arrays: ['tag'] }` for the names that a form has several times.
   */
  urlencoded?: boolean | Omit<SafeQueryOptions, 'limits'>;
}

/**
 * Reads the body and sets `req.body`: the bytes are counted as they come and checked before a value exists. `undefined` when
 * there is no body or it has another type. Does nothing when the body has been read. Bodies are UTF-8 and not compressed:
 * others are `ERR_BODY_TYPE` (415).
 *
 * The errors also carry body-parser's `type`: `entity.too.large`, `entity.parse.failed`, `entity.verify.failed` (a key
 * or number that is refused), `charset.unsupported`, `encoding.unsupported`, `request.aborted`, `request.size.invalid`.
 */
export function safeJson(options?: SafeJsonOptions): Middleware;

export interface SafeQueryOptions {
  /** As for parseQuery. Default `'error'`: the same name twice is refused. */
  duplicates?: 'last' | 'first' | 'array' | 'error';
  /** Names that are arrays always. */
  arrays?: readonly string[];
  nested?: boolean;
  limits?: { bytes?: number; parameters?: number; depth?: number; arrayLength?: number };
}

/** Sets `req.safe.query`, an object without a prototype, by parseQuery. `req.query` is Express's, and is not touched. */
export function safeQuery(options?: SafeQueryOptions): Middleware;

// ---------------------------------------------------------------------------------------------------------- rate limits

export interface RateLimitOptions {
  /** Tokens that come back in `windowMs`. Default 600. */
  limit?: number;
  /** Default 60,000. */
  windowMs?: number;
  burst?: number;
  maxKeys?: number;
  ipv6Prefix?: number;
  /** Shared with other processes, or with other routes: a RateLimiter or RedisRateLimiter. Then none of the options above. */
  limiter?: Limiter;
  /** In the headers and events. Letters, digits, `-` and `_`. Default `'default'`. */
  name?: string;
  /**
   * What is counted: default the client's address. Several keys are each counted: an address, and the account that it
   * tries. Undefined: the request is not counted.
   */
  key?: (req: any) => string | readonly string[] | undefined;
  /** Tokens for a request, at most `burst`. Default 1. A function may also say 0; more than `burst` is refused always. */
  cost?: number | ((req: any) => number);
  /**
   * Gives the tokens back when the answer's status is below 400: what remains counts failures. Default false. A form that
   * answers a wrong password with 200 or a redirect does not tell: none of its guesses would count.
   */
  skipSuccessful?: boolean;
  /** Not counted when it returns `true`, and nothing else that is true in JavaScript. */
  skip?: (req: any) => boolean;
  /**
   * `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10). Default true. `q` is the burst, `w`
   * how long it takes to come back, `t` how long until the next token does.
   */
  headers?: boolean;
}

/**
 * Refuses with `ERR_RATE_LIMITED` (429) and `Retry-After`. Where an `X-Forwarded-For` comes in and the application does not
 * say which proxies it trusts, all clients behind one proxy are one key: the first such request is reported, by an event
 * and a process warning.
 */
export function rateLimit(options?: RateLimitOptions): Middleware;

export interface SlowDownOptions {
  /** Tokens that come back in `windowMs`. Default 600. */
  limit?: number;
  /** Default 60,000. */
  windowMs?: number;
  /** How many requests are not delayed. Default half of `limit`. */
  after?: number;
  /** For each request over `after`. Default 250, at most 60,000. */
  delayMs?: number;
  /** Default 10,000, at most 60,000. */
  maxDelayMs?: number;
  /** How many requests may wait at a time; more are refused as by {@link rateLimit}. Default 1,000. */
  maxWaiting?: number;
  maxKeys?: number;
  ipv6Prefix?: number;
  /** In the events. */
  name?: string;
  /** As for {@link rateLimit}. Of several keys the one that was used most decides. */
  key?: (req: any) => string | readonly string[] | undefined;
  /** As for {@link rateLimit}. */
  skip?: (req: any) => boolean;
}

/** Delays instead of refusing. A request whose client is gone stops waiting, and is not passed on. */
export function slowDown(options?: SlowDownOptions): Middleware;

// ------------------------------------------------------------------------------------------------------------- sessions

export interface SealedSessionOptions {
  keyring: Keyring;
  /** Of the cookie, without prefix. Default `session`. Over TLS `__Host-` is put in front (not with `domain`: `__Secure-`). */
  name?: string;
  /**
   * Milliseconds without a request that reads the session. Default 1,800,000 (half an hour: OWASP's range for low risk).
   * The cookie is set again when a tenth of it is over: a session may end that much earlier, and never later.
   */
  idleMs?: number;
  /** Milliseconds since it began. Default 43,200,000 (12 hours: NIST SP 800-63B-4, AAL2). */
  absoluteMs?: number;
  /** Default `'lax'`. `'none'` needs `secure`. */
  sameSite?: 'strict' | 'lax' | 'none';
  /** Default: when the request came over TLS. `true`: always, and the session is not started on a request without TLS. */
  secure?: boolean | 'auto';
  path?: string;
  domain?: string;
  /**
   * Members whose change is one of privilege: the session gets a new id and a new beginning. Default `user`, `userId`,
   * `role`, `roles`, `passport`.
   */
  privileges?: readonly string[];
  /**
   * Asked once for a request that brings a session, before any route: false ends it. For revocation. What it throws fails
   * the request, and leaves the session as it is. Each such request counts as one that reads the session.
   */
  validate?: (session: SealedSession, req: any) => boolean | Promise<boolean>;
}

/**
 * `req.session`: an object for your own members (JSON), and what is below. It is sealed when the answer's head is written;
 * what changes later is lost, and there is a process warning. `req.session = null` is `destroy()`.
 *
 * `done` is for libraries that expect to be called back, such as passport. There is nothing to wait for.
 */
export interface SealedSession {
  /** Random, 128 bits; another one after {@link regenerate}. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** True when the request did not bring it. */
  readonly isNew: boolean;
  /** A new id and beginning; the members stay. Happens by itself when a privilege changes. */
  regenerate(done?: (error: unknown) => void): void;
  /** Ends it: members are gone, and the cookie is cleared. */
  destroy(done?: (error: unknown) => void): void;
  /**
   * Finds out whether it can be sealed, while a route can still do something about it. Nothing else has to be saved.
   * @throws {HoldfastError} `ERR_SESSION_LIMIT`
   * @throws {TypeError} `ERR_INVALID_ARG_VALUE` a member is not JSON
   */
  save(done?: (error: unknown) => void): void;
  [member: string]: any;
}

/**
 * Sessions in a sealed cookie: the server keeps nothing, so that any number of processes with the same keys share them. A
 * cookie that is altered, expired, doubled, or made for something else is no session; there is an event. A session without
 * members is not sent. What does not fit into a cookie (4,096 bytes) is `ERR_SESSION_LIMIT`: the answer becomes a problem,
 * wherever it was written from, and the session that the client has stays.
 *
 * Of two answers to one client at the same time the session of the later one stays, as a whole.
 */
export function sealedSession(options: SealedSessionOptions): Middleware;

// ----------------------------------------------------------------------------------------------------------------- CSRF

export interface CsrfOptions {
  /** Seals the tokens. Without it a request that needs a token is refused. */
  keyring?: Keyring;
  /** Other origins that may send requests: `https://app.example`. */
  trustedOrigins?: readonly string[];
  /** Where a token is looked for, besides the member `_csrf` of a body. Default `x-csrf-token`. */
  header?: string;
  /** Of the cookie. Default `csrf`, with `__Host-` over TLS. */
  cookie?: string;
  /** Default 43,200,000 (12 hours). */
  ttlMs?: number;
  skip?: (req: any) => boolean;
}

/**
 * Refuses what another site makes a browser send, with `ERR_CSRF` (403). GET, HEAD and OPTIONS pass. `Sec-Fetch-Site`
 * decides if it is there, otherwise `Origin`; where neither is, a request passes that carries nothing a browser adds by
 * itself (cookies, `Authorization` other than Bearer, a client's certificate), and others need a token. `req.csrfToken()`
 * makes one: sealed, bound to a cookie and to the session as it is then, so ask for it when the session has been changed.
 */
export function csrf(options?: CsrfOptions): Middleware;

// ------------------------------------------------------------------------------------------------------------- problems

/** An error whose message is for the client, whatever the status. */
export class Problem extends Error {
  constructor(status: number, detail: string, options?: ProblemInit);
  readonly status: number;
  readonly statusCode: number;
  readonly expose: true;
  readonly code?: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ProblemInit {
  /** For programs: letters, digits, `_`, `.` and `-`. */
  code?: string;
  headers?: Record<string, string>;
  cause?: unknown;
}

/** What is logged of a problem: one plain object. */
export interface ProblemEntry {
  level: 'info' | 'error';
  errorId: string;
  requestId: string;
  status: number;
  code?: string;
  method: string;
  route: string;
  /** Of a client's mistake the message, of the server's the stack and its causes. */
  error: string;
}

export interface ProblemOptions {
  /** Default: what is the server's fault, as one line of JSON to stderr. */
  log?: (entry: ProblemEntry, error: unknown, req: any) => void;
}

/**
 * Errors as `application/problem+json` (RFC 9457): `type`, `title`, `status`, `instance`, `errorId`, and where the error is
 * meant for clients (a {@link Problem}, an error of Holdfast with `expose`) `detail` and `code`. Of others only a status
 * between 400 and 499 is kept. Never a stack or a message from inside.
 */
export function problemHandler(options?: ProblemOptions): ErrorMiddleware;

// -------------------------------------------------------------------------------------------------------------- servers

export interface HardenServerOptions {
  /**
   * Milliseconds from the first byte of a request to the end of its headers, and from a connection to its first byte.
   * Default 10,000, or `requestTimeoutMs` if that is less.
   */
  headersTimeoutMs?: number;
  /**
   * Milliseconds from the first byte of a request to the end of its body. A client that does not read its answer has as
   * long for each part of it. Default 30,000.
   */
  requestTimeoutMs?: number;
  /** Milliseconds that a connection may be idle. Default 5,000. */
  keepAliveTimeoutMs?: number;
  /** Requests on one connection; then it is closed. Default 1,000. */
  maxRequestsPerSocket?: number;
  /** More are refused (431). Default 64. */
  maxHeadersCount?: number;
  /** At a time; more are closed at once. Default 10,000. */
  maxConnections?: number;
  /** At a time from one address (IPv6: /56). Default: no limit, as a proxy is one address. */
  maxConnectionsPerAddress?: number;
}

/**
 * Time-outs and counts for a server, against clients that send or read slowly, or never end. Works on a server that
 * listens already, and looks at its connections twice a second, so that a time-out is at most a second late (node:http
 * looks each 30 s). Requests that are no HTTP are answered with a problem document, unless the application listens for
 * `clientError` itself. Call it once; a second call changes the settings.
 */
export function hardenServer<S extends Server | TlsServer>(server: S, options?: HardenServerOptions): S;

export interface GracefulShutdownOptions {
  /** Milliseconds for requests under way; then their connections are cut. Default 10,000. */
  timeoutMs?: number;
  /** Awaited when the last connection is gone, for at most `timeoutMs` more: close pools, flush. */
  onClose?: () => unknown;
  /** Signals that begin it. Default SIGTERM and SIGINT. `[]`: none. */
  signals?: readonly NodeJS.Signals[];
  /** Ends the process after a signal: with 0, or 1 when `onClose` failed or time ran out. Default true. */
  exit?: boolean;
}

export interface GracefulShutdown {
  /** Begins it, once; resolves when everything is done. */
  close(reason?: string): Promise<ShutdownReport>;
  readonly isClosing: boolean;
}

export interface ShutdownReport {
  reason: string;
  /** Requests that were answered after it began. */
  finished: number;
  /** Connections that were cut because time ran out. */
  cut: number;
  /** What `onClose` threw. */
  error?: unknown;
}

/**
 * Ends a server as a load balancer expects: answers say `Connection: close`, requests under way are finished, idle
 * connections closed, then `onClose` is awaited. A second signal ends the process at once.
 */
export function gracefulShutdown(server: Server | TlsServer, options?: GracefulShutdownOptions): GracefulShutdown;

// ---------------------------------------------------------------------------------------------------------- environment

/** What a validator of any library looks like: https://standardschema.dev. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => any;
    readonly types?: { readonly input: any; readonly output: Output } | undefined;
  };
}

export interface RequireEnvOptions {
  /** Where to read. Default `process.env`. */
  env?: Record<string, string | undefined>;
  /**
   * Names that are secrets: at least `minBits` of entropy, estimated, and no word that examples use. With one schema for
   * all each has to be set.
   */
  secrets?: readonly string[];
  /** Default 128. */
  minBits?: number;
}

type OutputOf<S> = S extends StandardSchema<infer Output> ? Output : never;

/**
 * The environment, validated at the start by a schema of zod, valibot, arktype or whatever implements Standard Schema: one
 * for all, or one for each name. Everything that is wrong is in one `ERR_ENVIRONMENT`, by name and never with a value. An
 * empty variable counts as absent. Validators have to answer at once, and not by a promise.
 *
 * @returns Frozen.
 */
export function requireEnv<S extends StandardSchema>(schema: S, options?: RequireEnvOptions): Readonly<OutputOf<S>>;
export function requireEnv<S extends Record<string, StandardSchema>>(
  schema: S,
  options?: RequireEnvOptions,
): Readonly<{ [K in keyof S]: OutputOf<S[K]> }>;

// --------------------------------------------------------------------------------------------------------------- events

/** What is published on `diagnostics_channel.channel('holdfast:security')`. `docs/events.md` has the kinds. */
export interface SecurityEvent {
  kind: SecurityEventKind;
  /** ISO 8601, UTC. */
  time: string;
  requestId?: string;
  address?: string;
  method?: string;
  route?: string;
  code?: string;
  [detail: string]: string | number | boolean | undefined;
}

export type SecurityEventKind =
  | 'body.refused'
  | 'cors.refused'
  | 'csrf.refused'
  | 'json.refused'
  | 'pattern.refused'
  | 'problem'
  | 'proxy.untrusted'
  | 'query.refused'
  | 'rate-limit.exceeded'
  | 'rate-limit.slowed'
  | 'server.connection-refused'
  | 'server.shutdown'
  | 'session.refused'
  | 'session.rotated';

declare global {
  namespace Express {
    interface Request {
      /** By {@link safeQuery}. */
      safe: { query: Record<string, unknown> };
      /** By {@link sealedSession}. */
      session: SealedSession;
      /** By {@link csrf}. */
      csrfToken(): string;
    }
  }
}
