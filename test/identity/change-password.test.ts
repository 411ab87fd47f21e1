// Log-in cards: whose password must be changed at the first sign-in, how that is done, and what ends with the old one.
import t, { type Test } from 'tap';
import { newestRows } from '../../src/audit/repository.ts';
import type { LogInCard } from '../../src/identity/directory/cards.ts';
import { TICKET_MS, type TicketFacts, createTickets } from '../../src/identity/tickets.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import { type ControlPlane, controlPlane, manualClock, testPolicy, twoPeople } from '../helpers/control-plane.ts';
import { rosterFiles } from '../helpers/rosters.ts';

const [DESK, OTHER] = ['10.20.0.1', '10.20.0.2'];
const NEXT = 'three random words';
const ROSTER = [
  'username,id,given name,family name,role,year,classes,groups,status',
  'junior,1,June,Junior,pupil,3,3a,,',
  'infant,2,Ivo,Infant,pupil,1,1a,,',
  '3a-tablets,3,,,class,3,3a,,',
].join('\n');

async function school(t: Pick<Test, 'teardown'>, identity: Partial<PolicySnapshot['identity']> = {}) {
  const levels = { years: { 1: 'ks1', 3: 'ks2' }, roles: {} };
  const policy = testPolicy({ identity: { mode: 'open', ranges: [], levels, ...identity } });
  const plane = controlPlane({ disk: { snapshot: policy } });
  t.teardown(() => plane.close());
  plane.policy.look();
  const { manager } = twoPeople(plane);
  await plane.directory.import(manager, rosterFiles({ 'people.csv': ROSTER }), false);
  const card = async (name: string): Promise<LogInCard> =>
    (await plane.directory.makeCards(manager, { classOrUser: name }))[0]!;
  const signIn = (name: string, password: string, address = DESK) => plane.devices.signIn({ name, password, address });
  return { plane, manager, card, signIn };
}

const change = (plane: ControlPlane, ticket: string, next = NEXT, again = next, address = DESK) =>
  plane.devices.changePassword({ ticket, name: '', current: '', next, again, address });

void t.test('whose card’s password goes on, and whose must be changed', async (t) => {
  const table: [account: string, keepCards: string[] | undefined, asked: boolean][] = [
    ['junior', undefined, true],
    ['infant', undefined, false],
    ['infant', [], true],
    ['junior', ['ks1', 'ks2'], false],
    ['3a-tablets', [], false],
  ];
  for (const [name, keepCards, asked] of table) {
    const { plane, card, signIn } = await school(t, keepCards === undefined ? {} : { keepCards });
    const { password } = await card(name);
    const what = `${name} ${keepCards?.join() ?? 'as shipped'}`;
    t.equal((await signIn(name, password)).state, asked ? 'password' : 'signed-in', what);
    const sent = { name, password, address: OTHER };
    t.match(await plane.accounts.verify(sent), { user: name, mustChange: asked }, `${what}, at the proxy`);
  }
});

void t.test('until it is changed nobody is signed in; then they are, and the card is waste paper', async (t) => {
  const { plane, card, signIn } = await school(t);
  const { password } = await card('junior');
  const asked = await signIn('junior', password);
  if (asked.state !== 'password') throw new Error(asked.state);
  t.same(plane.devices.at(DESK), { state: 'nobody' });
  const faults: [next: string, again: string, field: string, reason: RegExp][] = [
    ['short', 'short', 'next', /at least 12 characters/],
    ['', '', 'next', /at least 12 characters/],
    ['June Junior', 'June Junior', 'next', /at least 12/],
    [NEXT, 'three random word', 'again', /not the same/],
    [password, password, 'next', /not the one you have now/],
  ];
  for (const [next, again, field, reason] of faults) {
    const told = await change(plane, asked.ticket, next, again);
    t.match(told, { state: 'password', userName: 'junior', fullName: 'June Junior', fault: { field, reason } });
  }
  plane.clock.advance(1);
  t.match(await change(plane, asked.ticket), { state: 'signed-in', userName: 'junior' });
  t.match(plane.devices.at(DESK), { state: 'signed-in', isStaff: undefined }, 'a pupil');
  t.same(await signIn('junior', password, OTHER), { state: 'wrong' });
  t.match(await signIn('junior', NEXT, OTHER), { state: 'signed-in' });
  t.same(await change(plane, asked.ticket, 'another good password'), { state: 'stale' }, 'a ticket is good once');
  await plane.publishing.send();
  t.same(plane.last('live')!.renewals!.at(-1), { user: 'junior', at: plane.clock() }, 'gateways ask anew');
  t.ok(plane.acts().includes('person.password-changed junior'));
  t.notMatch(
    plane.record.read((tx) => JSON.stringify(newestRows(tx, null, 20))),
    new RegExp(`${password}|${NEXT}`),
  );
});

void t.test('what was signed in elsewhere ends with the password', async (t) => {
  const { plane, manager, card, signIn } = await school(t);
  const asked = await signIn('junior', (await card('junior')).password);
  await change(plane, asked.state === 'password' ? asked.ticket : '');
  await signIn('junior', NEXT, OTHER);
  plane.clock.advance(1);
  const typed = { ticket: '', name: 'Junior', current: NEXT, next: 'four quite other words', address: DESK };
  t.match(await plane.devices.changePassword({ ...typed, again: typed.next }), { state: 'signed-in' });
  t.same(plane.devices.at(OTHER), { state: 'nobody' });
  t.match(plane.devices.at(DESK), { state: 'signed-in' });
  await plane.directory.makeCards(manager, { classOrUser: 'junior' });
  t.same(plane.devices.at(DESK), { state: 'nobody' }, 'new cards end it as well');
  plane.clock.advance(21 * 60_000);
  await signIn('infant', (await card('infant')).password);
  await plane.publishing.send();
  t.same(plane.last('live')!.renewals, [{ user: 'infant', at: plane.clock() }], 'for as long as gateways remember');
});

void t.test('a ticket is for one device, a quarter of an hour, and the password it was given for', async (t) => {
  const { plane, manager, card, signIn } = await school(t);
  const ticketFor = async (password: string): Promise<string> => {
    const asked = await signIn('junior', password);
    return asked.state === 'password' ? asked.ticket : '';
  };
  const ticket = await ticketFor((await card('junior')).password);
  t.same(await change(plane, ticket, NEXT, NEXT, OTHER), { state: 'stale' }, 'another device');
  for (const forged of ['.', 'x.y', ticket.slice(1), `${ticket}.`, 'x'.repeat(100_000)]) {
    t.same(await change(plane, forged), { state: 'stale' }, forged.slice(0, 20));
  }
  plane.clock.advance(TICKET_MS);
  t.same(await change(plane, ticket), { state: 'stale' }, 'too late');
  const late = await ticketFor((await card('junior')).password);
  plane.clock.advance(1);
  await plane.directory.makeCards(manager, { classOrUser: 'junior' });
  t.same(await change(plane, late), { state: 'stale' }, 'there is a newer card');
  const tickets = createTickets(Buffer.alloc(32, 1), manualClock());
  const facts: TicketFacts = { for: 'password', personId: 'p', address: DESK, passwordAt: 1 };
  t.match(tickets.read(tickets.make(facts), 'password', DESK), facts);
  t.equal(createTickets(Buffer.alloc(32, 2), manualClock()).read(tickets.make(facts), 'password', DESK), null);
});

void t.test('whose password is not changed on this page, and guessing the one in use', async (t) => {
  const { plane, card } = await school(t);
  const typed = (name: string, current: string) =>
    plane.devices.changePassword({ ticket: '', name, current, next: NEXT, again: NEXT, address: DESK });
  for (const name of ['infant', '3a-tablets']) {
    t.same(await typed(name, (await card(name)).password), { state: 'password-stays' }, name);
  }
  const link = plane.accounts.makeFirstLinks();
  t.same(link, [], 'both roles are held');
  for (let i = 0; i < 5; i++) t.same(await typed('junior', `guess ${i}`), { state: 'wrong' });
  t.match(await typed('junior', (await card('junior')).password), { state: 'held' });
});

void t.test('at a shared address the password is changed, and nobody is bound to the address', async (t) => {
  const { plane, card, signIn } = await school(t, { shared: ['10.20.0.0/16'] });
  const asked = await signIn('junior', (await card('junior')).password);
  t.same(await change(plane, asked.state === 'password' ? asked.ticket : ''), { state: 'shared' });
  await plane.publishing.send();
  t.same(plane.last('live')!.sessions, []);
  t.match(await plane.accounts.verify({ name: 'junior', password: NEXT, address: OTHER }), { mustChange: false });
});

// Gateways went on taking the password of a card that had been replaced, for up to a quarter of an hour.
void t.test('new cards tell gateways at once that what they remember counts no more', async (t) => {
  const { plane, card } = await school(t);
  const { password } = await card('junior');
  const proof = await plane.accounts.verify({ name: 'junior', password, address: OTHER });
  await plane.publishing.send();
  plane.clock.advance(1);
  await card('junior');
  await plane.publishing.send();
  const renewal = plane.last('live')!.renewals!.find(({ user }) => user === 'junior');
  t.ok(typeof proof === 'object' && renewal!.at > proof.at);
});
