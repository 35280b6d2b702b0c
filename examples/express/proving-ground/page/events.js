// @ts-check

// A run as the server tells of it: server-sent events in the answer to a POST. (EventSource could only GET, and would
// begin another run when the connection breaks.)

/** A run that was not begun. The message is for the reader. */
export class Refused extends Error {}

/**
 * @param {string} url
 * @param {AbortSignal} signal ends the run, too: it lasts as long as the connection
 * @returns {AsyncGenerator<{ event: string, data: any }>}
 */
export async function* eventsOf(url, signal) {
  const response = await fetch(url, { method: 'POST', headers: { Accept: 'text/event-stream' }, signal });
  if (!response.ok || response.body === null) throw new Refused(await reasonOf(response));
  let text = '';
  for await (const chunk of chunksOf(response.body.pipeThrough(new TextDecoderStream()))) {
    const messages = (text + chunk).split('\n\n');
    text = messages.pop() ?? '';
    yield* messages.map(parse);
  }
}

/**
 * Not every browser can iterate a stream.
 * @param {ReadableStream<string>} stream
 */
async function* chunksOf(stream) {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

/** @param {string} message */
function parse(message) {
  const fields = new Map(message.split('\n').map((line) => {
    const colon = line.indexOf(': ');
    return [line.slice(0, colon), line.slice(colon + 2)];
  }));
  return { event: fields.get('event') ?? '', data: JSON.parse(fields.get('data') ?? 'null') };
}

/** @param {Response} response */
async function reasonOf(response) {
  const problem = await response.json().catch(() => ({}));
  return problem.detail ?? `The server refused to run the attack (${response.status} ${response.statusText}).`;
}
