// @ts-check
'use strict';

/** What caches are told of an answer that is for one client: Cache-Control and Vary (RFC 9111). */

/**
 * An answer with a cookie or a token in it: a cache that kept it would give one client's to another. Whatever the route
 * said, unless it forbids that itself.
 *
 * @param {any} res
 */
function forbidSharing(res) {
  if (!hasDirective(res, 'no-store') && !hasDirective(res, 'private')) res.setHeader('Cache-Control', 'no-store');
}

/**
 * An answer for which a cookie was read: if it may be kept at all, then for requests with the same cookies.
 *
 * @param {any} res
 */
function varyByCookie(res) {
  if (hasDirective(res, 'no-store')) return;
  const names = listOf(res, 'vary');
  if (names.includes('cookie') || names.includes('*')) return;
  const given = res.getHeader('Vary');
  res.setHeader('Vary', names.length === 0 ? 'Cookie' : `${Array.isArray(given) ? given.join(', ') : given}, Cookie`);
}

/**
 * @param {any} res
 * @param {string} directive
 */
function hasDirective(res, directive) {
  return listOf(res, 'cache-control').includes(directive);
}

/**
 * The members of a header that is a list, in lower case.
 *
 * @param {any} res
 * @param {string} name
 * @returns {string[]}
 */
function listOf(res, name) {
  const given = res.getHeader(name);
  if (given === undefined) return [];
  return String(given)
    .toLowerCase()
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
}

module.exports = { forbidSharing, varyByCookie };
