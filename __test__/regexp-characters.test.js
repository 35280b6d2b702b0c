// @ts-check
'use strict';

// The data about characters that V8 is asked for, and the classes that native code makes of it, compared with V8 on
// every
// code point: what a class matches in a pattern here is what it matches there.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { Worker } = require('node:worker_threads');

const native = require('../lib/native.js');
const { provide } = require('../lib/regexp-characters.js');

const BINARY = [
  ...['ASCII', 'Alphabetic', 'Any', 'Assigned', 'Bidi_Mirrored', 'Case_Ignorable', 'Cased', 'Changes_When_Casefolded'],
  ...['Dash', 'Default_Ignorable_Code_Point', 'Emoji', 'Emoji_Component', 'Extended_Pictographic', 'Grapheme_Base'],
  ...['Hex_Digit', 'ID_Continue', 'ID_Start', 'Ideographic', 'Lowercase', 'Math', 'Noncharacter_Code_Point'],
  ...['Pattern_Syntax', 'Quotation_Mark', 'Radical', 'Sentence_Terminal', 'Unified_Ideograph', 'Uppercase'],
  ...['Variation_Selector', 'White_Space', 'XID_Start'],
];
const CATEGORIES = [
  ...['C', 'Cc', 'Cf', 'Cn', 'Co', 'Cs', 'L', 'LC', 'Ll', 'Lm'],
  ...['Lo', 'Lt', 'Lu', 'M', 'Mc', 'Me', 'Mn', 'N', 'Nd', 'Nl'],
  ...['No', 'P', 'Pc', 'Pd', 'Pe', 'Pf', 'Pi', 'Po', 'Ps', 'S', 'Sc', 'Sk', 'Sm', 'So', 'Z', 'Zl', 'Zp', 'Zs'],
];
const SCRIPTS = [
  ...['Adlam', 'Arabic', 'Common', 'Cyrillic', 'Greek', 'Han'],
  ...['Hangul', 'Inherited', 'Latin', 'Tangut', 'Zzzz'],
];
const PROPERTIES = [
  ...BINARY,
  ...CATEGORIES,
  ...SCRIPTS.flatMap((script) => [`Script=${script}`, `scx=${script}`]),
  'General_Category=Lu',
];
const PROPERTIES_OF_STRINGS = [
  ...['Basic_Emoji', 'Emoji_Keycap_Sequence', 'RGI_Emoji', 'RGI_Emoji_Flag_Sequence', 'RGI_Emoji_Modifier_Sequence'],
  ...['RGI_Emoji_Tag_Sequence', 'RGI_Emoji_ZWJ_Sequence'],
];

/** All code units, and all code points with no high surrogate before a low one. */
const UNITS = Array.from({ length: 0x10000 }, (_, unit) => unit);
const POINTS = [
  ...UNITS.slice(0, 0xd800),
  ...UNITS.slice(0xdc00, 0xe000),
  ...UNITS.slice(0xd800, 0xdc00),
  ...UNITS.slice(0xe000),
  ...Array.from({ length: 0x100000 }, (_, point) => 0x10000 + point),
];
const UNIT_TEXT = textOf(UNITS);
const POINT_TEXT = textOf(POINTS);
const CASED = POINTS.slice(0, 0x20000).filter((code) => {
  const character = String.fromCodePoint(code);
  return character.toLowerCase() !== character || character.toUpperCase() !== character;
});

/** @param {number[]} codes */
function textOf(codes) {
  let text = '';
  for (let first = 0; first < codes.length; first += 4096) {
    text += String.fromCodePoint(...codes.slice(first, first + 4096));
  }
  return text;
}

/**
 * What the class is natively.
 *
 * @param {string} source
 * @param {string} flags
 */
function nativeClass(source, flags) {
  provide(native, source, flags);
  assert.deepEqual(native.regexpNeeds(source, flags), [], `/${source}/${flags} needs nothing more`);
  const members = native.testRegexpClass(source, flags);
  assert.ok(members, `/${source}/${flags} is a class`);
  return members;
}

/**
 * The ranges that a pattern for single characters matches in V8.
 *
 * @param {string} source
 * @param {string} flags
 */
function rangesInV8(source, flags) {
  const unicode = /[uv]/.test(flags);
  const [text, codes] = unicode ? [POINT_TEXT, POINTS] : [UNIT_TEXT, UNITS];
  const place = unicode ? (/** @type {number} */ index) => index - Math.max(0, index - 0x10000) / 2 : Number;
  const pattern = new RegExp(`(?:${source})+`, `g${flags}`);
  /** @type {[number, number][]} */
  const ranges = [];
  for (let match; (match = pattern.exec(text)) !== null; ) {
    const end = place(pattern.lastIndex);
    for (let at = place(match.index); at < end; at++) {
      const last = ranges.at(-1);
      if (last !== undefined && last[1] === codes[at] - 1) last[1] = codes[at];
      else ranges.push([codes[at], codes[at]]);
    }
  }
  ranges.sort(([one], [other]) => one - other);
  /** @type {number[]} */
  const flat = [];
  for (const [low, high] of ranges) {
    if (flat.length > 0 && flat[flat.length - 1] === low - 1) flat[flat.length - 1] = high;
    else flat.push(low, high);
  }
  return flat;
}

/**
 * @param {string} source
 * @param {string} flags
 */
function assertSameCharacters(source, flags) {
  const expected = rangesInV8(source, flags);
  const { ranges } = nativeClass(source, flags);
  if (ranges.length === expected.length && ranges.every((value, place) => value === expected[place])) return;
  const hex = (/** @type {number[]} */ values) => values.map((value) => value.toString(16));
  assert.deepEqual(hex(ranges), hex(expected), `/${source}/${flags}`);
}

/** @param {string} source @param {string} flags */
function isAccepted(source, flags) {
  try {
    return new RegExp(source, flags) !== undefined;
  } catch {
    return false;
  }
}

describe('properties', () => {
  test('have the members that V8 gives them', () => {
    for (const name of PROPERTIES) {
      assertSameCharacters(`\\p{${name}}`, 'u');
    }
  });

  test('have the members that they have when negated, folded and combined', () => {
    for (const name of [
      'L', 'Lu', 'Ll', 'Lt', 'ASCII', 'Uppercase', 'Script=Greek', 'scx=Latin', 'Changes_When_Casefolded',
    ]) {
      for (const flags of ['u', 'iu', 'v', 'iv']) {
        for (const source of [
          `\\p{${name}}`, `\\P{${name}}`, `[^\\p{${name}}]`, `[^\\P{${name}}]`, `[\\P{${name}}k]`,
        ]) {
          assertSameCharacters(source, flags);
        }
      }
    }
  });

  test('of strings have the strings that V8 gives them', () => {
    const seen = nativeClass('\\p{RGI_Emoji}', 'v').strings;
    // Unicode 15.1 has 3,782 emoji; they become more.
    assert.ok(seen.length > 2300, `${seen.length} strings`);
    for (const name of PROPERTIES_OF_STRINGS) {
      const pattern = new RegExp(`^\\p{${name}}$`, 'v');
      const { ranges, strings } = nativeClass(`\\p{${name}}`, 'v');
      const own = new Set(strings.map((points) => String.fromCodePoint(...points)));
      for (const points of seen) {
        const string = String.fromCodePoint(...points);
        assert.equal(own.has(string), pattern.test(string), `${name}: ${string}`);
      }
      for (const string of own) assert.ok(pattern.test(string), `${name}: ${string}`);
      assert.deepEqual(ranges, rangesInV8(`[\\p{${name}}&&\\p{Any}]`, 'v'), name);
      const lengths = strings.map((points) => points.length);
      assert.deepEqual(lengths, [...lengths].sort((one, other) => other - one), 'the longest first');
    }
  });
});

describe('case', () => {
  test('is folded as V8 folds it, for every character', () => {
    // Two characters that are equal differ in some bit: the class of all characters with that bit, or all without it,
    // then matches both.
    for (const flags of ['i', 'iu', 'iv']) {
      for (let bit = 0; bit < (flags === 'i' ? 16 : 17); bit++) {
        for (const value of [0, 1]) {
          const listed = CASED.filter((code) => ((code >> bit) & 1) === value && (flags !== 'i' || code < 0x10000));
          const members = listed.map((code) => (flags === 'i' ? `\\u${hex4(code)}` : `\\u{${code.toString(16)}}`));
          assertSameCharacters(`[${members.join('')}]`, flags);
        }
      }
    }
  });

  test('is folded the same alone as in a class', () => {
    for (const flags of ['i', 'iu', 'iv']) {
      const codes = CASED.filter((code) => flags !== 'i' || code < 0x10000);
      const text = textOf(codes);
      for (const code of codes) {
        const character = String.fromCodePoint(code);
        const equal = (text.match(new RegExp(character, `g${flags}`)) ?? []).map((found) => found.codePointAt(0));
        const { ranges } = nativeClass(character, flags);
        /** @type {number[]} */
        const members = [];
        for (let at = 0; at < ranges.length; at += 2) {
          for (let member = ranges[at]; member <= ranges[at + 1]; member++) members.push(member);
        }
        const listed = codes.filter((other) => members.includes(other));
        assert.deepEqual(listed, equal, `U+${code.toString(16)} with ${flags}`);
      }
    }
  });
});

describe('classes', () => {
  const ITEMS = [
    ...['a', 'Z', 'k-s', 'ſ', 'K', 'ßẞ', 'İıiI', 'µΜ', 'Å', 'Ω'],
    ...['σς', 'ǅ', 'ᾳ', '\\u0345', '\\u0390', '\\u1fd3', '\\ufb05'],
    ...['\\u13a0', '\\uab70-\\uabbf', 'é-ü', '\\w', '\\W', '\\d'],
    ...['\\D', '\\s', '\\S', '\\xff', '\\cA', '\\0', '0-9', '\\b'],
    ...['\\u1c80-\\u1c8a', '\\u10a0-\\u10ff', '\\ua64a', '\\ud83d', '\\ude00', '\\ud800-\\udfff', '😀', 'ﬀ-ﬆ'],
  ];
  const ANNEX_B = [
    ...['\\w-z', 'a-\\d', '\\c1', '\\c_', '\\c', '\\1', '\\377', '\\400'],
    ...['\\8', '\\k', '\\p{L}', '\\u{41}', '-', '\\-'],
  ];
  const UNICODE = [
    ...['𐐀-𐐧', '\\p{L}', '\\P{L}', '\\p{Lu}', '\\P{Ll}', '\\u{10400}'],
    ...['\\p{Script=Greek}', '\\ud83d\\ude00', '\\-'],
  ];

  test('of each item', () => {
    for (const flags of ['', 'i', 'u', 'iu', 'v', 'iv']) {
      const items = [...ITEMS, ...(/[uv]/.test(flags) ? UNICODE : ANNEX_B)];
      for (const source of items.flatMap((item) => [`[${item}]`, `[^${item}]`])) {
        assert.ok(isAccepted(source, flags), `/${source}/${flags}`);
        assertSameCharacters(source, flags);
      }
    }
    for (const source of ['[]', '[^]', '.', '\\w', '\\W', '\\s', '\\S', '\\d', '\\D']) {
      for (const flags of ['', 'i', 'u', 'iu', 'v', 'iv', 's', 'su']) assertSameCharacters(source, flags);
    }
  });

  test('of several items', () => {
    const random = generator(1);
    for (const flags of ['', 'i', 'u', 'iu', 'v', 'iv']) {
      const items = [...ITEMS, ...(/[uv]/.test(flags) ? UNICODE : ANNEX_B)];
      for (let count = 0; count < 40; count++) {
        const some = Array.from({ length: 2 + random(4) }, () => items[random(items.length)]);
        const source = `[${random(2) === 0 ? '^' : ''}${some.join('')}]`;
        if (isAccepted(source, flags)) assertSameCharacters(source, flags);
      }
    }
  });

  test('with set operations', () => {
    const random = generator(2);
    const leaves = [
      ...['\\w', '\\W', '\\d', '\\S', '\\p{L}', '\\P{L}', '\\p{Lu}'],
      ...['\\P{Lu}', '\\P{Ll}', 'k', 'ſ', 'K', 'ß', '[a-z]', '[^a-z]'],
      ...['[K-ſ]', '\\p{ASCII}', '[é-ü]', '\\q{a|K|ß}', '[\\p{Script=Greek}--Ω]', 'µ', '[σΣ]', '\\u0345'],
    ];
    /** @type {(depth: number) => string} */
    const operand = (depth) => (depth === 0 || random(3) === 0 ? leaves[random(leaves.length)] : expression(depth - 1));
    /** @type {(depth: number) => string} */
    const expression = (depth) => {
      const operator = ['', '&&', '--'][random(3)];
      const operands = Array.from({ length: 1 + random(3) }, () => operand(depth));
      return `[${random(3) === 0 ? '^' : ''}${operands.join(operator)}]`;
    };
    let compared = 0;
    for (let count = 0; count < 120; count++) {
      const source = expression(2);
      for (const flags of ['v', 'iv']) {
        if (!isAccepted(source, flags)) continue;
        assertSameCharacters(source, flags);
        compared++;
      }
    }
    assert.ok(compared > 200, `${compared} compared`);
  });

  test('with set operations on \\q in any order', () => {
    for (const source of ['[\\q{a|K|ß}&&\\w]', '[\\q{a|K}--K]', '[[a-z]--\\q{z|b}]', '[\\w--\\q{s|K}]']) {
      for (const flags of ['v', 'iv']) assertSameCharacters(source, flags);
    }
  });

  test('with strings', () => {
    const KEYCAP = '0\ufe0f\u20e3';
    const STRINGS = [
      ...['', 'a', 'A', 'ab', 'AB', 'aB', 'abc', 'ſs', 'KK', 'kk', 'ß'],
      ...['ss', 'ΣΣ', 'σς', KEYCAP, '1\ufe0f\u20e3', '🇩🇪', '😀a'],
    ];
    for (const source of [
      ...['[\\q{ab|abc|a|}]', '[\\q{AB|KK}--\\q{ab}]', '[\\q{AB|ſs}&&\\q{ab|SS}]'],
      ...['[\\q{KK|ΣΣ|}a]', '[\\p{RGI_Emoji}&&\\q{🇩🇪|ab}]'],
      ...['[\\p{Emoji_Keycap_Sequence}--\\q{0\ufe0f\u20e3}]', '[[\\q{ab}\\q{a}]--[\\q{AB}]]'],
      ...['[\\q{ab|AB|aB}]', '[\\q{😀a|ß|ss}]'],
      ...['[\\p{Emoji_Keycap_Sequence}\\p{RGI_Emoji_Flag_Sequence}]'],
      ...['[\\q{}]', '[^\\q{ab}&&\\q{a}]', '[[^\\q{a}]&&\\q{a|b|ab}]'],
    ]) {
      for (const flags of ['v', 'iv']) {
        if (!isAccepted(source, flags)) continue;
        const { ranges, strings } = nativeClass(source, flags);
        const whole = new RegExp(`^${source}$`, flags);
        for (const code of CASED) {
          const matches = ranges.some((low, at) => at % 2 === 0 && low <= code && code <= ranges[at + 1]);
          const expected = whole.test(String.fromCodePoint(code));
          assert.equal(matches, expected, `/${source}/${flags} on U+${code.toString(16)}`);
        }
        const alternatives = strings.map((points) => points.map((point) => `\\u{${point.toString(16)}}`).join(''));
        const single = [];
        for (let at = 0; at < ranges.length; at += 2) {
          single.push(`\\u{${ranges[at].toString(16)}}-\\u{${ranges[at + 1].toString(16)}}`);
        }
        // The set has all cases that V8 gives it.
        const parts = [...alternatives.filter(Boolean).map((string) => [string, flags]), [`[${single.join('')}]`, 'v']];
        const all = parts.map(([part, partFlags]) => new RegExp(`^(?:${part})$`, partFlags));
        for (const string of STRINGS) {
          const expected = whole.test(string);
          const found = string === '' ? alternatives.includes('') : all.some((part) => part.test(string));
          assert.equal(found, expected, `/${source}/${flags} on ${JSON.stringify(string)}`);
        }
      }
    }
  });
});

describe('asking V8', () => {
  test('is not done for patterns that need nothing', () => {
    const refuse = () => assert.fail('nothing to ask');
    for (const [source, flags] of [
      ['^[a-z]+\\d$', 'i'], ['\\w\\s\\.', 'iu'], ['é', ''], ['\\x41', 'u'], ['(?:a|b)', 'gimsy'],
    ]) {
      provide({ regexpNeeds: refuse, regexpProvide: refuse, regexpAskAboutClasses: refuse }, source, flags);
    }
  });

  test('is done once for each answer', () => {
    /** @type {string[]} */
    const provided = [];
    const counting = {
      regexpNeeds: native.regexpNeeds,
      regexpAskAboutClasses: native.regexpAskAboutClasses,
      /** @type {(name: string, pairs: Int32Array, strings: string[]) => void} */
      regexpProvide(name, pairs, strings) {
        provided.push(name);
        native.regexpProvide(name, pairs, strings);
      },
    };
    for (let time = 0; time < 2; time++) provide(counting, '\\p{Script=Ogham}[\\p{sc=Ogham}\\p{Script=Ogham}]', 'u');
    assert.deepEqual(provided.sort(), ['Script=Ogham', 'sc=Ogham']);
  });

  test('takes no answer from patched intrinsics', () => {
    const patches = /** @type {[any, string][]} */ ([
      [RegExp.prototype, 'exec'], [RegExp.prototype, 'test'], [String.prototype, 'toUpperCase'],
      [Array.prototype, 'push'],
      [String.prototype, 'toLowerCase'], [String, 'fromCodePoint'], [String, 'fromCharCode'],
      [String.prototype, 'split'],
      [Array.prototype, Symbol.iterator], [String.prototype, Symbol.iterator], [Array.prototype, 'map'],
    ]);
    const key = (/** @type {unknown} */ name) => (typeof name === 'symbol' ? 'Symbol.iterator' : `'${name}'`);
    const listed = patches.map(([owner, name]) => `[${nameOf(owner)}, ${key(name)}]`).join(', ');
    const worker = new Worker(
      `const native = require(${JSON.stringify(require.resolve('../lib/native.js'))});
       const { provide } = require(${JSON.stringify(require.resolve('../lib/regexp-characters.js'))});
       const { parentPort } = require('node:worker_threads');
       const fail = () => { throw new Error('patched'); };
       const patches = [${listed}];
       const kept = patches.map(([owner, name]) => owner[name]);
       const set = (values) => {
         for (let at = 0; at < patches.length; at++) patches[at][0][patches[at][1]] = values[at];
       };
       const fails = patches.map(() => fail);
       set(fails);
       let error;
       try {
         provide(native, '\\\\p{L}é', 'iu');
         provide(native, 'é', 'i');
         provide(native, '\\\\p{RGI_Emoji}', 'v');
       } catch (caught) { error = caught; }
       for (let at = 0; at < patches.length; at++) patches[at][0][patches[at][1]] = kept[at];
       parentPort.postMessage(error ? [error.stack] : [
         undefined, native.testRegexpClass('\\\\p{L}', 'iu'), native.testRegexpClass('é', 'i'),
         native.testRegexpClass('\\\\p{RGI_Emoji}', 'v')]);`,
      { eval: true },
    );
    return new Promise((resolve, reject) => {
      worker.on('error', reject);
      worker.on('message', ([error, letters, accented, emoji]) => {
        try {
          assert.equal(error, undefined);
          assert.deepEqual(letters, nativeClass('\\p{L}', 'iu'));
          assert.deepEqual(accented, nativeClass('é', 'i'));
          assert.deepEqual(emoji, nativeClass('\\p{RGI_Emoji}', 'v'));
          resolve(undefined);
        } catch (failed) {
          reject(failed);
        }
      });
    });
  });
});

/** @param {unknown} owner */
function nameOf(owner) {
  return owner === String ? 'String' : `${/** @type {any} */ (owner).constructor.name}.prototype`;
}

/** @param {number} code */
function hex4(code) {
  return code.toString(16).padStart(4, '0');
}

/**
 * A linear congruential generator: the same numbers in every run.
 *
 * @param {number} seed
 */
function generator(seed) {
  let state = seed;
  return (/** @type {number} */ below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
