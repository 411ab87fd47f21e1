import type { Allowance, Rooms, Wall, Where } from './source-rules.ts';

// Who may import what in src/, each line with its reason. test/architecture.test.ts holds the sources to these tables, and the
// tables to the sources: a line that nothing needs any more is a complaint too.

export const CONTROL_PLANE = ['store/*', 'console/*', 'node:sqlite'];
export const WALLS: readonly (Wall & { readonly why: string })[] = [
  {
    from: ['compose/worker-process.ts', 'gateway/*'],
    never: [...CONTROL_PLANE, 'frontdesk/*', 'fastify', 'ioredis'],
    why: 'the gateway keeps filtering with what it last had when everything else is gone',
  },
  {
    from: ['compose/relay-process.ts'],
    never: [...CONTROL_PLANE, 'frontdesk/*', 'gateway/*', 'fastify'],
    why: 'the post needs a folder or Redis and nothing else',
  },
  {
    from: ['compose/frontdesk-process.ts', 'frontdesk/*'],
    never: [...CONTROL_PLANE, 'ioredis', 'gateway/listener.ts'],
    why: 'a fault in a page that pupils reach must not reach the session of a member of staff',
  },
  {
    from: ['compose/supervisor.ts'],
    never: [...CONTROL_PLANE, 'frontdesk/*', 'fastify', 'ioredis'],
    why: 'what restarts the others must not fall with them',
  },
  {
    from: ['compose/console-process.ts'],
    never: ['gateway/*', 'frontdesk/*'],
    why: 'the console never carries traffic, and no fault in a page for pupils can reach it',
  },
];

/** Node's modules that do not reach out of the process. */
export const PLAIN_NODE = ['buffer', 'crypto', 'events', 'path', 'stream', 'url', 'util', 'zlib'].map(
  (name) => `node:${name}`,
);

export const REACH_OUT: readonly Allowance[] = [
  { where: 'kernel/durable-file.ts', why: 'how every room replaces a file' },
  { where: 'kernel/key-file.ts', why: 'how every room reads and makes a secret of its own' },
  { where: 'kernel/watch-folders.ts', why: 'how every room hears that a folder changed' },
  { where: 'config/environment.ts', why: 'reads …_FILE variables and looks whether folders are there' },
  { where: 'config/data-layout.ts', why: 'makes the data folders' },
  { where: 'categories/catalogue.ts', why: 'reads the catalogue' },
  { where: 'categories/read-source.ts', why: 'reads lists' },
  { where: 'categories/download-source.ts', why: 'writes what was fetched' },
  { where: 'categories/download-keyed.ts', why: 'writes what was fetched and keyed' },
  { where: 'categories/source-credentials.ts', why: 'reads what a publisher wants to know' },
  { where: 'categories/fetched-lists.ts', why: 'keeps what is known of each source' },
  { where: 'categories/edit-catalogue.ts', why: 'switches a list on in the catalogue' },
  { where: 'categories/fetch-list.ts', why: 'looks whether what was fetched is still there' },
  { where: 'categories/last-good.ts', why: 'keeps a copy of each list' },
  { where: 'categories/current-index.ts', why: 'reads and replaces the index in force' },
  { where: 'categories/live-index.ts', why: 'reads the index in force while requests go on' },
  { where: 'categories/describe-index.ts', why: 'takes the sums of the index’s chunks' },
  { where: 'categories/receive-index.ts', why: 'puts an index together from its chunks' },
  { where: 'categories/watch-lists.ts', why: 'looks at sizes and times of list files' },
  { where: 'categories/canary-findings.ts', why: 'keeps what came of asking for canaries' },
  { where: 'categories/illegal-store.ts', why: 'reads and replaces their file' },
  { where: 'identity/roster/read-files.ts', why: 'reads rosters' },
  { where: 'policy/load.ts', why: 'reads the policy folder' },
  { where: 'policy/watch.ts', why: 'looks at names, sizes and times of policy files' },
  { where: 'gateway/listener.ts', why: 'the doors' },
  { where: 'gateway/carriers.ts', why: 'Node’s HTTP parser' },
  { where: 'gateway/dial.ts', why: 'the one place that connects upstream' },
  { where: 'gateway/resolve.ts', why: 'asks name servers' },
  { where: 'gateway/destinations.ts', why: 'knows this machine’s own addresses' },
  { where: 'gateway/upgrade-request.ts', why: 'http-proxy wants an Agent' },
  { where: 'gateway/refuse.ts', why: 'the texts of status codes' },
  { where: 'events/signing.ts', why: 'reads and makes key files' },
  { where: 'events/snapshot-keeper.ts', why: 'keeps the last good snapshots' },
  { where: 'events/spool-files.ts', why: 'the spool is a folder' },
  { where: 'events/event-file.ts', why: 'the spool is a folder' },
  { where: 'events/segment-writer.ts', why: 'the spool is a folder' },
  { where: 'events/close-segment.ts', why: 'the spool is a folder' },
  { where: 'events/recover-spool.ts', why: 'the spool is a folder' },
  { where: 'events/file-spool.ts', why: 'makes the spool’s folders' },
  { where: 'events/folder-bus.ts', why: 'the adapter for a folder' },
  { where: 'events/folder-consumer.ts', why: 'the adapter for a folder' },
  { where: 'events/redis-carrier.ts', why: 'carries the spool’s files to Redis' },
  { where: 'events/redis-chunks.ts', why: 'reads the index’s chunks for Redis' },
  { where: 'events/stream-reader.ts', why: 'waits before it asks Redis again' },
  { where: 'events/pump.ts', why: 'waits before it tries again' },
  { where: 'publishing/service.ts', why: 'waits before it tries again' },
  { where: 'store/*', why: 'the record is a file' },
  { where: 'history/import-segment.ts', why: 'keeps segments' },
  { where: 'history/read-records.ts', why: 'reads segments' },
  { where: 'delivery/service.ts', why: 'tells an address from a name' },
  { where: 'console/doors.ts', why: 'opens the console’s port and socket' },
  { where: 'console/pages.ts', why: 'finds where govuk-frontend lies' },
  { where: 'compose/*', why: 'starts and stops processes' },
  { where: 'cli/*', why: 'commands read and write files and terminals' },
];

/** Files that must not reach out even through what they import: deciding, reading and counting never touch the world. */
export const PURE_TO_THE_GROUND = [
  'policy/decide.ts',
  'policy/compile.ts',
  'policy/read.ts',
  'policy/check-url.ts',
  'policy/diff.ts',
  'gateway/admit.ts',
  'gateway/block-page.ts',
  'gateway/client-hello.ts',
  'gateway/headers.ts',
  'gateway/leases.ts',
  'categories/category-index.ts',
  'categories/parse-list.ts',
  'identity/identify.ts',
  'identity/accounts.ts',
  'identity/permissions.ts',
  'identity/directory/plan-import.ts',
  'identity/roster/read-roster.ts',
  'audit/chain.ts',
  'unblock/model.ts',
  'unblock/terms.ts',
  'events/envelope.ts',
  'reports/weekly.ts',
  'reports/render-html.ts',
  'reports/render-csv.ts',
  'console/table.ts',
];

export const PACKAGE_HOMES: Readonly<Record<string, readonly Where[]>> = {
  fastify: ['console/*', 'frontdesk/*', '*/routes.ts', '*-routes.ts'],
  '@fastify/cookie': ['console/*'],
  '@fastify/csrf-protection': ['console/*'],
  '@fastify/formbody': ['console/*'],
  '@fastify/helmet': ['console/*', 'frontdesk/*'],
  '@fastify/rate-limit': ['console/*', 'frontdesk/*'],
  '@fastify/type-provider-typebox': ['console/*', '*/routes.ts', '*-routes.ts'],
  '@fastify/view': ['console/*'],
  nunjucks: ['console/pages.ts'],
  commander: ['main.ts', 'cli/*'],
  'csv-parse': ['identity/roster/read-csv.ts'],
  'http-proxy': ['gateway/upgrade-request.ts'],
  // Lists come by it too: it speaks to a parent proxy, which many schools have, and its time limits hold for bodies as well.
  undici: ['gateway/*', 'cli/console-client.ts', 'categories/fetch-source.ts'],
  ioredis: ['events/redis-link.ts'],
  'ipaddr.js': ['kernel/ip.ts'],
  'node-cron': ['jobs/cron.ts'],
  nodemailer: ['delivery/service.ts'],
  pino: ['telemetry/log.ts'],
  'prom-client': ['telemetry/metrics.ts'],
  re2js: ['categories/expression.ts'],
  tldts: ['categories/public-suffix.ts'],
  // A schema stands where its document is known; `yaml-document.ts` reads any of them.
  typebox: ['config/yaml-document.ts', 'policy/document.ts', 'policy/read.ts', 'categories/catalogue.ts'],
  yaml: ['config/yaml-document.ts'],
};
/** Its templates and style sheet are found by `require.resolve` (console/pages.ts); it has no code that we run. */
export const NOT_IMPORTED = ['govuk-frontend'];
/** Programs that scripts run, and packages of types alone. */
export const TOOLS = /^(?:oxlint|oxlint-tsgolint|oxfmt|@types\/.+)$/;

export const ROOMS: Rooms = {
  mayImport: {
    kernel: [],
    config: ['kernel'],
    telemetry: ['kernel'],
    categories: ['kernel', 'config'],
    identity: ['kernel'],
    policy: ['kernel', 'config', 'categories', 'identity'],
    gateway: ['kernel', 'policy', 'categories', 'identity', 'events', 'telemetry'],
    events: ['kernel'],
    store: ['kernel'],
    history: ['kernel', 'events'],
    unblock: ['kernel'],
    evidence: ['kernel'],
    safeguarding: ['kernel'],
    reports: ['kernel'],
    audit: ['kernel'],
    delivery: ['kernel'],
    publishing: ['kernel'],
    frontdesk: ['kernel'],
    jobs: ['kernel'],
    console: 'all',
    compose: 'all',
    cli: ['kernel', 'config', 'compose'],
    'main.ts': ['kernel', 'cli'],
  },
  workers: {
    files: ['*/service.ts', '*-service.ts', '*/repository.ts', '*/routes.ts', '*-routes.ts'],
    rooms: ['store', 'audit', 'events', 'delivery', 'publishing'],
  },
  deviations: [
    {
      where: 'events/envelope.ts',
      to: 'policy/verdict.ts',
      why: 'the closed sets of a verdict are part of an event’s schema',
    },
    { where: 'safeguarding/read-event.ts', to: 'events/envelope.ts', why: 'reads an event as the post defines it' },
    { where: 'frontdesk/refusals.ts', to: 'gateway/*', why: 'says why in the very words of the block page' },
    { where: 'frontdesk/routes.ts', to: 'gateway/page-style.ts', why: 'looks like the block page' },
    {
      where: 'frontdesk/routes.ts',
      to: 'gateway/client-address.ts',
      why: 'knows a device by the spelling the gateway records',
    },
    {
      where: 'categories/catalogue.ts',
      to: 'jobs/cron.ts',
      why: '“refresh” is a time of the timetable, with its rules',
    },
    { where: 'categories/refresh-times.ts', to: 'jobs/cron.ts', why: 'says when a list is fetched next' },
    {
      where: 'unblock/terms.ts',
      to: 'categories/public-suffix.ts',
      why: 'an unblock of “co.uk” is refused; tldts has one importer',
    },
    // Commands that work beside a stopped console use the rooms themselves: `check` is the code that gateways run.
    { where: 'cli/check.ts', to: 'categories/*', why: 'offline' },
    { where: 'cli/check.ts', to: 'policy/check-url.ts', why: 'offline' },
    { where: 'cli/check.ts', to: 'gateway/destinations.ts', why: 'judges literal addresses as a gateway does' },
    { where: 'cli/policy-sources.ts', to: 'categories/catalogue.ts', why: 'offline' },
    { where: 'cli/policy-sources.ts', to: 'policy/load.ts', why: 'offline' },
    {
      where: 'cli/policy-sources.ts',
      to: 'events/*',
      why: 'the policy in force is the last good snapshot, whose signature counts',
    },
    { where: 'cli/policy.ts', to: 'policy/*', why: 'offline' },
    { where: 'cli/people.ts', to: 'identity/roster/read-files.ts', why: 'takes a roster’s files to the console' },
    { where: 'cli/lists.ts', to: 'categories/*', why: 'offline' },
    {
      where: 'cli/list-updates.ts',
      to: 'categories/*',
      why: 'shows a licence offline, and words a report as the console’s page does',
    },
    { where: 'cli/start.ts', to: 'categories/*', why: 'the first lines say which lists are loaded' },
    { where: 'cli/start.ts', to: 'telemetry/log.ts', why: 'the supervisor runs in this process' },
    { where: 'cli/audit.ts', to: 'audit/*', why: 'verifies with the console stopped' },
    { where: 'cli/audit.ts', to: 'store/database.ts', why: 'reads the record without the console' },
    { where: 'cli/report.ts', to: 'reports/*', why: 'makes a report beside the console' },
    { where: 'cli/report.ts', to: 'delivery/service.ts', why: 'mails it' },
  ],
};

/** Tests that are not named after one file. Tests of whole stacks, of this tree and of the README lie outside the rooms. */
export const NEIGHBOURS: Readonly<Record<string, readonly string[]>> = {
  'history/history.test.ts': [
    'history/import-segment.ts',
    'history/read-lines.ts',
    'history/read-records.ts',
    'history/segment.ts',
  ],
  'gateway/device-sessions.test.ts': ['gateway/admit.ts', 'gateway/open-connections.ts', 'gateway/refuse.ts'],
  'gateway/any-bytes.test.ts': ['gateway/listener.ts', 'gateway/carriers.ts'],
  'reports/render.test.ts': ['reports/render-html.ts', 'reports/render-csv.ts', 'reports/render-table.ts'],
  'categories/download-source.test.ts': [
    'categories/download-source.ts',
    'categories/read-tar.ts',
    'categories/retry.ts',
  ],
  'categories/real-lists.test.ts': ['categories/build-index.ts', 'categories/current-index.ts'],
  'categories/spellings.test.ts': ['kernel/url.ts', 'categories/category-index.ts', 'policy/check-url.ts'],
  'policy/shipped-levels.test.ts': ['policies/levels', 'policies/school.yaml'],
  'frontdesk/accessibility.test.ts': ['frontdesk/pages.ts'],
  'frontdesk/front-desk.test.ts': ['frontdesk/app.ts', 'frontdesk/routes.ts'],
  'console/forms.test.ts': ['identity/routes.ts', 'unblock/routes.ts', 'policy/routes.ts'],
};
