// The import forms of a CommonJS module.

import holdfast = require('holdfast');
import { Keyring, generateKey } from 'holdfast';

const ring: holdfast.Keyring = new Keyring({ primary: 'a', keys: { a: generateKey() } });

export const token: string = ring.sealToken(1, { purpose: 'session' });
export const options: holdfast.JsonOptions = { limits: { depth: 1 } };
// @ts-expect-error not exported
export const nothing = holdfast.createError;
