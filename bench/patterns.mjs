// Regular expressions as web services hold them: validators, extractors, clean-ups. Data only, read by regexp*.mjs.
// The list was written before it was known which of them this version of SafeRegExp runs, and is not adjusted to it.
// `yes` and `no` are inputs that `test` accepts and rejects; they are checked against V8.

/** @type {{ name: string, pattern: RegExp, yes: string[], no: string[] }[]} */
export const PATTERNS = [
  // Validators
  {
    name: 'e-mail, simple',
    pattern: /^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}$/,
    yes: ['ana.horvat@example.org', 'a+b@mail.example.co', 'firstname.lastname@examples.org'],
    no: ['ana.horvat@example', 'not an e-mail', 'firstname.lastname@examples.o'],
  },
  {
    name: 'e-mail, HTML standard',
    pattern:
      /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/,
    yes: ['ana.horvat@example.org', 'a@b', 'firstname.lastname@mail.examples.org'],
    no: ['ana@-example.org', 'ana horvat@example.org', 'firstname.lastname@mail..example.org'],
  },
  {
    name: 'UUID',
    pattern: /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i,
    yes: [
      '5f0c1f0e-6a86-4a0a-9f5e-2f9c1a1b7c3d',
      '018F3A5C-7B1E-7C2D-8E4F-0A1B2C3D4E5F',
      'c232ab00-9414-41ec-b3c8-9f6bdeced846',
    ],
    no: [
      '5f0c1f0e-6a86-4a0a-9f5e-2f9c1a1b7c3',
      '5f0c1f0e6a864a0a9f5e2f9c1a1b7c3d',
      'c232ab00-9414-91ec-b3c8-9f6bdeced846',
    ],
  },
  {
    name: 'ULID',
    pattern: /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/,
    yes: ['01ARZ3NDEKTSV4RRFFQ69G5FAV'],
    no: ['81ARZ3NDEKTSV4RRFFQ69G5FAV', '01ARZ3NDEKTSV4RRFFQ69G5FA'],
  },
  {
    name: 'MongoDB id',
    pattern: /^[a-f\d]{24}$/i,
    yes: ['507f1f77bcf86cd799439011'],
    no: ['507f1f77bcf86cd79943901', 'zzzf1f77bcf86cd799439011'],
  },
  {
    name: 'slug',
    pattern: /^[a-z0-9]+(?:-[a-z0-9]+)*$/,
    yes: ['how-to-seal-a-note', 'notes', 'ten-things-to-know-about-regular-expressions-in-2026'],
    no: ['How-To', 'how-to--seal', 'ten-things-to-know-about-regular-expressions-'],
  },
  {
    name: 'user name',
    pattern: /^[a-z][a-z0-9_.-]{2,31}$/i,
    yes: ['ana.horvat', 'Ana_99', 'the-quick-brown-fox'],
    no: ['9ana', 'an', 'ana horvat'],
  },
  {
    name: 'password strength',
    pattern: /^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[^\w\s]).{8,}$/,
    yes: ['Passw0rd!'],
    no: ['password', 'Passw0rd'],
  },
  {
    name: 'ISO date',
    pattern: /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/,
    yes: ['2026-11-21', '1999-01-31', '2000-02-29'],
    no: ['2026-13-01', '2026-11-21T10:00', '21/11/2026'],
  },
  {
    name: 'ISO date and time',
    pattern: /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/,
    yes: ['2026-11-21T19:18:09Z', '2026-11-21T19:18:09.123+01:00', '1999-12-31T23:59:59.999Z'],
    no: ['2026-11-21 19:18:09', '2026-11-21T19:18Z', '2026-11-21T19:18:09.123'],
  },
  { name: 'time of day', pattern: /^(?:[01]\d|2[0-3]):[0-5]\d$/, yes: ['19:18', '00:00'], no: ['24:00', '9:18'] },
  {
    name: 'IPv4',
    pattern: /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)$/,
    yes: ['192.168.1.254', '8.8.8.8', '10.0.120.7'],
    no: ['256.1.1.1', '1.2.3', '192.168.1.2544'],
  },
  {
    name: 'IPv6, full form',
    pattern: /^(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$/i,
    yes: ['2001:db8:0:0:0:ff00:42:8329'],
    no: ['2001:db8::1', '2001:db8:0:0:0:ff00:42:g'],
  },
  {
    name: 'MAC address',
    pattern: /^(?:[0-9A-F]{2}[:-]){5}[0-9A-F]{2}$/i,
    yes: ['00:1A:2b:3C:4d:5E'],
    no: ['00:1A:2b:3C:4d', '00:1A:2b:3C:4d:5G'],
  },
  {
    name: 'host name',
    pattern: /^(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*$/i,
    yes: ['www.example.org'],
    no: ['-a.example', 'a-.example'],
  },
  {
    name: 'http URL',
    pattern: /^https?:\/\/[\w.-]+(?::\d{1,5})?(?:\/[^\s?#]*)?(?:\?[^\s#]*)?(?:#\S*)?$/,
    yes: [
      'https://example.org/notes?id=7#top',
      'http://localhost:3000',
      'https://static.example.org/assets/2026/11/app.bundle.min.js',
    ],
    no: ['ftp://example.org', 'https://exa mple.org', 'https://example.org/notes?q=two words'],
  },
  {
    name: 'phone, E.164',
    pattern: /^\+[1-9]\d{1,14}$/,
    yes: ['+31612345678', '+14155552671', '+385911234567'],
    no: ['0612345678', '+0612345678', '+31 6 1234 5678'],
  },
  {
    name: 'phone, North America',
    pattern: /^(?:\+?1[-. ]?)?\(?([2-9]\d{2})\)?[-. ]?([2-9]\d{2})[-. ]?(\d{4})$/,
    yes: ['(415) 555-2671', '+1 415-555-2671'],
    no: ['415-155-2671', '5552671'],
  },
  {
    name: 'card number',
    pattern: /^(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|3[47]\d{13}|6(?:011|5\d{2})\d{12})$/,
    yes: ['4111111111111111', '378282246310005'],
    no: ['411111111111', '9111111111111111'],
  },
  {
    name: 'IBAN',
    pattern: /^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/,
    yes: ['NL91ABNA0417164300'],
    no: ['NL9', 'nl91abna0417164300'],
  },
  {
    name: 'postal code, several countries',
    pattern: /^(?:\d{5}(?:-\d{4})?|\d{4} ?[A-Z]{2}|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})$/,
    yes: ['94103-1234', '1017 AB', 'SW1A 1AA'],
    no: ['9410', 'ABCDEF'],
  },
  { name: 'hex colour', pattern: /^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i, yes: ['#fff', '#0A1b2C'], no: ['#ffff', 'fff'] },
  {
    name: 'money',
    pattern: /^\$?(?:\d{1,3}(?:,\d{3})*|\d+)(?:\.\d{2})?$/,
    yes: ['$1,249.50', '12', '1249.50'],
    no: ['1,24', '12.5'],
  },
  { name: 'decimal number', pattern: /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i, yes: ['-12.5e+3', '42'], no: ['12.', '0x10'] },
  {
    name: 'semantic version',
    pattern:
      /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$/,
    yes: ['1.2.3-rc.1+build.5', '20.19.0'],
    no: ['1.2', '01.2.3'],
  },
  {
    name: 'JSON Web Token',
    pattern: /^[\w-]+\.[\w-]+\.[\w-]*$/,
    yes: ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r'],
    no: ['eyJhbGciOiJIUzI1NiJ9', 'a.b c.d'],
  },
  {
    name: 'base64',
    pattern: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
    yes: ['aG9sZGZhc3Q=', ''],
    no: ['aG9sZGZhc3Q', 'aG9s=ZGZ'],
  },
  {
    name: 'MIME type',
    pattern: /^[a-z]+\/[a-z0-9.+-]+(?:; ?charset=([\w-]+))?$/i,
    yes: ['application/problem+json', 'text/html; charset=utf-8'],
    no: ['text', 'text/'],
  },
  {
    name: 'file name',
    pattern: /^[^<>:"/\\|?*\x00-\x1f]{1,255}\.(?:jpe?g|png|gif|webp|pdf)$/i,
    yes: ['holiday photo.JPG', 'invoice.pdf'],
    no: ['a/b.pdf', 'run.exe'],
  },
  {
    name: 'person name, any script',
    pattern: /^\p{L}[\p{L}\p{M}' -]{0,99}$/u,
    yes: ['Zoë Sørensen', '山田太郎'],
    no: ['R2D2', '-'],
  },
  {
    name: 'Latin letters with accents',
    pattern: /^[A-Za-zÀ-ÖØ-öø-ÿ' -]+$/,
    yes: ['Zoë Sørensen'],
    no: ['山田太郎', 'R2D2'],
  },
  {
    name: 'no control characters',
    pattern: /^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$/,
    yes: ['one\ntwo'],
    no: ['one\x00two'],
  },

  // Extractors
  { name: 'key=value', pattern: /^\s*([\w.-]+)\s*=\s*(.*)?\s*$/, yes: ['PORT = 3000'], no: ['# PORT'] },
  {
    name: 'access log line',
    pattern: /^(\S+) \S+ (\S+) \[([^\]]+)\] "(\w+) ([^"]*?) HTTP\/([\d.]+)" (\d{3}) (\d+|-)/,
    yes: ['203.0.113.9 - ana [21/Nov/2026:19:18:09 +0000] "GET /notes?id=7 HTTP/1.1" 200 5120'],
    no: ['GET /notes'],
  },
  {
    name: 'bearer token',
    pattern: /^Bearer +([\w.~+/-]+=*)$/i,
    yes: ['Bearer q3tZk1nC0mWcV5y8'],
    no: ['Basic q3tZk1nC0mWcV5y8'],
  },
  {
    name: 'named date parts',
    pattern: /(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})/,
    yes: ['due on 2026-11-21'],
    no: ['due soon'],
  },
  { name: 'hashtags, any script', pattern: /#[\p{L}\p{N}_]+/u, yes: ['see #ノート'], no: ['see # it'] },
  { name: 'mentions', pattern: /(^|\s)@(\w{1,30})\b/, yes: ['thanks @ana'], no: ['ana@example.org'] },
  { name: 'quoted string', pattern: /(["'])(?:\\.|(?!\1)[^\\])*\1/, yes: ['say "it\\"s"'], no: ['say it'] },
  { name: 'HTML tag with its end', pattern: /<(\w+)[^>]*>([\s\S]*?)<\/\1>/, yes: ['<b>bold</b>'], no: ['<b>bold</i>'] },
  {
    name: 'route parameters',
    pattern: /^\/users\/([^/]+?)\/notes(?:\/([^/]+?))?\/?$/i,
    yes: ['/users/7/notes/12', '/users/7/notes/'],
    no: ['/users//notes', '/users/7'],
  },
  { name: 'comment lines', pattern: /^#.*$/m, yes: ['a = 1\n# note'], no: ['a = 1'] },
  {
    name: 'mobile user agent',
    pattern: /\b(?:android|iphone|ipad|mobile)\b/i,
    yes: ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0)'],
    no: ['Mozilla/5.0 (X11; Linux x86_64)'],
  },

  // Clean-ups
  { name: 'trim', pattern: /^\s+|\s+$/g, yes: [' padded '], no: ['trimmed'] },
  { name: 'runs of white space', pattern: /\s+/g, yes: ['a  b'], no: ['single'] },
  { name: 'thousands separators', pattern: /\B(?=(\d{3})+(?!\d))/g, yes: ['1234567'], no: ['12'] },
  { name: 'camel case', pattern: /([a-z\d])([A-Z])/g, yes: ['camelCase'], no: ['snake_case'] },
  { name: 'HTML to escape', pattern: /[&<>"']/g, yes: ['a < b'], no: ['plain'] },
  { name: 'not alphanumeric', pattern: /[^a-z0-9]+/gi, yes: ['a, b'], no: ['plain'] },
  { name: 'accents after NFD', pattern: /[\u0300-\u036f]/g, yes: ['e\u0301'], no: ['plain'] },
  { name: 'emoji', pattern: /\p{Extended_Pictographic}/gu, yes: ['ok 👍'], no: ['plain'] },
];

/** The pattern of that name. */
export function patternOf(name) {
  const found = PATTERNS.find((entry) => entry.name === name);
  if (!found) throw new Error(`there is no pattern named ${name}`);
  return found;
}
