// `npm run start:nest`: as `npm start`, with the example in Nest.

import { endWithParent, main } from './command.mjs';
import { setup } from './setup.mjs';

await main(async () => {
  endWithParent();
  await setup();
  await import('../examples/nestjs/server.js');
});
