// @ts-check
'use strict';

/**
 * A walk over a syntax tree without recursion: however deep a file nests, the stack of this process does not. The tree
 * is what oxc-parser returns, ESTree with TypeScript's nodes.
 */

/** @typedef {any} Node A node: `type`, `start` and `end` (UTF-16 units), and the fields of its type. */

/**
 * Calls `enter` on every node, parents first and in the order of the text; what it returns is handed to the node's
 * children in place of `inherited`.
 *
 * @template T
 * @param {Node} root
 * @param {T} inherited
 * @param {(node: Node, inherited: T) => T} enter
 */
function walk(root, inherited, enter) {
  /** @type {Node[]} */
  const nodes = [root];
  /** @type {T[]} */
  const contexts = [inherited];
  while (nodes.length > 0) {
    const node = nodes.pop();
    const context = enter(node, /** @type {T} */ (contexts.pop()));
    const first = nodes.length;
    for (const key in node) {
      const value = node[key];
      if (typeof value !== 'object' || value === null) continue;
      if (Array.isArray(value)) {
        for (const item of value) if (isNode(item)) nodes.push(item);
      } else if (isNode(value)) {
        nodes.push(value);
      }
    }
    for (let place = first; place < nodes.length; place += 1) contexts.push(context);
    reverse(nodes, first);
  }
}

/** @param {any} value */
function isNode(value) {
  return typeof value === 'object' && value !== null && typeof value.type === 'string';
}

/**
 * The last one pushed is looked at first.
 *
 * @param {Node[]} nodes
 * @param {number} from
 */
function reverse(nodes, from) {
  for (let low = from, high = nodes.length - 1; low < high; low += 1, high -= 1) {
    [nodes[low], nodes[high]] = [nodes[high], nodes[low]];
  }
}

module.exports = { walk };
