// @ts-check
'use strict';

/**
 * The native module, ready for use: loaded, and told how errors are made. Every file in lib/ that calls native code
 * requires this one.
 */

const binding = require('./binding.js');
const { createError } = require('./errors.js');

binding.initialize(createError);

module.exports = binding;
