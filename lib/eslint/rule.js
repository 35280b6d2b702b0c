// @ts-check
'use strict';

/**
 * The rule no-vulnerable-regexp: reports patterns that take V8 more than linear time, with the text that shows it. It
 * looks at regex literals and at RegExp calls of constants; what is given to SafeRegExp is in order.
 */

const { attackCode } = require('./attack.js');
const { isRegExpCall, isWrapper, memberName, patternOf, unwrap } = require('./constant.js');
const { findingOf } = require('./findings.js');
const { isOneOf, resolver } = require('./names.js');
const { replacing } = require('./suggestion.js');

/**
 * @typedef {import('./constant.js').Node} Node
 * @typedef {import('./constant.js').Pattern} Pattern
 * @typedef {import('./findings.js').Analysis} Analysis
 * @typedef {{ minimum: string, reportUnknown: boolean, timeoutMs: number | undefined, ignore: string[] }} Settings
 */

/** UTF-16 code units that are shown of a part of a pattern. */
const MAX_PART = 60;

const schema = [
  {
    type: 'object',
    properties: {
      minimum: { enum: ['polynomial', 'exponential'] },
      reportUnknown: { type: 'boolean' },
      timeoutMs: { type: 'integer', minimum: 1, maximum: 60_000 },
      ignore: { type: 'array', items: { type: 'string' }, uniqueItems: true },
    },
    additionalProperties: false,
  },
];

const messages = {
  vulnerable:
    '{{time}}: V8 tries again and again on {{attack}}{{place}}. ' +
    "Use SafeRegExp of 'holdfast', which takes linear time, or rewrite the pattern.",
  refused:
    '{{time}}: V8 tries again and again on {{attack}}{{place}}. ' +
    'Rewrite the pattern or limit the length of the text; SafeRegExp refuses it: {{reason}}.',
  unknown: 'How long this pattern can take is not known: {{reason}}.',
  useSafeRegExp: 'Match with SafeRegExp.',
};

const rule = {
  meta: {
    type: 'problem',
    docs: {
      description: 'disallow regular expressions that take more than linear time on some texts',
      recommended: true,
    },
    hasSuggestions: true,
    schema,
    messages,
  },
  create,
};

/** @param {any} context */
function create(context) {
  const { sourceCode } = context;
  const resolve = resolver(sourceCode);
  const settings = settingsOf(context.options[0]);

  /** @param {Node} node what a suggestion replaces @param {Pattern} pattern @param {Node} place the node to show */
  function check(node, pattern, place) {
    if (settings.ignore.includes(pattern.source)) return;
    const finding = findingOf(pattern.source, pattern.flags, settings.timeoutMs);
    const report = reportOf(finding, pattern, settings);
    if (report === undefined) return;
    const fix = finding.supported ? replacing(sourceCode, node) : undefined;
    context.report({
      ...report,
      loc: locationOf(sourceCode, place, finding),
      suggest: fix === undefined ? [] : [{ messageId: 'useSafeRegExp', fix }],
    });
  }

  /** @param {Node} node */
  function checkCall(node) {
    if (!isRegExpCall(node, resolve) || isOnlyRead(node) || isGivenOn(node)) return;
    const pattern = patternOf(node, resolve);
    if (pattern !== undefined) check(node, pattern, node.arguments[0] ?? node);
  }

  /**
   * Whether a pattern is for something else than V8's matcher: for SafeRegExp, or for a RegExp call that is looked at
   * as a whole.
   *
   * @param {Node} node
   */
  function isGivenOn(node) {
    const [inner, outer] = insideOut(node);
    if (outer.type === 'ArrayExpression') {
      const [array, call] = insideOut(outer);
      return isFirstArgument(array, call) && isOneOf(sourceCode, call.callee, ['SafeRegExpSet']);
    }
    if (!isFirstArgument(inner, outer)) return false;
    if (isOneOf(sourceCode, outer.callee, ['SafeRegExp', 'analyzeRegExp'])) return true;
    return isRegExpCall(outer, resolve) && patternOf(outer, resolve) !== undefined;
  }

  return {
    /** @param {Node} node */
    Literal(node) {
      if (!node.regex || isOnlyRead(node) || isGivenOn(node)) return;
      const [inner, outer] = insideOut(node);
      // RegExp makes a RegExp also of a SafeRegExp: with flags that are not known, the call is what is to be replaced.
      const isCopied = isFirstArgument(inner, outer) && isRegExpCall(outer, resolve);
      check(isCopied ? outer : node, { source: node.regex.pattern, flags: node.regex.flags }, node);
    },
    CallExpression: checkCall,
    NewExpression: checkCall,
  };
}

/** @param {Partial<Settings> | undefined} options as the schema lets them through @returns {Settings} */
function settingsOf({ minimum = 'polynomial', reportUnknown = false, timeoutMs, ignore = [] } = {}) {
  return { minimum, reportUnknown, timeoutMs, ignore };
}

/**
 * @param {Analysis} finding
 * @param {Pattern} pattern
 * @param {Settings} settings
 */
function reportOf(finding, { source }, { minimum, reportUnknown }) {
  const { complexity, degree, attack, supported } = finding;
  if (complexity === 'linear') return undefined;
  if (complexity === 'unknown') {
    const reason = finding.undecided ?? 'the analysis came to no end';
    return reportUnknown ? { messageId: 'unknown', data: { reason } } : undefined;
  }
  if (minimum === 'exponential' && complexity !== 'exponential') return undefined;
  const data = {
    time: complexity === 'exponential' ? 'Exponential time' : `Polynomial time of degree ${degree}`,
    attack: (attack === null ? undefined : attackCode(attack)) ?? 'what analyzeRegExp(pattern).attackString(n) gives',
    place: placeOf(finding, source),
    reason: finding.reason ?? '',
  };
  return { messageId: supported ? 'vulnerable' : 'refused', data };
}

/**
 * ` at (a+)+`, by the parts of the pattern itself.
 *
 * @param {Analysis} finding
 * @param {string} source
 */
function placeOf({ hotspots }, source) {
  const parts = hotspots.map(({ start, end }) => {
    const part = source.slice(start, end);
    return part.length > MAX_PART ? `${part.slice(0, MAX_PART)}…` : part;
  });
  const distinct = [...new Set(parts)];
  return distinct.length === 0 ? '' : ` at ${distinct.join(' and ')}`;
}

/**
 * In a literal the first of the loops at fault; in a string, which may be escaped and put together, the argument.
 *
 * @param {any} sourceCode
 * @param {Node} place
 * @param {Analysis} finding
 */
function locationOf(sourceCode, place, { hotspots: [hotspot] }) {
  const literal = unwrap(place);
  if (hotspot === undefined || !literal.regex) return place.loc;
  const start = literal.range[0] + 1;
  return {
    start: sourceCode.getLocFromIndex(start + hotspot.start),
    end: sourceCode.getLocFromIndex(start + hotspot.end),
  };
}

/**
 * A node with what changes nothing about its value, and the node around that.
 *
 * @param {Node} node
 * @returns {[Node, Node]}
 */
function insideOut(node) {
  let inner = node;
  while (isWrapper(inner.parent)) inner = inner.parent;
  return [inner, inner.parent];
}

/** @param {Node} node @param {Node} call */
function isFirstArgument(node, call) {
  return (call.type === 'CallExpression' || call.type === 'NewExpression') && call.arguments[0] === node;
}

/** `/a/.source` alone matches nothing. @param {Node} node */
function isOnlyRead(node) {
  const [inner, outer] = insideOut(node);
  if (outer.type !== 'MemberExpression' || outer.object !== inner) return false;
  return ['source', 'flags'].includes(memberName(outer) ?? '');
}

module.exports = { rule };
