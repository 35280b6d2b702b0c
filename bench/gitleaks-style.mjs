// 221 rules for secrets in source text, in the style of gitleaks' and written for this benchmark: tokens with a
// prefix, tokens beside the name of a service (in the older and the newer shape of such rules), private keys, URLs
// with passwords, and catch-alls. `rules(style)` gives them as JavaScript RegExps; `secretOf(index)` a text that rule
// `index` matches in both styles. Used by regexp-set.mjs and __test__/regexp-set.test.js.

/** Prefixed tokens: name, what stands before, what follows. @type {[string, string, string][]} */
const PREFIXED = [
  ['github personal', 'ghp_', '[0-9a-zA-Z]{36}'],
  ['github oauth', 'gho_', '[0-9a-zA-Z]{36}'],
  ['github app', '(?:ghu|ghs)_', '[0-9a-zA-Z]{36}'],
  ['github refresh', 'ghr_', '[0-9a-zA-Z]{36}'],
  ['github fine-grained', 'github_pat_', '\\w{82}'],
  ['gitlab personal', 'glpat-', '[\\w-]{20}'],
  ['gitlab pipeline trigger', 'glptt-', '[0-9a-f]{40}'],
  ['gitlab runner', 'GR1348941', '[\\w-]{20}'],
  ['gitlab deploy', 'gldt-', '[0-9a-zA-Z_-]{20}'],
  ['gitlab feed', 'glft-', '[0-9a-zA-Z_-]{20}'],
  ['aws access key', '(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)', '[A-Z2-7]{16}'],
  ['slack bot', 'xoxb-', '[0-9]{10,13}-[0-9]{10,13}[a-zA-Z0-9-]*'],
  ['slack user', 'xox[pe](?:-[0-9]{10,13}){3}-', '[a-zA-Z0-9-]{28,34}'],
  ['slack app', 'xapp-\\d-[A-Z0-9]+-\\d+-', '[a-z0-9]+'],
  ['slack legacy', 'xox[os]-\\d+-\\d+-\\d+-', '[a-fA-F\\d]+'],
  [
    'slack webhook',
    '(?:https?:\\/\\/)?hooks\\.slack\\.com\\/',
    '(?:services|workflows|triggers)\\/[A-Za-z0-9+\\/]{43,56}',
  ],
  ['stripe', '(?:sk|rk)_(?:test|live|prod)_', '[a-zA-Z0-9]{10,99}'],
  ['npm', 'npm_', '[a-z0-9]{36}'],
  ['pypi', 'pypi-AgEIcHlwaS5vcmc', '[\\w-]{50,1000}'],
  ['rubygems', 'rubygems_', '[a-f0-9]{48}'],
  ['clojars', 'CLOJARS_', '[a-z0-9]{60}'],
  ['dockerhub', 'dckr_pat_', '[a-zA-Z0-9_-]{27}'],
  ['openai', 'sk-(?:proj|svcacct|admin)-', '[A-Za-z0-9_-]{58}T3BlbkFJ[A-Za-z0-9_-]{58}'],
  ['openai legacy', 'sk-[a-zA-Z0-9]{20}T3BlbkFJ', '[a-zA-Z0-9]{20}'],
  ['anthropic-style', 'sk-ant-api03-', '[a-zA-Z0-9_-]{93}AA'],
  ['hugging face', 'hf_', '[a-zA-Z]{34}'],
  ['sendgrid', 'SG\\.', '[a-z0-9=_.-]{66}'],
  ['sendinblue', 'xkeysib-', '[a-f0-9]{64}-[a-z0-9]{16}'],
  ['shopify access', 'shpat_', '[a-fA-F0-9]{32}'],
  ['shopify custom', 'shpca_', '[a-fA-F0-9]{32}'],
  ['shopify private', 'shppa_', '[a-fA-F0-9]{32}'],
  ['shopify shared', 'shpss_', '[a-fA-F0-9]{32}'],
  ['square', '(?:EAAA|sq0atp-)', '[\\w-]{22,60}'],
  ['square secret', 'sq0csp-', '[\\w-]{43}'],
  ['digitalocean personal', 'dop_v1_', '[a-f0-9]{64}'],
  ['digitalocean oauth', 'doo_v1_', '[a-f0-9]{64}'],
  ['digitalocean refresh', 'dor_v1_', '[a-f0-9]{64}'],
  ['doppler', 'dp\\.pt\\.', '[a-z0-9]{43}'],
  ['duffel', 'duffel_(?:test|live)_', '[\\w=-]{43}'],
  ['dynatrace', 'dt0c01\\.', '[a-z0-9]{24}\\.[a-z0-9]{64}'],
  ['easypost', 'EZAK', '[a-z0-9]{54}'],
  ['easypost test', 'EZTK', '[a-z0-9]{54}'],
  ['flutterwave public', 'FLWPUBK_TEST-', '[a-h0-9]{32}-X'],
  ['flutterwave secret', 'FLWSECK_TEST-', '[a-h0-9]{32}-X'],
  ['frame.io', 'fio-u-', '[a-z0-9_=-]{64}'],
  ['google api', 'AIza', '[\\w-]{35}'],
  ['grafana cloud', 'glc_', '[A-Za-z0-9+\\/]{32,400}={0,3}'],
  ['grafana service', 'glsa_', '[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}'],
  ['hashicorp', '[a-z0-9]{14}\\.atlasv1\\.', '[a-z0-9=_-]{60,70}'],
  ['heroku', 'HRKU-AA', '[0-9a-zA-Z_-]{58}'],
  ['infracost', 'ico-', '[a-zA-Z0-9]{32}'],
  ['linear', 'lin_api_', '[a-z0-9]{40}'],
  ['mailgun', 'key-', '[a-f0-9]{32}'],
  ['mailchimp-style', '[0-9a-f]{32}-us', '\\d{1,2}'],
  ['mapbox', 'pk\\.[a-z0-9]{60}\\.', '[a-z0-9]{22}'],
  ['new relic user', 'NRAK-', '[a-z0-9]{27}'],
  ['new relic browser', 'NRJS-', '[a-f0-9]{19}'],
  ['new relic insert', 'NRII-', '[a-z0-9-]{32}'],
  ['notion', 'ntn_', '[0-9]{11}[A-Za-z0-9]{35}'],
  ['openshift', 'sha256~', '[\\w-]{43}'],
  ['planetscale', 'pscale_tkn_', '[\\w=.-]{32,64}'],
  ['planetscale password', 'pscale_pw_', '[\\w=.-]{32,64}'],
  ['postman', 'PMAK-', '[a-f0-9]{24}-[a-f0-9]{34}'],
  ['prefect', 'pnu_', '[a-zA-Z0-9]{36}'],
  ['pulumi', 'pul-', '[a-f0-9]{40}'],
  ['readme', 'rdme_', '[a-z0-9]{70}'],
  ['scalingo', 'tk-us-', '[\\w-]{48}'],
  ['sentry organisation', 'sntrys_eyJpYXQiO', '[a-zA-Z0-9+\\/]{10,200}'],
  ['sentry user', 'sntryu_', '[a-f0-9]{64}'],
  ['shippo', 'shippo_(?:live|test)_', '[a-fA-F0-9]{40}'],
  ['sourcegraph', 'sgp_(?:[a-fA-F0-9]{16}|local)_', '[a-fA-F0-9]{40}'],
  ['twilio', 'SK', '[0-9a-fA-F]{32}'],
  ['typeform', 'tfp_', '[a-z0-9=_.-]{59}'],
  ['vault service', 'hvs\\.', '[\\w-]{90,120}'],
  ['vault batch', 'hvb\\.', '[\\w-]{138,300}'],
  ['adobe secret', 'p8e-', '[a-z0-9]{32}'],
  ['age secret', 'AGE-SECRET-KEY-1', '[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}'],
  ['alibaba', 'LTAI', '[a-z0-9]{20}'],
  ['databricks', 'dapi', '[a-f0-9]{32}(?:-\\d)?'],
  ['octopus', 'API-', '[A-Z0-9]{26}'],
  ['artifactory', 'AKCp', '[A-Za-z0-9]{69}'],
  ['1password', 'ops_eyJ', '[a-zA-Z0-9+\\/]{250,}={0,3}'],
  ['facebook page', 'EAA[MC]', '[a-z0-9]{100,}'],
];

/** Services whose tokens show only by a name beside them: the name, and the token. @type {[string, string][]} */
const KEYWORDED = [
  ['adafruit', '[a-z0-9_-]{32}'],
  ['adobe', '[a-f0-9]{32}'],
  ['airtable', '[a-z0-9]{17}'],
  ['algolia', '[a-z0-9]{32}'],
  ['amplitude', '[a-f0-9]{32}'],
  ['asana', '[0-9]{16}'],
  ['assemblyai', '[a-f0-9]{32}'],
  ['atlassian', '[a-z0-9]{24}'],
  ['auth0', '[a-z0-9_-]{64}'],
  ['azure', '[a-z0-9+\\/]{43}='],
  ['beamer', 'b_[a-z0-9=_-]{44}'],
  ['bitbucket', '[a-z0-9]{32}'],
  ['bitly', '[a-f0-9]{40}'],
  ['bittrex', '[a-z0-9]{32}'],
  ['braintree', '[a-f0-9]{32}'],
  ['branch', '[a-z0-9]{32}'],
  ['buildkite', '[a-z0-9]{40}'],
  ['circleci', '[a-f0-9]{40}'],
  ['clearbit', 'sk_[a-f0-9]{32}'],
  ['clickup', 'pk_[0-9]{8}_[a-z0-9]{32}'],
  ['cloudflare', '[a-z0-9_-]{40}'],
  ['cloudinary', '[a-z0-9_-]{27}'],
  ['codecov', '[a-z0-9]{32}'],
  ['cohere', '[a-z0-9]{40}'],
  ['coinbase', '[a-z0-9_-]{64}'],
  ['confluent', '[a-z0-9]{16}'],
  ['contentful', '[a-z0-9=_-]{43}'],
  ['datadog', '[a-z0-9]{40}'],
  ['defined', 'dnkey-[a-z0-9=_-]{26}-[a-z0-9=_-]{52}'],
  ['discord', '[a-f0-9]{64}'],
  ['droneci', '[a-z0-9]{32}'],
  ['dropbox', '[a-z0-9]{15}'],
  ['elastic', '[a-z0-9=_-]{60}'],
  ['etsy', '[a-z0-9]{24}'],
  ['facebook', '[a-f0-9]{32}'],
  ['fastly', '[a-z0-9=_-]{32}'],
  ['figma', '[0-9]{6}-[0-9a-f]{8}-[0-9a-f]{4}'],
  ['finicity', '[a-f0-9]{32}'],
  ['finnhub', '[a-z0-9]{20}'],
  ['flickr', '[a-z0-9]{32}'],
  ['freshbooks', '[a-z0-9]{64}'],
  ['freshdesk', '[a-z0-9]{20}'],
  ['gitter', '[a-z0-9_-]{40}'],
  ['gocardless', 'live_[a-z0-9=_-]{40}'],
  ['harness', 'pat\\.[a-z0-9]{22}\\.[a-z0-9]{24}'],
  ['honeycomb', '[a-z0-9]{22}'],
  ['hubspot', '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'],
  ['intercom', '[a-z0-9=_-]{60}'],
  ['intra42', 's-s4t2(?:ud|af)-[a-f0-9]{64}'],
  ['jenkins', '[a-f0-9]{34}'],
  ['jfrog', '[a-z0-9]{73}'],
  ['jira', '[a-z0-9]{24}'],
  ['klaviyo', 'pk_[a-f0-9]{34}'],
  ['kraken', '[a-z0-9\\/=_+-]{80,90}'],
  ['kucoin', '[a-f0-9]{24}'],
  ['launchdarkly', '[a-z0-9=_-]{40}'],
  ['linkedin', '[a-z0-9]{14}'],
  ['lob', '(?:live|test)_[a-f0-9]{35}'],
  ['logzio', '[a-z]{32}'],
  ['looker', '[a-z0-9]{20}'],
  ['mailjet', '[a-f0-9]{32}'],
  ['mapquest', '[a-z0-9]{32}'],
  ['mattermost', '[a-z0-9]{26}'],
  ['messagebird', '[a-z0-9]{25}'],
  ['mixpanel', '[a-f0-9]{32}'],
  ['mongo', '[a-z0-9]{32}'],
  ['netlify', '[a-z0-9=_-]{40,46}'],
  ['nytimes', '[a-z0-9=_-]{32}'],
  ['okta', '00[\\w=-]{40}'],
  ['onesignal', '[a-z0-9]{48}'],
  ['pagerduty', '[a-z0-9+_-]{20}'],
  ['paypal', '[a-z0-9_-]{80}'],
  ['pinecone', '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}'],
  ['pipedrive', '[a-f0-9]{40}'],
  ['plaid', '[a-z0-9]{24}'],
  ['posthog', 'phc_[a-z0-9]{43}'],
  ['pubnub', 'sub-c-[0-9a-f-]{36}'],
  ['pusher', '[a-f0-9]{20}'],
  ['rapidapi', '[a-z0-9_-]{50}'],
  ['razorpay', 'rzp_live_[a-z0-9]{14}'],
  ['recaptcha', '6l[a-z0-9_-]{38}'],
  ['rollbar', '[a-f0-9]{32}'],
  ['salesforce', '[a-z0-9!.]{100}'],
  ['segment', '[a-z0-9_-]{43}\\.[a-z0-9_-]{43}'],
  ['sendbird', '[a-f0-9]{40}'],
  ['sidekiq', '[a-f0-9]{8}:[a-f0-9]{8}'],
  ['snyk', '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'],
  ['sonar', '[a-z0-9=_-]{40}'],
  ['splunk', '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'],
  ['spotify', '[a-f0-9]{32}'],
  ['squarespace', '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'],
  ['statuspage', '[a-z0-9]{36}'],
  ['sumo', 'su[a-z0-9]{12}'],
  ['supabase', 'sbp_[a-f0-9]{40}'],
  ['tailscale', 'tskey-[a-z0-9]{16}-[a-z0-9]{24}'],
  ['telegram', '[0-9]{5,16}:a[\\w-]{34}'],
  ['terraform', '[a-z0-9=_-]{60}'],
  ['todoist', '[a-f0-9]{40}'],
  ['travis', '[a-z0-9]{22}'],
  ['trello', '[a-z0-9]{32}'],
  ['twitch', '[a-z0-9]{30}'],
  ['twitter', '[a-z0-9]{45,50}'],
  ['unsplash', '[a-z0-9_-]{43}'],
  ['vercel', '[a-z0-9]{24}'],
  ['wakatime', '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}'],
  ['webex', '[a-z0-9]{64}'],
  ['weights', '[a-f0-9]{40}'],
  ['yandex', 'aq[a-z0-9_-]{38}'],
  ['zapier', '[a-z0-9]{32}'],
  ['zendesk', '[a-z0-9]{40}'],
  ['zoho', '1000\\.[a-f0-9]{32}\\.[a-f0-9]{32}'],
  ['zoom', '[a-z0-9]{22}'],
];

/** Whole patterns, and a text for each. @type {[string, RegExp, string][]} */
const OTHERS = [
  [
    'private key',
    /-----BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----[\s\S-]{64,}?KEY(?: BLOCK)?-----/i,
    `-----BEGIN EC PRIVATE KEY-----\n${'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0NTY3'.repeat(2)}\n-----END EC PRIVATE KEY-----`,
  ],
  ['pgp key', /-----BEGIN PGP PRIVATE KEY BLOCK-----/, '-----BEGIN PGP PRIVATE KEY BLOCK-----'],
  [
    'jwt',
    /\b(ey[a-zA-Z0-9]{17,}\.ey[a-zA-Z0-9/\\_-]{17,}\.(?:[a-zA-Z0-9/\\_-]{10,}={0,2})?)(?:['"\s`;]|\\[nr]|$)/,
    'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpM',
  ],
  [
    'jwt, encoded again',
    /\bZXlK(?:aGJHY2lPaU|hcGdTaU|5ZUhBaU)[a-zA-Z0-9/\\_+\-\r\n]{40,}={0,2}/,
    'ZXlKaGJHY2lPaUpJVXpJMU5pSXNJblI1Y0NJNklrcFhWQ0o5LmV5SnpkV0lpT2lJeE1qTTBOVFkzT0Rrd0lpd2lh',
  ],
  [
    'url with password',
    /\b[a-z]{3,10}:\/\/[^/\s:@]{3,20}:[^/\s:@]{3,20}@.{1,100}["'\s]/i,
    'see ftp://someone:s3cretpw@example.org/x "',
  ],
  [
    'postgres url',
    /postgres(?:ql)?:\/\/[^\s:@/]+:[^\s:@/]+@[^\s/]+\/\w+/i,
    'postgres://owner:hunter22@db.example.org/main',
  ],
  [
    'mongodb url',
    /mongodb(?:\+srv)?:\/\/[^\s:@/]+:[^\s:@/]+@[^\s/]+/i,
    'mongodb+srv://owner:hunter22@cluster0.example.org',
  ],
  ['redis url', /rediss?:\/\/[^\s:@/]*:[^\s:@/]+@[^\s/]+/i, 'redis://:hunter22@cache.example.org'],
  ['amqp url', /amqps?:\/\/[^\s:@/]+:[^\s:@/]+@[^\s/]+/i, 'amqp://guest:hunter22@mq.example.org'],
  [
    'basic authorization',
    /authorization["']?\s*[:=]\s*["']?basic\s+[a-z0-9+/]{16,}={0,2}/i,
    'Authorization: Basic c29tZW9uZTpzM2NyZXRwdw==',
  ],
  [
    'bearer authorization',
    /authorization["']?\s*[:=]\s*["']?bearer\s+[\w.~+/-]{20,}=*/i,
    'authorization: "Bearer abcdefghij.klmnopqrst.uvw',
  ],
  [
    'curl user',
    /\bcurl\b(?:[^\n]{0,200}?)\s(?:-u|--user)[=\s]["']?\w+:[^\s"']{3,}/,
    'curl -s https://example.org --user me:secretpw',
  ],
  [
    'generic api key',
    /(?:api[_-]?key|secret|token|passwd|password|credential)(?:[0-9a-z_\t .-]{0,20})[\s'"]{0,3}(?:=|>|:=|\|\||:|=>)[\x60'"\s=]{0,5}([0-9a-z_.=-]{10,150})(?:['"\n\r\s\x60;]|$)/i,
    'my_api_key = "abcdef0123456789abcd";',
  ],
  [
    'password in code',
    /\bpass(?:word|wd|phrase)\s*=\s*(["'])(?:[^"'\n\\]|\\.){12,80}["']/i,
    'password = "correct horse battery"',
  ],
  ['azure storage', /AccountKey=[A-Za-z0-9+/]{86}==/, `AccountKey=${'Abc0'.repeat(21)}Ab==`],
  ['gcp service account', /"type":\s*"service_account"/, '"type": "service_account"'],
  [
    'gcp oauth client',
    /\b\d{12}-[0-9a-z]{32}\.apps\.googleusercontent\.com\b/,
    `123456789012-${'a1'.repeat(16)}.apps.googleusercontent.com`,
  ],
  [
    'teams webhook',
    /https:\/\/[a-z0-9]+\.webhook\.office\.com\/webhookb2\/[a-z0-9@-]+\/IncomingWebhook\/[a-z0-9]{32}\/[a-z0-9-]+/,
    `https://acme.webhook.office.com/webhookb2/a@b/IncomingWebhook/${'a1'.repeat(16)}/c`,
  ],
  [
    'discord webhook',
    /https:\/\/discord(?:app)?\.com\/api\/webhooks\/[0-9]{17,20}\/[\w-]{60,70}/,
    `https://discord.com/api/webhooks/123456789012345678/${'abcde'.repeat(13)}`,
  ],
  [
    'kubernetes secret',
    /\bkind:[ \t]*["']?secret["']?\s[\s\S]{0,200}?\bdata:\s{0,80}[ \t]+[\w.-]+:[ \t]*["']?[a-z0-9+/]{10,}/i,
    'kind: Secret\nmetadata:\n  name: x\ndata:\n  password: aHVudGVyMjIyMjI=',
  ],
  ['netrc', /\bmachine\s+\S+\s+login\s+\S+\s+password\s+\S+/, 'machine example.org login me password hunter22'],
  ['npmrc', /\/\/[\w./-]+\/:_authToken=[\w-]{20,}/, '//registry.example.org/:_authToken=abcdef0123456789abcd'],
  [
    'nuget',
    /<add key="(?:ClearTextPassword|Password)"\s*value="[^"\n]{6,}"\s*\/>/i,
    '<add key="ClearTextPassword" value="hunter2222" />',
  ],
  ['private key, putty', /PuTTY-User-Key-File-[23]: [\w-]+/, 'PuTTY-User-Key-File-2: ssh-rsa'],
  ['twilio account', /\bAC[a-f0-9]{32}\b/, `AC${'0a'.repeat(16)}`],
  [
    'card in code',
    /\bcard(?:_?number)?["']?\s*[:=]\s*["']?(?:4\d{15}|5[1-5]\d{14})\b/i,
    'cardNumber: "4111111111111111"',
  ],
];

const PREFIXED_END = '(?:[\'|"|\\n|\\r|\\s|\\x60|;]|$)';

/** The rules, always in the same order. @param {'older' | 'newer'} style @returns {RegExp[]} */
export function rules(style) {
  return [
    ...PREFIXED.map(([, prefix, rest], index) =>
      // Every third of the prefixed ones asks for an end, the others for word boundaries only.
      index % 3 === 0
        ? new RegExp(`\\b(${prefix}${rest})${PREFIXED_END}`, 'i')
        : new RegExp(`\\b${prefix}${rest}\\b`, prefix.toLowerCase() === prefix ? 'i' : ''),
    ),
    ...KEYWORDED.map(([name, token]) => new RegExp(style === 'older' ? older(name, token) : newer(name, token), 'i')),
    ...OTHERS.map(([, pattern]) => pattern),
  ];
}

function older(name, token) {
  return (
    `(?:${name})(?:[0-9a-z\\-_\\t .]{0,20})(?:[\\s|']|[\\s|"]){0,3}(?:=|>|:{1,3}=|\\|\\||<=|=>|:|\\?=)` +
    `(?:'|"|\\s|=|\\x60){0,5}(${token})${PREFIXED_END}`
  );
}

function newer(name, token) {
  return (
    `[\\w.-]{0,50}?(?:${name})(?:[ \\t\\w.-]{0,20})[\\s'"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)` +
    `[\\x60'"\\s=]{0,5}(${token})(?:[\\x60'"\\s;]|\\\\[nr]|$)`
  );
}

/** Names of keyworded services: text that has many of these words and no secrets is the hard case. */
export const KEYWORDS = KEYWORDED.map(([name]) => name);

/** A line that rule `index` matches. */
export function secretOf(index) {
  if (index < PREFIXED.length) return ` ${exampleOf(PREFIXED[index][1])}${exampleOf(PREFIXED[index][2])} `;
  index -= PREFIXED.length;
  if (index < KEYWORDED.length) return `${KEYWORDED[index][0]}_key = "${exampleOf(KEYWORDED[index][1])}"`;
  return OTHERS[index - KEYWORDED.length][2];
}

/** A text that the pattern matches: for the parts used above only, the first choice everywhere. */
function exampleOf(source) {
  const atom = /\\([.\/dw])|\[((?:\\.|[^\]])+)\]|\((?:\?:)?((?:[^()[\]]|\[[^\]]*\])*)\)|([^\\[\](){}?*+|])/y;
  const count = /\{(\d+)(?:,(\d*))?\}|([?*+])/y;
  let text = '';
  for (let place = 0; place < source.length;) {
    atom.lastIndex = place;
    const match = atom.exec(source);
    if (match === null) throw new Error('a part that exampleOf does not know');
    const [, escaped, members, group, character] = match;
    const one =
      character ??
      (escaped === 'd' ? '7' : escaped === 'w' ? 'k' : escaped) ??
      (members === undefined ? exampleOf(group.split('|')[0]) : firstOf(members));
    count.lastIndex = atom.lastIndex;
    const quantifier = count.exec(source);
    const min = quantifier === null ? 1 : quantifier[3] ? Number(quantifier[3] === '+') : Number(quantifier[1]);
    place = quantifier === null ? atom.lastIndex : count.lastIndex;
    text += one.repeat(min);
  }
  return text;
}

function firstOf(members) {
  if (members.startsWith('\\w')) return 'k';
  if (members.startsWith('\\d')) return '7';
  return members[0];
}
