'use strict';

/** The ESLint plugin `holdfast/eslint`, under both majors of ESLint that it is for. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const typescript = require('@typescript-eslint/parser');
const { analyzeRegExp } = require('..');
const plugin = require('holdfast/eslint');
const { MAX_KEPT, findingOf } = require('../lib/eslint/findings.js');
const { CASES, MODULE_CASES, TYPESCRIPT_CASES, VALID, VALID_TYPESCRIPT } = require('./support/eslint-cases.js');

const root = path.join(__dirname, '..');
const NAME = 'holdfast/no-vulnerable-regexp';
const rule = plugin.rules['no-vulnerable-regexp'];

const commonjs = { languageOptions: { sourceType: 'commonjs' } };
const esm = { languageOptions: { sourceType: 'module' } };
const typed = { languageOptions: { sourceType: 'module', parser: typescript } };

for (const folder of ['eslint', 'eslint9']) {
  const { ESLint, Linter, RuleTester } = require(folder);

  /** What the recommended configuration says of `code`, with `options` of the rule and more of a configuration. */
  function lint(code, { options = {}, ...config } = esm) {
    const rules = { [NAME]: ['error', options] };
    return new Linter().verify(code, [plugin.configs.recommended, { ...config, rules }]);
  }

  describe(`ESLint ${Linter.version}`, () => {
    it('is the major that its folder says', () => {
      assert.equal(Linter.version.split('.')[0], folder === 'eslint9' ? '9' : '10');
    });

    const kept = [RuleTester.describe, RuleTester.it];
    RuleTester.describe = describe;
    RuleTester.it = it;
    for (const [config, invalid, valid] of [
      [commonjs, CASES, VALID],
      [esm, MODULE_CASES, VALID.filter((code) => !code.includes('sloppy'))],
      [typed, TYPESCRIPT_CASES, VALID_TYPESCRIPT],
    ]) {
      new RuleTester(config).run('no-vulnerable-regexp', rule, {
        valid: [...new Set(valid)],
        invalid: invalid.map(({ code, outputs, messageId = 'vulnerable' }) => ({
          code,
          errors: outputs.map((output) => ({
            messageId,
            suggestions: output === null ? [] : [{ messageId: 'useSafeRegExp', output }],
          })),
        })),
      });

      it(`has nothing left to say where a suggestion was taken (${invalid.length} sources)`, () => {
        for (const { code, outputs } of invalid) {
          for (const output of outputs.filter(Boolean)) {
            const messages = lint(output, config);
            assert.deepEqual(messages.filter(({ fatal }) => fatal), [], output);
            assert.equal(messages.length, outputs.length - 1, `${code} -> ${output}`);
          }
        }
      });
    }
    [RuleTester.describe, RuleTester.it] = kept;

    describe('a report', () => {
      const only = (code, config) => {
        const messages = lint(code, config);
        assert.equal(messages.length, 1, JSON.stringify(messages));
        return messages[0];
      };

      it('of exponential time says so, with the loop and a text', () => {
        const { message, ruleId, severity } = only('x(/(a|a)*b/)');
        assert.equal(ruleId, NAME);
        assert.equal(severity, 2);
        assert.match(message, /^Exponential time: V8 tries again and again on .+ at \(a\|a\)\*\. Use SafeRegExp/);
      });

      it('of polynomial time names the degree', () => {
        for (const source of ['a+$', '^a*a*a*$', String.raw`\s+$`]) {
          const { complexity, degree } = analyzeRegExp(source);
          assert.equal(complexity, 'polynomial');
          assert.ok(only(`x(/${source}/)`).message.startsWith(`Polynomial time of degree ${degree}: `));
        }
      });

      it('stands at the first loop inside a literal, and names them all', () => {
        const { line, column, endLine, endColumn, message } = only('\nx(/^\\d+1337[0-9]+$/)');
        assert.deepEqual([line, column, endLine, endColumn], [2, 5, 2, 8]);
        assert.ok(message.includes(' at \\d+ and [0-9]+. '), message);
      });

      it('names a part once', () => {
        assert.equal(analyzeRegExp('^\\d+1337\\d+$').hotspots.length, 2, 'otherwise this test shows nothing');
        assert.ok(only('x(/^\\d+1337\\d+$/)').message.includes(' at \\d+. '));
      });

      it('stands inside a literal also where RegExp copies it', () => {
        const { column, endColumn } = only("new RegExp(/x(a+)+$/, 'i')");
        assert.deepEqual([column, endColumn], [14, 19]);
      });

      it('stands at the argument where the pattern is a string', () => {
        const { column, endColumn } = only("new RegExp('(a+)' + '+$')");
        assert.deepEqual([column, endColumn], [12, 25]);
      });

      it('says why SafeRegExp does not help', () => {
        const { message, suggestions } = only('x(/(a|a)*b(x)\\1/)');
        assert.ok(message.includes(`SafeRegExp refuses it: ${analyzeRegExp('(a|a)*b(x)\\1').reason}.`), message);
        assert.equal(suggestions, undefined);
      });

      it('has a text that runs as it stands, and is what the analysis found', () => {
        const twice = ['a', "'", '\\\\', '\\n', '\\x01', 'é', '\\u{1F600}'].map((atom) => `(${atom}|${atom})*Z`);
        for (const source of [...twice, '^a{12}(b+)+c']) {
          const flags = source.includes('u{') ? 'u' : '';
          const [, code] = / on (.*) at /.exec(only(`x(/${source}/${flags})`).message);
          assert.match(code, /^[ -~]+$/, 'ASCII');
          const attack = new Function('n', `return ${code}`)(5);
          assert.equal(attack, analyzeRegExp(source, flags).attackString(5), source);
        }
      });

      it('is short, whatever the pattern', () => {
        const long = Array.from({ length: 200 }, (_, index) => `k${index}`).join('').slice(0, 250);
        const loop = long.slice(0, 50);
        const { message } = only(`x(/^${long}(?:${loop}|${loop})*$/)`);
        assert.ok(message.length < 300, message);
        assert.match(message, /on what analyzeRegExp\(pattern\)\.attackString\(n\) gives at .+…\. Use/);
      });
    });

    describe('the options', () => {
      const count = (code, options) => lint(code, { ...esm, options }).length;

      it('minimum: what is reported at least', () => {
        const code = 'x(/a+$/, /(b|b)*c/)';
        assert.equal(count(code, {}), 2);
        assert.equal(count(code, { minimum: 'polynomial' }), 2);
        const [message, ...more] = lint(code, { ...esm, options: { minimum: 'exponential' } });
        assert.deepEqual(more, []);
        assert.match(message.message, /^Exponential/);
      });

      it('ignore: whole sources that are accepted', () => {
        const code = "x(/a+$/i); x(/aa+$/); RegExp('a+$')";
        assert.equal(count(code, { ignore: [] }), 3);
        assert.equal(count(code, { ignore: ['a+$'] }), 1);
        assert.equal(count(code, { ignore: ['a+'] }), 3);
      });

      it('reportUnknown: what nobody knows, with the reason', () => {
        const { complexity, undecided } = analyzeRegExp(UNKNOWN);
        assert.equal(complexity, 'unknown', 'otherwise this test shows nothing');
        assert.equal(count(`x(/${UNKNOWN}/)`, {}), 0);
        const [report] = lint(`x(/${UNKNOWN}/)`, { ...esm, options: { reportUnknown: true } });
        assert.equal(report.message, `How long this pattern can take is not known: ${undecided}.`);
        assert.deepEqual([report.column, report.endColumn], [3, 3 + `/${UNKNOWN}/`.length]);
        assert.equal(report.suggestions, undefined, 'SafeRegExp refuses it');
      });

      it('reportUnknown: also what the RegExp of this Node refuses', () => {
        assert.equal(count("RegExp('(')", {}), 0);
        const [{ message }] = lint("RegExp('(')", { ...esm, options: { reportUnknown: true } });
        assert.equal(message, 'How long this pattern can take is not known: the RegExp of this Node refuses it.');
      });

      it('timeoutMs is taken', () => {
        assert.equal(count('x(/(a|a)*b/)', { timeoutMs: 60_000 }), 1);
      });

      for (const options of [
        { minimum: 'linear' },
        { timeoutMs: 0 },
        { timeoutMs: 60_001 },
        { timeoutMs: 1.5 },
        { ignore: 'a' },
        { ignore: [/a/] },
        { reportUnknown: 1 },
        { reportUnkown: true },
      ]) {
        it(`refuses ${JSON.stringify(options)}`, () => {
          assert.throws(() => lint('x', { ...esm, options }), /no-vulnerable-regexp/);
        });
      }
    });

    it('adds no import where a parser has scripts inside something else', () => {
      const parser = {
        parseForESLint(code, options) {
          const { ast, visitorKeys, ...rest } = typescript.parseForESLint(code, options);
          const { body, range, loc } = ast;
          ast.body = [{ type: 'ScriptElement', body, range, loc }];
          return { ast, visitorKeys: { ...visitorKeys, ScriptElement: ['body'] }, ...rest };
        },
      };
      const [report, ...more] = lint('x(/(a|a)*b/)', { languageOptions: { parser } });
      assert.deepEqual([report.messageId, report.suggestions, more], ['vulnerable', undefined, []]);
      const [{ suggestions }] = lint("import h from 'holdfast'; x(/(a|a)*b/)", { languageOptions: { parser } });
      assert.equal(suggestions.length, 1);
    });

    it('is quiet where a comment says so', () => {
      assert.deepEqual(lint(`// eslint-disable-next-line ${NAME} -- a constant text\nx(/(a|a)*b/)`), []);
    });

    it('works as a whole, from a flat configuration', async () => {
      const eslint = new ESLint({ cwd: root, overrideConfigFile: true, overrideConfig: [plugin.configs.recommended] });
      const [{ messages }] = await eslint.lintText('export default /(x+x+)+y/;\n', { filePath: 'a.js' });
      assert.deepEqual(messages.map(({ ruleId, messageId }) => [ruleId, messageId]), [[NAME, 'vulnerable']]);
    });

    it('finds nothing in its own sources', async () => {
      const config = [plugin.configs.recommended, { languageOptions: { sourceType: 'commonjs' } }];
      const eslint = new ESLint({ cwd: root, overrideConfigFile: true, overrideConfig: config });
      const results = await eslint.lintFiles(['lib/eslint.js', 'lib/eslint/*.js']);
      assert.ok(results.length > 5);
      for (const { filePath, messages } of results) assert.deepEqual(messages, [], filePath);
    });
  });
}

/** See the test of `reportUnknown`. */
const UNKNOWN = '(a*)\\1';

describe('docs/eslint.md', () => {
  const page = fs.readFileSync(path.join(root, 'docs', 'eslint.md'), 'utf8').replaceAll('\r\n', '\n');
  const blocks = Array.from(page.matchAll(/^```(?:js|text)\n([^]*?)^```$/gm), ([, block]) => block);
  const [simple, detailed, reported, messages, before, after] = blocks;

  /** What a configuration of ECMAScript modules exports, with each package under the name that it has here. */
  function exported(config, folder) {
    const body = config
      .replaceAll(/^import (.+) from '(.+)';$/gm, "const $1 = require('$2');")
      .replace('export default', 'return');
    return new Function('require', body)((name) => require(name.replace(/^eslint\//, `${folder}/`)));
  }

  for (const folder of ['eslint', 'eslint9']) {
    const lint = (code, config) => new (require(folder).Linter)().verify(code, exported(config, folder), 'a.js');

    it(`says what is said (${folder})`, () => {
      const said = lint(reported, simple).map(({ line, column, message }) => `${line}:${column} ${message}\n`);
      assert.equal(said.join(''), messages);
    });

    it(`shows options that are taken (${folder})`, () => {
      assert.equal(lint('x(/\\s+$/, /a+$/, /(a|a)*b/)', simple).length, 3);
      assert.equal(lint('x(/\\s+$/, /a+$/, /(a|a)*b/)', detailed).length, 1);
    });

    it(`shows what the suggestion does (${folder})`, () => {
      const [{ suggestions: [{ fix }] }] = lint(before, simple);
      assert.equal(before.slice(0, fix.range[0]) + fix.text + before.slice(fix.range[1]), after);
    });
  }

  it('shows code that works', () => {
    const exports = {};
    new Function('require', 'exports', after)(require, exports);
    assert.equal(exports.isName('ada lovelace'), true);
    assert.equal(exports.isName(`${'a'.repeat(50_000)}!`), false);
  });

  it('lists every option and kept answers by their number', () => {
    const names = Array.from(page.matchAll(/^\| `(\w+)` \|/gm), ([, name]) => name);
    assert.deepEqual(names.sort(), Object.keys(rule.meta.schema[0].properties).sort());
    assert.ok(page.includes(`up to ${MAX_KEPT.toLocaleString('en')} of them`));
  });
});

describe('the plugin', () => {
  it('says what it is', () => {
    const { name, version } = require('../package.json');
    assert.deepEqual(plugin.meta, { name, version });
    assert.deepEqual(Object.keys(plugin).sort(), ['configs', 'meta', 'rules']);
  });

  it('is one for require and import, with its members by name', async () => {
    const imported = await import('holdfast/eslint');
    assert.equal(imported.default, plugin);
    for (const name of Object.keys(plugin)) assert.equal(imported[name], plugin[name], name);
    assert.equal(plugin.configs.recommended.plugins.holdfast, plugin);
  });

  it('loads nothing of ESLint', () => {
    const script = "require('holdfast/eslint'); console.log(Object.keys(require.cache).join('\\n'))";
    const { stdout } = spawnSync(process.execPath, ['-e', script], { cwd: root, encoding: 'utf8' });
    const files = stdout.trim().split('\n').map((file) => path.relative(root, file).replaceAll('\\', '/'));
    assert.ok(files.includes('lib/eslint.js'));
    assert.deepEqual(files.filter((file) => file.includes('node_modules')), []);
  });

  it('has the limit of time that analyzeRegExp has', () => {
    const { minimum, maximum } = rule.meta.schema[0].properties.timeoutMs;
    analyzeRegExp('a', '', { timeoutMs: minimum });
    analyzeRegExp('a', '', { timeoutMs: maximum });
    assert.throws(() => analyzeRegExp('a', '', { timeoutMs: minimum - 1 }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => analyzeRegExp('a', '', { timeoutMs: maximum + 1 }), { code: 'ERR_OUT_OF_RANGE' });
  });
});

describe('what is kept of earlier answers', () => {
  it('is found again by source, flags and time, until others have taken its place', () => {
    const first = findingOf('(a|a)*b', 'i', 500);
    assert.equal(findingOf('(a|a)*b', 'i', 500), first);
    assert.notEqual(findingOf('(a|a)*b', '', 500), first);
    assert.notEqual(findingOf('(a|a)*b', 'i', 501), first);
    for (let index = 0; index < MAX_KEPT - 3; index++) findingOf(`b${index}`, '', undefined);
    assert.equal(findingOf('(a|a)*b', 'i', 500), first);
    for (let index = 0; index < 9; index++) findingOf(`d${index}`, '', undefined);
    assert.equal(findingOf('(a|a)*b', 'i', 500), first, 'asked for in time');
    for (let index = 0; index < MAX_KEPT; index++) findingOf(`c${index}`, '', undefined);
    const again = findingOf('(a|a)*b', 'i', 500);
    assert.notEqual(again, first);
    assert.deepEqual(again.attack, first.attack);
  });

  it('is bounded by length too', () => {
    const first = findingOf('x|y', '', undefined);
    for (let index = 0; index < 140; index++) findingOf(`${index}`.padEnd(40_000, 'x'), '', undefined);
    const second = findingOf('x|y', '', undefined);
    assert.notEqual(second, first);
    findingOf('y|z', '', undefined);
    assert.equal(findingOf('x|y', '', undefined), second, 'there is room again');
  });
});
