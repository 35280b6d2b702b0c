// Benchmarks of sanitize: a clean copy of what JSON.parse gives, against the copies that the platform makes. They check
// nothing: structuredClone keeps a `__proto__` key, JSON.parse after JSON.stringify does too; both invoke getters, and
// JSON knows no cycles. structuredClone overflows at about 2,000 levels, JSON.stringify at 4,200.
import { jsonOf } from './generate.mjs';

const SIZES = [
  ['134 B', 134],
  ['1 KB', 1024],
  ['14 KB', 14 * 1024],
  ['143 KB', 143 * 1024],
];

export const cases = [
  ...SIZES.map(([title, bytes]) => copying(`${title} of JSON`, JSON.parse(jsonOf(Number(bytes))))),
  copying(
    '10,000 numbers',
    Array.from({ length: 10_000 }, (_, at) => at),
  ),
];

function copying(title, value) {
  return {
    group: 'Copy a parsed value',
    title,
    headline: title === '14 KB of JSON' ? 'clean copy of 14 KB of JSON, parsed' : undefined,
    setup({ holdfast: { sanitize } }) {
      return {
        contestants: {
          holdfast: () => sanitize(value),
          structuredClone: () => structuredClone(value),
          'JSON.parse after stringify': () => JSON.parse(JSON.stringify(value)),
        },
      };
    },
  };
}
