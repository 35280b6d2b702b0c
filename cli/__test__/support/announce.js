'use strict';

/** Loaded before the command: says on standard error when the first pattern is given to a worker. */

const { Worker } = require('node:worker_threads');

const { postMessage } = Worker.prototype;
let announced = false;
Worker.prototype.postMessage = function announcing(task) {
  postMessage.call(this, task);
  if (!announced && task.kind === 'pattern') process.stderr.write('analysing\n');
  announced ||= task.kind === 'pattern';
};
