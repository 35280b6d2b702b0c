// The import forms of an ES module, and that they are one with what require gives.

import whole, { JsonError, parseJson } from 'holdfast';
import * as namespace from 'holdfast';
import type { JsonOptions } from 'holdfast';

const options: JsonOptions = { protoKey: 'error' };

export const fromDefault: typeof parseJson = whole.parseJson;
export const fromNamespace: typeof parseJson = namespace.parseJson;
export const error: typeof JsonError = namespace.JsonError;
export const value: unknown = parseJson('1', options);
// @ts-expect-error not exported
export { redosAnalyze } from 'holdfast';
// @ts-expect-error lib/ is not public
export type Inner = typeof import('holdfast/lib/json.js');
