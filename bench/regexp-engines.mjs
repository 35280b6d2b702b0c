// The contestants of the regular expression benchmarks: SafeRegExp, V8's RegExp, a subclass of RegExp that does
// nothing (what SafeRegExp would cost at least if it inherited its methods), and node-re2. Called by regexp*.mjs.
// Guarantees: every engine runs a copy of the calling function of its own, on strings as a decoder makes them.
import { isolate } from './harness.mjs';

/**
 * A contestant for every engine, each from a copy of the function of its own.
 * @param {{ holdfast: any, peer: (name: string) => Promise<any> }} tools
 * @param {RegExp} pattern
 * @param {() => (re: any, input: any) => () => unknown} make
 * @param {unknown} input
 */
export async function enginesOf({ holdfast: { SafeRegExp }, peer }, pattern, make, input) {
  const RE2 = (await peer('re2'))?.default;
  const Plain = class extends RegExp {};
  return {
    holdfast: make()(new SafeRegExp(pattern), input),
    'V8 RegExp': make()(new RegExp(pattern), input),
    'empty subclass': make()(new Plain(pattern), input),
    re2: RE2 ? make()(new RE2(pattern.source, pattern.flags), input) : null,
  };
}

/**
 * Contestants for an operation on one of two equal strings in turn: node-re2 keeps its copy of the last string it was
 * given, and the same string every time would flatter it.
 * @param {(re: any, text: any, argument: any) => unknown} operation  closed: uses its parameters and globals only
 * @param {string | string[]} input  what `operation` gets as its text: a string, or a list of them
 * @param {string | ((...matched: any[]) => string)} [argument]
 */
export async function inTurn(tools, pattern, operation, input, argument) {
  const make = () => (re, texts) => {
    const own = isolate(operation);
    const passed = typeof argument === 'function' ? isolate(argument) : argument;
    return isolate((run, engine, [a, b], rest) => {
      let turn = false;
      return () => {
        turn = !turn;
        return run(engine, turn ? a : b, rest);
      };
    })(own, re, texts, passed);
  };
  const copy = () => (typeof input === 'string' ? asReceived(input) : input.map(asReceived));
  return await enginesOf(tools, pattern, make, [copy(), copy()]);
}

/** A string as a decoder makes it: an object of its own, neither a constant nor a rope. */
export function asReceived(text) {
  return Buffer.from(text).toString();
}

/** Two of them. */
export function twins(text) {
  return [asReceived(text), asReceived(text)];
}

/** Match arrays as plain objects; node-re2 makes `groups` with another prototype. */
export function comparableMatches(matches) {
  return matches.map(
    (match) => match && { texts: Array.from(match), index: match.index, groups: match.groups && { ...match.groups } },
  );
}
