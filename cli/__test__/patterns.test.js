'use strict';

// What counts as a constant pattern, in one file: by the parser, the scopes and the constants together.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const parser = require('oxc-parser');

const { patternsOf } = require('../lib/patterns.js');

/** @returns {{ found: string[], dynamic: number }} */
function scan(text, lang = 'jsx') {
  const { program, errors } = parser.parseSync('a.js', text, { lang, preserveParens: false });
  assert.deepEqual(errors, [], text);
  const { occurrences, dynamic } = patternsOf(program);
  for (const { start, end } of occurrences) assert.ok(start < end && end <= text.length);
  return { found: occurrences.map(({ pattern, flags }) => `/${pattern}/${flags}`), dynamic };
}

const CONSTANT = [
  ["RegExp('a')", ['/a/']],
  ["new RegExp('a', 'gi')", ['/a/gi']],
  ["new RegExp('a', undefined)", ['/a/']],
  ["new RegExp('a', void 0)", ['/a/']],
  ["new RegExp('a', `${'g'}m`)", ['/a/gm']],
  ["new (RegExp)('a' + ('b' + `c${'d'}${1}`))", ['/abcd1/']],
  ["new RegExp('x{' + 3 + '}')", ['/x{3}/']],
  ["globalThis.RegExp('a'); window.RegExp('b'); new self['RegExp']('c')", ['/a/', '/b/', '/c/']],
  ['RegExp(String.raw`\\d${`\\d`}`)', ['/\\dd/']],
  ['RegExp(globalThis.String.raw`\\u`)', ['/\\u/']],
  ["RegExp(/a/.source + /b/i['source'])", ['/ab/', '/a/', '/b/i']],
  ["RegExp(/a/)", ['/a/']],
  ["RegExp(/a/g, 'g')", ['/a/g']],
  ["RegExp(/a/g, 'i')", ['/a/i', '/a/g']],
  ["const r = /a/; RegExp(r.source + 'b')", ['/a/', '/ab/']],
  ["RegExp(A + B); const A = 'a', B = A + 'b'", ['/aab/']],
  ["const A = 'a'; { const A = 'b'; RegExp(A); } RegExp(A)", ['/b/', '/a/']],
  ["const A = 'a'; function f(b) { return (c) => RegExp(A) }", ['/a/']],
  ["for (const A = 'a';;) { RegExp(A) }", ['/a/']],
  ["const A = 'a'; class C { static x = RegExp(A); static { RegExp(A) } }", ['/a/', '/a/']],
  ["const A = 'a'; export const B = RegExp(A)", ['/a/']],
  ["const { x = /a/ } = y; ({ [/b/]: 1 }); `${/c/}`; (d = /d/) => /e/", ['/a/', '/b/', '/c/', '/d/', '/e/']],
  ["a / b / c; a++ / 2; x = y / /a/g / 1", ['/a/g']],
];

test('constant patterns are found, in whatever way they are put together', () => {
  for (const [text, expected] of CONSTANT) assert.deepEqual(scan(text), { found: expected, dynamic: 0 }, text);
});

const NOT_CONSTANT = [
  'RegExp(x)', "RegExp('a', flags)", 'RegExp()', 'RegExp(...x)', 'RegExp(1)', "RegExp(1 + 2)", "RegExp('a' - 'b')",
  "let A = 'a'; RegExp(A)", "var A = 'a'; RegExp(A)", "const A = 'a'; (A) => RegExp(A)", "const [A] = 'a'; RegExp(A)",
  "const A = 'a'; { var f = () => RegExp(A); let A; }", "for (const A of ['a']) RegExp(A)",
  "const A = 'a'; try {} catch (A) { RegExp(A) }", "const A = 'a'; try {} catch ({ A }) { RegExp(A) }",
  "import A from 'a'; RegExp(A)", "const A = B, B = A; RegExp(A)", "const A = 'a' + A; RegExp(A)",
  "const A = 'a'; { function A() {} RegExp(A) }", "const A = 'a'; (class A { f() { RegExp(A) } })",
  "const A = 'a'; function f() { if (x) { var A; } return RegExp(A) }", "const A = 'a'; (function A() { RegExp(A) })",
  'RegExp(String.raw`${x}`)', 'RegExp(tag`a`)', "const String = { raw: f }; RegExp(String.raw`a`)", 
  "RegExp('a'.source)", 'RegExp(r.source)', 'RegExp(`${null}`)', "RegExp(['a'].join())", "RegExp(a ? 'b' : 'c')",
];

test('what is not constant is counted, not guessed', () => {
  for (const text of NOT_CONSTANT) assert.deepEqual(scan(text), { found: [], dynamic: 1 }, text);
});

const NOT_REGEXP = [
  "(RegExp) => RegExp('a')", "function RegExp() {} RegExp('a')", "{ class RegExp {} RegExp('a') }",
  "import { RegExp } from 'x'; RegExp('a')", "const { RegExp } = x; RegExp('a')", "RegExp = x; RegExp('a')",
  "globalThis.RegExp = x; RegExp('a')", "[RegExp] = x; new RegExp('a')", "for (RegExp of x) RegExp('a')",
  "with (x) { RegExp('a') }", "function f() { eval(x); return RegExp('a') }", "const window = x; window.RegExp('a')",
  "x.RegExp('a')", "new RegExp2('a')", "globalThis.x.RegExp('a')", "RegExp.escape('a')", "globalThis['Reg' + x]('a')",
  "(function RegExp() { RegExp('a') })", "try {} catch (RegExp) { RegExp('a') }", "if (x) { var RegExp; } RegExp('a')",
  "if (x) { function RegExp() {} } RegExp('a')",
];

test('a RegExp that may be another one is not RegExp', () => {
  for (const text of NOT_REGEXP) assert.deepEqual(scan(text), { found: [], dynamic: 0 }, text);
});

const TYPESCRIPT = [
  ["const A = 'a' as const; new RegExp(A!, <string>'g')", ['/a/g']],
  ["new RegExp(('a' satisfies string) as any)", ['/a/']],
  ["enum RegExp { A } ; RegExp('a')", []],
  ["namespace N { const A = 'a'; export const b = RegExp(A) }", ['/a/']],
  ["namespace RegExp {} ; RegExp('a')", []],
  ["import RegExp = require('x'); RegExp('a')", []],
  ["declare const A: string; type B = `a${string}`; let c: RegExp = /c/", ['/c/']],
  ["class C { constructor(private RegExp: any) { RegExp('a') } }", []],
  ["function f(x: string): void; function f(x: any) { return RegExp('a') }", ['/a/']],
  ["abstract class C { abstract f(RegExp: any): void; g() { return RegExp('b') } }", ['/b/']],
];

test('TypeScript', () => {
  for (const [text, expected] of TYPESCRIPT) assert.deepEqual(scan(text, 'ts').found, expected, text);
});

test('a constant that is too long for a pattern is none', () => {
  const names = Array.from({ length: 12 }, (_, n) => `const a${n + 1} = a${n} + a${n};`);
  const text = `const a0 = '${'x'.repeat(1000)}'; ${names.join('')} RegExp(a9); RegExp(a12)`;
  const { program } = parser.parseSync('a.js', text);
  const { occurrences, dynamic } = patternsOf(program);
  assert.deepEqual([occurrences.map(({ pattern }) => pattern.length), dynamic], [[512_000], 1]);
});

test('names that double each other end', () => {
  const names = Array.from({ length: 60 }, (_, n) => `const a${n + 1} = a${n} + a${n};`);
  const { found, dynamic } = scan(`const a0 = 'x'; ${names.join('')} RegExp(a3); RegExp(a60); RegExp(a59);`);
  assert.deepEqual({ found, dynamic }, { found: ['/xxxxxxxx/'], dynamic: 2 });
});
