// `npm test`: the set-up, then Node's own test runner on an explicit list of files (what it finds by itself differs
// between Node 20 and 22). With --packaging: the tests on the packed tarballs instead. Other arguments: those that
// start with a dash go to the runner, those that name a test file choose it, the rest filter tests by name.

import fs from 'node:fs';
import path from 'node:path';

import { root } from './addon.mjs';
import { buildRelease } from './build.mjs';
import { SetupError, endWithParent, main, run } from './command.mjs';
import { setup } from './setup.mjs';

const FOLDERS = [
  ...['__test__', '__test__/types', '__test__/http', '__test__/nestjs', '__test__/e2e', '__test__/browser'],
  'cli/__test__',
];
const PACKAGING_FOLDERS = ['__test__/consumers'];

await main(async () => {
  endWithParent();
  const packaging = process.argv.includes('--packaging');
  const rest = process.argv.slice(2).filter((argument) => argument !== '--packaging');
  await setup();
  if (packaging) await buildRelease();

  const files = (packaging ? PACKAGING_FOLDERS : FOLDERS).flatMap(testFiles);
  const isFile = (argument) => files.includes(path.posix.normalize(argument.replaceAll('\\', '/')));
  const chosen = rest.filter(isFile);
  const options = rest.filter((argument) => argument.startsWith('-'));
  const names = rest.filter((argument) => !argument.startsWith('-') && !isFile(argument));
  if (!options.some((option) => option.startsWith('--test-reporter'))) {
    // In a log, TAP: it ends with the totals also when tests fail, and is the same on every version of Node.
    options.push(`--test-reporter=${process.stdout.isTTY ? 'spec' : 'tap'}`);
  }
  if (files.length === 0) throw new SetupError('There are no test files.');
  // Whatever a test does, built-in objects have to be left as they were.
  options.unshift('--require', path.join(root, '__test__/support/builtins.js'));
  // One file at a time: some tests assert on time and on memory.
  options.unshift('--test', '--test-concurrency=1', ...names.map((name) => `--test-name-pattern=${name}`));
  return run(process.execPath, [...options, ...(chosen.length > 0 ? chosen : files)], { cwd: root });
});

function testFiles(folder) {
  const directory = path.join(root, folder);
  if (!fs.existsSync(directory)) return [];
  const names = fs.readdirSync(directory).filter((name) => name.endsWith('.test.js'));
  return names.sort().map((name) => `${folder}/${name}`);
}
