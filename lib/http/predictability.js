// @ts-check
'use strict';

/**
 * How well a text can be predicted while it is read, in bits: the sum of -log2 of the probability that each character
 * was given by what was before it. Several predictors (the frequencies so far, a run, a sequence, a keyboard, what
 * came before, English) are weighed by how well they did. All probabilities of a step sum up to at most 1, so that by
 * Kraft's inequality fewer than one in 2^n texts with b random bits is told in b - n bits or less, whoever wrote the
 * predictors.
 */

const { ROOT } = require('./common-words.js');
const { LETTERS } = require('./example-secrets.js');

/** Printable ASCII, and one for the rest. */
const ALPHABET = 96;

/** What a predictor gives to what it says comes next; the rest is everybody's. */
const SURE = 0.9;
const UNSURE = (1 - SURE) / ALPHABET;

/** Of the weights, given back to all after each character: another predictor may be right from here on. */
const SHARE = 0.02;

/** Of the frequencies: how much is known before anything is seen. */
const PRIOR = 0.05;

const ORDER = '0123456789abcdefghijklmnopqrstuvwxyz';
const ROWS = [
  '`1234567890-=',
  '~!@#$%^&*()_+',
  'qwertyuiop[]\\',
  "asdfghjkl;'",
  'zxcvbnm,./',
  'qwertzuiop',
  'azertyuiop',
];

/** What follows a letter in English, the more frequent first. @type {Readonly<Record<string, string>>} */
const FOLLOWERS = Object.freeze(
  Object.assign(Object.create(null), {
    a: 'ntlrscdmibgpvu',
    b: 'elouaryi',
    c: 'ohetakilru',
    d: 'eioasury',
    e: 'rsndalctvmxepi',
    f: 'oireafutl',
    g: 'ehiraoulns',
    h: 'eaiotru',
    i: 'ntscoledamvgr',
    j: 'uoae',
    k: 'eisnya',
    l: 'eliayodstu',
    m: 'eaoipmbu',
    n: 'tdgesciaoku',
    o: 'nurfmtwolsvpdk',
    p: 'reloaiptuhs',
    q: 'u',
    r: 'eioastydnrcmk',
    s: 'teihsouapckwm',
    t: 'hieoartsuyl',
    u: 'rnstlcepmgdi',
    v: 'eiao',
    w: 'iaheons',
    x: 'ptiace',
    y: 'oseaptim',
    z: 'eaoiz',
  }),
);
const SEPARATORS = ' -_.';

/**
 * The bits of each character of a text.
 *
 * @param {string} text
 * @returns {number[]}
 */
function surprises(text) {
  const predictors = [frequencies(), run, ...[1, 2, 3, 4].flatMap((lag) => [sequence(lag), sameClass(lag)])];
  predictors.push(keyboard(1), keyboard(2), repetition(), english, words());
  let weights = predictors.map(() => 1 / predictors.length);
  const bits = [];
  for (let at = 0; at < text.length; at++) {
    const shares = predictors.map((probability, index) => weights[index] * probability(text, at));
    const sum = shares.reduce((total, share) => total + share, 0);
    bits.push(-Math.log2(sum));
    weights = shares.map((share) => (1 - SHARE) * (share / sum) + SHARE / predictors.length);
  }
  return bits;
}

/** @typedef {(text: string, at: number) => number} Predictor The probability that it gives to the character there. */

/** @returns {Predictor} */
function frequencies() {
  /** @type {Map<string, number>} */
  const counts = new Map();
  return (text, at) => {
    const count = counts.get(text[at]) ?? 0;
    counts.set(text[at], count + 1);
    return (count + PRIOR) / (at + PRIOR * ALPHABET);
  };
}

/** The same character again. @type {Predictor} */
function run(text, at) {
  return UNSURE + (text[at] === text[at - 1] ? SURE : 0);
}

/**
 * The next in `abc`, `987`, `acegi`; with a lag in what is between others: `000102`, `1a2b3c`.
 *
 * @param {number} lag
 * @returns {Predictor}
 */
function sequence(lag) {
  return (text, at) => {
    const last = orderOf(text[at - lag]);
    const step = last - orderOf(text[at - 2 * lag]);
    return UNSURE + (orderOf(text[at]) === last + step && isSameCase(text[at], text[at - lag]) ? SURE : 0);
  };
}

/** @param {string | undefined} character */
function orderOf(character) {
  const order = character === undefined ? -1 : ORDER.indexOf(character.toLowerCase());
  return order === -1 ? NaN : order;
}

/**
 * Digits after digits; or, with a lag, the pattern of `Xk9#mP2$`.
 *
 * @param {number} lag
 * @returns {Predictor}
 */
function sameClass(lag) {
  return (text, at) => {
    const before = classOf(text[at - lag]);
    return UNSURE + (before !== undefined && before === classOf(text[at]) ? SURE / before.size : 0);
  };
}

const LOWER = { pattern: /[a-z]/, size: 26 };
const UPPER = { pattern: /[A-Z]/, size: 26 };
const DIGIT = { pattern: /[0-9]/, size: 10 };
const OTHER = { pattern: /[^]/, size: 34 };
const CLASSES = Object.freeze([LOWER, UPPER, DIGIT, OTHER]);

/** @param {string | undefined} character */
function classOf(character) {
  return character === undefined ? undefined : CLASSES.find(({ pattern }) => pattern.test(character));
}

/**
 * The key beside the last, or beside the last but one: `qwerty`, `1q2w3e`.
 *
 * @param {number} lag
 * @returns {Predictor}
 */
function keyboard(lag) {
  return (text, at) => {
    const before = text[at - lag]?.toLowerCase();
    const now = text[at].toLowerCase();
    const isBeside =
      before !== undefined &&
      ROWS.some((row) => {
        const place = row.indexOf(before);
        return place !== -1 && (row[place + 1] === now || row[place - 1] === now);
      });
    // Of up to six that are beside it on some keyboard.
    return UNSURE + (isBeside && isSameCase(text[at], text[at - lag]) ? SURE / 6 : 0);
  };
}

/**
 * What came after the longest text that has just come again.
 *
 * @returns {Predictor}
 */
function repetition() {
  return (text, at) => {
    let longest = 0;
    let next = '';
    for (let before = 1; before < at; before++) {
      let length = 0;
      while (length < before && text[before - 1 - length] === text[at - 1 - length]) length++;
      if (length > longest) [longest, next] = [length, text[before]];
    }
    return UNSURE + (longest > 0 && next === text[at] ? SURE : 0);
  };
}

/** What follows a letter, for words of whatever language. @type {Predictor} */
function english(text, at) {
  const letter = letterOf(text[at]);
  const followers = at === 0 ? undefined : FOLLOWERS[letterOf(text[at - 1]) ?? ''];
  if (letter === undefined) return separator(text[at]);
  const form = 0.8 * formOf(text[at], text[at - 1]);
  if (followers === undefined) return UNSURE + form / 26;
  const rank = followers.indexOf(letter);
  return UNSURE + (rank === -1 ? 0 : form / (rank + 1) / harmonic(followers.length));
}

/**
 * Words that are known, one after the other with or without something between.
 *
 * @returns {Predictor}
 */
function words() {
  /** What the letters before may be the beginning of, longest first. @type {import('./common-words.js').Branch[]} */
  let begun = [];
  return (text, at) => {
    const letter = letterOf(text[at]);
    const open = [...begun, ROOT];
    begun = [];
    if (letter === undefined) return separator(text[at]);
    const form = formOf(text[at], text[at - 1]);
    let probability = UNSURE;
    let weight = 0.7;
    for (const branch of open.slice(0, 3)) {
      probability += (weight * form * (branch.next.get(letter)?.words ?? 0)) / branch.words;
      weight *= 0.15;
    }
    for (const branch of open) {
      const next = branch.next.get(letter);
      if (next !== undefined && next.next.size > 0) begun.push(next);
    }
    return probability;
  };
}

/** @param {string} character */
function separator(character) {
  return UNSURE + (SEPARATORS.includes(character) ? 0.1 / SEPARATORS.length : 0);
}

/** @param {number} count */
function harmonic(count) {
  let sum = 0;
  for (let rank = 1; rank <= count; rank++) sum += 1 / rank;
  return sum;
}

/**
 * The probability that a letter is written like this: as the one before it; or the other way; or as a sign that looks
 * like it, of which some have two.
 *
 * @param {string} character
 * @param {string | undefined} before
 */
function formOf(character, before) {
  const form = classOf(character);
  if (form !== LOWER && form !== UPPER) return 0.05;
  const usual = classOf(before) === UPPER ? UPPER : LOWER;
  return form === usual ? 0.8 : 0.1;
}

/**
 * @param {string} character
 * @returns {string | undefined}
 */
function letterOf(character) {
  return /[a-z]/i.test(character) ? character.toLowerCase() : LETTERS[character];
}

/**
 * @param {string} a
 * @param {string} b
 */
function isSameCase(a, b) {
  return !(classOf(a) === LOWER && classOf(b) === UPPER) && !(classOf(a) === UPPER && classOf(b) === LOWER);
}

module.exports = { letterOf, surprises };
