'use strict';

// What the reports make of a finding: excerpts with the hotspot underlined, attacks as code, places in SARIF.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { attackCode, printable, stringLiteral } = require('../lib/escape.js');
const { Findings } = require('../lib/findings.js');
const { textReport } = require('../lib/report-text.js');
const { emptyTree, holdfast, scanJson } = require('./support/tree.js');

/** A report of one finding. */
function reportOf(source, analysis, locations = [{ file: 'a.js', line: 1, column: 1, package: null }]) {
  const full = {
    complexity: 'polynomial', degree: 2, hotspots: [], attack: { prefix: '', pump: 'a', suffix: '' }, undecided: null,
    supported: true, reason: null, rewritten: null, ...analysis,
  };
  const counts = { files: 1, regexps: 1, patterns: 1, exponential: 0, polynomial: 1, unknown: 0 };
  return {
    findings: [{ source, flags: 'g', analysis: full, locations, suppressed: [] }],
    bad: [],
    notes: [],
    suppressed: [],
    summary: { ...counts, dynamic: 0, refused: 0, places: locations.length, suppressed: 0 },
  };
}

const OPTIONS = { color: false, quiet: true, unknown: false };

/** The lines of the pattern and of what underlines it. */
function shownOf(source, hotspots) {
  const [, pattern, marks] = textReport(reportOf(source, { hotspots }), OPTIONS).split('\n');
  return [pattern, marks];
}

test('hotspots are underlined where they are, also beside characters that are escaped', () => {
  assert.deepEqual(shownOf('ab+c+', [{ start: 1, end: 3 }, { start: 3, end: 5 }]), ['  /ab+c+/g', '    ^^^^']);
  assert.deepEqual(shownOf('\t\x1b[é]\u202e+x', [{ start: 2, end: 7 }]),
    ['  /\\t\\x1b[\\xe9]\\u202e+x/g', `   ${' '.repeat(6)}${'^'.repeat(13)}`]);
});

test('a long pattern is cut around its hotspot', () => {
  for (const before of [0, 40, 99, 100, 150, 500]) {
    for (const after of [0, 60, 400]) {
      const source = `${'x'.repeat(before)}HOT+${'y'.repeat(after)}`;
      const [pattern, marks] = shownOf(source, [{ start: before, end: before + 4 }]);
      assert.ok(pattern.length <= 106, `${pattern.length} columns`);
      assert.equal(marks.indexOf('^'), pattern.indexOf('HOT+'));
      assert.equal(marks.trim(), '^^^^');
      assert.equal(pattern.startsWith('  /'), source.length <= 100 || before <= 48, pattern);
      assert.equal(pattern.endsWith('/g'), source.length <= 100 || after <= 48, pattern);
    }
  }
  const [pattern, marks] = shownOf('H'.repeat(300), [{ start: 20, end: 280 }]);
  assert.equal(pattern, `  …${'H'.repeat(100)}…`);
  assert.equal(marks, `   ${'^'.repeat(100)}`);
});

test('the fix: a refusal says why, a package cannot be edited, an attack may be too long to be shown', () => {
  const refused = textReport(reportOf('a+$', { supported: false, reason: 'it has a back-reference' }), OPTIONS);
  assert.match(refused, /SafeRegExp refuses the pattern, because it has a back-reference/);
  const own = { file: 'a.js', line: 1, column: 1, package: null };
  const installed = { file: 'b.js', line: 2, column: 3, package: { name: 'p', version: '1.0.0' } };
  const linesOf = (locations) => textReport(reportOf('a+$', { rewritten: 'b' }, locations), OPTIONS).split('\n');
  assert.deepEqual(linesOf([installed]).filter((line) => line.includes('fix ')),
    ['  fix     update or replace the package, or limit the length of what reaches it']);
  assert.deepEqual(linesOf([own, installed]).slice(-4), [
    '  fix     /b/g matches exactly the same, in linear time',
    "  fix     new SafeRegExp(/a+$/g) from 'holdfast' runs it in linear time",
    '  also    b.js:2:3  p@1.0.0',
    '',
  ]);
  const long = { attack: { prefix: '', pump: 'ab'.repeat(200), suffix: '' } };
  assert.match(textReport(reportOf('a+$', long), OPTIONS), /attack {2}too long to be shown here; --json has it/);
  const many = textReport(reportOf('a+$', {}, Array.from({ length: 9 }, () => own)), OPTIONS);
  assert.match(many, /also {4}at 3 more places; --json has them\n$/);
});

test('code evaluates to the text, and is ASCII without control characters, whatever the text', () => {
  const texts = [
    '', "it's", '\\', '\\\'', '\n\r\t\v\f\0',
    '\u2028\u2029', 'é', '😀', '\ud83d', '\udc00x', '`${x}`', '\x7f\x1b', '\x001',
  ];
  for (let unit = 0; unit < 65_536; unit += 97) texts.push(`${String.fromCharCode(unit)}1`);
  for (const text of texts) {
    const code = stringLiteral(text);
    assert.match(code, /^'[\x20-\x7e]*'$/);
    assert.equal(new Function(`'use strict'; return ${code};`)(), text);
  }
  const attack = { prefix: "'", pump: '\\', suffix: '\n' };
  assert.equal(attackCode(attack, 2), "'\\'' + '\\\\'.repeat(50_000) + '\\n'");
  assert.equal(attackCode({ ...attack, prefix: '', suffix: '' }, null), "'\\\\'.repeat(50)");
  assert.equal(attackCode({ ...attack, prefix: '', suffix: '' }, 40), "'\\\\'.repeat(200)");
});

test('findings are sorted by path, line and column, in whatever order files are done', () => {
  const findings = new Findings({ unknown: false, minComplexity: 'polynomial' });
  const place = (source, line, column) => ({ source, flags: '', line, column, endLine: line, endColumn: column + 1 });
  const counts = { dynamic: 0, refused: 0, scanned: true, note: null };
  const result = (...places) => ({ places, suppressions: [], bad: [], ...counts });
  const { analysis } = reportOf('a', {}).findings[0];
  const first = result(place('z', 2, 9), place('y', 2, 1), place('z', 10, 1));
  const second = result(place('z', 3, 1), place('x', 30, 1));
  findings.add('b.js', null, first, [analysis, analysis, analysis]);
  findings.add('a.js', null, second, [analysis, analysis]);
  const shown = findings.report().findings.map(({ source, locations }) =>
    [source, ...locations.map(({ file, line, column }) => `${file}:${line}:${column}`)].join(' '));
  assert.deepEqual(shown, ['z a.js:3:1 b.js:2:9 b.js:10:1', 'x a.js:30:1', 'y b.js:2:1']);
});

test('printable text keeps letters, and no orders', () => {
  assert.equal(printable('süß 漢字 😀'), 'süß 漢字 😀');
  assert.equal(printable('\x1b]0;x\x07\u202e\u200b\ud800\u2028'), '\\x1b]0;x\\x07\\u202e\\u200b\\ud800\\u2028');
});

test('SARIF: a path is a URI, and one outside of the present folder is absolute', async (t) => {
  const folder = emptyTree(t);
  fs.mkdirSync(path.join(folder, 'here'));
  for (const name of ['here/a b#ü%.js', 'there.js']) fs.writeFileSync(path.join(folder, name), '/(a+)+b/;');
  const { stdout } = await holdfast(['scan', '--sarif', '.', '../there.js'], { cwd: path.join(folder, 'here') });
  const artifacts = JSON.parse(stdout).runs[0].results
    .map(({ locations }) => locations[0].physicalLocation.artifactLocation);
  assert.equal(artifacts.length, 2);
  const [outside, inside] = artifacts;
  assert.deepEqual(inside, { uri: 'a%20b%23%C3%BC%25.js', uriBaseId: '%SRCROOT%' });
  assert.match(outside.uri, /^file:\/\/\/.*\/there\.js$/);
  assert.equal(outside.uriBaseId, undefined);
});

test('a file in UTF-16, as editors on Windows write it', async (t) => {
  const cwd = emptyTree(t);
  fs.writeFileSync(path.join(cwd, 'a.js'), Buffer.from('\ufeffexports.a = /(é+)+b/;\r\n', 'utf16le'));
  const { findings } = await scanJson([], cwd);
  assert.deepEqual(findings.map(({ pattern, locations }) => [pattern, locations[0].column]), [['(é+)+b', 13]]);
});

test('what is no file is not waited for', { skip: process.platform === 'win32' && 'no /dev/zero' }, async (t) => {
  const { code, stdout } = await holdfast(['scan', '/dev/zero'], { cwd: emptyTree(t) });
  assert.equal(code, 2);
  assert.match(stdout, /^note: .*dev\/zero: cannot be read \(not a regular file\)$/m);
});
