'use strict';

/**
 * What generated patterns are made of: characters, escapes, class items and properties, each with texts that it may
 * match. The samples need not be exact: they make matches likely, and V8 says what the right answer is.
 */

const LETTERS = ['a', 'b', 'c', 'k', 's', 'A', 'B', 'K', 'S', '0', '1', '7', '_', ' ', '-', ',', 'x', 'z', 'i', 'I'];
const TERMINATORS = ['\n', '\r', '\u2028', '\u2029'];

/** Characters with the same meaning to `i` with or without `u`, and some that only look so. */
const FOLDINGS = [
  ['k', 'K', '\u212a'],
  ['s', 'S', 'ſ'],
  ['ß', 'ẞ'],
  ['i', 'I', 'İ', 'ı'],
  ['σ', 'Σ', 'ς'],
  ['ǆ', 'ǅ', 'Ǆ'],
  ['å', 'Å', '\u212b'],
  ['ω', 'Ω', '\u2126'],
  ['µ', 'μ', 'Μ'],
  ['ᾳ', 'ᾼ'],
  ['Ꭰ', 'ꭰ'],
  ['Ᏸ', 'ᏸ'],
  ['\u0345', 'ι', 'Ι', '\u1fbe'],
  ['ÿ', 'Ÿ'],
  ['\u0390', '\u1fd3'],
  ['\u03b0', '\u1fe3'],
  ['\ufb05', '\ufb06'],
  ['𐐀', '𐐨'],
  ['ა', 'Ა'],
  ['в', 'В', 'ᲀ'],
  ['é', 'É'],
  ['ŉ', 'ǰ'],
  ['θ', 'ϑ', 'Θ', 'ϴ'],
  ['ⅷ', 'Ⅷ'],
  ['ⓐ', 'Ⓐ'],
  ['ﬀ'],
  ['Ա', 'ա'],
];
const FOLDED = FOLDINGS.flat();

/** Characters that are neither cased nor in ASCII; surrogates alone and in pairs. */
const OTHERS = ['中', 'ا', '\u00a0', '\ufeff', '\u180e', '\u0085', '\u200d', '×', '٣', '😀', '🇦', '🇺', '👍', '\u{e0067}'];
const HALVES = ['\ud83d', '\ude00', '\ud801', '\udc00', '\udfff'];
const EMOJI = ['👍🏽', '👨‍👩‍👧', '🇺🇸', '1️⃣', '#️⃣', '❤️', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '⛹🏽‍♀️', '🇦', '🏽', '1', '#', '❤', '🏴'];

/** Every character that a text may have. */
const NOISE = [...LETTERS, ...LETTERS, ...TERMINATORS, ...FOLDED, ...OTHERS, ...HALVES];

const DIGITS = ['0', '7', '٣'];
const WORDS = ['a', 'K', '_', '9', 'ſ', '\u212a', 'é'];
const SPACES = [' ', '\t', '\n', '\u00a0', '\ufeff', '\u2028', '\u180e'];
const ANY = ['a', 'Z', ' ', '\n', 'é', '中', '😀', '\ud83d', '-'];

/** Escapes for a set of characters, inside a class and outside one. */
const SETS = [
  ['\\d', DIGITS],
  ['\\D', ANY],
  ['\\w', WORDS],
  ['\\W', [' ', '-', 'é', 'ſ', '😀']],
  ['\\s', SPACES],
  ['\\S', ANY],
];

/** Escapes for one character, valid with and without `u`. */
const ESCAPES = [
  ['\\n', ['\n']],
  ['\\r', ['\r']],
  ['\\t', ['\t']],
  ['\\v', ['\v']],
  ['\\f', ['\f']],
  ['\\0', ['\0']],
  ['\\x61', ['a']],
  ['\\x4B', ['K', '\u212a']],
  ['\\xe9', ['é', 'É']],
  ['\\u0062', ['b']],
  ['\\u017f', ['ſ', 's']],
  ['\\u212A', ['\u212a', 'k']],
  ['\\u2028', ['\u2028']],
  ['\\ud83d', ['\ud83d', '😀']],
  ['\\ude00', ['\ude00', '😀']],
  ['\\ud83d\\ude00', ['😀']],
  ['\\uD801\\uDC00', ['𐐀', '𐐨']],
  ['\\cA', ['\x01']],
  ['\\cj', ['\n']],
  ['\\/', ['/']],
  ['\\.', ['.']],
  ['\\*', ['*']],
  ['\\\\', ['\\']],
  ['\\$', ['$']],
  ['\\]', [']']],
  ['\\}', ['}']],
  ['\\|', ['|']],
];

/** With `u` or `v` only. */
const UNICODE_ESCAPES = [
  ['\\u{61}', ['a']],
  ['\\u{1f600}', ['😀']],
  ['\\u{00010400}', ['𐐀', '𐐨']],
  ['\\u{10ffff}', ['\u{10ffff}']],
  ['\\u{d83d}', ['\ud83d', '😀']],
  ['\\u{DE00}', ['\ude00']],
  ['\\u{d83d}\\u{de00}', ['\ud83d', '\ude00', '😀']],
  ['\\ud83d\\u{de00}', ['\ud83d', '\ude00', '😀']],
  ['\\u{0}', ['\0']],
  ['\\u{1e9e}', ['ẞ', 'ß']],
];

/** Annex B: without `u` and `v` only. */
const LEGACY = [
  ['\\c', ['\\c']],
  ['\\c1', ['\\c1']],
  ['\\101', ['A']],
  ['\\07', ['\x07']],
  ['\\00', ['\0']],
  ['\\377', ['ÿ']],
  ['\\400', [' 0']],
  ['\\8', ['8']],
  ['\\9', ['9']],
  ['\\18', ['\x018']],
  ['\\x', ['x']],
  ['\\x4', ['x4']],
  ['\\xg1', ['xg1']],
  ['\\u', ['u']],
  ['\\u00', ['u00']],
  ['\\u{2}', ['uu']],
  ['\\u{61', ['u{61']],
  ['\\p{L}', ['p{L}']],
  ['\\P', ['P']],
  ['\\q', ['q']],
  ['\\a', ['a']],
  ['\\-', ['-']],
  ['\\_', ['_']],
  ['\\ ', [' ']],
  ['\\é', ['é']],
  ['\\中', ['中']],
  ['\\😀', ['😀']],
  ['\\\ud83d', ['\ud83d']],
  ['\\\n', ['\n']],
  ['\\\u2028', ['\u2028']],
  ['{', ['{']],
  ['}', ['}']],
  [']', [']']],
  ['a{,2}', ['a{,2}']],
  ['x{', ['x{']],
  ['b{1', ['b{1']],
  ['c{a}', ['c{a}']],
  ['\\_{', ['_{']],
];

/** Items of a class that need neither `v` nor Annex B. */
const CLASS_ITEMS = [
  ['a-c', ['a', 'b', 'c', 'B']],
  ['A-Z', ['A', 'k', 'ſ', '\u212a']],
  ['0-9', ['0', '7']],
  ['a-zA-Z', ['q', 'Q']],
  ['\\u4e00-\\u9fff', ['中']],
  ['\\x00-\\x7f', ['a', '\0']],
  ['\\u0000-\\uffff', ANY],
  ['\\ud800-\\udbff', ['\ud83d', '😀']],
  ['\\udc00-\\udfff', ['\ude00', '😀']],
  ['à-ÿ', ['é', 'ß', 'Ÿ']],
  ['α-ω', ['σ', 'ς', 'μ', 'Ω']],
  ['Ꭰ-Ᏽ', ['Ꭰ', 'ꭰ']],
  ['\\b', ['\b']],
  ['!-~', ['a', '-', '~']],
  ['Z-a', ['_', 'Z', 'z']],
  ['Ā-ž', ['ž', 'Ž', 'ı', 'ſ']],
];

/** Items of a class that `v` gives another meaning or refuses. */
const CLASS_PUNCTUATION = [
  ['.', ['.']],
  ['^', ['^']],
  ['-', ['-']],
  ['\\-', ['-']],
  ['(', ['(']],
  ['|', ['|']],
  ['/', ['/']],
  ['[', ['[']],
  ['&&', ['&']],
  ['$', ['$']],
];

/** Items of a class with `u` or `v`. */
const UNICODE_CLASS_ITEMS = [
  ['\\u{1f600}-\\u{1f64f}', ['😀']],
  ['\\u{10400}-\\u{10427}', ['𐐀', '𐐨']],
  ['\\u{0}-\\u{10ffff}', ANY],
  ['\\u{d83d}', ['\ud83d', '😀']],
  ['\\ud83d\\ude00', ['😀', '\ud83d']],
  ['😀-🙏', ['😀']],
  ['\\u{1e9e}', ['ß', 'ẞ']],
  ['\\-', ['-']],
];

/** Items of a class in Annex B. */
const LEGACY_CLASS_ITEMS = [
  ['\\w-z', ['-', 'z', 'w']],
  ['a-\\d', ['-', 'a', '1']],
  ['\\s-\\S', ['-', 'a']],
  ['\\c', ['\\', 'c']],
  ['\\c1', ['\x11']],
  ['\\c_', ['\x1f']],
  ['\\c-a', ['c', '\\', 'a']],
  ['\\101', ['A']],
  ['\\1', ['\x01']],
  ['\\8', ['8']],
  ['\\400', [' ', '0']],
  ['\\B', ['B']],
  ['\\x', ['x']],
  ['\\u{61}', ['u', '{', '6']],
  ['\\k', ['k']],
  ['\\p{L}', ['p', 'L', '{']],
  ['😀', ['\ud83d', '\ude00']],
  ['\ud83d-\udfff', ['\ud83d', '\ude00']],
];

/** What stands for one character in a `v` class. */
const SET_CHARACTERS = ['a', 'b', 'k', 's', 'é', 'ß', 'σ', '😀', '\\u{1f600}', '\\-', '\\&', '\\(', '\\]', '_', '0'];

/** Strings of a `v` class: `\q{…}`. */
const CLASS_STRINGS = [
  ['\\q{abc|ab|a}', ['abc', 'ab', 'a', 'ABC']],
  ['\\q{}', ['']],
  ['\\q{k|ss|}', ['k', 'ss', 'ſs', '\u212a', '']],
  ['\\q{ß|a\\u{1f600}}', ['ẞ', 'a😀', 'A😀']],
  ['\\q{0|1|7}', ['0', '1', '7']],
  ['\\q{👍🏽|👍|é\\|}', ['👍🏽', '👍', 'é|']],
];

/** Properties, with texts that have them and that do not. */
const PROPERTIES = [
  'L',
  'Lu',
  'Ll',
  'Lowercase_Letter',
  'LC',
  'M',
  'Nd',
  'N',
  'P',
  'S',
  'Zs',
  'Cs',
  'Co',
  'Cn',
  'Cc',
  'gc=Lt',
  'General_Category=Sc',
  'Any',
  'ASCII',
  'Assigned',
  'Alphabetic',
  'White_Space',
  'Lowercase',
  'Uppercase',
  'Cased',
  'CWCF',
  'Changes_When_Uppercased',
  'ID_Start',
  'IDC',
  'ASCII_Hex_Digit',
  'Hex_Digit',
  'Emoji',
  'Emoji_Presentation',
  'Extended_Pictographic',
  'Regional_Indicator',
  'Script=Greek',
  'sc=Latn',
  'Script=Cherokee',
  'Script_Extensions=Deva',
  'scx=Grek',
  'sc=Han',
  'Script=Deseret',
].map((name) => [name, NOISE]);

const STRING_PROPERTIES = [
  'RGI_Emoji', // 3,700 strings, and V8 takes long to compile them: half as often as the others
  'Basic_Emoji',
  'Basic_Emoji',
  'Emoji_Keycap_Sequence',
  'Emoji_Keycap_Sequence',
  'RGI_Emoji_Modifier_Sequence',
  'RGI_Emoji_Flag_Sequence',
  'RGI_Emoji_Flag_Sequence',
  'RGI_Emoji_Tag_Sequence',
  'RGI_Emoji_Tag_Sequence',
  'RGI_Emoji_ZWJ_Sequence',
].map((name) => [name, EMOJI]);

/** Names of groups as a pattern spells them, and as `groups` has them. */
const GROUP_NAMES = [
  ['g', 'g'],
  ['x1', 'x1'],
  ['$', '$'],
  ['_y', '_y'],
  ['ünï', 'ünï'],
  ['\\u{61}b', 'ab'],
  ['\\u0061c', 'ac'],
  ['𝒜', '𝒜'],
  ['\\ud835\\udc9c2', '𝒜2'],
  ['constructor', 'constructor'],
  ['__proto__', '__proto__'],
  ['then', 'then'],
];

module.exports = {
  LETTERS,
  FOLDINGS,
  FOLDED,
  OTHERS,
  HALVES,
  TERMINATORS,
  EMOJI,
  NOISE,
  ANY,
  SETS,
  ESCAPES,
  UNICODE_ESCAPES,
  LEGACY,
  CLASS_ITEMS,
  CLASS_PUNCTUATION,
  UNICODE_CLASS_ITEMS,
  LEGACY_CLASS_ITEMS,
  SET_CHARACTERS,
  CLASS_STRINGS,
  PROPERTIES,
  STRING_PROPERTIES,
  GROUP_NAMES,
};
