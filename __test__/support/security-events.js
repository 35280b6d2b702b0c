'use strict';

/** What is published on the channel of security events while a test runs. */

const diagnostics = require('node:diagnostics_channel');

function eventsOf(t) {
  const events = [];
  const listen = (event) => events.push(event);
  diagnostics.subscribe('holdfast:security', listen);
  t.after(() => diagnostics.unsubscribe('holdfast:security', listen));
  return events;
}

module.exports = { eventsOf };
