// @ts-check
'use strict';

/** The entry of `holdfast/eslint`: a plugin for flat configs, of ESLint 9 and 10. It loads nothing of ESLint. */

const { version } = require('../package.json');
const { rule } = require('./eslint/rule.js');

const meta = { name: 'holdfast', version };

const rules = { 'no-vulnerable-regexp': rule };

const configs = {
  recommended: {
    name: 'holdfast/recommended',
    plugins: /** @type {Record<string, object>} */ ({}),
    rules: { 'holdfast/no-vulnerable-regexp': 'error' },
  },
};

module.exports = { configs, meta, rules };

// A flat config holds the plugin, and the plugin holds it.
configs.recommended.plugins.holdfast = module.exports;
