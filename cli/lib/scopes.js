// @ts-check
'use strict';

/**
 * Which declaration a name stands for: the scopes of one file, built while patterns.js walks its tree. Where that
 * cannot be told (inside `with`, beside a direct `eval`), the answer is "unknown", and nothing is concluded from the
 * name.
 */

/** Of a scope whose names cannot be listed. */
const DYNAMIC = 1;
/** Of a scope that `var` declarations rise to. */
const FUNCTION = 2;

/**
 * @typedef {import('./tree.js').Node} Node
 * @typedef {{ init: Node | null, scope: Scope }} Binding `init`: what a `const` is initialised with, else null.
 */

class Scope {
  /**
   * @param {Scope | null} parent
   * @param {number} kind
   */
  constructor(parent, kind) {
    this.parent = parent;
    this.kind = kind;
    /** @type {Map<string, Binding> | null} */
    this.names = null;
  }

  /**
   * @param {string} name
   * @param {Node | null} init
   */
  declare(name, init) {
    this.names ??= new Map();
    this.names.set(name, { init, scope: this });
  }

  /** @returns {Scope} the scope that a `var` in this one belongs to */
  get home() {
    /** @type {Scope} */
    let scope = this;
    while ((scope.kind & FUNCTION) === 0 && scope.parent !== null) scope = scope.parent;
    return scope;
  }

  /**
   * @param {string} name
   * @returns {Binding | 'global' | 'unknown'}
   */
  find(name) {
    for (let scope = /** @type {Scope | null} */ (this); scope !== null; scope = scope.parent) {
      const binding = scope.names?.get(name);
      if (binding !== undefined) return binding;
      if ((scope.kind & DYNAMIC) !== 0) return 'unknown';
    }
    return 'global';
  }
}

/**
 * Every name that a binding pattern declares.
 *
 * @param {Node} pattern
 * @param {(name: string) => void} each
 */
function eachName(pattern, each) {
  /** @type {(Node | null | undefined)[]} */
  const open = [pattern];
  while (open.length > 0) {
    const node = open.pop();
    if (node === null || node === undefined) continue;
    if (node.type === 'Identifier') each(node.name);
    else if (node.type === 'AssignmentPattern') open.push(node.left);
    else if (node.type === 'RestElement') open.push(node.argument);
    else if (node.type === 'TSParameterProperty') open.push(node.parameter);
    else if (node.type === 'Property') open.push(node.value);
    else if (node.type === 'ArrayPattern') for (const element of node.elements) open.push(element);
    else if (node.type === 'ObjectPattern') for (const property of node.properties) open.push(property);
  }
}

module.exports = { DYNAMIC, FUNCTION, Scope, eachName };
