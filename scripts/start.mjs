// `npm start`: the set-up, then the Express example in this same process, so that signals reach it directly.

import { endWithParent, main } from './command.mjs';
import { setup } from './setup.mjs';

await main(async () => {
  endWithParent();
  await setup();
  await import('../examples/express/server.js');
});
