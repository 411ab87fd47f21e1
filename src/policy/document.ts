import { type Static, Type } from 'typebox';
import type { YamlDocument } from '../config/yaml-document.ts';
import { type KeptClass, ALL_KEPT } from './retention-rules.ts';
import type { SafeguardingDocument } from './safeguarding-document.ts';
import { ALL_THEMES, SEVERITIES } from './safeguarding-rules.ts';

/** What the files in `policies/` may say. Only the shape is checked here; what names and values mean is compile's. */

const Strict = { additionalProperties: false };
const Text = Type.String({ minLength: 1, maxLength: 300 });
const Paragraph = Type.String({ minLength: 1, maxLength: 600 });
const Texts = Type.Array(Text);
const Optional = Type.Optional(Text);

export const ACTIONS = ['allow', 'monitor', 'warn', 'block'] as const;
export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const Days = Type.Array(Type.Enum([...DAYS]));

/** A word such as `lunch` or `holidays`, or days and times of day. */
const Times = Type.Array(
  Type.Union([
    Text,
    Type.Object({ days: Type.Optional(Days), on: Type.Optional(Texts), from: Optional, to: Optional }, Strict),
  ]),
);
export type TimesSetting = Static<typeof Times>;

/** When and where something else holds than otherwise; who says it adds what that is. */
const When = {
  name: Type.String({ minLength: 1, maxLength: 60 }),
  when: Times,
  where: Type.Optional(Texts),
  closed: Type.Optional(Type.Boolean()),
};
const Lists = { allow: Type.Optional(Texts), block: Type.Optional(Texts) };

const CategoryActions = Type.Record(Type.String(), Type.Enum([...ACTIONS]));

/** Short enough that the page stays one that is read, and within the size of all others. */
const Splash = Type.Object(
  {
    heading: Type.String({ minLength: 1, maxLength: 80 }),
    text: Type.Array(Text, { minItems: 1, maxItems: 5 }),
  },
  Strict,
);

const Port = Type.Integer({ minimum: 1, maximum: 65_535 });

/** Days by class of data. */
const KeptDays = Type.Optional(Type.Integer());
const Retention = Type.Object(
  Object.fromEntries(ALL_KEPT.map((kept) => [kept, KeptDays])) as Record<KeptClass, typeof KeptDays>,
  Strict,
);

/** `school.yaml`: what holds for the whole school. */
export const SchoolSchema = Type.Object(
  {
    name: Text,
    timeZone: Text,
    calendar: Type.Optional(
      Type.Object(
        {
          terms: Type.Array(Type.Object({ name: Text, from: Text, to: Text }, Strict), { minItems: 1 }),
          holidays: Type.Optional(Type.Array(Type.Object({ name: Text, from: Text, to: Optional }, Strict))),
          slots: Type.Optional(
            Type.Array(Type.Object({ name: Text, days: Type.Optional(Days), from: Text, to: Text }, Strict)),
          ),
        },
        Strict,
      ),
    ),
    places: Type.Optional(Type.Record(Type.String({ minLength: 1, maxLength: 60 }), Texts)),
    contacts: Type.Object(
      {
        pupils: Text,
        staff: Text,
        incidents: Type.Optional(
          Type.Object({ police: Optional, iwf: Optional, lado: Optional, ceop: Optional, school: Optional }, Strict),
        ),
      },
      Strict,
    ),
    agreements: Type.Optional(
      Type.Object({ parentConsent: Type.Optional(Texts), yearBegins: Type.Optional(Text) }, Strict),
    ),
    changes: Type.Optional(Type.Object({ tighteningAlone: Type.Optional(Type.Boolean()) }, Strict)),
    retention: Type.Optional(Retention),
    checks: Type.Optional(
      Type.Object(
        {
          everyDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 365 })),
          refused: Type.Optional(Type.Record(Type.String(), Text)),
          open: Type.Optional(Texts),
        },
        Strict,
      ),
    ),
    reports: Type.Optional(
      Type.Object(
        {
          digest: Type.Optional(Type.Object({ at: Optional, days: Type.Optional(Days) }, Strict)),
          weekly: Type.Optional(Type.Object({ at: Optional, day: Type.Optional(Type.Enum([...DAYS])) }, Strict)),
          governors: Type.Optional(
            Type.Object({ at: Optional, day: Type.Optional(Type.Integer({ minimum: 1, maximum: 28 })) }, Strict),
          ),
        },
        Strict,
      ),
    ),
    never: Type.Optional(Texts),
    illegal: Type.Optional(Type.Object({ csam: Type.Optional(Splash), terrorism: Type.Optional(Splash) }, Strict)),
    identity: Type.Object(
      {
        mode: Type.Enum(['open', 'challenge']),
        strictestLevel: Text,
        ranges: Type.Optional(Type.Array(Type.Object({ cidr: Text, level: Text, name: Text }, Strict))),
        shared: Type.Optional(Texts),
        schoolDayEnds: Type.Optional(Text),
        keepCards: Type.Optional(Texts),
        levels: Type.Optional(
          Type.Object(
            {
              years: Type.Optional(Type.Record(Type.String(), Text)),
              roles: Type.Optional(Type.Object({ teacher: Optional, staff: Optional, parent: Optional }, Strict)),
            },
            Strict,
          ),
        ),
      },
      Strict,
    ),
    network: Type.Optional(
      Type.Object(
        {
          clients: Type.Optional(Texts),
          allowDestinations: Type.Optional(Texts),
          connectPorts: Type.Optional(
            Type.Array(Type.Object({ port: Port, tls: Type.Optional(Type.Boolean()) }, Strict)),
          ),
          httpPorts: Type.Optional(Type.Array(Port)),
          connectionsPerClient: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
          connections: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
        },
        Strict,
      ),
    ),
  },
  Strict,
);
export type SchoolDocument = Static<typeof SchoolSchema>;

/** `agreements/<band>.yaml`: what people of some levels agree to before they use the web. */
export const AgreementSchema = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 80 }),
    levels: Type.Array(Text, { minItems: 1 }),
    text: Type.Array(Paragraph, { minItems: 1, maxItems: 20 }),
  },
  Strict,
);
export type AgreementDocument = Static<typeof AgreementSchema>;

/** `levels/<id>.yaml`: one level. A level that extends none must say `voice` and `uncategorised`. */
export const LevelSchema = Type.Object(
  {
    title: Text,
    voice: Type.Optional(Type.Enum(['child', 'teen', 'adult'])),
    extends: Type.Optional(Text),
    categories: Type.Optional(CategoryActions),
    uncategorised: Type.Optional(Type.Enum([...ACTIONS])),
    ...Lists,
    downloads: Type.Optional(Type.Object({ block: Texts }, Strict)),
    safeSearch: Type.Optional(Type.Enum(['on', 'off'])),
    youtube: Type.Optional(Type.Enum(['strict', 'moderate', 'off'])),
    hours: Type.Optional(Times),
    times: Type.Optional(
      Type.Array(
        Type.Object(
          {
            ...When,
            categories: Type.Optional(CategoryActions),
            uncategorised: Type.Optional(Type.Enum([...ACTIONS])),
            ...Lists,
          },
          Strict,
        ),
      ),
    ),
  },
  Strict,
);
export type LevelDocument = Static<typeof LevelSchema>;

/** `rules.yaml`, which a school may do without: people, classes and groups, lesson lists. */
export const RulesSchema = Type.Object(
  {
    people: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Text,
            level: Text,
            groups: Type.Optional(Texts),
            suspended: Type.Optional(Text),
            ...Lists,
            times: Type.Optional(Type.Array(Type.Object({ ...When, ...Lists }, Strict))),
          },
          Strict,
        ),
      ),
    ),
    groups: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Text,
            categories: Type.Optional(CategoryActions),
            ...Lists,
            times: Type.Optional(
              Type.Array(Type.Object({ ...When, categories: Type.Optional(CategoryActions), ...Lists }, Strict)),
            ),
          },
          Strict,
        ),
      ),
    ),
    lessons: Type.Optional(Type.Array(Type.Object({ group: Text, from: Text, until: Text, sites: Texts }, Strict))),
  },
  Strict,
);
export type RulesDocument = Static<typeof RulesSchema>;

/** `topics/<id>.yaml`: what a topic needs, for requests to start from. */
export const TopicSchema = Type.Object(
  {
    title: Text,
    subject: Text,
    keyStages: Texts,
    sites: Type.Optional(Texts),
    categories: Type.Optional(Texts),
    note: Type.Optional(Text),
    reviewed: Type.Object({ by: Text, on: Text }, Strict),
  },
  Strict,
);
export type TopicDocument = Static<typeof TopicSchema>;
const Minutes = Type.Integer({ minimum: 1, maximum: 1440 });

/** `alerts.yaml`, which a school may do without: who is told of what, and how they are reached. */
export const AlertsSchema = Type.Object(
  {
    console: Optional,
    fullNames: Type.Optional(Type.Boolean()),
    mail: Type.Optional(Type.Record(Type.String(), Text)),
    webhooks: Type.Optional(Type.Record(Type.String({ minLength: 1, maxLength: 60 }), Text)),
    onCall: Type.Optional(Type.Array(Type.Object({ name: Text, from: Text, to: Text }, Strict))),
    routes: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Type.String({ minLength: 1, maxLength: 60 }),
            themes: Type.Optional(Type.Array(Type.Enum([...ALL_THEMES]), { minItems: 1 })),
            severities: Type.Optional(Type.Array(Type.Enum([...SEVERITIES]), { minItems: 1 })),
            groups: Type.Optional(Type.Array(Text, { minItems: 1 })),
            when: Type.Optional(Times),
            tell: Texts,
            webhooks: Type.Optional(Texts),
            escalate: Type.Optional(
              Type.Object({ afterMinutes: Minutes, to: Type.Array(Text, { minItems: 1 }) }, Strict),
            ),
          },
          Strict,
        ),
      ),
    ),
    heartbeat: Type.Optional(Type.Object({ at: Optional, to: Type.Optional(Texts) }, Strict)),
    silenceMinutes: Type.Optional(Minutes),
  },
  Strict,
);
export type AlertsDocument = Static<typeof AlertsSchema>;

/** Every document of one policy folder, each true to its schema. `levels` by id, which is the file's name without `.yaml`. */
export interface PolicyDocuments {
  readonly school: YamlDocument<SchoolDocument>;
  readonly levels: ReadonlyMap<string, YamlDocument<LevelDocument>>;
  /** By band, which is the file's name. */
  readonly agreements: ReadonlyMap<string, YamlDocument<AgreementDocument>>;
  /** By id, which is the file's name. */
  readonly topics: ReadonlyMap<string, YamlDocument<TopicDocument>>;
  readonly rules: YamlDocument<RulesDocument> | null;
  readonly safeguarding: YamlDocument<SafeguardingDocument> | null;
  readonly alerts: YamlDocument<AlertsDocument> | null;
}
