// @ts-check
'use strict';

// What a service says when it listens: where, and lines that a person can paste into a shell, which work.

/**
 * @param {import('node:net').AddressInfo} listening
 * @param {string} dataDir
 * @param {import('./store.js').Store} store
 * @param {string[]} [pages] paths to look at in a browser
 */
function announce({ address, family, port }, dataDir, store, pages = []) {
  const anywhere = address === '0.0.0.0' || address === '::';
  const host = anywhere ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  const url = `http://${host}:${port}`;
  const name = store.userByName('ada') === undefined ? 'ada' : `ada-${store.userCount + 1}`;
  const header = (/** @type {string} */ text) => `-H ${quote(text)}`;
  const json = (/** @type {object} */ value) =>
    `${header('content-type: application/json')} -d ${quote(JSON.stringify(value))}`;
  const curl = `curl -sS -w ${quote('\\n')}`; // every answer on a line of its own
  // A browser says where a request comes from; a program that sends a cookie has to say so too.
  const session = `-b cookies.txt ${header(`origin: ${url}`)}`;
  process.stdout.write(`Notes service on ${url}, data in ${dataDir}
Try:
  ${curl} -c cookies.txt ${json({ name, password: 'correct horse battery staple' })} ${url}/signup
  ${curl} ${session} ${json({ text: 'hello' })} ${url}/notes
  ${curl} ${session} ${url}/notes
  ${curl} ${session} ${header('content-type: application/octet-stream')} -d ${quote('as a file')} ${
    quote(`${url}/files?name=hello.txt`)}
${pages.map((page) => `In a browser: ${url}${page}\n`).join('')}`);
}

/**
 * For the shell of the system: single quotes in a POSIX shell, doubled ones with escapes in cmd.exe.
 * @param {string} text without single quotes
 */
function quote(text) {
  return process.platform === 'win32' ? `"${text.replaceAll('"', '\\"')}"` : `'${text}'`;
}

module.exports = { announce };
