// The analysers that redos.mjs compares, each as a function from a pattern to its verdict, in one vocabulary.
// recheck has three ways in Node: compiled to JavaScript, in a Java process, and in a native process that is asked over
// a pipe. The native one is the quickest that needs nothing else to be installed; where there is no binary for the
// platform, the JavaScript one is taken. recheck is with its default parameters.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export const VERDICTS = ['linear', 'polynomial', 'exponential', 'unknown'];

/**
 * @typedef {import('./redos-growth.mjs').Attack} Attack
 * @typedef {{ verdict: string, degree: number | null, attack: Attack | null, why?: string }} Answer
 * @typedef {(pattern: string, flags: string) => Answer | Promise<Answer>} Analyser
 */

/** @returns {Analyser} */
export function holdfastAnalyser({ analyzeRegExp }) {
  return (pattern, flags) => {
    const { complexity, degree, attack, undecided } = analyzeRegExp(pattern, flags);
    return { verdict: complexity, degree, attack: attack && pumped(attack), why: undecided };
  };
}

/** @returns {{ way: string, analyse: Analyser }} */
export function recheckAnalyser(recheck) {
  const native = hasBinary();
  if (native) process.env.RECHECK_BACKEND = 'native';
  const check = native ? recheck.check : recheck.checkSync;
  return {
    way: native ? 'check() with its native process' : 'checkSync(), compiled to JavaScript',
    analyse: async (pattern, flags) => answerOf(await check(pattern, flags)),
  };
}

/** What recheck says, in our words: its `safe` and `linear` are both linear. */
export function answerOf({ status, complexity, attack, error }) {
  if (status === 'unknown') return { verdict: 'unknown', degree: null, attack: null, why: error?.kind ?? 'no reason' };
  if (status === 'safe') return { verdict: 'linear', degree: 1, attack: null };
  const degree = complexity.type === 'polynomial' ? complexity.degree : Infinity;
  return { verdict: complexity.type, degree, attack: { pumps: attack.pumps, suffix: attack.suffix } };
}

/** safe-regex only says yes or no, of star height. @returns {(pattern: string) => string} */
export function safeRegexAnalyser(safeRegex) {
  return (pattern) => (safeRegex(pattern) ? 'safe' : 'unsafe');
}

/** Milliseconds for redos-detector, which has no bound by default: it is not what is measured. */
const DETECTOR_MS = 100;

/** redos-detector says yes or no, or gives up. @returns {(pattern: string, flags: string) => string} */
export function redosDetectorAnalyser({ isSafe }) {
  return (pattern, flags) => {
    try {
      const { safe, error } = isSafe(new RegExp(pattern, flags), { timeout: DETECTOR_MS });
      if (safe) return 'safe';
      return error === null || error === 'hitMaxScore' ? 'unsafe' : 'unknown';
    } catch {
      return 'unknown';
    }
  };
}

function pumped({ prefix, pump, suffix }) {
  return { pumps: [{ prefix, pump }], suffix };
}

function hasBinary() {
  const platform = { linux: 'linux', darwin: 'macos', win32: 'windows' }[process.platform];
  try {
    return require.resolve(`recheck-${platform}-${process.arch}/package.json`) !== '';
  } catch {
    return false;
  }
}
