// Generated inputs: the same on every machine and in every run, because the random numbers are seeded. Called by the
// json and merge cases. What they look like: what services send each other (orders, people, settings).

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
