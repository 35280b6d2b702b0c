// Benchmarks of mergeJson: the merge of two texts into a text, as a service does it that stores or forwards what it has
// merged. The peers have to parse, merge and write: @fastify/deepmerge, the fastest of them, and for RFC 7396 its own
// pseudo-code as JavaScript. mergeJson also looks at UTF-8, depth and unsafe keys in both texts, which they do not.
// Results are asserted equal as values: the packages order keys differently.
import { jsonOf, settingsOf } from './generate.mjs';

const settings = [settingsOf(14 * 1024, 1), settingsOf(8 * 1024, 2)].map((value) => JSON.stringify(value));
const document = jsonOf(1024 * 1024);
/** Of the document: some members changed, one new. No array meets another one: the packages disagree about arrays. */
const change = JSON.stringify({ customer: 'zoe@example.org', express: false, note: 'x'.repeat(900), seen: { at: 1 } });
/** Deletes a member, and one that is not there. */
const patch = JSON.stringify({ customer: null, gone: null, note: 'x'.repeat(900), seen: { at: 1 } });

export const cases = [
  merging('settings, 14 KB and 8 KB', settings, { headline: 'merge 14 KB and 8 KB of JSON into JSON, strings' }),
  merging('1 MB and a change of 1 KB', [document, change], { rounds: 21 }),
  merging('settings, 14 KB and 8 KB', settings, { bytes: true }),
  merging('1 MB and a change of 1 KB', [document, change], { bytes: true, rounds: 21 }),
  patching('settings, 14 KB and 8 KB', settings),
  patching('1 MB and a patch of 1 KB', [document, patch], { rounds: 21 }),
  patching('settings, 14 KB and 8 KB', settings, { bytes: true }),
  patching('1 MB and a patch of 1 KB', [document, patch], { bytes: true, rounds: 21 }),
];

function merging(title, texts, { bytes = false, headline, rounds } = {}) {
  return {
    group: `Merge two JSON ${bytes ? 'Buffers into a Buffer' : 'strings into a string'}`,
    title,
    headline,
    rounds,
    async setup({ holdfast: { mergeJson }, peer }) {
      const [target, patch] = texts.map((text) => (bytes ? Buffer.from(text) : decoded(text)));
      const fastify = (await peer('@fastify/deepmerge'))?.deepmerge();
      return {
        contestants: {
          holdfast: () => mergeJson(target, patch),
          'parse, @fastify/deepmerge, stringify': fastify && asText(fastify, target, patch),
        },
        normalize: (result) => JSON.parse(String(result)),
      };
    },
  };
}

function patching(title, texts, { bytes = false, rounds } = {}) {
  return {
    group: `Apply a JSON Merge Patch (RFC 7396) to a ${bytes ? 'Buffer' : 'string'}`,
    title,
    rounds,
    async setup({ holdfast: { mergeJson } }) {
      const [target, patch] = texts.map((text) => (bytes ? Buffer.from(text) : decoded(text)));
      const options = { mode: 'patch' };
      return {
        contestants: {
          holdfast: () => mergeJson(target, patch, options),
          'parse, apply, stringify': asText(applied, target, patch),
        },
        normalize: (result) => JSON.parse(String(result)),
      };
    },
  };
}

/** What there is to do without mergeJson. */
function asText(combine, target, patch) {
  if (typeof target === 'string') return () => JSON.stringify(combine(JSON.parse(target), JSON.parse(patch)));
  return () => Buffer.from(JSON.stringify(combine(JSON.parse(target.toString()), JSON.parse(patch.toString()))));
}

/** RFC 7396, section 2. */
function applied(target, patch) {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {};
  for (const key of Object.keys(patch)) {
    if (patch[key] === null) delete result[key];
    else result[key] = applied(result[key], patch[key]);
  }
  return result;
}

// A string that came through a decoder, as in a server, not the rope or the constant that V8 happens to hold.
function decoded(text) {
  return Buffer.from(text).toString();
}
