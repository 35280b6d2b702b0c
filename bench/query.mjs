// Benchmarks of parseQuery: what a URL carries, what forms send, and what an attacker does. URLSearchParams is measured
// until its members are in an object, as the others have them. What differs in the work: node:querystring and
// URLSearchParams repair malformed text where parseQuery refuses it; nobody but parseQuery has limits or refuses names,
// node:querystring's limit of 1,000 parameters apart, over which it drops what follows. qs is no peer here yet.
import querystring from 'node:querystring';
import { jsonOf } from './generate.mjs';

const PLAIN = 'page=2&limit=50&sort=created_at&order=desc&status=open&fields=id,name,email&q=report&expand=owner';
const ENCODED = 'name=J%C3%BCrgen+M%C3%BCller&city=Z%C3%BCrich&q=hello+world%21&sort=-created_at&filter%5Bstatus%5D=open';

export const cases = [
  flat('99 characters, nothing encoded', PLAIN, { headline: 'parse a query of 8 parameters' }),
  flat('104 characters, most of it encoded', ENCODED),
  flat('one parameter', 'id=8412077'),
  flat('1,000 parameters', Array.from({ length: 1000 }, (_, at) => `name${at}=value+${at}`).join('&')),
  flat('14 KB of text in two values, encoded as a form does', formOf(14 * 1024)),
  flat('100 KB in one value, nothing encoded', `a=${'x'.repeat(100 * 1024)}`),
];

function flat(title, text, { headline } = {}) {
  return {
    group: 'Parse a query into an object',
    title,
    headline,
    setup({ holdfast: { parseQuery } }) {
      // As it comes out of a decoder, not the constant that V8 happens to hold.
      const query = Buffer.from(text).toString('latin1');
      return {
        contestants: {
          holdfast: () => parseQuery(query),
          'node:querystring': () => querystring.parse(query),
          URLSearchParams: () => Object.fromEntries(new URLSearchParams(query)),
        },
        normalize: (result) => Object.entries(result),
      };
    },
  };
}

/** Prose and JSON, as large forms have them. */
function formOf(bytes) {
  const half = jsonOf(bytes / 2, { names: 'international' });
  return String(new URLSearchParams({ first: half, second: half.toUpperCase() }));
}
