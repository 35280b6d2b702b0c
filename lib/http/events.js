// @ts-check
'use strict';

/**
 * Security events: what the pieces of holdfast/express and holdfast/nestjs tell whoever listens to the diagnostics
 * channel 'holdfast:security'. Without a listener an event costs one test of a flag. An event never holds a body, a
 * cookie, a token, a header's value or any other thing that a client sent, save its address and the route it asked for.
 * The kinds, and the fields of each, are in docs/events.md.
 */

const diagnostics = require('node:diagnostics_channel');
const { addressOf, requestIdOf, routeOf } = require('./request.js');

const CHANNEL = 'holdfast:security';
const channel = diagnostics.channel(CHANNEL);

/** Every kind of event. @type {readonly string[]} */
const KINDS = Object.freeze([
  'body.refused',
  'cors.refused',
  'csrf.refused',
  'json.refused',
  'pattern.refused',
  'problem',
  'proxy.untrusted',
  'query.refused',
  'rate-limit.exceeded',
  'rate-limit.slowed',
  'server.connection-refused',
  'server.shutdown',
  'session.refused',
  'session.rotated',
]);

/**
 * @param {string} kind One of KINDS.
 * @param {any} req The request it is about, or undefined: an IncomingMessage, with what a framework added.
 * @param {Record<string, string | number | boolean | undefined>} [details] Codes, names of policies, counts.
 */
function publish(kind, req, details) {
  if (!channel.hasSubscribers) return;
  channel.publish({
    __proto__: null,
    kind,
    time: new Date().toISOString(),
    requestId: req === undefined ? undefined : requestIdOf(req),
    address: req === undefined ? undefined : addressOf(req),
    method: req?.method,
    route: req === undefined ? undefined : routeOf(req),
    ...details,
  });
}

module.exports = { CHANNEL, KINDS, publish };
