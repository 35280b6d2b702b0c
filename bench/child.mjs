// Measures one case and sends the result to run.mjs, which starts this file anew for every case, so that one case's
// heap, compiled code and inline caches do not colour the next one's. `list` as the index sends the cases of the file.
import { compare } from './harness.mjs';
import { loaderFor } from './peers.mjs';
import { requireStaged } from './stage.mjs';

const [file, index, probesText, roundsText] = process.argv.slice(2);
const { cases } = await import(`./${file}.mjs`);

if (index === 'list') {
  send(cases.map(({ group, title, note, headline, tags }) => ({ group, title, note, headline, tags })));
} else {
  const probes = JSON.parse(probesText);
  send({ result: await measure(cases[Number(index)], probes).catch(failed) });
}

async function measure(definition, probes) {
  const tools = { holdfast: requireStaged(), peer: loaderFor(probes) };
  const { rounds, operations, minSampleMs } = definition;
  const settings = { rounds: roundsText ? Number(roundsText) : rounds, operations, minSampleMs };
  if (definition.measure) return await definition.measure(tools, settings);
  const prepared = await definition.setup(tools);
  const result = await compare(prepared, settings);
  const unavailable = Object.keys(prepared.contestants).filter((name) => prepared.contestants[name] === null);
  const missing = {
    ...Object.fromEntries(unavailable.map((name) => [name, probes[name].reason])),
    ...prepared.excluded,
  };
  await prepared.close?.();
  return { ...result, missing };
}

function failed(error) {
  console.error(error);
  const [line] = error.message.split('\n');
  return { error: error.code ? `${error.code}: ${line}` : line };
}

// The channel keeps the process alive until the message is out, then nothing does: threads a case left behind must not.
function send(message) {
  process.send?.(message, () => process.exit(0));
}
