'use strict';

/**
 * reflect-metadata, without which there is no Nest, for tests: it adds to Reflect what cannot be taken off again, and
 * builtins.js looks at what tests have left. So there is a copy of Reflect for it.
 */

const { getOwnPropertyDescriptors, getPrototypeOf } = Object;

globalThis.Reflect = Object.create(getPrototypeOf(Reflect), getOwnPropertyDescriptors(Reflect));

require('reflect-metadata');
