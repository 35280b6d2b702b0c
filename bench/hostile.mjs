// The hostile shapes of __test__/regexp-hostile.cases.json, timed: every operation on 25 KB and on 1 MB of text, and
// the ratio of the two, which is 40 where time is linear. `node bench/hostile.mjs [--only=text] [--all]`: only the shapes
// with the text in their names; every line, not only what is over the goal. A time is the median of several runs in one
// process. What is asserted, by counting steps, is in __test__/regexp-hostile.test.js; this shows times.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { SafeRegExp } = require('..');
const { OPERATIONS, pairOf, pumpsFor, result, textOf } = require('../__test__/support/hostile.js');
const shapes = require('../__test__/regexp-hostile.cases.json');

const LENGTHS = [25_000, 1_000_000];
const GOAL = 40;

/** For the median: at least so many runs, and so many milliseconds of them, but not more than the last. */
const RUNS = { least: 3, enoughMs: 30, most: 25 };

const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length) ?? '';
const showAll = process.argv.includes('--all');

const rows = [];
for (const shape of shapes.filter(({ name }) => name.includes(only))) {
  let pair;
  try {
    pair = pairOf(SafeRegExp, shape);
  } catch (error) {
    console.log(`${shape.name}: ${error.code} ${error.message}`);
    continue;
  }
  const texts = LENGTHS.map((length) => textOf(shape, pumpsFor(shape, length)));
  for (const operation of Object.keys(OPERATIONS)) {
    const answers = [];
    for (const text of texts) {
      answers.push(median(operation, pair, text));
      await new Promise(setImmediate); // native memory is freed between turns
    }
    const [short, long] = answers;
    const row = { name: shape.name, operation, short, long, ratio: long.ms / short.ms };
    rows.push(row);
    if (showAll || row.ratio > GOAL || long.outcome !== 'answered') console.log(line(row));
  }
}
summary();

/** The median time of one operation, and whether it answered or what it threw. */
function median(operation, pair, text) {
  const times = [];
  let outcome = 'answered';
  for (let spent = 0; times.length < RUNS.least || (spent < RUNS.enoughMs && times.length < RUNS.most); ) {
    const started = process.hrtime.bigint();
    try {
      result(operation, pair, text);
    } catch (error) {
      outcome = error.code ?? error.name;
    }
    times.push(Number(process.hrtime.bigint() - started) / 1e6);
    spent += times.at(-1);
    if (spent > 20_000) break;
  }
  return { ms: times.sort((a, b) => a - b)[times.length >> 1], outcome };
}

function line({ name, operation, short, long, ratio }) {
  const outcome = long.outcome === 'answered' ? '' : `, ${long.outcome}`;
  const ms = (time) => `${time.ms.toFixed(time.ms < 10 ? 3 : 1)} ms`;
  return `${ratio.toFixed(1).padStart(6)} ×  ${name}, ${operation}: ${ms(short)} → ${ms(long)}${outcome}`;
}

function summary() {
  const answered = rows.filter(({ long }) => long.outcome === 'answered');
  const ratios = answered.map(({ ratio }) => ratio).sort((a, b) => a - b);
  const over = ratios.filter((ratio) => ratio > GOAL).length;
  const slowest = answered.reduce((most, row) => (row.long.ms > (most?.long.ms ?? 0) ? row : most), undefined);
  console.log(
    `\nNode ${process.version}: ${rows.length} cases, 25 KB → 1 MB, ${rows.length - answered.length} ended with an error. ` +
      `Ratios: median ${ratios[ratios.length >> 1]?.toFixed(1)}, largest ${ratios.at(-1)?.toFixed(1)}; ${over} over ${GOAL}.`,
  );
  if (slowest) console.log(`Slowest: ${line(slowest).trim()}`);
}
