import { Type, type FastifyPluginAsyncTypebox, type Static } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { InvalidFieldsError } from '../kernel/errors.ts';
import { instantOf, localInput } from '../kernel/local-time.ts';
import { Csrf, Strict, Text, Ticked, Typed, type UnblockRoutesOptions, sitesOf, ticked } from './routes.ts';
import type { UnblockInput } from './terms.ts';

const RequestForm = Type.Object(
  {
    _csrf: Csrf,
    /** The same form sent again asks for nothing more. */
    key: Type.Optional(Type.String({ maxLength: 40 })),
    /** What a pupil asked for, and this passes on. */
    wish: Type.Optional(Type.String({ maxLength: 40 })),
    topic: Text,
    subject: Typed,
    reason: Text,
    hosts: Text,
    /** Hosts that a page was seen to need. */
    with: Ticked,
    categories: Ticked,
    classes: Ticked,
    otherClasses: Typed,
    pupils: Typed,
    passesPersonBlock: Ticked,
    levels: Ticked,
    ranges: Text,
    during: Ticked,
    from: Text,
    until: Text,
  },
  Strict,
);
type RequestForm = Static<typeof RequestForm>;

const NewQuery = Type.Object({ wish: Typed, topic: Typed, site: Typed });

/** The form that asks for an unblock. */
export const requestRoutes: FastifyPluginAsyncTypebox<UnblockRoutesOptions> = async (app, options) => {
  const { unblocks, clock } = options;
  const config = { access: 'unblock.request' } as const;

  app.get('/unblocks/new', { config, schema: { querystring: NewQuery } }, async (request, reply) => {
    const { wish, topic, site } = request.query;
    const now = Math.ceil(clock() / 300_000) * 300_000;
    const zone = zoneOf(options);
    const times = { from: localInput(now, zone), until: localInput(now + 3_600_000, zone) };
    return formPage(options, request, reply, {
      ...times,
      ...(site !== undefined && { hosts: site }),
      key: unblocks.newFormKey(),
      ...fromTopic(options, topic),
      ...(wish !== undefined && wished(options, request, wish)),
    });
  });

  app.post('/unblocks/new', { config, schema: { body: RequestForm } }, async (request, reply) => {
    try {
      const input = readForm(request.body, zoneOf(options));
      const { id } = await unblocks.request(
        request.actor(),
        input,
        request.body.key ?? null,
        request.body.wish || null,
      );
      return reply.redirect(`/unblocks/${id}?done=requested`, 303);
    } catch (error) {
      if (!(error instanceof InvalidFieldsError)) throw error;
      return formPage(options, request, reply.code(422), typedForm(request.body), error.fields);
    }
  });

  app.post('/unblocks/new/needed', { config, schema: { body: RequestForm } }, async (request, reply) => {
    const typed = typedForm(request.body);
    const sites = sitesOf(lines(String(typed['hosts'])));
    return formPage(options, request, reply, { ...typed, needed: await options.neededWith(sites) });
  });
};

/** The form as a pupil's wish fills it in. */
function wished({ wishes }: UnblockRoutesOptions, request: FastifyRequest, id: string): Record<string, unknown> {
  const { hosts, reason, asked } = wishes.get(request.actor().personId, id);
  return { wish: id, hosts: hosts.join('\n'), reason, pupils: asked.userName };
}

/** The form as a topic pack fills it in; nothing where there is none of that name. */
function fromTopic({ policyInForce }: UnblockRoutesOptions, id: string | undefined): Record<string, unknown> {
  const pack = policyInForce()?.topics?.find((one) => one.id === id);
  if (pack === undefined) return {};
  const { title, subject, sites, categories } = pack;
  return { topic: title, subject, hosts: sites.join('\n'), categories, pack };
}

function zoneOf({ policyInForce }: UnblockRoutesOptions): string {
  return policyInForce()?.timeZone ?? 'Europe/London';
}

function readForm(form: RequestForm, zone: string): UnblockInput {
  return {
    topic: form.topic,
    subject: form.subject ?? '',
    reason: form.reason,
    hosts: [...lines(form.hosts), ...ticked(form.with)],
    categories: ticked(form.categories),
    classes: [...ticked(form.classes), ...lines(form.otherClasses ?? '')],
    pupils: lines(form.pupils ?? ''),
    levels: ticked(form.levels),
    ranges: lines(form.ranges),
    during: ticked(form.during),
    passesPersonBlock: ticked(form.passesPersonBlock).includes('yes'),
    from: instantOf(form.from.trim(), zone),
    until: instantOf(form.until.trim(), zone),
  };
}

function lines(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

const BOXES = ['categories', 'classes', 'levels', 'during', 'passesPersonBlock'] as const;

function typedForm(form: RequestForm): Record<string, unknown> {
  const hosts = [form.hosts, ...ticked(form.with)].join('\n').trim();
  return { ...form, hosts, ...Object.fromEntries(BOXES.map((name) => [name, ticked(form[name])])) };
}

/** Of this many classes at most there is a box each. */
const BOXED_CLASSES = 30;

async function formPage(
  options: UnblockRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  typed: Record<string, unknown>,
  errors: InvalidFieldsError['fields'] = [],
): Promise<FastifyReply> {
  const policy = options.policyInForce();
  const { classes, members } = options.knownSchool();
  const taught = members.get(request.actor().personId)?.teaches ?? [];
  const same = (names: readonly string[]) => names.map((name) => ({ value: name, text: name }));
  const categories = Object.entries(policy?.categories ?? {}).filter(([, { locked }]) => !locked);
  return reply.page('unblock-request', {
    title: 'Ask for an unblock',
    typed,
    errors,
    categories: categories.map(([id, { title, highRisk }]) => ({
      value: id,
      text: highRisk === true ? `${title} (the safeguarding lead must agree)` : title,
    })),
    // A teacher's own; whoever teaches none chooses among all, where these are few.
    classes: same(taught.length > 0 ? taught : classes.length <= BOXED_CLASSES ? classes : []),
    hasOtherClasses: taught.length > 0 ? classes.length > taught.length : classes.length > BOXED_CLASSES,
    slots: same([...new Set(policy?.calendar?.slots.map(({ word }) => word))]),
    topics: policy?.topics ?? [],
    levels: Object.values(policy?.levels ?? {}).map(({ name, title }) => ({ value: name, text: title })),
  });
}
