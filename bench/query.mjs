// Benchmarks of parseQuery: what a URL carries, what forms send, and what an attacker does. URLSearchParams is measured
// until its members are in an object, as the others have them. What differs in the work: node:querystring and
// URLSearchParams repair malformed text where parseQuery refuses it; nobody but parseQuery has limits or refuses names,
// node:querystring's limit of 1,000 parameters apart, over which it drops what follows. qs gets no limit of its own and plain objects, so that it reads names as the others do.
import querystring from 'node:querystring';
import { jsonOf } from './generate.mjs';

const PLAIN = 'page=2&limit=50&sort=created_at&order=desc&status=open&fields=id,name,email&q=report&expand=owner';
const ENCODED =
  'name=J%C3%BCrgen+M%C3%BCller&city=Z%C3%BCrich&q=hello+world%21&sort=-created_at&filter%5Bstatus%5D=open';

export const cases = [
  flat('99 characters, nothing encoded', PLAIN, { headline: 'parse a query of 8 parameters' }),
  flat('104 characters, most of it encoded', ENCODED),
  each(
    'one parameter, of eight names in turn',
    ['id', 'page', 'q', 'sort', 'token', 'lang', 'ref', 'code'].map((name, at) => `${name}=${8412077 + at}`),
  ),
  flat('1,000 parameters', Array.from({ length: 1000 }, (_, at) => `name${at}=value+${at}`).join('&')),
  flat('14 KB of text in two values, encoded as a form does', formOf(14 * 1024)),
  flat('100 KB in one value, nothing encoded', `a=${'x'.repeat(100 * 1024)}`),
];

function flat(title, text, options) {
  return each(title, [text], options);
}

// One after the other: where a program only ever sees one name, V8 specialises on it, for better or worse.
function each(title, texts, { headline } = {}) {
  return {
    group: 'Parse a query into an object',
    title,
    headline,
    operations: texts.length,
    async setup({ holdfast: { parseQuery }, peer }) {
      const qs = (await peer('qs'))?.default;
      const flatly = { depth: 0, parameterLimit: 10_000, plainObjects: true, duplicates: 'last' };
      // As they come out of a decoder, not the constants that V8 happens to hold.
      const queries = texts.map((text) => Buffer.from(text).toString('latin1'));
      return {
        contestants: {
          holdfast: () => queries.map((query) => parseQuery(query)),
          'node:querystring': () => queries.map((query) => querystring.parse(query)),
          qs: qs && (() => queries.map((query) => qs.parse(query, flatly))),
          URLSearchParams: () => queries.map((query) => Object.fromEntries(new URLSearchParams(query))),
        },
        normalize: (results) => results.map((result) => Object.entries(result)),
      };
    },
  };
}

/** Prose and JSON, as large forms have them. */
function formOf(bytes) {
  const half = jsonOf(bytes / 2, { names: 'international' });
  return String(new URLSearchParams({ first: half, second: half.toUpperCase() }));
}
