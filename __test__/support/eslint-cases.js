'use strict';

/**
 * Sources for the rule no-vulnerable-regexp: those it says nothing of, and those it reports, each with what they are
 * once its suggestions are taken, one after the other alone; `null` where there is none.
 */

const V = '(a|a)*b';

/** A case: a source, and what it becomes. */
function bad(code, ...outputs) {
  return { code, outputs };
}

const VALID = [
  // Linear.
  'x(/a/); x(/^[a-z]+(?:-[a-z]+)*$/); x(/^\\d{1,3}(,\\d{3})*$/); RegExp("^[^@]+@[^@]+$"); RegExp()',
  // SafeRegExp has it, by whatever way it came.
  `new SafeRegExp(/${V}/)`,
  `const { SafeRegExp } = require('holdfast'); new SafeRegExp(/${V}/g, 'i')`,
  `const { SafeRegExp: Safe } = require('holdfast'); new Safe(/${V}/)`,
  `const SafeRegExp = require('./safe.js'); new SafeRegExp(/${V}/)`,
  `const SafeRegExp = require('holdfast').SafeRegExp; new SafeRegExp(/${V}/)`,
  `const holdfast = require('holdfast'); new holdfast.SafeRegExp(/${V}/); new holdfast['SafeRegExp'](/${V}/)`,
  `const { SafeRegExp: S = f } = require('holdfast'); new S(/${V}/)`,
  `new SafeRegExpSet([/${V}/, /x/]); analyzeRegExp(/${V}/); new SafeRegExp(new RegExp('${V}'))`,
  // Only read.
  `x(/${V}/.source, /${V}/.flags, new RegExp('${V}').source)`,
  // No RegExp of the language's.
  `function f(RegExp) { return new RegExp('${V}'); }`,
  `const RegExp = require('re2'); RegExp('${V}'); new RegExp('${V}', 'g')`,
  `sloppy = 1; RegExp = require('re2'); new RegExp('${V}')`,
  `const globalThis = {}; new globalThis.RegExp('${V}')`,
  `a.RegExp('${V}'); new window.regexp('${V}'); new window[RegExp]('${V}'); RegExps('${V}')`,
  // No constants.
  `new RegExp(x); RegExp('(a|a)*' + x); RegExp(\`\${x}${V}\`); RegExp(...['${V}']); RegExp('${V}', x)`,
  `function f(p = '${V}') { RegExp(p); }`,
  `let p = '${V}'; p = 'a'; RegExp(p)`,
  `let p; p = '${V}'; RegExp(p)`,
  `for (const p of ['${V}']) RegExp(p)`,
  `const [p] = ['${V}']; const { q } = { q: '${V}' }; RegExp(p); RegExp(q)`,
  `const String = { raw: () => 'a' }; RegExp(String.raw\`${V}\`)`,
  `RegExp(tag\`${V}\`); RegExp(x ? '${V}' : 'a'); RegExp('${V}' - 1); RegExp(-1); RegExp(1n)`,
  `const { length } = '${V}'; RegExp(length)`,
  `const p = p + '${V}'; RegExp(p)`,
  `const a = b; const b = a; RegExp(a)`,
  `RegExp(['(a|a)*', x].join('')); RegExp(list.join('|')); RegExp([...'${V}'].join('')); RegExp(f('${V}'))`,
  // A mistake is for no-invalid-regexp to report.
  `RegExp('('); RegExp('${V}', 'zz')`,
];

/** Under CommonJS: brought in by `require`. */
const R = "const { SafeRegExp } = require('holdfast');\n";

const CASES = [
  bad(`x(/${V}/)`, `${R}x(new SafeRegExp(/${V}/))`),
  bad(`x(/${V}/gi.test(y))`, `${R}x(new SafeRegExp(/${V}/gi).test(y))`),
  bad(`/${V}/.test(x)`, `${R}new SafeRegExp(/${V}/).test(x)`),
  bad('x(/[/]\\/(a+)+$/)', `${R}x(new SafeRegExp(/[/]\\/(a+)+$/))`),
  // Words that the slash ended.
  bad(`function f() { return/${V}/ }`, `${R}function f() { return new SafeRegExp(/${V}/) }`),
  bad(`typeof/${V}/`, `${R}typeof new SafeRegExp(/${V}/)`),
  bad(`x in/${V}/`, `${R}x in new SafeRegExp(/${V}/)`),
  bad(`if (x) y(); else/${V}/.test(x)`, `${R}if (x) y(); else new SafeRegExp(/${V}/).test(x)`),
  bad(`switch (x) { case/${V}/.test(y): }`, `${R}switch (x) { case new SafeRegExp(/${V}/).test(y): }`),
  bad(`x\n;/${V}/.test(x)`, `${R}x\n;new SafeRegExp(/${V}/).test(x)`),
  bad(`/${V}/ in x`, `${R}new SafeRegExp(/${V}/) in x`),
  // Calls.
  bad(`new RegExp('${V}')`, `${R}new SafeRegExp('${V}')`),
  bad(`RegExp("${V}", 'g').test(x)`, `${R}new SafeRegExp("${V}", 'g').test(x)`),
  bad(`(RegExp)('${V}')`, `${R}new SafeRegExp('${V}')`),
  bad(`new (RegExp)('${V}')`, `${R}new SafeRegExp('${V}')`),
  bad(`new globalThis.RegExp('${V}')`, `${R}new SafeRegExp('${V}')`),
  bad(`window['RegExp']('${V}')`, `${R}new SafeRegExp('${V}')`),
  bad(`self.RegExp('${V}'); global.RegExp('y')`, `${R}new SafeRegExp('${V}'); global.RegExp('y')`),
  bad(`RegExp?.('${V}').test(x)`, `${R}new SafeRegExp('${V}').test(x)`),
  bad(`new RegExp(/${V}/, 'i')`, `${R}new SafeRegExp(/${V}/, 'i')`),
  bad(`new RegExp(/${V}/, x)`, `${R}new SafeRegExp(/${V}/, x)`),
  bad(`RegExp(RegExp('${V}'))`, `${R}new SafeRegExp(RegExp('${V}'))`),
  bad(`new RegExp('${V}', '', x)`, null),
  bad(`new /* why */ RegExp('${V}')`, null),
  // Constants.
  bad("RegExp('(a' + '|' + 'a)*b')", `${R}new SafeRegExp('(a' + '|' + 'a)*b')`),
  bad('RegExp(`(a|${`a`})*b`)', `${R}new SafeRegExp(\`(a|\${\`a\`})*b\`)`),
  bad('RegExp(String.raw`(\\d|\\d)*${1}`)', `${R}new SafeRegExp(String.raw\`(\\d|\\d)*\${1}\`)`),
  bad("const p = '(a|a)'; RegExp(p + '*b')", `${R}const p = '(a|a)'; new SafeRegExp(p + '*b')`),
  bad(
    "let p = '(a|a)'; var q = p + '*'; RegExp(q + 'b')",
    `${R}let p = '(a|a)'; var q = p + '*'; new SafeRegExp(q + 'b')`,
  ),
  bad("const p = '(a|a)*b'; function f() { RegExp(p) }", `${R}const p = '(a|a)*b'; function f() { new SafeRegExp(p) }`),
  bad("const p = /(a|a)/; RegExp(p.source + '*b')", `${R}const p = /(a|a)/; new SafeRegExp(p.source + '*b')`),
  bad("RegExp(/(a|A)*b/.source, /x/i.flags)", `${R}new SafeRegExp(/(a|A)*b/.source, /x/i.flags)`),
  bad("RegExp(['(a|a)*', 'b'].join(''))", `${R}new SafeRegExp(['(a|a)*', 'b'].join(''))`),
  bad("RegExp('a+' + 1 + '$')", `${R}new SafeRegExp('a+' + 1 + '$')`),
  bad("RegExp('(a|a)*b', undefined)", `${R}new SafeRegExp('(a|a)*b', undefined)`),
  // Two, each alone.
  bad(`x(/${V}/, /y+$/)`, `${R}x(new SafeRegExp(/${V}/), /y+$/)`, `${R}x(/${V}/, new SafeRegExp(/y+$/))`),
  // SafeRegExp refuses back-references.
  { code: 'x(/(a|a)*b(x)\\1/)', outputs: [null], messageId: 'refused' },
  // Where the name comes from, and where it goes.
  bad(`const { SafeRegExp } = require('holdfast');\nx(/${V}/)`, `${R}x(new SafeRegExp(/${V}/))`),
  bad(
    `const { SafeRegExp: S } = require('holdfast');\nx(/${V}/)`,
    `const { SafeRegExp: S } = require('holdfast');\nx(new S(/${V}/))`,
  ),
  bad(
    `const h = require('holdfast');\nx(/${V}/)`,
    `const h = require('holdfast');\nx(new h.SafeRegExp(/${V}/))`,
  ),
  bad(
    `const { parseJson } = require('holdfast');\nx(/${V}/)`,
    `const { parseJson, SafeRegExp } = require('holdfast');\nx(new SafeRegExp(/${V}/))`,
  ),
  bad(
    `const { parseJson, ...rest } = require('holdfast');\nx(/${V}/)`,
    `const { parseJson, ...rest } = require('holdfast');\n${R}x(new SafeRegExp(/${V}/))`,
  ),
  bad(`/* global SafeRegExp */\nx(/${V}/)`, `/* global SafeRegExp */\nx(new SafeRegExp(/${V}/))`),
  bad(`const { [SafeRegExp]: S } = x; S(/${V}/)`, `${R}const { [SafeRegExp]: S } = x; S(new SafeRegExp(/${V}/))`),
  bad(`/** This file. */\n\nx(/${V}/)`, `/** This file. */\n\n${R}x(new SafeRegExp(/${V}/))`),
  bad(
    `'use strict';\n\nx(/${V}/)`,
    `'use strict';\nconst { SafeRegExp } = require('holdfast');\n\nx(new SafeRegExp(/${V}/))`,
  ),
  bad(
    `#!/usr/bin/env node\n// @ts-check\n/** What x is for. */\nx(/${V}/)`,
    `#!/usr/bin/env node\n// @ts-check\n${R}/** What x is for. */\nx(new SafeRegExp(/${V}/))`,
  ),
  bad(
    `const a = require("a").b; // b\nrequire('c')()\nx(/${V}/); const d = require('d')`,
    `const a = require("a").b; // b\nrequire('c')()\n${R}x(new SafeRegExp(/${V}/)); const d = require('d')`,
  ),
  bad(
    `const a = require("a"); // a\r\nx(/${V}/)`,
    `const a = require("a"); // a\r\nconst { SafeRegExp } = require("holdfast");\r\nx(new SafeRegExp(/${V}/))`,
  ),
  bad(
    `const a = require('a'); /* x */ x(/${V}/)`,
    `const a = require('a');\nconst { SafeRegExp } = require('holdfast'); /* x */ x(new SafeRegExp(/${V}/))`,
  ),
  // Names that are taken.
  bad(
    `class SafeRegExp {}\nx(/${V}/)`,
    `const { SafeRegExp: HoldfastRegExp } = require('holdfast');\nclass SafeRegExp {}\nx(new HoldfastRegExp(/${V}/))`,
  ),
  bad(
    `function f(SafeRegExp) { return new SafeRegExp(/${V}/); }`,
    `const { SafeRegExp: HoldfastRegExp } = require('holdfast');\n` +
      `function f(SafeRegExp) { return new SafeRegExp(new HoldfastRegExp(/${V}/)); }`,
  ),
  bad(`function f(SafeRegExp, HoldfastRegExp) { return /${V}/; }`, null),
  bad(
    `const { SafeRegExp } = require('holdfast'); function f(SafeRegExp) { return /${V}/; }`,
    `const { SafeRegExp, SafeRegExp: HoldfastRegExp } = require('holdfast'); ` +
      `function f(SafeRegExp) { return new HoldfastRegExp(/${V}/); }`,
  ),
  // Not there yet.
  bad(`x(/${V}/)\nconst { SafeRegExp } = require('holdfast')`, null),
  bad(
    `function f() { return /${V}/ }\nconst { SafeRegExp } = require('holdfast')`,
    `function f() { return new SafeRegExp(/${V}/) }\nconst { SafeRegExp } = require('holdfast')`,
  ),
];

/** As modules: brought in by `import`. */
const I = "import { SafeRegExp } from 'holdfast';\n";

const MODULE_CASES = [
  bad(`x(/${V}/)`, `${I}x(new SafeRegExp(/${V}/))`),
  bad(`export default/${V}/`, `${I}export default new SafeRegExp(/${V}/)`),
  bad(
    `import a from "a"\nx(/${V}/)\nimport b from 'b';\nx()`,
    `import a from "a"\nx(new SafeRegExp(/${V}/))\nimport b from 'b';\n${I}x()`,
  ),
  bad(
    `import { parseJson } from 'holdfast';\nx(/${V}/)`,
    `import { parseJson, SafeRegExp } from 'holdfast';\nx(new SafeRegExp(/${V}/))`,
  ),
  bad(
    `import * as h from 'holdfast';\nx(/${V}/)`,
    `import * as h from 'holdfast';\nx(new h.SafeRegExp(/${V}/))`,
  ),
  bad(`x(/${V}/);\nimport h from 'holdfast';`, `x(new h.SafeRegExp(/${V}/));\nimport h from 'holdfast';`),
  bad(
    `import { SafeRegExp as S } from 'holdfast';\nx(/${V}/)`,
    `import { SafeRegExp as S } from 'holdfast';\nx(new S(/${V}/))`,
  ),
  bad(
    `import { 'SafeRegExp' as S } from 'holdfast';\nx(/${V}/)`,
    `import { 'SafeRegExp' as S } from 'holdfast';\nx(new S(/${V}/))`,
  ),
  bad(
    `import { x } from 'x';\nconst SafeRegExp = 1;\nx(/${V}/)`,
    `import { x } from 'x';\nimport { SafeRegExp as HoldfastRegExp } from 'holdfast';\n` +
      `const SafeRegExp = 1;\nx(new HoldfastRegExp(/${V}/))`,
  ),
  // Files that ESLint was not told are CommonJS.
  bad(`const a = require('a');\nx(/${V}/)`, `const a = require('a');\n${R}x(new SafeRegExp(/${V}/))`),
  bad(`module.exports.a = /${V}/`, `${R}module.exports.a = new SafeRegExp(/${V}/)`),
];

const VALID_TYPESCRIPT = [
  `import { SafeRegExp } from 'holdfast'; new SafeRegExp(/${V}/ as RegExp); new SafeRegExp(/${V}/!);`,
  `x((/${V}/ as RegExp).source)`,
  'const p: string = y; RegExp(p as string);',
  `import RegExp = require('re2'); new RegExp('${V}')`,
  'enum E { A = "(a|a)*b" } RegExp(E.A)',
];

const TYPESCRIPT_CASES = [
  bad(`const a: RegExp = /${V}/;`, `${I}const a: RegExp = new SafeRegExp(/${V}/);`),
  bad(
    "const p = '(a|a)*' as const; RegExp((p satisfies string)! + <string>'b');",
    `${I}const p = '(a|a)*' as const; new SafeRegExp((p satisfies string)! + <string>'b');`,
  ),
  bad("const p: string = '(a|a)*b'; RegExp(p as any)", `${I}const p: string = '(a|a)*b'; new SafeRegExp(p as any)`),
  bad(`new RegExp(/${V}/ as RegExp, 'i')`, `${I}new SafeRegExp(/${V}/ as RegExp, 'i')`),
  bad(
    `import type { SafeRegExpOptions } from 'holdfast';\nx(/${V}/)`,
    `import type { SafeRegExpOptions } from 'holdfast';\n${I}x(new SafeRegExp(/${V}/))`,
  ),
  bad(
    `import type { SafeRegExp } from 'holdfast';\nx(/${V}/)`,
    `import type { SafeRegExp } from 'holdfast';\nimport { SafeRegExp as HoldfastRegExp } from 'holdfast';\n` +
      `x(new HoldfastRegExp(/${V}/))`,
  ),
  bad(
    `import { type SafeRegExp } from 'holdfast';\nx(/${V}/)`,
    `import { type SafeRegExp, SafeRegExp as HoldfastRegExp } from 'holdfast';\nx(new HoldfastRegExp(/${V}/))`,
  ),
  bad(`import h = require('holdfast');\nx(/${V}/)`, `import h = require('holdfast');\nx(new h.SafeRegExp(/${V}/))`),
  bad(
    `import a = require('a');\nexport = /${V}/;`,
    `import a = require('a');\n${I}export = new SafeRegExp(/${V}/);`,
  ),
];

module.exports = { CASES, MODULE_CASES, TYPESCRIPT_CASES, VALID, VALID_TYPESCRIPT };
