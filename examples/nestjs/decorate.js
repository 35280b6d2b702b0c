// @ts-check
'use strict';

// Decorators without a compiler: what TypeScript makes of `@Get() list(@CurrentUser() user)`, as a call in a static
// block in front of the member. In TypeScript you write the decorators themselves, and need none of this.

/**
 * @param {Function} target
 * @param {string} member the name of a method, or `constructor`: the class itself
 * @param {Function[]} decorators
 * @param {Function[]} [parameters] one for each parameter
 */
function decorate(target, member, decorators, parameters = []) {
  const isClass = member === 'constructor';
  const owner = isClass ? target : target.prototype;
  const key = isClass ? undefined : member;
  const rest = isClass ? [] : [member, Object.getOwnPropertyDescriptor(owner, member)];
  parameters.forEach((decorator, index) => decorator(owner, key, index));
  for (const decorator of decorators.toReversed()) decorator(owner, ...rest);
}

module.exports = { decorate };
