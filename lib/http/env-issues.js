// @ts-check
'use strict';

/**
 * What is wrong with an environment, told without any of its values. Some validators quote what they refuse: of their
 * sentences only those are passed on in which no value is found, whole or in part.
 */

/**
 * @typedef {Record<string, string | undefined>} Environment
 * @typedef {{ name: string | undefined, text: string, isWeak: boolean }} Problem
 */

const MOST_TOLD = 50;
const MOST_TEXT = 300;
const MOST_NAME = 100;

/** In UTF-16 code units, of letters and digits: of a value that is as long, a part that is as long tells something. */
const LONG = 16;
const PART = 8;

/** A shorter value is looked for as a word, as it is in many words by accident. */
const SHORT = 4;

/** A value of another name that is as long is looked for, too. */
const OTHER = 8;

const UNKNOWN = 'is not what the schema asks for';
const GENERATE = `node -p "require('node:crypto').randomBytes(32).toString('base64url')"`;

/**
 * @param {import('./standard-schema.js').Issue} issue
 * @param {Environment} env
 * @returns {Problem}
 */
function describeIssue({ message, name }, env) {
  const value = name !== undefined && Object.hasOwn(env, name) ? env[name] : undefined;
  const sentence = typeof message === 'string' ? oneLine(message) : undefined;
  const isTellable = sentence !== undefined && !isTelling(sentence, name, value, env);
  if (name === undefined || (value !== undefined && value !== '')) {
    return { name, text: isTellable ? sentence : UNKNOWN, isWeak: false };
  }
  const absence = value === '' ? 'is empty, which counts as not set' : 'is not set';
  const isMore = isTellable && !/undefined|required|missing/i.test(sentence);
  return { name, text: isMore ? `${absence}: ${sentence}` : absence, isWeak: false };
}

/**
 * Whether a sentence has a value in it.
 *
 * @param {string} sentence
 * @param {string | undefined} name
 * @param {string | undefined} value
 * @param {Environment} env
 */
function isTelling(sentence, name, value, env) {
  const told = [fold(sentence), fold(sentence.replace(ESCAPE, ' '))];
  if (value !== undefined && value !== '') {
    const isIn = (/** @type {string} */ text) => told.some((folded) => tellsOwn(sentence, folded, text));
    if (isIn(value) || isIn(value.replace(ESCAPE, ' '))) return true;
  }
  return Object.keys(env).some((other) => {
    const text = fold(env[other] ?? '');
    return other !== name && text.length >= OTHER && told.some((folded) => folded.includes(text));
  });
}

/** Of JSON and the like, once or more than once, which is letters in part. */
const ESCAPE = /\\+(?:[bfnrtv0]|u[0-9a-f]{4}|x[0-9a-f]{2})/gi;

/**
 * @param {string} sentence
 * @param {string} told
 * @param {string} value
 */
function tellsOwn(sentence, told, value) {
  const text = fold(value);
  if (text.length >= LONG) {
    for (let at = 0; at + PART <= told.length; at++) {
      if (text.includes(told.slice(at, at + PART))) return true;
    }
    return false;
  }
  if (text.length >= SHORT) return told.includes(text);
  return hasWord(sentence.toLowerCase(), value.toLowerCase());
}

/**
 * @param {string} sentence
 * @param {string} word
 */
function hasWord(sentence, word) {
  for (let at = sentence.indexOf(word); at !== -1; at = sentence.indexOf(word, at + 1)) {
    const before = sentence.slice(Math.max(0, at - 1), at);
    const after = sentence.slice(at + word.length, at + word.length + 1);
    if (fold(before) === '' && fold(after) === '') return true;
  }
  return false;
}

/**
 * Letters and digits alone, in lower case: quotes, spaces and line ends make no difference.
 *
 * @param {string} text
 */
function fold(text) {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');
}

/** @param {string} text */
function oneLine(text) {
  return text.replace(/[\p{C}\s]+/gu, ' ').trim().slice(0, MOST_TEXT);
}

/**
 * @param {readonly Problem[]} problems
 * @returns {string} A line for each, and how to make a secret if one is weak.
 */
function tellProblems(problems) {
  const lines = problems.slice(0, MOST_TOLD).map(({ name, text }) => `  ${nameOf(name)} ${text}`);
  if (problems.length > MOST_TOLD) lines.push(`  and ${problems.length - MOST_TOLD} more`);
  const hint = problems.some(({ isWeak }) => isWeak) ? `\nMake a secret by: ${GENERATE}` : '';
  return `the environment is not as it has to be:\n${lines.join('\n')}${hint}`;
}

/** @param {string | undefined} name */
function nameOf(name) {
  if (name === undefined) return 'the whole:';
  return oneLine(name).slice(0, MOST_NAME);
}

module.exports = { describeIssue, tellProblems };
