// Writes THIRD-PARTY-NOTICES.txt, which goes into a platform package beside the binary: the crates that are compiled
// into it, and the texts of their licences, which ask to be passed on with copies. build.mjs calls it.

import fs from 'node:fs';
import path from 'node:path';

import { SetupError, answer, rustProgram } from './command.mjs';

const LICENSE_FILE = /^(licen[cs]e|copying|copyright|notice|unlicense)/i;

/** Makes the text for the crates in `root`'s graph on this target. */
export function notices(root, target) {
  const crates = linkedCrates(metadata(root, target));
  const texts = new Map(); // licence text → the crates that come with it
  const lines = crates.map(({ name, version, license, manifest_path: manifest }) => {
    const own = licenseTexts(path.dirname(manifest));
    for (const text of own) texts.set(text, [...(texts.get(text) ?? []), `${name} ${version}`]);
    return `${name} ${version}: ${license}${own.length === 0 ? ' (the crate comes without a licence text)' : ''}`;
  });
  return [
    'The binary in this package contains the Rust crates listed here, and parts of the Rust standard library',
    '(MIT OR Apache-2.0, the Rust project contributors). The texts of their licences follow.',
    '',
    ...lines,
    ...[...texts].flatMap(([text, names]) => ['', '-'.repeat(78), names.join(', '), '', text]),
    '',
  ].join('\n');
}

function metadata(root, target) {
  const cargo = rustProgram('cargo', root)?.command;
  const args = ['metadata', '--format-version=1', '--locked', `--filter-platform=${target.rust}`];
  const output = cargo && answer(cargo, args, { cwd: root, maxBuffer: 64 * 1024 * 1024 });
  if (output === undefined) throw new SetupError('cargo metadata failed: the licence notices cannot be written.');
  return JSON.parse(output);
}

/** Normal dependencies of the addon, all the way down, without procedural macros, which only run in the compiler. */
function linkedCrates({ packages, resolve }) {
  const byId = new Map(packages.map((crate) => [crate.id, crate]));
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  const linked = new Set();
  const visit = (id) => {
    if (linked.has(id) || byId.get(id).targets.some(({ kind }) => kind.includes('proc-macro'))) return;
    linked.add(id);
    for (const { pkg, dep_kinds: kinds } of nodes.get(id).deps) {
      if (kinds.some(({ kind }) => kind === null)) visit(pkg);
    }
  };
  visit(resolve.root);
  const foreign = [...linked].map((id) => byId.get(id)).filter((crate) => crate.source !== null);
  return foreign.sort((a, b) => (a.id < b.id ? -1 : 1));
}

function licenseTexts(folder) {
  const names = fs.readdirSync(folder).filter((name) => LICENSE_FILE.test(name)).sort();
  const files = names.map((name) => path.join(folder, name)).filter((file) => fs.statSync(file).isFile());
  return files.map((file) => fs.readFileSync(file, 'utf8').replaceAll('\r\n', '\n').trim());
}
