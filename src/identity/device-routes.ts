import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Table } from 'fastify';
import type { DeviceSessions } from './device-service.ts';
import type { DeviceSignIn } from './repository.ts';

export interface DeviceRoutesOptions {
  readonly devices: DeviceSessions;
}

const Strict = { additionalProperties: false };
const Query = Type.Object({ done: Type.Optional(Type.String({ maxLength: 20 })) });
const Id = Type.String({ pattern: '^[0-9A-Z]{26}$' });
const SignOutForm = Type.Object(
  {
    _csrf: Type.Optional(Type.String()),
    address: Type.String({ minLength: 2, maxLength: 64 }),
    person: Id,
    back: Type.Optional(Type.Literal('person')),
  },
  Strict,
);

/** Who is signed in on which device of the network, and signing them out there. */
export const deviceRoutes: FastifyPluginAsyncTypebox<DeviceRoutesOptions> = async (app, { devices }) => {
  app.get('/devices', { config: { access: 'people.see' }, schema: { querystring: Query } }, async (request, reply) => {
    const data = { title: 'Signed in on devices', done: request.query.done };
    return reply.tablePage('devices', data, DEVICES, devices.list(request.actor()));
  });

  app.post(
    '/devices/sign-out',
    { config: { access: 'people.suspend' }, schema: { body: SignOutForm } },
    async (request, reply) => {
      const { address, person, back } = request.body;
      devices.endAt(request.actor(), address, person);
      return reply.redirect(back === undefined ? '/devices?done=signed-out' : `/people/${person}?done=signed-out`, 303);
    },
  );
};

const DEVICES: Table<DeviceSignIn> = {
  path: '/devices',
  caption: 'Signed-in devices',
  columns: [
    { id: 'name', title: 'Name', value: ({ person }) => person.fullName },
    { id: 'user', title: 'User name', value: ({ person }) => person.userName },
    { id: 'address', title: 'Device', value: ({ address }) => address },
    { id: 'since', title: 'Since', value: ({ since }) => since, isTime: true },
    { id: 'seen', title: 'Last used', value: ({ seenAt }) => seenAt, isTime: true },
    { id: 'until', title: 'Until', value: ({ until }) => until, isTime: true },
  ],
  search: { label: 'Name or device', of: ({ person, address }) => `${person.fullName} ${person.userName} ${address}` },
  empty: {
    text: 'Nobody is signed in on a device now. People sign in at the front desk, guests with a voucher.',
    href: '/guests',
    linkText: 'Guests',
  },
};
