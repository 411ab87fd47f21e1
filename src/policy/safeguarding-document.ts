import { type Static, Type } from 'typebox';
import { ALL_THEMES, SEVERITIES } from './safeguarding-rules.ts';

const Strict = { additionalProperties: false };
const Text = Type.String({ minLength: 1, maxLength: 300 });
const Phrases = Type.Array(Type.String({ minLength: 1, maxLength: 100 }));
const Points = Type.Number({ minimum: 0, maximum: 1000 });
const Count = Type.Integer({ minimum: 1, maximum: 100 });
const Times = Type.Number({ minimum: 0.1, maximum: 10 });

const Theme = Type.Object(
  {
    categories: Type.Optional(Type.Record(Type.String(), Points)),
    searches: Type.Optional(
      Type.Object(
        { danger: Type.Optional(Phrases), caution: Type.Optional(Phrases), advisory: Type.Optional(Phrases) },
        Strict,
      ),
    ),
    not: Type.Optional(Phrases),
    rules: Type.Array(
      Type.Object(
        {
          name: Type.String({ minLength: 1, maxLength: 60 }),
          severity: Type.Enum([...SEVERITIES]),
          points: Type.Number({ exclusiveMinimum: 0, maximum: 10_000 }),
          within: Text,
          days: Type.Optional(Count),
          sites: Type.Optional(Count),
          searchesOnly: Type.Optional(Type.Boolean()),
          alertAgain: Type.Optional(Type.Boolean()),
        },
        Strict,
      ),
      { minItems: 1 },
    ),
  },
  Strict,
);

/** `safeguarding.yaml`, which a school may do without: what makes a concern. */
export const SafeguardingSchema = Type.Object(
  {
    night: Type.Optional(Type.Object({ from: Text, to: Text, times: Times }, Strict)),
    levels: Type.Optional(Type.Record(Type.String(), Times)),
    background: Type.Optional(Type.Array(Text)),
    searches: Type.Object({ danger: Points, caution: Points, advisory: Points }, Strict),
    themes: Type.Object(
      Object.fromEntries(ALL_THEMES.map((theme) => [theme, Type.Optional(Theme)])) as Record<
        (typeof ALL_THEMES)[number],
        ReturnType<typeof Type.Optional<typeof Theme>>
      >,
      Strict,
    ),
  },
  Strict,
);
export type SafeguardingDocument = Static<typeof SafeguardingSchema>;
export type ThemeDocument = Static<typeof Theme>;
