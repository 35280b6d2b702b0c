// Benchmarks of merge: settings of 14 KB and 8 KB as services have them, flat records of 16,000 keys each, a few
// options over their defaults, and lists that only one side has.
// The packages disagree about arrays (concatenate, replace, by index), so no array meets another one here and the
// results can be asserted equal. What differs in the work: merge makes every object anew, takes arrays over by
// reference and refuses `__proto__`; deepmerge, @fastify/deepmerge and lodash.merge copy arrays too; defu and
// deepmerge-ts take over by reference even objects that only one side has. Merge alone looks at every member before it
// reads it, so that no accessor is invoked, and into lists: there the peers that take over by reference do nothing.
import { recordOf, settingsOf } from './generate.mjs';

const defaults = { host: 'localhost', port: 8080, tls: { enabled: true, versions: 2 } };
const numbers = Array.from({ length: 10_000 }, (_, index) => index * 3);
const records = Array.from({ length: 1_000 }, (_, index) => ({ id: index, name: `name ${index}` }));
const settings = { a: settingsOf(14 * 1024, 1), b: settingsOf(8 * 1024, 2) };

export const cases = [
  merging('settings, 14 KB and 8 KB', settings, { headline: 'deep merge of 14 KB and 8 KB of settings' }),
  merging(
    'flat, 16,000 and 16,000 keys, half of them common',
    { a: recordOf(16_000, 0), b: recordOf(16_000, 8_000) },
    { rounds: 7 },
  ),
  merging('options, 5 values and 2', { a: defaults, b: { port: 8443, tls: { versions: 3 } } }),
  merging('a list of 10,000 numbers, on one side', { a: { numbers, name: 'a' }, b: { name: 'b' } }),
  merging('a list of 1,000 records, on one side', { a: { records, name: 'a' }, b: { name: 'b' } }),
];

function merging(title, { a, b }, { headline, rounds } = {}) {
  return {
    group: 'Merge two objects into a new one',
    title,
    headline,
    rounds,
    async setup({ holdfast: { merge }, peer }) {
      const deepmerge = (await peer('deepmerge'))?.default;
      const fastify = (await peer('@fastify/deepmerge'))?.deepmerge();
      const lodash = (await peer('lodash.merge'))?.default;
      const defu = (await peer('defu'))?.defu;
      const typed = (await peer('deepmerge-ts'))?.deepmerge;
      return {
        contestants: {
          holdfast: () => merge(a, b),
          deepmerge: deepmerge && (() => deepmerge(a, b)),
          '@fastify/deepmerge': fastify && (() => fastify(a, b)),
          'lodash.merge': lodash && (() => lodash({}, a, b)),
          defu: defu && (() => defu(b, a)),
          'deepmerge-ts': typed && (() => typed(a, b)),
        },
      };
    },
  };
}
