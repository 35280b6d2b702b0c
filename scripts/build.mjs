// `npm run build`: the release build of the addon (no test hooks), into npm/<triple>/holdfast.<triple>.node, for the
// machine it runs on or for `--target <rust triple>`, and the licence notices that belong to it. Does nothing when
// they are up to date.

import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { addonFile, build, root, upToDate } from './addon.mjs';
import { SetupError, isScript, main } from './command.mjs';
import { notices } from './notices.mjs';
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
  const file = addonFile('release', target);
  const noticesFile = path.join(path.dirname(file), 'THIRD-PARTY-NOTICES.txt');
  if (upToDate('release', target) && fs.existsSync(noticesFile)) {
    console.log(`build: ${path.relative(root, file)} is up to date`);
    return target;
  }
  console.log(`build: making ${path.relative(root, file)}`);
  await build('release', target, { host: target === host });
  fs.writeFileSync(noticesFile, notices(root, target));
  return target;
}

if (isScript(import.meta.url)) {
  const { values } = parseArgs({ options: { target: { type: 'string' } } });
  await main(async () => void (await buildRelease(values.target)));
}
