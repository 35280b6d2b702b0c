// Many cases as one figure: which groups are summed up, how, and what the project wants them to be. Called by
// table.mjs and report.mjs. Guarantees: every case of the group counts alike, none is left out without a word, the
// lowest ratio and the number of losses stand beside the mean, and ratios are never averaged arithmetically.
import { median } from './harness.mjs';

/** Mean of ratios: the same whichever way round they are divided. */
export function geometricMean(values) {
  if (values.length === 0) throw new RangeError('a mean needs at least one value');
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

const METHODS = { median, 'geometric mean': geometricMean };

/**
 * The groups that are summed up. `targets` is what the project has set itself, as `peer ÷ Holdfast`: for the mean or
 * median, or for the lowest of the group.
 * @typedef {{ method: keyof typeof METHODS, targetOf?: 'all' | 'lowest', targets?: Record<string, number> }} Aggregated
 * @type {Record<string, Aggregated>}
 */
export const AGGREGATED = {
  'Short strings, test()': { method: 'median', targetOf: 'all', targets: { 'V8 RegExp': 1 / 1.5, re2: 1 / 0.8 } },
  'Short strings, exec()': { method: 'median' },
  Lookarounds: { method: 'geometric mean', targetOf: 'lowest', targets: { 'V8 RegExp': 1 / 3 } },
  'Long text': { method: 'geometric mean', targetOf: 'all', targets: { 'V8 RegExp': 1.5, re2: 4 } },
};

/**
 * @typedef {object} Line
 * @property {string} label
 * @property {number} [cases]
 * @property {number} [failed]
 * @property {'ratio' | 'target' | 'count'} unit
 * @property {(number | null)[]} figures  one for every peer; null: there is none
 */

/**
 * The figures of one group, or nothing when it is not one that is summed up: all cases, the lowest ratio, the losses,
 * the target, and a line for every value of every tag.
 * @returns {{ method: string, peers: string[], lines: Line[] } | null}
 */
export function aggregate(group, results) {
  const { method, targetOf, targets } = AGGREGATED[group] ?? {};
  const peers = [...new Set(results.flatMap((result) => Object.keys(result.ratios ?? {})))];
  if (!method || results.length === 0) return null;
  const figures = (of, figure) => peers.map((peer) => figureOf(ratiosOf(of, peer), figure));
  const mean = (label, of) => ({ label, ...countsOf(of), unit: 'ratio', figures: figures(of, METHODS[method]) });
  const lines = [
    mean('all', results),
    { label: 'lowest', unit: 'ratio', figures: figures(results, (values) => Math.min(...values)) },
    {
      label: 'cases in which Holdfast is slower',
      unit: 'count',
      figures: figures(results, (values) => values.filter((ratio) => ratio < 1).length),
    },
  ];
  if (targets) {
    const label = `target for the ${targetOf === 'all' ? method : 'lowest'}`;
    lines.push({ label, unit: 'target', figures: peers.map((peer) => targets[peer] ?? null) });
  }
  for (const [name, value] of tagsOf(results)) {
    lines.push(
      mean(
        value,
        results.filter((result) => result.tags?.[name] === value),
      ),
    );
  }
  return { method, peers, lines };
}

function figureOf(values, figure) {
  return values.length === 0 ? null : figure(values);
}

// A case that failed has no ratio.
function countsOf(results) {
  const failed = results.filter((result) => !result.ratios).length;
  return { cases: results.length - failed, failed };
}

function ratiosOf(results, peer) {
  return results.flatMap((result) => result.ratios?.[peer]?.median ?? []);
}

// All values of the first tag, then all of the second one.
function tagsOf(results) {
  const names = new Set(results.flatMap(({ tags }) => Object.keys(tags ?? {})));
  return [...names].flatMap((name) => {
    const values = new Set(results.flatMap(({ tags }) => tags?.[name] ?? []));
    return [...values].map((value) => [name, value]);
  });
}
