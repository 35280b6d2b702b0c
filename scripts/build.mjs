// `npm run build`: the release build of the addon (no test hooks), into npm/<triple>/holdfast.<triple>.node, for the
// machine it runs on or for `--target <rust triple>`. Does nothing when that file is up to date.

import path from 'node:path';
import { parseArgs } from 'node:util';

import { addonFile, build, root, upToDate } from './addon.mjs';
import { SetupError, isScript, main } from './command.mjs';
import { hostTarget, targets } from './targets.mjs';

/** Makes sure the release binary is there, and returns the row of its target. */
export async function buildRelease(rustTarget) {
  const host = hostTarget();
  const target = rustTarget === undefined ? host : targets.find(({ rust }) => rust === rustTarget);
  if (target === undefined) {
    throw new SetupError(
      `Unknown target ${rustTarget ?? `${process.platform}-${process.arch}`}. ` +
        `Known: ${targets.map(({ rust }) => rust).join(', ')}.`,
    );
  }
  const file = path.relative(root, addonFile('release', target));
  if (upToDate('release', target)) {
    console.log(`build: ${file} is up to date`);
    return target;
  }
  console.log(`build: making ${file}`);
  await build('release', target, { host: target === host });
  return target;
}

if (isScript(import.meta.url)) {
  const { values } = parseArgs({ options: { target: { type: 'string' } } });
  await main(async () => void (await buildRelease(values.target)));
}
