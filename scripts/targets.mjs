// The eight platforms: how npm names them (the triple, as in npm/ and in lib/binding.js), how Rust names them, and
// what cargo calls the library there. build, pack and the packaging tests read this table.

export const targets = [
  { triple: 'linux-x64-gnu', rust: 'x86_64-unknown-linux-gnu', library: 'libholdfast.so' },
  { triple: 'linux-x64-musl', rust: 'x86_64-unknown-linux-musl', library: 'libholdfast.so' },
  { triple: 'linux-arm64-gnu', rust: 'aarch64-unknown-linux-gnu', library: 'libholdfast.so' },
  { triple: 'linux-arm64-musl', rust: 'aarch64-unknown-linux-musl', library: 'libholdfast.so' },
  { triple: 'darwin-x64', rust: 'x86_64-apple-darwin', library: 'libholdfast.dylib' },
  { triple: 'darwin-arm64', rust: 'aarch64-apple-darwin', library: 'libholdfast.dylib' },
  { triple: 'win32-x64-msvc', rust: 'x86_64-pc-windows-msvc', library: 'holdfast.dll' },
  { triple: 'win32-arm64-msvc', rust: 'aarch64-pc-windows-msvc', library: 'holdfast.dll' },
];

/** The row for the platform this process runs on, or undefined when it is none of the eight. */
export function hostTarget() {
  const platform = `${process.platform}-${process.arch}`;
  const suffix = { linux: glibc() ? '-gnu' : '-musl', win32: '-msvc' }[process.platform] ?? '';
  return targets.find((target) => target.triple === platform + suffix);
}

function glibc() {
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime !== undefined;
}
