// Tests of express.mjs and of attack.mjs as a whole: applications that do not answer the same must not be measured, and no
// process may be left behind. Those with servers need the addon and the peers, and are skipped without. One file for both
// programs, since each puts the package into one place before it begins.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertSameAnswers, jsonOf, measure, SCENARIOS, withLanes } from './express.mjs';
import { PEERS, probe } from './peers.mjs';
import { stage } from './stage.mjs';

const skip = missing();

test('a body has exactly the bytes that were asked for, and comes back as it was', () => {
  for (const bytes of [100, 300, 1000, 9000, 20_000]) {
    const text = jsonOf(bytes);
    assert.equal(Buffer.byteLength(text), bytes);
    assert.equal(JSON.stringify(JSON.parse(text)), text);
  }
});

const SAME = { status: 200, text: jsonOf(300) };
const OTHERS = {
  'another status': [{ ...SAME, status: 500 }, /third answers 500/],
  'another body': [{ ...SAME, text: '{}' }, /third differs/],
};
for (const [what, [answer, message]] of Object.entries(OTHERS)) {
  test(`${what} is not measured`, () => {
    const lanes = ['first', 'second'].map((name) => ({ name, answer: SAME }));
    assertSameAnswers(lanes, { status: 200, bytes: 300 });
    const wrong = [...lanes, { name: 'third', answer }];
    assert.throws(() => assertSameAnswers(wrong, { status: 200, bytes: 300 }), message);
  });
}

test('the same answer of all is no echo if it is not what was sent', () => {
  const lanes = [{ name: 'first', answer: { ...SAME, text: '{}' } }];
  assert.throws(() => assertSameAnswers(lanes, { status: 200, bytes: 300 }), /no echo/);
});

for (const scenario of SCENARIOS) {
  test(`all who take part answer the same: ${scenario.title}`, { skip }, async () => {
    const names = await withLanes(scenario, (lanes) => lanes.map(({ name }) => name));
    assert.ok(names.includes('holdfast'));
    assert.equal(names.length, scenario.excluded ? 2 : 3);
    await assertNobodyLeft();
  });
}

test('a round has figures of everybody', { skip }, async () => {
  const result = await measure(SCENARIOS[0], { rounds: 2, seconds: 0.3, warmUpRounds: 0 });
  assert.deepEqual(
    result.rows.map(([name]) => name),
    ['Express alone', 'Holdfast', 'wired by hand'],
  );
  for (const row of result.rows) assert.equal(row.length, result.columns.length);
  for (const rounds of Object.values(result.contestants)) {
    assert.equal(rounds.length, 2);
    for (const { requests, statuses } of rounds) assert.deepEqual(statuses, { 200: requests });
  }
  await assertNobodyLeft();
});

test('nobody is left when an answer is not the one that is expected', { skip }, async () => {
  const scenario = { ...SCENARIOS[0], path: '/nowhere' };
  await assert.rejects(
    withLanes(scenario, () => assert.fail('it answers 404')),
    /Express alone answers 404/,
  );
  await assertNobodyLeft();
});

const ATTACK = [join(import.meta.dirname, 'attack.mjs'), '--seconds=1', '--alone=0', '--only=pollution,flood,slow'];
const inGroup = { detached: true, stdio: ['ignore', 'pipe', 'pipe'] };
const noGroups = process.platform === 'win32' && 'process groups are needed to see who is left';

test('an attack ends by itself, with figures of both, and leaves nobody', { skip: skip || noGroups }, async () => {
  const child = spawn(process.execPath, ATTACK, inGroup);
  const text = await child.stdout.setEncoding('utf8').toArray();
  await ended(child);
  assert.equal(child.exitCode, 0);
  assert.match(text.join(''), /\| +\| hardened \| ordinary \|/);
  assert.match(text.join(''), /requests from 102,000 addresses \| 1700 a second \| [\d,]+ sent/);
  await assertGroupEnds(child.pid);
});

test('an attack that is ended from outside leaves nobody', { skip: skip || noGroups }, async () => {
  const child = spawn(process.execPath, ATTACK, inGroup);
  child.stdout.resume();
  // Its first line comes when it starts the first application.
  await once(child.stderr, 'data');
  await sleep(1500);
  child.kill('SIGTERM');
  await ended(child);
  assert.equal(child.exitCode, 1);
  await assertGroupEnds(child.pid);
});

async function ended(child) {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function assertGroupEnds(group) {
  for (let turn = 0; turn < 100; turn++) {
    try {
      process.kill(-group, 0);
    } catch (error) {
      return assert.equal(error.code, 'ESRCH');
    }
    await sleep(50);
  }
  process.kill(-group, 'SIGKILL');
  assert.fail('there are processes left');
}

async function assertNobodyLeft() {
  // Whatever belongs to a process that has ended is closed a moment later.
  const processes = () => process.getActiveResourcesInfo().filter((kind) => kind === 'ProcessWrap');
  for (let turn = 0; turn < 100 && processes().length > 0; turn++) await sleep(10);
  assert.deepEqual(processes(), []);
}

function missing() {
  try {
    stage();
  } catch (error) {
    return error.message;
  }
  const absent = PEERS.filter((name) => probe(name).version === null);
  return absent.length > 0 ? `not installed: ${absent.join(', ')}` : false;
}
