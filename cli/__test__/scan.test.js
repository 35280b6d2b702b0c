'use strict';

// `holdfast scan` over the fixture tree, as a user runs it: the three formats as snapshots, and what is scanned.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const Ajv = require('ajv');
const addFormats = require('ajv-formats');

const { emptyTree, holdfast, projectTree, scanJson } = require('./support/tree.js');
const { matchesSnapshot } = require('./support/snapshot.js');

const SCHEMA = JSON.parse(fs.readFileSync(path.join(__dirname, 'sarif/sarif-schema-2.1.0.json'), 'utf8'));

const patternsIn = ({ findings }, file) =>
  findings.filter(({ locations }) => locations.some((place) => place.file === file)).map(({ pattern }) => pattern);

test('the text of a scan', async (t) => {
  const { code, stdout, stderr } = await holdfast(['scan', '--dependencies', '--unknown'], { cwd: projectTree(t) });
  assert.equal(stderr, '');
  assert.equal(code, 1);
  matchesSnapshot('scan.txt', stdout);
  assert.doesNotMatch(stdout, /\x1b/, 'no colours in a pipe');
});

test('the JSON of a scan', async (t) => {
  const { code, stdout, stderr } = await holdfast(['scan', '--dependencies', '--json'], { cwd: projectTree(t) });
  assert.equal(stderr, '');
  assert.equal(code, 1);
  matchesSnapshot('scan.json', stdout);
});

test('the SARIF of a scan is valid SARIF 2.1.0', async (t) => {
  const { code, stdout, stderr } = await holdfast(['scan', '--dependencies', '--sarif'], { cwd: projectTree(t) });
  assert.equal(stderr, '');
  assert.equal(code, 1);
  matchesSnapshot('scan.sarif.json', stdout);
  const log = JSON.parse(stdout);
  const ajv = new Ajv({ allErrors: true, strict: false, unicodeRegExp: false });
  addFormats(ajv);
  const validate = ajv.compile(SCHEMA);
  assert.ok(validate(log), JSON.stringify(validate.errors, null, 2));
  assert.ok(!validate({ ...log, version: '2.0.0' }), 'the schema refuses what is wrong');

  const [run] = log.runs;
  for (const result of run.results) {
    assert.equal(run.tool.driver.rules[result.ruleIndex].id, result.ruleId);
    const { artifactLocation, region } = result.locations[0].physicalLocation;
    assert.equal(artifactLocation.uriBaseId, '%SRCROOT%');
    assert.ok(region.endLine > region.startLine || region.endColumn > region.startColumn);
  }
  const fingerprints = run.results.map((result) => result.partialFingerprints['holdfastPattern/v1']);
  assert.equal(new Set(fingerprints).size, fingerprints.length, 'every result has a fingerprint of its own');
});

test('a scan prints the same whatever the scheduling', async (t) => {
  const cwd = projectTree(t);
  const first = await holdfast(['scan', '--dependencies', '--json'], { cwd });
  const second = await holdfast(['scan', '--dependencies', '--json', '.', 'src', 'src/plain.js'], { cwd });
  assert.equal(second.stdout, first.stdout);
});

test('a column counts UTF-16 units from 1, and a region is the literal', async (t) => {
  const cwd = projectTree(t);
  const { findings } = await scanJson(['src/plain.js'], cwd);
  const lines = fs.readFileSync(path.join(cwd, 'src/plain.js'), 'utf8').split('\n');
  const { locations } = findings.find(({ pattern }) => pattern === '(?:z+z+)+!');
  assert.equal(locations.length, 2);
  const expected = '/(?:z+z+)+!/';
  assert.deepEqual(locations.map(({ line, column, endColumn }) => lines[line - 1].slice(column - 1, endColumn - 1)),
    [expected, expected]);
});

test('lines end with CRLF as well, and a byte order mark is no column', async (t) => {
  const { findings } = await scanJson(['src/crlf.js'], projectTree(t));
  const [{ locations: [{ line, column, endLine }] }] = findings;
  assert.deepEqual({ line, column, endLine }, { line: 4, column: 13, endLine: 4 });
});

test('node_modules is left out unless it is asked for, and then packages are named', async (t) => {
  const cwd = projectTree(t);
  const without = await scanJson([], cwd);
  assert.ok(without.findings.every(({ locations }) => locations.every((place) => place.package === null)));
  assert.ok(without.findings.length > 0);

  const { findings } = await scanJson(['--dependencies'], cwd);
  const places = findings.flatMap(({ locations }) => locations).filter((place) => place.package !== null);
  assert.deepEqual(places.map((place) => `${place.file} ${place.package.name} ${place.package.version}`).sort(), [
    'node_modules/@scope/right/index.js @scope/right 2.0.0-rc.1',
    'node_modules/broken-manifest/index.js broken-manifest null',
    'node_modules/left-pattern/index.js left-pattern 1.2.3',
    'node_modules/left-pattern/node_modules/inner/index.js inner 0.0.1',
  ]);
});

test('a package of node_modules that is asked for by its path is scanned, without its own packages', async (t) => {
  const { findings } = await scanJson(['node_modules/left-pattern'], projectTree(t));
  assert.deepEqual(findings.flatMap(({ locations }) => locations.map(({ file }) => file)),
    ['node_modules/left-pattern/index.js']);
});

test('a package that is linked to, as pnpm does, is scanned once; the project itself, linked to, is not', async (t) => {
  const cwd = emptyTree(t);
  const store = path.join(cwd, 'node_modules/.pnpm/a@1.0.0/node_modules/a');
  fs.mkdirSync(store, { recursive: true });
  fs.writeFileSync(path.join(store, 'package.json'), '{ "name": "a", "version": "1.0.0" }');
  fs.writeFileSync(path.join(store, 'index.js'), 'module.exports = /(a+)+b/;\n');
  fs.symlinkSync('.pnpm/a@1.0.0/node_modules/a', path.join(cwd, 'node_modules/a'), 'junction');
  fs.symlinkSync('..', path.join(cwd, 'node_modules/self'), 'junction');
  fs.writeFileSync(path.join(cwd, 'own.js'), 'exports.own = /(b+)+c/;\n');

  for (const given of ['.', 'node_modules']) {
    const { findings, summary } = await scanJson(['--dependencies', given], cwd);
    const places = findings.flatMap(({ locations }) => locations.map((place) => [place.file, place.package?.version]));
    const own = given === '.' ? [['own.js', undefined]] : [];
    assert.deepEqual(places, [['node_modules/.pnpm/a@1.0.0/node_modules/a/index.js', '1.0.0'], ...own]);
    assert.equal(summary.files, places.length);
  }
});

test('packages that link to each other are scanned once', async (t) => {
  const cwd = emptyTree(t);
  for (const [name, other] of [['a', 'b'], ['b', 'a']]) {
    const folder = path.join(cwd, `node_modules/.pnpm/${name}/node_modules/${name}`);
    fs.mkdirSync(path.join(folder, 'node_modules'), { recursive: true });
    fs.writeFileSync(path.join(folder, 'index.js'), `/(${name}+)+x/;`);
    const target = path.join(cwd, `node_modules/.pnpm/${other}/node_modules/${other}`);
    fs.symlinkSync(target, path.join(folder, 'node_modules', other), 'junction');
  }
  const { summary } = await scanJson(['--dependencies'], cwd);
  assert.equal(summary.regexps, 2);
});

test('links that lead back to themselves are noted, and the scan goes on', async (t) => {
  const cwd = emptyTree(t);
  fs.writeFileSync(path.join(cwd, 'a.js'), 'exports.a = /(a+)+b/;\n');
  fs.symlinkSync('loop.js', path.join(cwd, 'loop.js'));
  fs.symlinkSync('nowhere.js', path.join(cwd, 'dangling.js'));
  fs.mkdirSync(path.join(cwd, 'deep'));
  fs.symlinkSync('..', path.join(cwd, 'deep/up'), 'junction');
  const { code, findings, notes } = await scanJson([], cwd);
  assert.equal(code, 1);
  assert.equal(findings.length, 1);
  const noted = notes.map(({ file, message }) => [file, message]);
  assert.deepEqual(noted, [['loop.js', 'a link that leads back to itself']]);
});

test('what cannot be scanned is noted, one note a file, and the rest is scanned', async (t) => {
  const cwd = projectTree(t);
  fs.writeFileSync(path.join(cwd, 'src/deep.js'), `${'['.repeat(100_000)}${']'.repeat(100_000)}`);
  const { code, notes } = await scanJson(['src'], cwd);
  assert.equal(code, 1);
  assert.deepEqual(notes.map(({ file, kind, line }) => [file, kind, line]), [
    ['src/big.js', 'too-large', null],
    ['src/broken.js', 'syntax', 1],
    ['src/deep.js', 'too-deep', null],
  ]);
});

test('a file that nests as deeply as no one writes, but less than the limit, is scanned', async (t) => {
  const cwd = emptyTree(t);
  const nested = (open, inner, close, times) => `${open.repeat(times)}${inner}${close.repeat(times)}`;
  const sources = {
    'brackets.js': nested('[', '/(a+)+b/', ']', 20_000),
    'functions.js': nested('()=>{', '/(a+)+b/', '}', 4000),
    'plus.js': `${"'a'+".repeat(20_000)}/(a+)+b/`,
    'choice.js': `${'a?b:'.repeat(12_000)}/(a+)+b/`,
    'pattern.js': `new RegExp(${"'(a+)+b'+".repeat(3000)}'')`,
    'type.ts': `type A = ${nested('Array<', 'B', '>', 8000)}; /(a+)+b/`,
    'element.jsx': nested('<a>', '{/(a+)+b/}', '</a>', 4000),
  };
  for (const [name, text] of Object.entries(sources)) fs.writeFileSync(path.join(cwd, name), text);
  const { summary, notes } = await scanJson([], cwd);
  assert.deepEqual(notes, []);
  assert.equal(summary.files, Object.keys(sources).length);
  assert.equal(summary.regexps, Object.keys(sources).length);
});

test('a suppression needs a rule and a reason; in an installed package it has no effect', async (t) => {
  const cwd = projectTree(t);
  const found = await scanJson(['--dependencies'], cwd);
  assert.deepEqual(patternsIn(found, 'src/suppressed.js'), ['(n+n+)+!', '(o+o+)+!', '(p+p+)+!']);
  assert.deepEqual(found.suppressed.map(({ pattern, locations }) => [pattern, locations[0].reason]), [
    ['(k+k+)+!', 'only ever sees our own configuration'],
    ['(l+l+)+!', 'at most 20 characters'],
    ['(m+m+)+!', 'in a block'],
  ]);
  assert.equal(found.summary.suppressed, 3);
  assert.deepEqual(found.badSuppressions.map(({ line, message }) => [line, message.slice(0, 33)]), [
    [6, 'a suppression without a reason: w'],
    [8, 'a suppression that names no rule:'],
  ]);
  assert.ok(patternsIn(found, 'node_modules/left-pattern/index.js').includes('^(a+)+$'));

  fs.writeFileSync(path.join(cwd, 'only.js'), '// holdfast-ignore-next-line redos:\nexports.a = /a/;\n');
  assert.equal((await scanJson(['only.js'], cwd)).code, 1, 'a bad suppression is a finding itself');
});

test('a rewritten pattern is offered where it matches the same, is linear, and the code is one\'s own', async (t) => {
  const { findings } = await scanJson(['src'], projectTree(t));
  const rewritten = Object.fromEntries(findings.map((finding) => [finding.pattern, finding.rewritten]));
  assert.equal(rewritten['^(?:\\w+)*$'], '^\\w*$');
  assert.equal(rewritten['^(?:q|q)+$'], '^q+$');
  assert.equal(rewritten['(x+x+)+y'], null);
  assert.equal(rewritten['\\s+$'], null);
});

test('the attack that is printed is JavaScript that evaluates to the text of the proof', async (t) => {
  const { findings } = await scanJson(['--dependencies'], projectTree(t));
  assert.ok(findings.length > 10);
  for (const { attack: { prefix, pump, suffix, code } } of findings) {
    const repeat = Number(/\.repeat\(([\d_]+)\)/.exec(code)[1].replace('_', ''));
    assert.equal(new Function(`return ${code};`)(), prefix + pump.repeat(repeat) + suffix);
  }
});
