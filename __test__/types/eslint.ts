// What users of `holdfast/eslint` write, for both majors of ESLint, and what must not compile. Compiled by
// types.test.js, never run.

import type { ESLint, Linter, Rule } from 'eslint';
import { defineConfig } from 'eslint/config';
import type { ESLint as ESLint9, Linter as Linter9, Rule as Rule9 } from 'eslint9';
import { defineConfig as defineConfig9 } from 'eslint9/config';
import holdfast, { configs, meta, rules } from 'holdfast/eslint';
import type { NoVulnerableRegExpOptions, Plugin, RecommendedConfig } from 'holdfast/eslint';

const options: NoVulnerableRegExpOptions = { minimum: 'exponential', reportUnknown: true, timeoutMs: 9, ignore: ['a'] };

export default defineConfig([
  holdfast.configs.recommended,
  configs.recommended,
  { files: ['**/*.ts'], extends: [holdfast.configs.recommended] },
  { plugins: { holdfast }, extends: ['holdfast/recommended'] },
  { plugins: { holdfast }, rules: { 'holdfast/no-vulnerable-regexp': ['error', options] } },
]);

export const nine = defineConfig9([
  holdfast.configs.recommended,
  configs.recommended,
  { files: ['**/*.ts'], extends: [holdfast.configs.recommended] },
  { plugins: { holdfast }, extends: ['holdfast/recommended'] },
  { plugins: { holdfast }, rules: { 'holdfast/no-vulnerable-regexp': ['error', options] } },
]);

export const plain: Linter.Config[] = [configs.recommended];
export const plain9: Linter9.Config[] = [configs.recommended];
export const plugins: ESLint.Plugin[] = [holdfast];
export const plugins9: ESLint9.Plugin[] = [holdfast];
export const modules: Rule.RuleModule[] = [rules['no-vulnerable-regexp']];
export const modules9: Rule9.RuleModule[] = [rules['no-vulnerable-regexp']];

export const own: [Plugin, RecommendedConfig, string] = [holdfast, configs.recommended, meta.version];

// @ts-expect-error
export const misspelt: NoVulnerableRegExpOptions = { minimun: 'exponential' };

// @ts-expect-error
export const none: NoVulnerableRegExpOptions = { minimum: 'linear' };

// @ts-expect-error
rules['no-such-rule'];
