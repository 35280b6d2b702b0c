// @ts-check
'use strict';

/**
 * Makes `using` work with a class that has `dispose`, where the runtime knows Symbol.dispose. Node 20 and 22 have the symbol
 * without the syntax, for what compilers make of it.
 *
 * @param {{ prototype: { dispose(): void } }} disposable
 */
function makeDisposable({ prototype }) {
  if (typeof Symbol.dispose !== 'symbol') return;
  // The one that a subclass may have.
  const value = /** @this {{ dispose(): void }} */ function () {
    this.dispose();
  };
  const method = { __proto__: null, value, configurable: true, writable: true };
  Object.defineProperty(prototype, Symbol.dispose, method);
}

module.exports = { makeDisposable };
