// Generated inputs: the same on every machine and in every run, because the random numbers are seeded. Called by the
// json, merge and regexp cases. What they look like: what services send each other (orders, people, settings) and the
// texts they search: prose, access logs, source code, pages.

/** Mulberry32 (public domain, Tommy Ettinger): enough for test data. Returns numbers in [0, 1). */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A JSON document of exactly `bytes` bytes of UTF-8: orders as long as they fit, then single lines of an order, and
 * a note that fills the rest.
 * @param {number} bytes at least 134
 * @param {{ names?: 'ascii' | 'international' }} [options]
 */
export function jsonOf(bytes, { names = 'ascii' } = {}) {
  const random = randomFrom(bytes);
  const document = { id: 8_412_077, customer: 'ana@example.org', express: true, note: '', orders: [], extra: [] };
  let length = Buffer.byteLength(JSON.stringify(document));
  length = fill(document.orders, length, bytes, () => orderOf(random, NAMES[names]));
  length = fill(document.extra, length, bytes, () => lineOf(random));
  document.note = sentence(random, bytes - length).slice(0, bytes - length);
  const text = JSON.stringify(document);
  if (Buffer.byteLength(text) !== bytes)
    throw new Error(`generated ${Buffer.byteLength(text)} bytes instead of ${bytes}`);
  return text;
}

/**
 * An object whose JSON has about `bytes` bytes: nested settings. Objects made with different seeds have part of their
 * keys in common, but never an array at the same place, because deep merges disagree about arrays by design.
 */
export function settingsOf(bytes, seed) {
  const random = randomFrom(seed);
  /** @type {Record<string, Record<string, unknown>>} */
  const settings = {};
  for (let length = 2; length < bytes; ) {
    const name = `${pick(random, SERVICES)}_${Math.floor(random() * 24)}`;
    settings[name] = serviceOf(random, seed);
    length = Buffer.byteLength(JSON.stringify(settings));
  }
  return settings;
}

/** A flat object of `count` keys, the first of them number `from`. */
export function recordOf(count, from) {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`key_${from + index}`, { value: from + index }]),
  );
}

/**
 * Text of exactly `length` UTF-16 code units, in lines.
 * @param {'prose' | 'log' | 'source' | 'page' | 'international'} kind
 * @param {number} length
 */
export function textOf(kind, length) {
  const random = randomFrom(length);
  const lines = [];
  for (let total = 0; total < length; ) {
    const line = `${LINES[kind](random)}\n`;
    lines.push(line);
    total += line.length;
  }
  return lines.join('').slice(0, length);
}

const SERVICES = ['billing', 'search', 'mailer', 'gateway', 'reports', 'uploads', 'accounts', 'webhooks'];
const WORDS = 'the order was left at the front desk since nobody answered please call before you come again'.split(' ');
const PRODUCTS = [
  'Oak table',
  'Desk lamp 40 W',
  'Chair, black',
  'Cable 2 m',
  'Notebook "A5"',
  'Path C:\\tmp',
  'Pen\tset',
];
const NAMES = {
  ascii: ['Ana Horvat', 'John Smith', 'Maria Rossi', 'Piet Jansen', 'Eva Novak'],
  international: ['Ana Horvatić', 'Jürgen Müller', '山田太郎', 'Мария Иванова', 'Zoë Sørensen 🙂'],
};

const VOCABULARY = (
  'the of and a to in is that for it as was with be by on not he this are or his from at which but have an had they ' +
  'you were their one all we can her has there been if more when will would who so no said what up its about into ' +
  "them could time only other new some these two may then do first any my now such like our over me even most made " +
  'after also did many before must through back years where much your way well down should because each just those ' +
  'people how too little state good very make world still own see work long here get both between life being under ' +
  'never day same another know while last might us great old year off come since against go came right used take ' +
  "three house order customer morning kitchen letter window quickly answered station evening river paper don't wasn't"
).split(' ');
const LANGUAGES = [
  'заказ оставили у входа потому что никто не ответил пожалуйста позвоните перед тем как прийти снова'.split(' '),
  'die Bestellung wurde am Empfang abgegeben weil niemand öffnete bitte rufen Sie vorher an'.split(' '),
  'la commande a été déposée à l’accueil car personne n’a répondu prière d’appeler avant de revenir'.split(' '),
  ['注文は', '受付に', '預けました', '次回は', 'お電話を', 'お願いします'],
];
const PATHS = ['/api/v1/orders', '/api/v1/orders/81', '/api/v1/people?page=2', '/', '/assets/app.js', '/login'];
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)',
  'curl/8.5.0',
];
const STATEMENTS = [
  'const NAME = await load(OTHER, { timeout: 30 });',
  'let NAME = OTHER.map((item) => item.id);',
  'if (NAME === null || OTHER.length > 20) return undefined;',
  'for (const NAME of OTHER) total += NAME.price * NAME.quantity;',
  'export function NAME(OTHER) {',
  '}',
  "throw new TypeError('NAME must be a string');",
  '// NAME is set once, before OTHER is read.',
  "NAME.push({ id: 7, label: 'OTHER', tags: [] });",
];

/** A line of text of every kind, without its end. */
const LINES = {
  prose: (random) => paragraph(random, VOCABULARY),
  log: (random) =>
    `192.0.2.${Math.floor(random() * 255)} - ana [21/Nov/2026:${clock(random)} +0000] ` +
    `"${random() < 0.8 ? 'GET' : 'POST'} ${pick(random, PATHS)} HTTP/1.1" ` +
    `${pick(random, ['200', '200', '200', '304', '404'])} ` +
    `${Math.floor(random() * 20000)} "-" "${pick(random, AGENTS)}"`,
  source: (random) =>
    '  '.repeat(Math.floor(random() * 4)) +
    pick(random, STATEMENTS).replaceAll('NAME', pick(random, SERVICES)).replaceAll('OTHER', pick(random, WORDS)),
  page: (random) =>
    `<p class="note"><a href="/orders/${Math.floor(random() * 999)}">${pick(random, WORDS)}</a> ` +
    `${paragraph(random, VOCABULARY).replaceAll('. ', pick(random, ['.<br>', '.<BR>', '.<br />']))}</p>`,
  international: (random) => paragraph(random, pick(random, LANGUAGES)),
};

// Three to six sentences, with commas and a number now and then.
function paragraph(random, words) {
  const sentences = Array.from({ length: 3 + Math.floor(random() * 4) }, () => {
    const list = Array.from({ length: 5 + Math.floor(random() * 12) }, () => {
      const word = random() < 0.04 ? String(Math.floor(random() * 500)) : pick(random, words);
      return word + (random() < 0.1 ? ',' : '');
    });
    const text = list.join(' ').replace(/,$/, '');
    return `${text[0].toUpperCase()}${text.slice(1)}.`;
  });
  return sentences.join(' ');
}

function clock(random) {
  return [24, 60, 60].map((end) => String(Math.floor(random() * end)).padStart(2, '0')).join(':');
}

// Adds what `next` makes until one does not fit; returns the length of the document then.
function fill(list, length, bytes, next) {
  for (;;) {
    const item = next();
    const added = Buffer.byteLength(JSON.stringify(item)) + (list.length > 0 ? 1 : 0);
    if (length + added > bytes) return length;
    list.push(item);
    length += added;
  }
}

function orderOf(random, names) {
  return {
    id: Math.floor(random() * 1e9),
    name: pick(random, names),
    placed: new Date(1.7e12 + Math.floor(random() * 1e10)).toISOString(),
    paid: random() < 0.8,
    coupon: random() < 0.2 ? 'WELCOME10' : null,
    address: {
      street: `${1 + Math.floor(random() * 200)} High Street`,
      postcode: String(10000 + Math.floor(random() * 89999)),
      country: 'NL',
    },
    lines: Array.from({ length: 1 + Math.floor(random() * 4) }, () => lineOf(random)),
    note: sentence(random, 20 + random() * 100),
  };
}

function lineOf(random) {
  return {
    product: pick(random, PRODUCTS),
    quantity: 1 + Math.floor(random() * 9),
    price: Math.round(random() * 1e5) / 100,
  };
}

function serviceOf(random, seed) {
  return {
    enabled: random() < 0.9,
    url: `https://service-${Math.floor(random() * 100)}.example.org/v1`,
    timeouts: {
      connectMs: Math.floor(random() * 1000),
      requestMs: Math.floor(random() * 30000),
      retry: { times: 3, backoffMs: 200 },
    },
    limits: { perMinute: Math.floor(random() * 600), burst: Math.floor(random() * 60), bytes: 1 << 20 },
    log: {
      level: pick(random, ['debug', 'info', 'warn']),
      fields: { service: true, host: random() < 0.5, trace: 'w3c' },
    },
    [`tags_${seed}`]: [pick(random, WORDS), pick(random, WORDS)],
  };
}

function sentence(random, length) {
  let text = pick(random, WORDS);
  while (text.length < length) text += ` ${pick(random, WORDS)}`;
  return text;
}

function pick(random, list) {
  return list[Math.floor(random() * list.length)];
}
