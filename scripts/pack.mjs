// `npm run pack [folder]`: makes the tarballs to publish, the root package and every platform package whose binary is
// in npm/<triple>/, and the command line in cli/. The root package is staged first: only there does it get its
// `optionalDependencies`. They cannot stand in the repository's package.json, because `npm ci` fails on optional
// dependencies that are not published yet, and those of the next version never are.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { addonFile, root } from './addon.mjs';
import { SetupError, answer, isScript, main, npmCommand } from './command.mjs';
import { targets } from './targets.mjs';

const LICENSES = ['LICENSE', 'LICENSE-APACHE', 'LICENSE-MIT'];

/** What only the repository needs: no script of ours runs on a user's machine. */
const REPOSITORY_FIELDS = ['scripts', 'devDependencies', 'napi', 'workspaces'];

/** Packs into `folder` and returns the files: `root`, `cli`, and `platforms` by triple. */
export function pack(folder) {
  const version = agreedVersion();
  fs.mkdirSync(folder, { recursive: true });
  const stage = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-pack-'));
  try {
    const packed = {
      root: npmPack(stageRoot(path.join(stage, 'root'), version), folder),
      cli: npmPack(stageCommand(path.join(stage, 'cli')), folder),
      platforms: {},
    };
    for (const target of targets) {
      if (!fs.existsSync(addonFile('release', target))) continue;
      packed.platforms[target.triple] = npmPack(stagePlatform(path.join(stage, target.triple), target), folder);
    }
    return packed;
  } finally {
    fs.rmSync(stage, { recursive: true, force: true });
  }
}

/** The version that package.json, the manifests of the others and Cargo.toml all have; throws when they differ. */
export function agreedVersion() {
  const { version } = manifest(root);
  const found = targets.map(({ triple }) => {
    return [`npm/${triple}/package.json`, manifest(path.join(root, 'npm', triple)).version];
  });
  const command = manifest(path.join(root, 'cli'));
  found.push(['cli/package.json', command.version], ['dependencies of cli/package.json', command.dependencies.holdfast]);
  const cargo = fs.readFileSync(path.join(root, 'Cargo.toml'), 'utf8');
  found.push(['Cargo.toml', /^\[workspace\.package\][^[]*?^version\s*=\s*"([^"]+)"/ms.exec(cargo)?.[1]]);
  const different = found.filter(([, other]) => other !== version).map(([file, other]) => `${file} has ${other}`);
  if (different.length > 0) {
    throw new SetupError(`The versions do not agree: package.json has ${version}, ${different.join(', ')}.`);
  }
  return version;
}

function stageRoot(stage, version) {
  const { files, ...fields } = manifest(root);
  for (const field of REPOSITORY_FIELDS) delete fields[field];
  copy(files, root, stage);
  writeManifest(stage, {
    ...fields,
    files,
    optionalDependencies: Object.fromEntries(targets.map(({ triple }) => [`holdfast-${triple}`, version])),
  });
  return stage;
}

function stageCommand(stage) {
  const { scripts, devDependencies, ...fields } = manifest(path.join(root, 'cli'));
  copy([...fields.files, 'README.md'], path.join(root, 'cli'), stage);
  writeManifest(stage, fields);
  return stage;
}

function stagePlatform(stage, { triple }) {
  const folder = path.join(root, 'npm', triple);
  copy(['package.json', 'README.md', 'THIRD-PARTY-NOTICES.txt', `holdfast.${triple}.node`], folder, stage);
  copy(LICENSES, root, stage);
  return stage;
}

function copy(names, from, to) {
  for (const name of names) {
    const source = path.join(from, name);
    if (!fs.existsSync(source)) throw new SetupError(`Cannot pack: ${path.relative(root, source)} is missing.`);
    fs.cpSync(source, path.join(to, name), { recursive: true });
  }
}

function npmPack(stage, folder) {
  const [command, ...leading] = npmCommand();
  const args = [...leading, 'pack', '--json', '--ignore-scripts', '--pack-destination', path.resolve(folder)];
  const output = answer(command, args, { cwd: stage, shell: command === 'npm' && process.platform === 'win32' });
  if (output === undefined) throw new SetupError(`npm pack failed in ${stage}.`);
  const { name, version } = manifest(stage);
  return path.join(path.resolve(folder), `${name}-${version}.tgz`);
}

function manifest(folder) {
  return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
}

function writeManifest(folder, fields) {
  fs.writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(fields, null, 2)}\n`);
}

if (isScript(import.meta.url)) {
  await main(() => {
    const packed = pack(process.argv[2] ?? '.');
    console.log([packed.root, ...Object.values(packed.platforms)].join('\n'));
  });
}
