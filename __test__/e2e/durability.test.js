// @ts-check
'use strict';

// What was answered 201 is there after a restart, however the process ended; what a crash leaves at the end of the
// journal is repaired, and what no crash leaves there stops the start.

const test = require('node:test');
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { Service, VARIANTS, assertProblem, temporaryDirectory } = require('./service.js');

const HEADER_BYTES = 24;

/**
 * Users that write as fast as they are answered, each over connections of its own, until `stopAfter` answers of 201
 * have come and the service has been told to end; then one after the other finds the door closed.
 * @param {Service} service
 * @param {{ cookie: string }[]} users
 * @param {number} stopAfter
 * @param {NodeJS.Signals} signal
 */
async function storm(service, users, stopAfter, signal) {
  const accepted = /** @type {Map<string, string>} */ (new Map()); // note id to cookie
  let toldAt = Infinity;
  let unanswered = 0;
  let slowest = 0;
  let sent = 0;
  const writer = async (/** @type {string} */ cookie, /** @type {http.Agent} */ agent) => {
    for (;;) {
      const begin = performance.now();
      const text = `note ${sent += 1}`;
      try {
        const answer = await service.request('POST', '/notes', { json: { text }, cookie, agent });
        if (answer.status === 409) return; // this user has written all it may
        assert.equal(answer.status, 201, answer.text);
        accepted.set(answer.json.id, cookie);
        slowest = Math.max(slowest, answer.ms);
        if (accepted.size >= stopAfter && toldAt === Infinity) {
          toldAt = performance.now();
          service.child.kill(signal);
        }
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        if (begin < toldAt) unanswered += 1;
        return;
      }
    }
  };
  const agents = /** @type {http.Agent[]} */ ([]);
  await Promise.all(users.flatMap(({ cookie }) => Array.from({ length: 8 }, () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    agents.push(agent);
    return writer(cookie, agent);
  })));
  for (const agent of agents) agent.destroy();
  return { accepted, unanswered, slowest, ended: await service.ended };
}

/**
 * @param {Service} service
 * @param {Map<string, string>} accepted
 */
async function countMissing(service, accepted) {
  const found = new Set();
  for (const cookie of new Set(accepted.values())) {
    for (const { id } of await service.notes(cookie)) found.add(id);
  }
  return [...accepted.keys()].filter((id) => !found.has(id)).length;
}

for (const [signal, rounds] of /** @type {[NodeJS.Signals, number[]][]} */ ([
  ['SIGTERM', [20, 120, 320]], ['SIGKILL', [20, 120, 320]]])) {
  test(`${signal} in a storm of writes: every note that was answered 201 is there`, { timeout: 120_000 }, async (t) => {
    if (process.platform === 'win32') return t.skip('no signals');
    let total = 0;
    for (const stopAfter of rounds) {
      const before = await Service.start(t);
      const users = await Promise.all(Array.from({ length: 6 }, (_, i) => before.signUp(`user${i}`)));
      const { accepted, unanswered, slowest, ended } = await storm(before, users, stopAfter, signal);
      assert.ok(accepted.size >= stopAfter);
      if (signal === 'SIGTERM') {
        assert.deepEqual(ended, { code: 0, signal: null });
        assert.equal(unanswered, 0, 'every request that was sent before the signal is answered');
      }
      const after = await Service.start(t, { dataDir: before.dataDir });
      assert.equal(await countMissing(after, accepted), 0);
      await after.stop();
      total += accepted.size;
      t.diagnostic(`${signal} after ${stopAfter}: ${accepted.size} accepted, 0 lost, ${unanswered} sent before it `
        + `and not answered, slowest write ${slowest.toFixed(1)} ms`);
    }
    t.diagnostic(`${signal}: ${total} accepted notes in ${rounds.length} rounds, 0 lost`);
  });
}

for (const name of ['Nest on Express', 'Nest on Fastify']) {
  test(`${name} ends as well`, { timeout: 120_000 }, async (t) => {
    if (process.platform === 'win32') return t.skip('no signals');
    const variant = VARIANTS[name];
    const before = await Service.start(t, { variant });
    const users = await Promise.all(Array.from({ length: 6 }, () => before.signUp()));
    const { accepted, unanswered, ended } = await storm(before, users, 120, 'SIGTERM');
    assert.deepEqual(ended, { code: 0, signal: null });
    assert.equal(unanswered, 0);
    const after = await Service.start(t, { dataDir: before.dataDir }); // both keep their data alike
    assert.equal(await countMissing(after, accepted), 0);
    t.diagnostic(`${name}: ${accepted.size} accepted, 0 lost`);
  });
}

test('kill -9 right after a 201, ten times over: the note is there', { timeout: 120_000 }, async (t) => {
  const dataDir = temporaryDirectory(t);
  let cookie = '';
  /** @type {unknown[]} */
  const kept = [];
  for (let round = 0; round < 10; round += 1) {
    const service = await Service.start(t, { dataDir });
    if (round === 0) ({ cookie } = await service.signUp());
    assert.deepEqual(await service.notes(cookie), kept);
    kept.push(await service.write(cookie, `round ${round}`));
    await service.kill();
  }
  const last = await Service.start(t, { dataDir });
  assert.deepEqual(await last.notes(cookie), kept);
});

/**
 * A data directory with one user and three notes, the service stopped.
 * @param {import('node:test').TestContext} t
 */
async function written(t) {
  const service = await Service.start(t);
  const { cookie } = await service.signUp();
  const notes = [];
  for (const text of ['one', 'two', 'three']) notes.push(await service.write(cookie, text));
  await service.stop();
  const journal = path.join(service.dataDir, 'notes.journal');
  const bytes = fs.readFileSync(journal);
  return { dataDir: service.dataDir, journal, bytes, records: recordsOf(bytes), cookie, notes };
}

/**
 * Where each record begins and ends.
 * @param {Buffer} bytes
 */
function recordsOf(bytes) {
  const records = [];
  for (let start = HEADER_BYTES; start < bytes.length;) {
    const end = start + 8 + bytes.readUInt32BE(start);
    records.push({ start, end });
    start = end;
  }
  return records;
}

test('a torn tail is set aside with a warning, and all that was accepted is there', { timeout: 120_000 }, async (t) => {
  const { dataDir, journal, bytes, records, cookie, notes } = await written(t);
  assert.equal(records.length, 4);
  const last = records[3];
  const tails = {
    'one byte': Buffer.from([0]),
    'five bytes of rubbish': Buffer.from('12345'),
    '100 bytes of rubbish': Buffer.alloc(100, 'rubbish!'),
    'a line of text': Buffer.from('garbage garbage garbage\n'),
    'half a prefix': bytes.subarray(last.start, last.start + 4),
    'a prefix alone': bytes.subarray(last.start, last.start + 8),
    'a record without its last byte': bytes.subarray(last.start, last.end - 1),
    'a page of zeros': Buffer.alloc(4096),
    'a record whose second half was never written': Buffer.concat([
      bytes.subarray(last.start, (last.start + last.end) >> 1),
      Buffer.alloc(last.end - ((last.start + last.end) >> 1)),
    ]),
  };
  for (const [name, tail] of Object.entries(tails)) {
    fs.writeFileSync(journal, Buffer.concat([bytes, tail]));
    const service = await Service.start(t, { dataDir });
    assert.deepEqual(await service.notes(cookie), notes, name);
    assert.match(service.stderr, /"level":"warn".*torn by a crash/, name);
    const more = await service.write(cookie, `written after ${name}`);
    await service.stop();
    const again = await Service.start(t, { dataDir });
    assert.deepEqual(await again.notes(cookie), [...notes, more], name);
    assert.equal(again.stderr, '', 'nothing to warn of any more');
    await again.stop();
    const aside = fs.readdirSync(dataDir).filter((file) => file.includes('.torn-'));
    assert.equal(aside.length, 1);
    assert.deepEqual(fs.readFileSync(path.join(dataDir, aside[0])), tail, name);
    fs.rmSync(path.join(dataDir, aside[0]));
  }
});

test('a file that was cut short loses what was cut, and nothing before it', { timeout: 120_000 }, async (t) => {
  const { dataDir, journal, bytes, records, cookie, notes } = await written(t);
  const last = records[3];
  for (const cut of [1, 3, 16, last.end - last.start - 8, last.end - last.start - 3]) {
    fs.writeFileSync(journal, bytes.subarray(0, bytes.length - cut));
    const service = await Service.start(t, { dataDir });
    assert.deepEqual(await service.notes(cookie), notes.slice(0, 2), `${cut} bytes`);
    assert.match(service.stderr, /"level":"warn"/);
    await service.stop();
  }
});

test('damage anywhere else stops the start, and the file is left as it is', { timeout: 120_000 }, async (t) => {
  const { dataDir, journal, bytes, records } = await written(t);
  const other = await written(t);
  const part = (/** @type {number} */ i) => bytes.subarray(records[i].start, records[i].end);
  const header = bytes.subarray(0, HEADER_BYTES);
  const flipped = (/** @type {number} */ at) => {
    const copy = Buffer.from(bytes);
    copy[at] ^= 1;
    return copy;
  };
  const damaged = {
    'a bit in the first record': flipped(records[0].start + 60),
    'a bit in the last record': flipped(records[3].end - 1),
    'a bit in a length': flipped(records[1].start + 2),
    'a bit in a length’s complement': flipped(records[1].start + 5),
    'a bit in the file id': flipped(12),
    'a bit in the magic': flipped(0),
    'records swapped': Buffer.concat([header, part(0), part(2), part(1), part(3)]),
    'a record dropped from the middle': Buffer.concat([header, part(0), part(1), part(3)]),
    'a record repeated': Buffer.concat([bytes, part(3)]),
    'zeros in place of a tag': Buffer.from(bytes).fill(0, records[1].end - 16, records[1].end),
    'a short file': bytes.subarray(0, 10),
    'an empty file': Buffer.alloc(0),
  };
  for (const [name, content] of Object.entries(damaged)) {
    fs.writeFileSync(journal, content);
    const message = await Service.startRefused(t, { dataDir });
    assert.match(message, /^Notes service: .*(?:journal).*\.\n$/, name);
    assert.deepEqual(fs.readFileSync(journal), content, `${name}: the file is as it was`);
  }

  // A record of another journal does not fit, even when both were sealed with the same keys.
  fs.copyFileSync(path.join(other.dataDir, 'notes.keys'), path.join(dataDir, 'notes.keys'));
  fs.writeFileSync(journal, Buffer.concat([header, other.bytes.subarray(HEADER_BYTES)]));
  assert.match(await Service.startRefused(t, { dataDir }), /record 0 of the journal .* cannot be opened/);
  fs.writeFileSync(journal, other.bytes);
  const whole = await Service.start(t, { dataDir });
  assert.deepEqual(await whole.notes(other.cookie), other.notes, 'the whole file does');
});

test('two servers do not share one journal; the lock of a dead one is taken over', { timeout: 120_000 }, async (t) => {
  const first = await Service.start(t);
  const { cookie } = await first.signUp();
  assert.match(await Service.startRefused(t, { dataDir: first.dataDir }),
    new RegExp(`another server \\(process ${first.child.pid}\\) uses this data directory`));
  assert.deepEqual(await first.notes(cookie), []);
  const lock = path.join(first.dataDir, 'notes.lock');

  await first.kill();
  assert.ok(fs.existsSync(lock), 'a killed server leaves its lock');
  const second = await Service.start(t, { dataDir: first.dataDir });
  await second.stop();
  assert.ok(!fs.existsSync(lock), 'a stopped one does not');

  if (process.platform === 'linux') {
    // The number was given to another process, which did not start when the holder did: here this test's own.
    fs.writeFileSync(lock, `${process.pid} 1 x\n`);
    await (await Service.start(t, { dataDir: first.dataDir })).stop();
  }

  // Many at once over a stale lock: one gets it.
  fs.writeFileSync(lock, '999999999 - x\n');
  const starts = await Promise.allSettled(Array.from({ length: 4 }, () =>
    Service.start(t, { dataDir: first.dataDir })));
  assert.equal(starts.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('a session and notes outlive the rotation of the key', { timeout: 60_000 }, async (t) => {
  const { dataDir, cookie, notes } = await written(t);
  const keys = path.join(dataDir, 'notes.keys');
  fs.writeFileSync(keys, fs.readFileSync(keys, 'utf8').replace('\n', '\r\n'));
  execFileSync(process.execPath, [require.resolve('../../examples/notes/keyfile.js'), keys]);
  const rotated = await Service.start(t, { dataDir });
  assert.deepEqual(await rotated.notes(cookie), notes);
  const more = await rotated.write(cookie, 'under the new key');
  await rotated.stop();

  const both = fs.readFileSync(keys, 'utf8');
  fs.writeFileSync(keys, both.split('\n').slice(1).join('\n'));
  assert.match(await Service.startRefused(t, { dataDir }), /record 4 of the journal .* cannot be opened/,
    'what was written since the rotation is sealed with the new key');
  fs.writeFileSync(keys, both);
  const again = await Service.start(t, { dataDir });
  assert.deepEqual(await again.notes(cookie), [...notes, more]);
  assertProblem(await again.request('GET', '/notes'), 401);
});
