// @ts-check
'use strict';

/**
 * Secrets that are none, because everybody knows them: those of documentation, tutorials, defaults and test vectors,
 * and texts with the words by which examples ask to be replaced. Each word is so long that fewer than one in a
 * million random keys has it by accident.
 */

/** As they are, wherever in a text. */
const KNOWN = Object.freeze([
  '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7', // FastAPI's tutorial
  '192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf', // Flask's quickstart
  'c292a0a3aa32397cdb050e233733900f', // Redash's default
  'SW2YcwTIb9zpOOhoPsMm', // Grafana's default
  '4eC39HqLyjWDarjtT1zdp7dc', // Stripe's documentation
  'wJalrXUtnFEMI/K7MDENG', // that of AWS
  'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow', // RFC 7515, A.1
  'GawgguFyGrWKav7AX4VKUg', // RFC 7517, A.3
  '2b7e151628aed2a6abf7158809cf4f3c', // FIPS 197
  '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4', // SP 800-38A
  'd41d8cd98f00b204e9800998ecf8427e', // MD5 of nothing
  '5f4dcc3b5aa765d61d8327deb882cf99', // MD5 of "password"
  'da39a3ee5e6b4b0d3255bfef95601890afd80709', // SHA-1 of nothing
  '5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8', // SHA-1 of "password"
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', // SHA-256 of nothing
  '5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8', // SHA-256 of "password"
  '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b', // SHA-256 of "secret"
]);

/** Whatever the case, with whatever between the letters, and with digits for letters. */
const WORDS = Object.freeze([
  'changeit',
  'changeme',
  'changethis',
  'deadbeef',
  'default',
  'donotuse',
  'example',
  'foobar',
  'generateyour',
  'goeshere',
  'insecure',
  'insertyour',
  'keyboardcat',
  'letmein',
  'passphrase',
  'passwd',
  'password',
  'placeholder',
  'qwerty',
  'randomstring',
  'replacethis',
  'replaceme',
  'replacewith',
  'sample',
  'secret',
  'testing',
  'testkey',
  'thisisa',
  'thisismy',
  'thiskey',
  'yourkey',
  'yourtoken',
  'yourvery',
]);

/** What people write for letters. @type {Readonly<Record<string, string>>} */
const LETTERS = Object.freeze(
  Object.assign(Object.create(null), {
    0: 'o',
    1: 'i',
    3: 'e',
    4: 'a',
    5: 's',
    7: 't',
    '@': 'a',
    $: 's',
    '!': 'i',
  }),
);

/** @param {string} text */
function isExample(text) {
  if (KNOWN.some((known) => text.includes(known))) return true;
  const folded = foldLetters(text);
  return WORDS.some((word) => folded.includes(word));
}

/**
 * Lower case, and nothing but letters.
 *
 * @param {string} text
 */
function foldLetters(text) {
  return text
    .toLowerCase()
    .replace(/[013457@$!]/g, (character) => LETTERS[character])
    .replace(/[^a-z]/g, '');
}

module.exports = { LETTERS, isExample };
