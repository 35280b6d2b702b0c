// Puts the tables of results/*.json between their markers in the documents: node report.mjs [document …] [--check]
// Without a document: docs/benchmarks.md, and README.md where it has markers. A marker pair is
// `<!-- bench:NAME -->` … `<!-- /bench:NAME -->`; NAME is a case, `facts`, `summary` or `aggregates`. With --check
// nothing is written and the status is 1 when a document differs from the results.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { aggregate, AGGREGATED } from './aggregates.mjs';
import { median, REFERENCE } from './harness.mjs';
import { formatCases, formatNs, formatRatio, sectionOf, SHOWN } from './table.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean', default: false } },
});
const root = join(import.meta.dirname, '..');
const documents =
  positionals.length > 0 ? positionals : ['docs/benchmarks.md', 'README.md'].map((name) => join(root, name));

const files = new Map();
for (const name of SHOWN) {
  const path = join(import.meta.dirname, 'results', `${name}.json`);
  if (existsSync(path)) files.set(name, JSON.parse(readFileSync(path, 'utf8')));
}

for (const path of documents.filter((name) => existsSync(name))) {
  const before = readFileSync(path, 'utf8');
  const after = before.replace(
    marked(),
    (whole, name) => `<!-- bench:${name} -->\n${contentOf(name)}\n<!-- /bench:${name} -->`,
  );
  if (after === before) continue;
  if (values.check) {
    console.error(`${path} differs from bench/results: run \`node report.mjs\` in bench/`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, after);
    console.log(`written: ${path}`);
  }
}

function contentOf(name) {
  if (name === 'facts') return factsTable();
  if (name === 'summary') return summaryTable();
  if (name === 'aggregates') return aggregatesTable();
  const file = files.get(name);
  if (!file) throw new Error(`a document asks for bench:${name} and there is no results/${name}.json`);
  return [sectionOf(file), ...file.warnings.map((warning) => `Warning: ${warning}.`)].join('\n\n');
}

// One line a headline case: what every peer took, and its ratio.
function summaryTable() {
  const lines = ['| | Holdfast | others (their time ÷ ours; under 1 they are faster) |', '| --- | ---: | --- |'];
  for (const result of [...files.values()].flatMap((file) => file.results).filter((r) => r.headline)) {
    if (result.error) {
      lines.push(`| ${result.headline} | failed: ${result.error} | |`);
      continue;
    }
    const own = formatNs(result.contestants[REFERENCE].median);
    const peers = Object.entries(result.ratios).filter(([name]) => !name.startsWith(REFERENCE));
    const others = [
      ...peers.map(([peer, ratio]) => `${peer} ${formatRatio(ratio.median)}`),
      ...Object.keys(result.missing).map((peer) => `${peer} not run`),
    ];
    lines.push(`| ${result.headline.replaceAll('|', '\\|')} | ${own} | ${others.join(', ')} |`);
  }
  return lines.join('\n');
}

// One line a group that is summed up, failures included.
function aggregatesTable() {
  const lines = ['| | cases | their time ÷ ours; under 1 they are faster |', '| --- | ---: | --- |'];
  const results = [...files.values()].flatMap((file) => file.results);
  for (const group of Object.keys(AGGREGATED)) {
    const ofGroup = results.filter((result) => result.group === group);
    const sums = aggregate(group, ofGroup);
    if (!sums) continue;
    const [all, lowest] = sums.lines;
    const others = sums.peers.map((peer, index) => {
      return `${peer} ${formatRatio(all.figures[index])} (lowest ${formatRatio(lowest.figures[index])})`;
    });
    lines.push(`| ${group}: ${sums.method} | ${formatCases(all)} | ${others.join(', ')} |`);
  }
  if (lines.length === 2) return 'Not measured yet.';
  return lines.join('\n');
}

// The facts of the runs behind the tables, a row for each case.
function factsTable() {
  const lines = [
    '| case | date | Node | CPU | cores | load | commit | addon |',
    '| --- | --- | --- | --- | ---: | ---: | --- | --- |',
  ];
  for (const { case: name, facts } of files.values()) {
    const { binary } = facts;
    const addon = `${binary.profile}, ${(binary.bytes / 1e6).toFixed(1)} MB`;
    lines.push(
      `| ${name} | ${facts.date.slice(0, 16)}Z | ${facts.node} | ${facts.cpu} | ${facts.cores} ` +
        `| ${facts.loadAverage.toFixed(1)} → ${facts.loadAverageAfter.toFixed(1)} | ${facts.commit} | ${addon} |`,
    );
  }
  const overheads = [...files.values()].map(({ facts }) => facts.loopOverheadNs);
  const overhead = `An empty turn of the measuring loop takes ${formatNs(median(overheads))}; it is in every figure.`;
  return `${lines.join('\n')}\n\n${overhead}\n\n${peersSentence()}`;
}

function peersSentence() {
  const peers = Object.assign({}, ...[...files.values()].map((file) => file.facts.peers));
  const names = Object.entries(peers).map(([name, { version, compiled, reason }]) => {
    if (reason) return `${name} ${version ?? ''} (not run: ${reason})`;
    return `${name} ${version}${compiled ? ' (compiled from source)' : ''}`;
  });
  return `Peers: ${names.join(', ')}.`;
}

function marked() {
  return /<!-- bench:([\w-]+) -->[^]*?<!-- \/bench:\1 -->/g;
}
