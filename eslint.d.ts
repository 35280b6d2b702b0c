/**
 * `holdfast/eslint`: a plugin for ESLint 9 and 10. Its one rule, `no-vulnerable-regexp`, finds regular expressions that
 * take more than linear time on some texts. `docs/eslint.md` says what it looks at.
 *
 * ```js
 * import { defineConfig } from 'eslint/config';
 * import holdfast from 'holdfast/eslint';
 *
 * export default defineConfig([holdfast.configs.recommended]);
 * ```
 *
 * The types are written out, so that they hold with and without ESLint installed.
 */

/** What `no-vulnerable-regexp` takes. ESLint refuses any other name. */
export type NoVulnerableRegExpOptions = {
  /** What is reported at least. Default `'polynomial'`, which is both. */
  minimum?: 'polynomial' | 'exponential';
  /** Also report patterns of which it is not known how long they can take. Default `false`. */
  reportUnknown?: boolean;
  /** Milliseconds for one pattern, 1 to 60,000. Default 1000, as for `analyzeRegExp`. */
  timeoutMs?: number;
  /** Sources of patterns that are accepted, compared as a whole: `['\\s+$']`. Default none. */
  ignore?: string[];
};

/** As ESLint looks at a rule. */
export type RuleModule = {
  meta: {
    type: 'problem';
    docs: { description: string; recommended: boolean };
    hasSuggestions: true;
    schema: Record<string, any>[];
    messages: Record<'vulnerable' | 'refused' | 'unknown' | 'useSafeRegExp', string>;
  };
  create(context: any): Record<string, (node: any) => void>;
};

/** As ESLint looks at a plugin. */
export type Plugin = {
  meta: { name: string; version: string };
  rules: { 'no-vulnerable-regexp': RuleModule };
  configs: { recommended: RecommendedConfig };
};

/** One element of a flat config. */
export type RecommendedConfig = {
  name: string;
  plugins: { holdfast: Plugin };
  rules: { 'holdfast/no-vulnerable-regexp': 'error' };
};

export const meta: Plugin['meta'];
export const rules: Plugin['rules'];
export const configs: Plugin['configs'];
