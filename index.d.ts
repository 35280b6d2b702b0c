/**
 * The public contract of `holdfast`. Written by hand; `__test__/types/` compiles it and `__test__/contract.test.js`
 * checks that every value exported here exists at run time, and the reverse.
 *
 * Text is `string`, bytes are `Uint8Array` (so `Buffer`). Times are milliseconds, memory is KiB where the name says
 * so and bytes otherwise, offsets are UTF-16 code units for strings and bytes for bytes. Options are plain objects:
 * own properties only, unknown names are rejected with `ERR_INVALID_ARG_VALUE`. Of calls that are made for every message,
 * `AeadOptions` and those of tokens, enumerable names are looked at.
 */

import type { Transform } from 'node:stream';
import type { TransformStream } from 'node:stream/web';

/** Content: text, taken as UTF-8, or bytes, taken as they are. */
export type Content = string | Uint8Array;

/** Every `code` an error of Holdfast can carry. The list is closed: `lib/errors.js` holds the same table. */
export type ErrorCode =
  | 'ERR_INVALID_ARG_TYPE'
  | 'ERR_INVALID_ARG_VALUE'
  | 'ERR_OUT_OF_RANGE'
  | 'ERR_INTERNAL'
  | 'ERR_BINDING'
  | 'ERR_REGEXP_BACKREFERENCE'
  | 'ERR_REGEXP_BUDGET'
  | 'ERR_REGEXP_MEMORY'
  | 'ERR_REGEXP_TOO_LARGE'
  | 'ERR_REGEXP_UNSUPPORTED'
  | 'ERR_JSON_SYNTAX'
  | 'ERR_JSON_PROTO_KEY'
  | 'ERR_JSON_CONSTRUCTOR_KEY'
  | 'ERR_JSON_FORBIDDEN_KEY'
  | 'ERR_JSON_DUPLICATE_KEY'
  | 'ERR_JSON_LIMIT'
  | 'ERR_JSON_NUMBER'
  | 'ERR_JSON_ENCODING'
  | 'ERR_QUERY_ENCODING'
  | 'ERR_QUERY_KEY'
  | 'ERR_QUERY_DUPLICATE'
  | 'ERR_QUERY_LIMIT'
  | 'ERR_PASSWORD_TOO_LONG'
  | 'ERR_PASSWORD_ENCODING'
  | 'ERR_HASH_MALFORMED'
  | 'ERR_HASH_LIMIT'
  | 'ERR_QUEUE_FULL'
  | 'ERR_CLOSED'
  | 'ERR_DECRYPT'
  | 'ERR_UNKNOWN_KEY'
  | 'ERR_KEY_EXHAUSTED'
  | 'ERR_KEY_FILE'
  | 'ERR_TOKEN_EXPIRED'
  | 'ERR_STREAM_TRUNCATED'
  | 'ERR_RATE_STORE'
  | 'ERR_RATE_LIMITED'
  | 'ERR_BODY_LIMIT'
  | 'ERR_BODY_LENGTH'
  | 'ERR_BODY_TYPE'
  | 'ERR_BODY_ABORTED'
  | 'ERR_CSRF'
  | 'ERR_SESSION_LIMIT'
  | 'ERR_PATTERN'
  | 'ERR_ENVIRONMENT'
  | 'ERR_PEER'
  | 'ABORT_ERR';

/**
 * What Holdfast throws when the arguments had the right types and something was still wrong. Wrong types are a
 * `TypeError` with `ERR_INVALID_ARG_TYPE`, invalid values and unknown options a `TypeError` with
 * `ERR_INVALID_ARG_VALUE`, numbers out of range a `RangeError` with `ERR_OUT_OF_RANGE`, as in Node itself.
 * Messages never contain the rejected value.
 */
export class HoldfastError extends Error {
  private constructor();
  /** `'AbortError'` with the code `ABORT_ERR`, whose `cause` is the signal's reason. */
  readonly name: 'HoldfastError' | 'AbortError';
  readonly code: ErrorCode;
  /** The HTTP status that fits, on errors an HTTP handler may pass on. */
  readonly status?: 400 | 403 | 411 | 413 | 415 | 429 | 503;
  /** The same, under the name that Fastify and Nest look for. */
  readonly statusCode?: 400 | 403 | 411 | 413 | 415 | 429 | 503;
  /** True when the message is fit for the client. Set wherever `status` is set. */
  readonly expose?: boolean;
  /**
   * When trying again is likely to succeed. With `ERR_QUEUE_FULL` estimated from the measured service time, with
   * `ERR_RATE_STORE` when the store is asked again.
   */
  readonly retryAfterMs?: number;
}

// ---------------------------------------------------------------------------------------------- regular expressions

/** What a {@link SafeRegExp} or a {@link SafeRegExpSet} may use. The defaults are argued in `docs/regexp.md`. */
export interface SafeRegExpOptions {
  /**
   * Bytes that one operation may take: for the text in the forms that the engines read, for what is still to be tried and
   * for what is remembered, not for the result. Over it is `ERR_REGEXP_MEMORY`. An integer from 65536 (64 KiB) to
   * 4294967296 (4 GiB). Default 67108864 (64 MiB): with it texts can have some 64 million Latin-1 characters, or half as many
   * others.
   */
  memoryLimit?: number;
  /**
   * Back-references cannot be matched in linear time. `'error'`, the default, refuses them at construction. With a
   * `budget`, an integer from 1, they run, and a search that takes more steps of the engine than that throws
   * `ERR_REGEXP_BUDGET`. There is no default for it: how long a search may take is yours to say.
   */
  backreferences?: 'error' | { budget: number };
}

/**
 * A RegExp that runs in time linear in the text, for every pattern without back-references: same results as RegExp in
 * the Node that runs, same observable steps. `docs/regexp.md` has the guarantee precisely.
 *
 * `exec` and `test` run natively; `match`, `replace`, `search` and `split` do, at once for a whole text, unless
 * something was overridden: then they go through `exec` by the language's own protocol, as `matchAll` does.
 * `RegExp.prototype.exec.call(safe, text)` bypasses Holdfast and runs V8's backtracking engine, as copies by
 * `new RegExp(safe)` do: not with untrusted text.
 *
 * Every search can throw `ERR_REGEXP_MEMORY`; with back-references allowed, `ERR_REGEXP_BUDGET`; with patterns of more
 * than 1,048,576 instructions, which are found out at the first search, `ERR_REGEXP_TOO_LARGE`.
 *
 * @throws {SyntaxError} the pattern or the flags are not valid (V8's own error)
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` options of another type, or with unknown names
 * @throws {RangeError} `ERR_OUT_OF_RANGE` an option is out of its range
 * @throws {HoldfastError} `ERR_REGEXP_BACKREFERENCE` the pattern has a back-reference, and there is no budget;
 *   `ERR_REGEXP_TOO_LARGE` the pattern has more than 65,536 code units, more than 250,000 characters with its counted repeats
 *   written out, groups or classes more than 200 deep, or more than 2,097,152 ranges in its classes;
 *   `ERR_REGEXP_UNSUPPORTED` V8 accepts a syntax that this version does not know: none in Node 20 to 26
 */
export class SafeRegExp extends RegExp {
  /** Made from another SafeRegExp without `options`, it has the options of that one. */
  constructor(pattern: string | RegExp, flags?: string, options?: SafeRegExpOptions);
  /**
   * `text` as a pattern that matches it and nothing else, wherever it stands in one: as RegExp.escape of ECMA-262.
   *
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE` it is no string
   */
  static escape(text: string): string;
  /**
   * As `test`, in UTF-8, from the first byte. Bytes that are not UTF-8 are no character and in no match. `lastIndex` is
   * neither read nor set.
   *
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE` it is no Uint8Array
   * @throws {RangeError} `ERR_OUT_OF_RANGE` it has 2 GiB or more
   */
  testBytes(utf8: Uint8Array): boolean;
  /**
   * The first match at or (with `y`: only at) after the byte `from`, which is 0 unless given; from inside a character, after
   * that. All offsets are bytes; without `u` and `v` a character above U+FFFF is two units, and the second one starts two
   * bytes into it. `captures` has an entry for each group, undefined for one that took no part. `lastIndex` is neither read
   * nor set.
   *
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE` an argument of another type
   * @throws {RangeError} `ERR_OUT_OF_RANGE` `from` is no integer from 0 to the length, or the length is 2 GiB or more
   */
  execBytes(
    utf8: Uint8Array,
    from?: number,
  ): { start: number; end: number; captures: ([number, number] | undefined)[] } | null;
  /** The engine that decides, if it can, whether and where the pattern matches: `'automaton'` or `'backtracker'`. */
  readonly engine: string;
}

/**
 * Many patterns asked at once which of them match somewhere in a text: entry `i` of the answer is that of
 * `new RegExp(patterns[i], flags).test(input)`. Strings that every match of a pattern must contain are looked for in one
 * pass for all patterns, and a pattern runs only around its own; a pattern without such strings runs on the whole text,
 * up to 64 of them at once. The time is linear in the text, and in the sum of the patterns.
 *
 * The flags of a RegExp are its own, unless `flags` is given; `g` and `d` have no meaning, and `y` asks for a match at the
 * start of the text.
 *
 * @throws {SyntaxError} a pattern or the flags are not valid (V8's own error)
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` a pattern, the flags or the options are of another type
 * @throws {RangeError} `ERR_OUT_OF_RANGE` more than 65,536 patterns, or sources of more than 16,777,216 code units together
 * @throws {HoldfastError} what {@link SafeRegExp} throws, also from `test` and `match`; the message begins with the pattern's
 *   place, `patterns[3]: …`
 */
export class SafeRegExpSet {
  /**
   * `memoryLimit` also bounds what the set keeps between searches; over it, it starts anew. The budget of
   * `backreferences` is for each search around a string that was found.
   */
  constructor(patterns: readonly (string | RegExp)[], flags?: string, options?: SafeRegExpOptions);
  /** Whether any pattern matches. Bytes are UTF-8, and those that are not are no character and in no match. */
  test(input: Content): boolean;
  /** Which patterns match: their indices, ascending. */
  match(input: Content): number[];
  /** How many patterns there are. */
  readonly size: number;
  /** Their sources, as `RegExp.prototype.source` gives them; frozen. */
  readonly sources: readonly string[];
}

/** How V8's own matcher, which backtracks, fares with a pattern. `docs/redos.md` says how it is found out. */
export interface RegExpAnalysis {
  /**
   * How its steps grow with the length of the text, at worst: `'linear'` is certain for every text; `'polynomial'` and
   * `'exponential'` come with a text, and were counted on it; `'unknown'` is none of these, and `undecided` says why.
   */
  complexity: 'linear' | 'polynomial' | 'exponential' | 'unknown';
  /** The power of the length: 1, 2, 3…; Infinity of an exponential one, null of one that is unknown. */
  degree: number | null;
  /** The loops that are the reason, as parts of the pattern's source in UTF-16 code units. Empty without an attack. */
  hotspots: { start: number; end: number }[];
  /** The prefix once, the pump as often as one likes, the suffix once: that is the text. Null without an attack. */
  attack: { prefix: string; pump: string; suffix: string } | null;
  /**
   * The text with so many pumps; null without an attack. Mind that RegExp may take for ever on it.
   *
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE` `repeat` is no number
   * @throws {RangeError} `ERR_OUT_OF_RANGE` `repeat` is no integer from 0, or the text longer than strings can be
   */
  attackString(repeat: number): string | null;
  /**
   * Lengths of that text, in UTF-16 code units, and the steps of a backtracking matcher on it: characters, assertions,
   * lookarounds and back-references that are tried. Counted on a model, not timed; exact. Empty without an attack.
   */
  steps: { length: number; steps: number }[];
  /** Why the complexity is unknown. */
  undecided?: string;
  /** Whether {@link SafeRegExp} runs the pattern, with its default options. */
  supported: boolean;
  /** Why it does not. */
  reason?: string;
}

/**
 * How V8's own matcher fares with a pattern on the worst text, and which text that is: what a scan of existing code asks.
 * The answer depends on the pattern alone, as work is counted; `timeoutMs`, an integer from 1 to 60000, 1000 by default, is
 * the bound behind that, for machines that are starved. Takes a tenth of a millisecond for most patterns, some hundreds of
 * milliseconds for those that are made to be hard.
 *
 * @throws {SyntaxError} the pattern or the flags are not valid (V8's own error)
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` an argument of another type, or options with unknown
 *   names
 * @throws {RangeError} `ERR_OUT_OF_RANGE` `timeoutMs` is out of its range
 */
export function analyzeRegExp(
  pattern: string | RegExp,
  flags?: string,
  options?: { timeoutMs?: number },
): RegExpAnalysis;

// ------------------------------------------------------------------------------------------------------------- JSON

/** What is checked in JSON, before anything is built. */
export interface JsonOptions {
  /** An own key `__proto__`, also when spelt with escapes. `'remove'` leaves out the member. Default `'error'`. */
  protoKey?: 'error' | 'remove' | 'ignore';
  /** A key `constructor` whose value is an object with a key `prototype`. Default `'error'`. */
  constructorKey?: 'error' | 'remove' | 'ignore';
  /** Keys to refuse, compared as they are after unescaping; at most 1,000. Default none. */
  forbiddenKeys?: readonly string[];
  /** Keys that start with `$`, which MongoDB and its like take for operators. Default `'ignore'`. */
  operatorKeys?: 'error' | 'remove' | 'ignore';
  /** The same key twice in one object. `'last'`: the last one wins, as with `JSON.parse`. Default `'last'`. */
  duplicateKeys?: 'error' | 'last';
  /**
   * Numbers that a double cannot hold: integers (written without fraction and exponent) that would be rounded, and
   * whatever would become Infinity. `'lossy'`: they become what `JSON.parse` makes of them. Default `'lossy'`.
   */
  numbers?: 'error' | 'lossy';
  limits?: JsonLimits;
  /**
   * As for `JSON.parse`. What it returns is checked again, and copied, as `sanitize` does; `limits.depth` can be at most
   * 1,000 with it.
   */
  reviver?: (this: any, key: string, value: any, ...context: any[]) => unknown;
}

/** How large JSON may be: `ERR_JSON_LIMIT` where it is larger. */
export interface JsonLimits {
  /**
   * Length of the input in bytes; a string counts its UTF-8 bytes. Default 2³⁰ − 1; what does not
   * fit in a string of V8's (about 2²⁹) is over it in any case.
   */
  bytes?: number;
  /** Arrays and objects inside each other; `[]` has depth 1. Default 128. */
  depth?: number;
  /** Keys of all objects together. Default: no limit but the bytes. */
  keys?: number;
  /** UTF-16 code units of one key, escapes resolved. Default: no limit but the bytes. */
  keyLength?: number;
  /** UTF-16 code units of one string that is no key, escapes resolved. Default: no limit but the bytes. */
  stringLength?: number;
  /** Elements of one array. Default: no limit but the bytes. */
  arrayLength?: number;
}

/** The codes of a `JsonError`. */
export type JsonErrorCode =
  | 'ERR_JSON_SYNTAX'
  | 'ERR_JSON_ENCODING'
  | 'ERR_JSON_PROTO_KEY'
  | 'ERR_JSON_CONSTRUCTOR_KEY'
  | 'ERR_JSON_FORBIDDEN_KEY'
  | 'ERR_JSON_DUPLICATE_KEY'
  | 'ERR_JSON_NUMBER'
  | 'ERR_JSON_LIMIT';

/** What is wrong with a text. */
export interface JsonFinding {
  code: JsonErrorCode;
  /** Where: keys and array indices from the root. */
  path: (string | number)[];
  /** The same as a JSON Pointer (RFC 6901). */
  pointer: string;
  /** UTF-16 code units into a string, bytes into bytes. */
  offset: number;
}

/**
 * Parses JSON as `JSON.parse` does, after checks on the text that build nothing. Bytes are UTF-8, with or without a
 * byte order mark.
 *
 * @throws {JsonError} `ERR_JSON_SYNTAX`, `ERR_JSON_ENCODING` (bytes are not UTF-8), `ERR_JSON_LIMIT`, and by option
 *   `ERR_JSON_PROTO_KEY`, `ERR_JSON_CONSTRUCTOR_KEY`, `ERR_JSON_FORBIDDEN_KEY` (also for operator keys),
 *   `ERR_JSON_DUPLICATE_KEY`, `ERR_JSON_NUMBER`
 */
export function parseJson(input: Content, options?: JsonOptions): unknown;

/** `parseJson`, with the `JsonError` returned instead of thrown. Wrong arguments are thrown. */
export function tryParseJson(
  input: Content,
  options?: JsonOptions,
): { ok: true; value: unknown } | { ok: false; error: JsonError };

/**
 * What `parseJson` would object to, in the order in which it is found; builds nothing. The list ends at what makes going
 * on pointless (a syntax error, a limit), and after 100 findings.
 */
export function scanJson(input: Content, options?: JsonOptions): JsonFinding[];

/** The same functions with options that are read once. */
export class JsonGuard {
  constructor(options?: JsonOptions);
  /** As `parseJson`. */
  parse(input: Content): unknown;
  /** As `tryParseJson`. */
  tryParse(input: Content): { ok: true; value: unknown } | { ok: false; error: JsonError };
  /** As `scanJson`. */
  scan(input: Content): JsonFinding[];
}

/** What `parseJson` throws. The message and the fields never contain a value of the input, `path` holds its keys. */
export class JsonError extends SyntaxError {
  private constructor();
  readonly name: 'JsonError';
  readonly code: JsonErrorCode;
  /** 413 for `ERR_JSON_LIMIT`, 400 otherwise. */
  readonly status: 400 | 413;
  /** The same, under the name that Fastify and Nest look for. */
  readonly statusCode: 400 | 413;
  readonly expose: true;
  /** Where it was found: keys and array indices from the root. */
  readonly path: (string | number)[];
  /** The same as a JSON Pointer (RFC 6901). */
  readonly pointer: string;
  /** UTF-16 code units into a string, bytes into bytes. */
  readonly offset: number;
  /** From 1. */
  readonly line: number;
  /** From 1, in the unit of `offset`. */
  readonly column: number;
}

/**
 * Deep merge into a new object: later sources win, plain objects are merged, everything else (arrays, Date, Map,
 * Buffer, class instances) is taken over by reference, `undefined` is skipped. Symbols are kept, accessors left out. No
 * argument is changed and no accessor is invoked. {@link createMerge} with its defaults.
 *
 * @throws {HoldfastError} `ERR_JSON_PROTO_KEY`, `ERR_JSON_CONSTRUCTOR_KEY` an argument has an own `__proto__`, or a
 *   `constructor` that holds an object with a `prototype`, at any depth; `ERR_JSON_LIMIT` more than 1,000,000 levels or
 *   10,000,000 members
 */
export function merge<T extends object, S extends object[]>(target: T, ...sources: S): T & S[number];

/** How a merge of one's own goes about it. */
export interface MergeOptions {
  /**
   * An array that meets an array. `'replace'`: the later one is taken over by reference; `'concat'`: a new array of the
   * elements there and then the later ones; `'unique'`: the same without repeats (as `Set` compares); `'index'`: a new
   * array, element by element, plain objects and arrays at the same index merged. Default `'replace'`, because a
   * caller can then also make a list shorter, and no list grows with every merge.
   */
  arrays?: 'replace' | 'concat' | 'unique' | 'index';
  /** Whether a member that is `undefined` hides an earlier one. Default `'skip'`: an option not given is none. */
  undefined?: 'skip' | 'assign';
  /**
   * Objects and arrays inside each other, from 1 to 1,000,000; `{}` has depth 1. Default 1,000,000, the most that
   * `parseJson` can be told to let through: merging itself survives any depth, what comes after it may not.
   */
  maxDepth?: number;
  /**
   * An own `__proto__`, or a `constructor` that holds an object with a `prototype`. `'remove'` leaves the member out,
   * also inside arrays, which are then copied. Default `'error'`: who sends one is up to something.
   */
  unsafeKeys?: 'error' | 'remove';
}

/** A {@link merge} with other policies. The options are read once, here. */
export function createMerge(options?: MergeOptions): typeof merge;

/**
 * A clean copy of a value that something else has parsed or built, with the checks of {@link parseJson}. Plain objects
 * and arrays are copied; Date, Map, Buffer, class instances and functions are taken over by reference. Cycles stay
 * cycles and shared parts shared. No accessor is invoked: members behind one are left out, as are symbols and what is
 * not enumerable. `limits.bytes`, `duplicateKeys` and `reviver` have no meaning here.
 *
 * @throws {JsonError} `ERR_JSON_PROTO_KEY`, `ERR_JSON_CONSTRUCTOR_KEY`, `ERR_JSON_FORBIDDEN_KEY`, `ERR_JSON_NUMBER`,
 *   `ERR_JSON_LIMIT`; `offset` is -1 and `line` and `column` are 0, as there is no text
 */
export function sanitize<T>(value: T, options?: JsonOptions): T;

/** What `parseQuery` accepts and makes. The defaults are argued in `docs/query.md`. */
export interface QueryOptions {
  /** Which value counts when a name comes again, or all of them, or none: `ERR_QUERY_DUPLICATE`. Default `'last'`. */
  duplicates?: 'last' | 'first' | 'array' | 'error';
  /** Names that are always arrays, whatever `duplicates` says. Default: none. */
  arrays?: readonly string[];
  /** Whether `a[b]=1` is a member of a member and `a[]=1` an element. Default false: they are names like others. */
  nested?: boolean;
  /** Over one of them is `ERR_QUERY_LIMIT`. */
  limits?: {
    /** Length of the query in bytes of UTF-8. Default 1048576 (1 MiB). */
    bytes?: number;
    /** Names with their values, repeated or not. Default 1000. */
    parameters?: number;
    /** Pairs of brackets in one name. Default 5. */
    depth?: number;
    /** Elements of one array. Default 1000. */
    arrayLength?: number;
  };
}

/**
 * Parses a URL's query, with or without its `?`, or a body of `application/x-www-form-urlencoded`. It splits and
 * decodes as URLSearchParams does; malformed percent-encoding and what is not UTF-8 are refused. The result and every
 * object in it have no prototype; values are strings, and with `nested`, `arrays` or `duplicates: 'array'` also arrays
 * and objects.
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` the query is no string
 * @throws {HoldfastError} `ERR_QUERY_ENCODING`; `ERR_QUERY_KEY` a name with `__proto__`, or `constructor[prototype]`, in
 *   it, brackets that cannot be read, or names that cannot stand together; `ERR_QUERY_DUPLICATE`; `ERR_QUERY_LIMIT`
 */
export function parseQuery(query: string, options?: QueryOptions): Record<string, unknown>;

/** How `mergeJson` merges. */
export interface MergeJsonOptions {
  /**
   * `'deep'`: objects are merged, anything else of the patch replaces what the target has. `'patch'`: RFC 7396, JSON Merge
   * Patch: the same, and a `null` in the patch's objects deletes. Default `'deep'`.
   */
  mode?: 'deep' | 'patch';
  /** Two arrays at the same place, with `'deep'`; RFC 7396 replaces arrays. Default `'replace'`. */
  arrays?: 'replace' | 'concat';
  /** For each of both texts, as in {@link JsonOptions}. */
  limits?: JsonOptions['limits'];
}

/**
 * Merges two JSON texts into one. No value is built: what the patch does not name is copied as it stands, the spelling
 * of numbers and white space included. The target decides what comes back: a string for a string, a Buffer for bytes.
 * Members keep the target's order, new ones follow in the patch's. Of a key that one object has more than once the last
 * value counts. The result is never longer than both texts together and nests no deeper than the deeper one.
 *
 * @throws {JsonError} as `parseJson` with its defaults, for either text; the message starts with `target` or `patch`.
 *   `ERR_JSON_LIMIT` also when both together are longer than a string can be
 */
export function mergeJson<T extends Content>(
  target: T,
  patch: Content,
  options?: MergeJsonOptions,
): T extends string ? string : Buffer;

// -------------------------------------------------------------------------------------------------------- passwords

/** Options of a {@link PasswordHasher}. Every default is argued in `docs/passwords.md`. */
export interface PasswordHasherOptions {
  /** For new hashes. `verify` takes all. Default `'argon2id'`. */
  algorithm?: 'argon2id' | 'bcrypt' | 'scrypt';
  argon2?: {
    /** Default 19456 (19 MiB). */
    memoryKiB?: number;
    /** Default 2. */
    passes?: number;
    /** Default 1. */
    lanes?: number;
    /** Bytes, 12 to 64. Default 32. */
    tagLength?: number;
    /** Bytes, 8 to 64. Default 16. */
    saltLength?: number;
  };
  bcrypt?: {
    /** log2 of the rounds, 4 to 31. Default 12. */
    cost?: number;
  };
  /**
   * A password of more than the 72 bytes that bcrypt reads: `'error'` refuses to hash it, and no hash is right for it;
   * `'truncate'` reads the first 72, as other libraries do. Default `'error'`.
   */
  bcryptLong?: 'error' | 'truncate';
  /** A hash takes `128 · r · (2^logN + p)` bytes. */
  scrypt?: {
    /** log2 of N. Default 17. */
    logN?: number;
    /** Default 8. */
    r?: number;
    /** Default 1. */
    p?: number;
  };
  /**
   * Secrets of 16 to 1024 random bytes that new argon2id hashes are made with, by name (1 to 32 of `A-Z a-z 0-9 . _ -`).
   * The name stands in the hash. Keep old ones in `keys` until `needsRehash` has moved everybody to the current one.
   */
  pepper?: { current: string; keys: Record<string, Uint8Array> };
  /** Brings passwords that are text into this Unicode form first. Default false. */
  normalize?: 'NFC' | 'NFKC' | false;
  /** Threads that hash, started at the first use, none of them libuv's. Default: the number of cores. */
  threads?: number;
  /** How many jobs may wait for a thread. Default 1024. */
  maxQueue?: number;
  /** What a stored hash may ask for in `verify`; over it is `ERR_HASH_LIMIT`, before any memory is taken. */
  limits?: {
    /** For argon2 and scrypt. Default 262144 (256 MiB). */
    memoryKiB?: number;
    /** Default 16. */
    passes?: number;
    /** Also scrypt's p. Default 16. */
    lanes?: number;
    /** Default 16. */
    cost?: number;
    /** Default 20. */
    logN?: number;
  };
}

export interface PasswordCallOptions {
  /**
   * Rejects the promise with an `AbortError` (`ABORT_ERR`). What waits is dropped at once, a running bcrypt stops within
   * milliseconds, a running argon2 or scrypt hash is finished and forgotten.
   */
  signal?: AbortSignal;
}

/**
 * Hashes and verifies passwords on threads of its own. Strings are hashed as UTF-8 and must be well-formed; bytes are
 * taken as they are. The empty password is allowed.
 */
export class PasswordHasher {
  constructor(options?: PasswordHasherOptions);
  /**
   * A PHC string (`$argon2id$v=19$m=…`, `$scrypt$ln=…`) or a bcrypt string (`$2b$…`), with a fresh random salt.
   *
   * Rejects with `ERR_PASSWORD_TOO_LONG` (bcrypt: more than 72 bytes; all: more than 64 KiB), `ERR_PASSWORD_ENCODING`,
   * `ERR_QUEUE_FULL` (with `status` 503 and `retryAfterMs`), `ERR_CLOSED`, `ABORT_ERR`.
   */
  hash(password: Content, options?: PasswordCallOptions): Promise<string>;
  /**
   * Verifies argon2d, argon2i, argon2id (v16, v19), `$2a$`, `$2b$`, `$2x$`, `$2y$` and scrypt's PHC strings. For `null` or
   * `undefined` the work of the configured algorithm is done and the answer is `{ valid: false, needsRehash: false }`, so
   * that a missing user takes as long as a wrong password.
   *
   * Rejects with `ERR_HASH_MALFORMED` (after the work of a real verify), `ERR_HASH_LIMIT`, `ERR_UNKNOWN_KEY` (a pepper that
   * is not in `pepper.keys`), `ERR_PASSWORD_TOO_LONG` (more than 64 KiB), `ERR_PASSWORD_ENCODING`, `ERR_QUEUE_FULL`,
   * `ERR_CLOSED`, `ABORT_ERR`.
   */
  verify(
    stored: string | null | undefined,
    password: Content,
    options?: PasswordCallOptions,
  ): Promise<{ valid: boolean; needsRehash: boolean }>;
  /**
   * True when the stored hash was made with another algorithm, version, parameter or pepper than this hasher uses.
   * @throws {HoldfastError} `ERR_HASH_MALFORMED`
   */
  needsRehash(stored: string): boolean;
  stats(): {
    /** Running threads; 0 before the first use and after `close()`. */
    threads: number;
    running: number;
    queued: number;
    completed: number;
    /** Jobs refused with `ERR_QUEUE_FULL`. */
    rejected: number;
    /** Bytes the threads' argon2 memory takes at this moment. */
    arenaBytes: number;
  };
  /** Takes no more jobs, finishes the accepted ones, ends the threads. A second call returns the same promise. */
  close(): Promise<void>;
}

/** {@link PasswordHasher.hash} of a hasher with the defaults, which all calls share. */
export function hashPassword(password: Content, options?: PasswordCallOptions): Promise<string>;

/** Whether {@link PasswordHasher.verify} of a hasher with the defaults, which all calls share, says `valid`. */
export function verifyPassword(
  stored: string | null | undefined,
  password: Content,
  options?: PasswordCallOptions,
): Promise<boolean>;

export type ParsedHash =
  | {
      algorithm: 'argon2d' | 'argon2i' | 'argon2id';
      version: 16 | 19;
      params: { memoryKiB: number; passes: number; lanes: number };
      salt: Uint8Array;
      /** Bytes. */
      digestLength: number;
      /** The name of the pepper it was made with. */
      keyId?: string;
    }
  | {
      algorithm: 'bcrypt';
      version: '2a' | '2b' | '2x' | '2y';
      params: { cost: number };
      salt: Uint8Array;
      digestLength: number;
    }
  | {
      algorithm: 'scrypt';
      params: { logN: number; r: number; p: number };
      salt: Uint8Array;
      digestLength: number;
    };

/**
 * Takes a stored hash apart, whatever it asks for.
 * @throws {HoldfastError} `ERR_HASH_MALFORMED`
 */
export function parseHash(stored: string): ParsedHash;

/**
 * Parameters for argon2id that take at most `targetMs` on this machine, if any that OWASP recommends do: as much memory as
 * fits with two passes, then up to 16. Hashes on a thread of its own, for some ten to thirty times `targetMs`. More than
 * 256 MiB are for a hasher with as large a `limits.memoryKiB`.
 */
export function calibrate(options: {
  /** Milliseconds that one hash may take, 1 to 60000. */
  targetMs: number;
  /** Default 65536 (64 MiB), at least 7168. */
  maxMemoryKiB?: number;
}): Promise<{
  memoryKiB: number;
  passes: number;
  lanes: number;
  /** More than `targetMs` when the machine is too slow even for 7 MiB and 5 passes. */
  measuredMs: number;
}>;

// ------------------------------------------------------------------------------------------------------- encryption

/** 32 random bytes from the operating system, in a buffer of their own. */
export function generateKey(): Buffer;

export interface DeriveKeyOptions {
  /**
   * At most 1024 bytes; random, and need not be secret. Default: none, which RFC 5869 (§3.1) allows and which is the
   * same as an empty one.
   */
  salt?: Uint8Array;
  /** Bytes, 1 to 8160 (RFC 5869, §2.3). Default 32, what a {@link Keyring} takes. */
  length?: number;
}

/**
 * A key for one purpose, made of a secret that is random already, by HKDF-SHA-256 (RFC 5869). The same arguments give
 * the same key; the keys of two purposes say nothing about each other or about the secret. A shorter `length` gives the
 * beginning of a longer one: keys that must differ need an `info` of their own. Never for passwords, which are guessed.
 *
 * The key is a Buffer with memory of its own, which nothing else shares.
 *
 * @param secret 16 to 65,536 random bytes, as {@link generateKey} makes them. For text there is
 * {@link keyFromPassphrase}.
 * @param info What the key is for: text of 1 to 65,536 bytes of UTF-8, well-formed.
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`; `ERR_INVALID_ARG_VALUE` for a secret of fewer than 16 bytes, and for an
 * `info` that is empty or has a lone surrogate
 * @throws {RangeError} `ERR_OUT_OF_RANGE` for what is too long
 */
export function deriveKey(secret: Uint8Array, info: string, options?: DeriveKeyOptions): Buffer;

export interface PassphraseKeyOptions extends PasswordCallOptions {
  /** KiB, 8 for each lane up to 4194304 (4 GiB). Default 65536 (RFC 9106, §4, the second recommended option). */
  memoryKiB?: number;
  /** 1 to 1048576. Default 3 (the same). */
  passes?: number;
  /** 1 to 255, computed at the same time. Default 4 (the same). */
  lanes?: number;
  /**
   * Bytes: 16 for AES-128, 32 for AES-256 and a {@link Keyring}. Part of what is computed: the shorter key is not the
   * beginning of the longer one. Default 32.
   */
  length?: 16 | 32;
}

/**
 * A key from a passphrase: the tag of argon2id, version 19 (RFC 9106), without a secret or associated data. The same
 * passphrase, salt, memory, passes, lanes and length give the same key: keep all but the passphrase with what the key
 * protects. The defaults cost more than those of {@link PasswordHasher}, because such a key is made rarely, and guessed
 * at offline for as long as what it protects is worth it.
 *
 * Runs on threads of its own, one or two for all calls, behind a queue of 128. The memory is given back after each key.
 * The key is a Buffer with memory of its own, which nothing else shares.
 *
 * Rejects with `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE` for wrong arguments, and with
 * `ERR_PASSWORD_TOO_LONG`, `ERR_PASSWORD_ENCODING`, `ERR_QUEUE_FULL` (`status` 503 and `retryAfterMs`), `ABORT_ERR`.
 *
 * @param passphrase Text of 1 to 65,536 bytes of UTF-8, well-formed, taken as it is: normalize what people type.
 * @param salt 16 to 64 random bytes, new ones for each passphrase (RFC 9106, §3.1, recommends 16). Not secret.
 */
export function keyFromPassphrase(
  passphrase: string,
  salt: Uint8Array,
  options?: PassphraseKeyOptions,
): Promise<Buffer>;

export interface AeadOptions {
  /** Associated data: authenticated, not encrypted, must be the same on both sides. Default: none. */
  aad?: Content;
  /** Write the result here and return the part that was written, instead of a new Buffer. Must not overlap the input. */
  into?: Uint8Array;
}

/**
 * AES-GCM with a key of 16 or 32 bytes: ciphertext ‖ 16-byte tag, byte for byte what node:crypto and WebCrypto make. For one
 * message; {@link AesGcmKey} keeps what has been made of the key.
 *
 * @param nonce 12 bytes that must never be used twice with one key. {@link AesGcmKey.seal} chooses them.
 */
export function aesGcmEncrypt(key: Uint8Array, nonce: Uint8Array, plaintext: Content, options?: AeadOptions): Buffer;
/** @throws {HoldfastError} `ERR_DECRYPT`, whatever was wrong */
export function aesGcmDecrypt(
  key: Uint8Array,
  nonce: Uint8Array,
  ciphertextAndTag: Uint8Array,
  options?: AeadOptions,
): Buffer;

/**
 * AES-GCM under one key of 16 or 32 bytes, byte for byte what node:crypto and WebCrypto make. Prefer `seal`/`open`,
 * which choose the nonce, or a {@link Keyring}, which also rotates keys.
 *
 * @throws {HoldfastError} `ERR_DECRYPT` from `decrypt` and `open`, whatever was wrong;
 *   `ERR_KEY_EXHAUSTED` from `seal` at the 2³²-th message of this object
 */
export class AesGcmKey {
  constructor(key: Uint8Array);
  /** ciphertext ‖ 16-byte tag. The 12-byte nonce must never be used twice with one key. */
  encrypt(nonce: Uint8Array, plaintext: Content, options?: AeadOptions): Buffer;
  decrypt(nonce: Uint8Array, ciphertextAndTag: Uint8Array, options?: AeadOptions): Buffer;
  /** random 12-byte nonce ‖ ciphertext ‖ 16-byte tag. */
  seal(plaintext: Content, options?: AeadOptions): Buffer;
  open(sealed: Uint8Array, options?: AeadOptions): Buffer;
  /** Wipes the key. What is called afterwards throws `ERR_CLOSED`. */
  dispose(): void;
  /** {@link AesGcmKey.dispose}, for `using`. */
  [Symbol.dispose](): void;
}

/**
 * Named keys, one of them primary. Seals under the primary key with XAES-256-GCM (random 24-byte nonces), and writes
 * the key's id in front, authenticated, so that old messages open after a rotation. Layout: `docs/aead.md`.
 *
 * @throws {HoldfastError} `ERR_DECRYPT` from whatever opens, whatever was wrong; `ERR_UNKNOWN_KEY` the message names a
 *   key this ring does not hold; `ERR_CLOSED` after `dispose`
 */
export class Keyring {
  constructor(options: {
    /** The id of the key that seals. */
    primary: string;
    /** Key ids (1 to 32 ASCII letters, digits, `-` and `_`) and their keys of exactly 32 bytes; at most 1,000. */
    keys: Record<string, Uint8Array>;
  });
  seal(plaintext: Content, options?: AeadOptions): Buffer;
  open(sealed: Uint8Array, options?: AeadOptions): Buffer;
  /**
   * What the header says: the id of the key, and whether it is another than the primary one. Of a message, a token or the
   * start of a stream. Nothing is authenticated here.
   * @throws {HoldfastError} `ERR_DECRYPT` when there is no such header
   */
  inspect(sealed: Uint8Array | string): { keyId: string; stale: boolean };
  /** Opens a message and seals it anew, under the primary key. The plaintext stays in native memory and is wiped. */
  reseal(sealed: Uint8Array, options?: AeadOptions): Buffer;
  /**
   * A new ring with `id` as primary key and all keys of this one, which stays as it is.
   * @throws {TypeError} `ERR_INVALID_ARG_VALUE` when this ring has a key of that id, or this key under another
   */
  rotate(id: string, key: Uint8Array): Keyring;
  /**
   * A JSON value as a sealed base64url string, bound to its purpose: a token for one purpose does not open for another.
   * `ttlMs` is how long it stays valid; without it, for ever. At most 64 KiB of JSON.
   */
  sealToken(value: unknown, options: { purpose: string; ttlMs?: number }): string;
  /** @throws {HoldfastError} also `ERR_TOKEN_EXPIRED`, only after the token has been authenticated */
  openToken(token: string, options: { purpose: string }): unknown;
  /**
   * Seals a stream of any length, in chunks of 64 KiB, under a key of its own. Text that is written is sealed as UTF-8.
   */
  sealStream(options?: StreamOptions): Transform;
  /**
   * Opens what `sealStream` and its other forms made. No byte comes out that has not been authenticated, in its place.
   *
   * Fails with `ERR_DECRYPT`, `ERR_UNKNOWN_KEY`, or `ERR_STREAM_TRUNCATED` when the stream ends before its last chunk: what has
   * come out until then is a beginning, and not the whole.
   */
  openStream(options?: StreamOptions): Transform;
  /** {@link Keyring.sealStream} as a stream of the web. */
  sealWebStream(options?: StreamOptions): TransformStream<Content, Uint8Array>;
  /** {@link Keyring.openStream} as a stream of the web. */
  openWebStream(options?: StreamOptions): TransformStream<Uint8Array, Uint8Array>;
  /** {@link Keyring.sealStream} over anything that can be iterated, such as what `fs.createReadStream` returns. */
  sealFile(
    source: AsyncIterable<Content> | Iterable<Content>,
    options?: StreamOptions,
  ): AsyncGenerator<Buffer, void, undefined>;
  /** {@link Keyring.openStream} over anything that can be iterated. */
  openFile(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options?: StreamOptions,
  ): AsyncGenerator<Buffer, void, undefined>;
  /**
   * Wipes the keys, but for those that a ring made by `rotate` shares. Streams that have begun go on; opening begins when
   * the stream's header has been read. What needs a key afterwards throws `ERR_CLOSED`.
   */
  dispose(): void;
  /** {@link Keyring.dispose}, for `using`. */
  [Symbol.dispose](): void;
}

export interface StreamOptions {
  /** Associated data: authenticated, not encrypted, must be the same on both sides. Default: none. */
  aad?: Content;
}

/** Of a key that is made for a file. */
export interface KeyFileOptions {
  /**
   * Its id: 1 to 32 ASCII letters, digits, `-` and `_`. It stands in the clear in everything that is sealed. Default:
   * `k` and six random letters and digits (30 bits), argued in `docs/keys.md`.
   */
  id?: string;
}

/**
 * Makes a key file with one fresh key (32 bytes from the operating system) and returns its ring. The file has mode 0600
 * whatever the umask, and is on the disk when this returns. Nothing that exists is ever overwritten. Synchronous, as
 * are `loadKeyring` and `rotateKeyring`. The format: `docs/keys.md`, "Key files".
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 * @throws {HoldfastError} `ERR_KEY_FILE` the file system keeps no modes
 * @throws {Error} Node's own from the file system: `EEXIST` the path exists, `ENOENT`, `EACCES`, `ENOSPC` and so on
 */
export function createKeyring(path: string | URL, options?: KeyFileOptions): Keyring;

/**
 * The ring of a key file or of an environment variable: 1 to 1000 keys, one a line, `id base64 created`. The first
 * seals, all of them open. At most 1 MiB. What was read is wiped; of a variable, Node keeps its string.
 *
 * @param source A path, a `file:` URL, or the name of a variable in `process.env`, in which lines may also end with `,`
 *   or `;` and have no `created`.
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 * @throws {HoldfastError} `ERR_KEY_FILE` the file is no regular file (links are followed), its mode gives rights to its
 *   group or to others (not looked at on Windows), it is too large, or changed while it was read; the variable is not
 *   set; there is no key, there are too many, an id occurs twice, or a line is malformed: the message has its number
 * @throws {Error} Node's own from the file system: `ENOENT`, `EACCES` and so on
 */
export function loadKeyring(source: string | URL | { env: string }): Keyring;

/**
 * Puts a fresh key on top of a key file, where it is the one that seals, and returns the new ring. The old keys stay
 * and open what they have sealed; nothing else in the file changes, nor do its mode and its owner. The new file takes
 * the old one's place at once, or, after any error, not at all. While it is written, it is the lock `<path>.lock`.
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` also when the file has a key with this id
 * @throws {HoldfastError} `ERR_KEY_FILE` as `loadKeyring`; the file holds 1000 keys or 1 MiB; the lock is there:
 *   another rotation is under way, or was killed
 * @throws {Error} Node's own from the file system: `ENOENT`, `EACCES`, `ENOSPC` and so on
 */
export function rotateKeyring(path: string | URL, options?: KeyFileOptions): Keyring;

// ------------------------------------------------------------------------------------------------------ rate limiting

/** The rate and the memory of a {@link RateLimiter}. */
export interface RateLimiterOptions {
  /** Tokens for each window: an integer from 1 to 1,000,000,000. Required. */
  limit: number;
  /** The window in milliseconds: an integer from 1 to 31,622,400,000 (366 days). Required. */
  windowMs: number;
  /**
   * Tokens that a full bucket holds, all of which can be taken at once: an integer from 1 to 1,000,000,000. Default:
   * `limit`. An empty bucket must be full again within 142 years.
   */
  burst?: number;
  /**
   * Keys that are not yet recovered for which there is memory: an integer from 1 to 1,000,000,000. Default 1,000,000,
   * which take 22 MB at most; memory grows with the keys and is given back. With more keys than that those that recover
   * first make room, and no key is allowed more for it: new keys may be allowed less.
   */
  maxKeys?: number;
  /**
   * Bits of an IPv6 address that make one client: an integer from 1 to 128. Default 56, as in express-rate-limit:
   * providers give a customer from a /64 to a /48, out of which every address is theirs (RFC 6177; RIPE-690 recommends
   * a /48 or a /56).
   */
  ipv6Prefix?: number;
  /**
   * The clock, for tests: returns milliseconds from 0 to 2⁴², fractions included, from any start; microseconds are
   * looked at. A time before one that it returned already is taken for that one. Default: a clock of the system that
   * never goes back, and on Linux and macOS runs on while the machine sleeps.
   */
  now?: () => number;
}

/** What a limiter answers. */
export interface RateLimitResult {
  /** Whether the tokens were taken; from `peek`, whether one could be. */
  allowed: boolean;
  /** The `limit` of the options. */
  limit: number;
  /** Whole tokens that are left in the bucket: up to `burst`. */
  remaining: number;
  /**
   * Milliseconds, rounded up, until as many tokens will be there, if nobody takes any. 0 when `allowed`; Infinity when
   * more were asked for than a bucket holds.
   */
  retryAfterMs: number;
  /** Milliseconds, rounded up, until the bucket is full. */
  resetMs: number;
}

/**
 * Limits the rate of each of many keys, in this process: a bucket for each key, from which requests take tokens and
 * which fills at `limit` tokens in `windowMs`, evenly (GCRA, ITU-T I.371). Within any stretch of time a key is allowed
 * at most `burst` tokens and those that have come in meanwhile: within `windowMs` up to `burst` + `limit`, when it
 * begins with a full bucket. Choose a smaller `burst` where that is too much. Computed exactly, in whole numbers; a
 * rate that these cannot hold is rounded down, by less than a millionth.
 *
 * A key is any string of at most 65,536 UTF-16 code units. An IPv6 address stands for its prefix (`ipv6Prefix`), and
 * one that is an IPv4 address in IPv6 (`::ffff:203.0.113.7`) for the IPv4 address: see {@link ipKey}. A key that is no
 * address, and an IPv4 address, is taken as it is.
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` an argument of another type, `ERR_INVALID_ARG_VALUE` an unknown option
 * @throws {RangeError} `ERR_OUT_OF_RANGE` a number out of its range, a key that is too long, or a time that is none
 *   from `now`
 */
export class RateLimiter {
  constructor(options: RateLimiterOptions);
  /**
   * Takes `cost` tokens, or none when there are fewer.
   *
   * @param cost An integer from 0 to 1,000,000,000. Default 1.
   */
  consume(key: string, cost?: number): RateLimitResult;
  /**
   * Takes `cost` tokens from the bucket of each key (1 to 64: an address, an account), or none at all when one of them
   * has too few. A key that occurs twice has to have them twice. `remaining` is that of the bucket that has fewest, the
   * times are those of the one that takes longest.
   */
  consumeMany(keys: readonly string[], cost?: number): RateLimitResult;
  /** What `consume(key)` would find: `remaining` is before anything is taken. Changes nothing. */
  peek(key: string): RateLimitResult;
  /** Gives back `cost` tokens (default 1) that were taken, up to a full bucket. */
  refund(key: string, cost?: number): void;
  /** Fills the bucket of a key. */
  reset(key: string): void;
  /**
   * `keys`: those that are not recovered, and some that have since; `bytes`: of the table they are in; `evictions`: how
   * often a key had to make room, or was not stored, for want of memory.
   */
  stats(): { keys: number; bytes: number; evictions: number };
}

/**
 * What stands for an address as the key of a limiter: `2001:db8:1200::/56` for an IPv6 address, `203.0.113.7` for an
 * IPv4 address, also one in IPv6 (`::ffff:203.0.113.7`, `::ffff:cb00:7107`). The zone of an address (`%eth0`) is left
 * out. A text that is no address, a group that `ipKey` returned among them, is returned as it is. Limiters apply this
 * to their keys: you need it where an address is a part of a key.
 *
 * @param ipv6Prefix An integer from 1 to 128. Default 56, as in {@link RateLimiterOptions}.
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`
 * @throws {RangeError} `ERR_OUT_OF_RANGE` the prefix, or a text of more than 65,536 UTF-16 code units
 */
export function ipKey(address: string, ipv6Prefix?: number): string;

/** What {@link HoldfastStore} needs of a limiter: it may answer at once or with promises. */
export interface Limiter {
  consume(key: string): RateLimitResult | Promise<RateLimitResult>;
  peek(key: string): RateLimitResult | Promise<RateLimitResult>;
  refund(key: string): unknown;
  reset(key: string): unknown;
}

/** A store makes a {@link RateLimiter} for the `windowMs` and the `limit` of `rateLimit()`, or is given a limiter. */
export interface HoldfastStoreOptions {
  /**
   * Counts the hits, whatever `windowMs` says. Its `limit` has to be that of `rateLimit()`. No other option can be given
   * with it.
   */
  limiter?: Limiter;
  /** The `limit` of the limiter. Required when that of `rateLimit()` is a function, otherwise the same. */
  limit?: number;
  /** As in {@link RateLimiterOptions}. More than `limit` are allowed, but no header tells of them. */
  burst?: number;
  /** As in {@link RateLimiterOptions}. */
  maxKeys?: number;
  /**
   * As in {@link RateLimiterOptions}, for keys that are addresses. The `keyGenerator` of express-rate-limit makes
   * prefixes of IPv6 addresses itself, by its option `ipv6Subnet`; it leaves them as they are when that is `false`.
   */
  ipv6Prefix?: number;
}

/**
 * A store for express-rate-limit 8: `rateLimit({ windowMs, limit, store: new HoldfastStore() })`. Instead of a window
 * that starts anew for all hits at once, hits come back evenly; memory is bounded. Over any time that is as long as
 * `windowMs` up to twice the `limit` is allowed, as with windows across the end of one; less with a smaller `burst`.
 *
 * `totalHits` is the limit less the tokens that are left, and one more than the limit when the limiter refuses, so that
 * express-rate-limit does what the limiter says. `resetTime`, from which it makes `Retry-After`, is when trying again
 * succeeds, and a second from now at least, or, for an allowed hit, when all tokens are there.
 *
 * With `skipFailedRequests` and `skipSuccessfulRequests` a token is given back; for a request that was refused, which
 * has taken none, none is. (For at most 10,000 keys at a time: where more are refused and not answered yet, others are
 * not given back theirs.) A `limit` that is a function only says how many hits may be out; how fast they come back is up
 * to the store's own `limit`, which it needs then: for different rates use different `rateLimit()`s.
 *
 * A store is for one `rateLimit()`: a second one with another rate is an error for both of them, as nobody could tell
 * their hits apart. express-rate-limit reports errors of `init` and goes on; the store throws them again for every hit,
 * so that no request passes unlimited unless you chose `passOnStoreError`.
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 * @throws {RangeError} `ERR_OUT_OF_RANGE`
 */
export class HoldfastStore {
  constructor(options?: HoldfastStoreOptions);
  /**
   * Whether no other store can have counted a hit of the same key: false for a limiter that was given, and may be
   * shared.
   */
  readonly localKeys: boolean;
  /** By which express-rate-limit tells limiters that were given apart. Not a part of any key. */
  readonly prefix: string;
  /** Called by `rateLimit()`. */
  init(options: { limit: number | ((...args: never[]) => unknown); windowMs: number }): void;
  increment(key: string): Promise<{ totalHits: number; resetTime: Date }>;
  decrement(key: string): Promise<void>;
  resetKey(key: string): Promise<void>;
  /** Undefined for a key that has all its tokens. */
  get(key: string): Promise<{ totalHits: number; resetTime: Date } | undefined>;
}

/** For each rate that a {@link HoldfastThrottlerStorage} is asked for. */
export interface HoldfastThrottlerStorageOptions {
  /** As in {@link RateLimiterOptions}, and again for blocks. */
  maxKeys?: number;
  /** As in {@link RateLimiterOptions}. */
  now?: () => number;
}

/**
 * A storage for @nestjs/throttler 6: `ThrottlerModule.forRoot({ throttlers, storage: new HoldfastThrottlerStorage()
 * })`. Hits come back evenly, at `limit` in `ttl`; memory is bounded.
 *
 * A hit over the limit begins a block of `blockDuration` milliseconds, which further hits do not prolong. That is `ttl`
 * unless you choose it, as always in this module: who goes over the limit waits for all of `ttl`. With a
 * `blockDuration` of 0 there is no block, and the next hit is allowed when one has come back. Unlike the module's own
 * storage a block that is shorter than `ttl` forgives nothing: after it as many hits are allowed as have come back, and
 * `Retry-After` says when one has.
 *
 * Each combination of `limit`, `ttl` and a throttler's name has counts of its own, and there are at most 100, as of
 * `blockDuration` and name: compute a limit from what a client sends only by choosing among a few.
 *
 * Keys are what the guard makes them: hashes of an address, so that this class cannot find addresses in them. The guard
 * takes IPv6 addresses by prefix of 64 bits, where `forRoot` has no other `ipv6SubnetPrefix`. If you override its
 * `getTracker`, return `ipKey(req.ip)` and not `req.ip`. What a `generateKey` of yours returns is taken as {@link
 * RateLimiter} takes keys.
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 * @throws {RangeError} `ERR_OUT_OF_RANGE` also when there would be more than 100 rates
 */
export class HoldfastThrottlerStorage {
  constructor(options?: HoldfastThrottlerStorageOptions);
  /**
   * Called by the guard for each hit.
   *
   * @param ttl Milliseconds, up to 366 days, as `blockDuration`.
   * @param limit Rounded down. 0 refuses everything; over 1,000,000,000, Infinity included, is 1,000,000,000.
   * @returns Times in seconds, rounded up: `timeToExpire` until all hits have come back, `timeToBlockExpire` until
   *   trying again succeeds, 0 when it is not blocked.
   */
  increment(
    key: string,
    ttl: number,
    limit: number,
    blockDuration: number,
    throttlerName: string,
  ): Promise<{ totalHits: number; timeToExpire: number; isBlocked: boolean; timeToBlockExpire: number }>;
  /** Called by Nest: forgets everything and gives the memory back. */
  onApplicationShutdown(): void;
}

// ---------------------------------------------------------------------------------------- rate limits through Redis

/**
 * A client of `ioredis`: `new Redis()`, `new Redis.Cluster()`. What a limiter looks for are the methods; versions 5
 * and 6 are tested.
 */
export interface IoredisClient {
  defineCommand(name: string, definition: any): unknown;
  evalsha(...args: any[]): Promise<unknown>;
  eval(...args: any[]): Promise<unknown>;
  del(...args: any[]): Promise<unknown>;
}

/**
 * A client of `redis` (node-redis): `createClient()`, `createCluster()`, `createClientPool()`. Versions 4 (without
 * its cluster), 5 and 6 are tested. It has to be connected by its owner, who also listens to its `'error'` events:
 * without a listener, node-redis ends the process when the connection is lost.
 */
export interface NodeRedisClient {
  evalSha(...args: any[]): Promise<unknown>;
  eval(...args: any[]): Promise<unknown>;
  del(...args: any[]): Promise<unknown>;
}

export interface RedisRateLimiterOptions {
  /** Yours: it is neither connected nor closed nor listened to here. Redis 5 or newer. */
  client: IoredisClient | NodeRedisClient;
  /** Tokens that come back in `windowMs`, 1 to 1,000,000,000. */
  limit: number;
  /** Milliseconds, 1 to 31,622,400,000 (366 days). */
  windowMs: number;
  /** Tokens that a key has at the start, and at most. Default: `limit`. */
  burst?: number;
  /**
   * What the names of all keys in Redis start with: 1 to 256 characters of printable ASCII. Give each purpose its
   * own, such as `'login:'`; limiters with the same prefix share their keys, and must have the same rate. Default:
   * `holdfast:<limit>/<windowMs>ms:`, with `,<burst>` before the colon if it differs from `limit`.
   */
  prefix?: string;
  /** Bits of an IPv6 address that are one client, 1 to 128. Default 56, as the RateLimiter's. */
  ipv6Prefix?: number;
  /**
   * What happens while Redis is away, does not answer in time, or refuses the command. `'open'`: `fallback` answers.
   * `'closed'`: the call is rejected with `ERR_RATE_STORE`. Default `'open'`: a limiter protects a service, and must
   * not end it when its store fails.
   */
  onStoreError?: 'open' | 'closed';
  /**
   * Milliseconds that a call may take, 1 to 60,000, counted in quarters, so that it ends up to a quarter later (of a few
   * milliseconds, some milliseconds later); after
   * that the store counts as away. Default 500: ample for a network whose round trips take milliseconds, so that a
   * pause of the server is not an outage, and below what people notice as waiting (1 s: Nielsen, "Response Times:
   * The 3 Important Limits", 1993). It is paid once for each outage and probe, not for each call.
   */
  timeoutMs?: number;
  /**
   * Calls that the client may hold at once, also those that were given up, 1 to 1,000,000; others are treated as if
   * Redis was away. Default 10,000: half a second of 20,000 calls a second; in the
   * clients they take 20 to 40 MB.
   */
  maxPending?: number;
  /**
   * What answers with `'open'`: a RateLimiter, or `false` to allow everything. Default: a RateLimiter of the same
   * rate, in which the levels that Redis gives are noted, so that a key that is over its limit stays there when Redis
   * dies.
   */
  fallback?: RateLimiter | false;
}

/**
 * The rate of a {@link RateLimiter}, shared by all processes that use the same Redis. One call is one atomic round
 * trip; time is that of the server. Arguments that are wrong reject like everything else: `ERR_INVALID_ARG_TYPE` for
 * a key that is no string, `ERR_OUT_OF_RANGE` for one of more than 65,536 UTF-16 code units and for a `cost` that is
 * no integer from 0 to 1,000,000,000.
 *
 * Keys that are addresses count as a RateLimiter counts them. How they are named in Redis, and what happens when it
 * fails: `docs/limiter.md`.
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 * @throws {RangeError} `ERR_OUT_OF_RANGE`
 */
export class RedisRateLimiter {
  constructor(options: RedisRateLimiterOptions);
  /**
   * Takes `cost` tokens (default 1) if the key has them, and nothing otherwise.
   *
   * Rejects with `ERR_RATE_STORE` (`status` 503, `retryAfterMs`, and `cause` when the client gave an error to this
   * call), only with `onStoreError: 'closed'`; so do all methods.
   */
  consume(key: string, cost?: number): Promise<RateLimitResult>;
  /** What `consume(key)` would answer now; takes nothing. */
  peek(key: string): Promise<RateLimitResult>;
  /** Gives `cost` tokens back (default 1); a key never has more than `burst`. */
  refund(key: string, cost?: number): Promise<void>;
  /**
   * Makes the key a new one. While Redis is away only in this process, with `'open'`; Redis keeps what it has.
   */
  reset(key: string): Promise<void>;
  stats(): {
    /** Redis is away: it is only probed, and calls do not go there. */
    away: boolean;
    /** The kind of the last failure, such as `'ECONNREFUSED'`, `'TIMEOUT'`, `'NOAUTH'`, `'WRONGTYPE'`, `'UNKNOWN'`. */
    lastFailure: string | null;
    /** Calls that the client holds at this moment, also those that were given up. */
    pending: number;
    /** Calls that Redis has answered in time. */
    answered: number;
    /** Calls that were sent, and not answered in time or with an error. */
    failed: number;
    /** Calls that were answered without Redis. */
    local: number;
    /** Calls that were rejected with `ERR_RATE_STORE`. */
    rejected: number;
    /** Calls sent to see whether Redis is back. */
    probes: number;
  };
}
