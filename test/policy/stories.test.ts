import { join } from 'node:path';
import t from 'tap';
import { loadCatalogue } from '../../src/categories/catalogue.ts';
import type { ExplainedIndex } from '../../src/categories/match.ts';
import { NO_DIRECTORY } from '../../src/identity/directory-snapshot.ts';
import { formatProblem } from '../../src/kernel/errors.ts';
import { judge, prepareKnown, prepareRules, readInstant } from '../../src/policy/check-url.ts';
import { compileFolder } from '../../src/policy/load.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import { grant, match } from './small-school.ts';

// A school's year in stories: who, where, when and what, through the documents of a whole school, compile, identify and decide.

const TEST = join(import.meta.dirname, '..');
const policy = compileSchool();

/** What the lists say of the sites in the stories. */
const SITES: Readonly<Record<string, readonly string[]>> = {
  'museum.example': ['known-good'],
  'chess.example': ['games'],
  'poker.example': ['games', 'gambling'],
  'twitch.tv': ['streaming'],
  'films.example': ['streaming'],
  'news.example': ['news'],
  'chat.example': ['social'],
  'find.example': ['search-engines'],
};

/** Where devices stand, by their addresses. */
const PLACES: Readonly<Record<string, string>> = {
  classroom: '10.20.1.5',
  library: '10.20.8.31',
  'library (IPv6)': '2001:db8:20:8::1f',
  'ICT suite': '10.20.9.4',
  'boarding house': '10.20.41.7',
  'boarding house (IPv6)': '2001:db8:20:40:0:0:0:7',
  home: '192.168.1.7',
};

// A sentence, then who, where, when (on the school's clock, or with a zone) and what → verdict and reason, the rule that decided.
const STORIES = readStories(`
# Lessons, break and lunch
Year 9 want a game in a lesson
  mia, classroom, Tue 2026-11-24 10:00, chess.example → block category, levels/ks1.yaml#categories.games
Year 9 play a game at break
  mia, classroom, Tue 2026-11-24 11:00, chess.example → allow category, levels/ks3.yaml#times.Games at break.categories.games
the bell after break ends the game
  mia, classroom, Wed 2026-11-25 11:20, chess.example → block category, levels/ks1.yaml#categories.games
break opens games, not a game that is gambling
  mia, classroom, Tue 2026-11-24 11:10, poker.example → block category, levels/ks1.yaml#categories.gambling
no twitch for Year 9 at lunch
  mia, classroom, Tue 2026-11-24 12:20, www.twitch.tv → block block-list, levels/ks3.yaml#times.Games at break.block.twitch.tv
Year 11 have no games at break: their level lifts it
  omar, classroom, Tue 2026-11-24 11:10, chess.example → block category, levels/ks1.yaml#categories.games
Year 11 stream in a lesson, and an adult sees it
  omar, classroom, Tue 2026-11-24 10:00, films.example → allow category, levels/ks4.yaml#times.Streaming in lessons.categories.streaming
but no twitch in the lesson
  omar, classroom, Tue 2026-11-24 10:00, twitch.tv → block block-list, levels/ks4.yaml#times.Streaming in lessons.block.twitch.tv
Year 11 stream at lunch as at any time
  omar, classroom, Tue 2026-11-24 12:30, twitch.tv → allow category, levels/ks4.yaml#categories.streaming
Friday ends earlier: no library rule at a quarter to five
  mia, library, Fri 2026-11-27 16:45, chess.example → block category, levels/ks1.yaml#categories.games

# Places
Year 9 in the library at lunch on the last day of term
  mia, library, Fri 2026-12-18 12:30, chess.example → block category, levels/ks3.yaml#times.Quiet library.categories.games
Year 9 in a classroom at that very time
  mia, classroom, Fri 2026-12-18 12:30, chess.example → allow category, levels/ks3.yaml#times.Games at break.categories.games
the library’s other network is the library too
  mia, library (IPv6), Fri 2026-12-18 12:30, chess.example → block category, levels/ks3.yaml#times.Quiet library.categories.games
the library at break is not quiet
  mia, library, Tue 2026-11-24 11:10, chess.example → allow category, levels/ks3.yaml#times.Games at break.categories.games
the chess club meets in the library on Wednesday
  noah, library, Wed 2026-11-25 15:30, chess.example → allow group, rules.yaml#groups.chess-club.times.Club.allow.chess.example
and in the ICT suite
  noah, ICT suite, Wed 2026-11-25 15:30, chess.example → allow group, rules.yaml#groups.chess-club.times.Club.allow.chess.example
whoever is in no club does not play there
  mia, library, Wed 2026-11-25 15:30, chess.example → block category, levels/ks3.yaml#times.Quiet library.categories.games
the club does not meet in a classroom
  noah, classroom, Wed 2026-11-25 15:30, chess.example → block category, levels/ks1.yaml#categories.games
nor on Thursday
  noah, library, Thu 2026-11-26 15:30, chess.example → block category, levels/ks3.yaml#times.Quiet library.categories.games
nor in half-term
  noah, library, Wed 2026-10-28 15:30, chess.example → block category, levels/ks1.yaml#categories.games
a device of the ICT suite nobody signed in on plays at break as Year 9 do
  nobody, ICT suite, Tue 2026-11-24 11:10, chess.example → allow category, levels/ks3.yaml#times.Games at break.categories.games
an unknown device has the youngest pupils’ level
  nobody, classroom, Tue 2026-11-24 11:10, chess.example → block category, levels/ks1.yaml#categories.games

# The year
a bank holiday has no lunch
  mia, classroom, Mon 2027-05-03 12:30, chess.example → block category, levels/ks1.yaml#categories.games
an INSET day has no lunch either
  mia, classroom, Tue 2026-09-01 12:30, chess.example → block category, levels/ks1.yaml#categories.games
the first day with pupils has
  mia, classroom, Wed 2026-09-02 12:30, chess.example → allow category, levels/ks3.yaml#times.Games at break.categories.games
in half-term pupils open only sites that somebody knows
  mia, boarding house, Mon 2026-10-26 10:00, unheard.example → block uncategorised, levels/ks1.yaml#times.Holidays.uncategorised
on the Sunday before half-term, any
  mia, boarding house, Sun 2026-10-25 10:00, unheard.example → allow uncategorised, levels/ks1.yaml#uncategorised
on the Saturday after term the holidays have begun
  mia, boarding house, Sat 2026-12-19 10:00, unheard.example → block uncategorised, levels/ks1.yaml#times.Holidays.uncategorised
and are over on the first day of spring term but for the INSET day
  mia, boarding house, Tue 2027-01-05 10:00, unheard.example → allow uncategorised, levels/ks1.yaml#uncategorised
a film at the weekend
  mia, boarding house, Sat 2026-11-28 15:00, films.example → allow category, levels/ks3.yaml#times.Weekend films.categories.streaming
a member of staff reads social media at the weekend
  h.patel, classroom, Sat 2026-11-28 15:00, chat.example → allow category, levels/staff.yaml#times.Social media in the holidays.categories.social
not on a Friday afternoon
  h.patel, classroom, Fri 2026-11-27 15:00, chat.example → block category, levels/staff.yaml#categories.social

# Nights
at nine in the evening the web closes for the youngest
  alfie, classroom, Tue 2026-11-24 21:00, museum.example → block schedule, levels/ks1.yaml#times.Nights
at half past six it opens
  alfie, classroom, Tue 2026-11-24 06:30, museum.example → allow category, levels/ks1.yaml#categories.known-good
a boarder in Year 13 late on Friday: Saturday begins at half past midnight
  grace, boarding house, Fri 2026-11-27 23:59, chat.example → allow category, levels/sixth-form.yaml#categories.social
the night of Friday is that of Saturday’s first hours for her
  grace, boarding house, Sat 2026-11-28 00:30, museum.example → block schedule, levels/sixth-form.yaml#times.Nights
Thursday’s night goes on until Friday at six
  grace, boarding house (IPv6), Fri 2026-11-27 05:59, museum.example → block schedule, levels/sixth-form.yaml#times.Nights
then she may
  grace, boarding house (IPv6), Fri 2026-11-27 06:00, museum.example → allow category, levels/ks1.yaml#categories.known-good
at home her level has no nights
  grace, home, Fri 2026-11-27 02:00, museum.example → allow category, levels/ks1.yaml#categories.known-good
social media wait until prep is done
  grace, boarding house, Tue 2026-11-24 19:30, chat.example → block category, levels/sixth-form.yaml#times.Prep.categories.social
also on Sunday evening, which is no day of lessons
  grace, boarding house, Sun 2026-11-22 19:30, chat.example → block category, levels/sixth-form.yaml#times.Prep.categories.social
when the clocks go back, the first half past one is in the night
  grace, boarding house, Sun 2026-10-25T00:30:00Z, museum.example → block schedule, levels/sixth-form.yaml#times.Nights
and the second one, too
  grace, boarding house, Sun 2026-10-25T01:30:00Z, museum.example → block schedule, levels/sixth-form.yaml#times.Nights
when they go forward six comes an hour earlier
  grace, boarding house, Sun 2027-03-28T05:00:00Z, museum.example → allow category, levels/ks1.yaml#categories.known-good

# Who stands above whom
detention: no web at lunch, not even known-good sites
  zara, classroom, Tue 2026-11-24 12:30, museum.example → block schedule, rules.yaml#groups.detention.times.Detention
what Zara was allowed herself is nearer than her group
  zara, classroom, Tue 2026-11-24 12:30, zara.example → allow person, rules.yaml#people.zara.allow.zara.example
Leo may not use the web at lunch
  leo, classroom, Tue 2026-11-24 12:30, museum.example → block schedule, rules.yaml#people.leo.times.Not at lunch
and no unblock for his year changes that
  leo, classroom, Tue 2026-11-24 12:30, topic.example → block schedule, rules.yaml#people.leo.times.Not at lunch
which is open to everybody else in his year
  omar, classroom, Tue 2026-11-24 12:30, topic.example → allow unblock, unblock:g1
his own block is lifted in lessons
  leo, classroom, Tue 2026-11-24 10:00, leo.example → allow person, rules.yaml#people.leo.times.Radio in lessons.allow.leo.example
and stands after them
  leo, classroom, Tue 2026-11-24 15:10, leo.example → block person, rules.yaml#people.leo.block.leo.example
Ida is suspended until December
  ida, classroom, Mon 2026-11-30 10:00, museum.example → block person, rules.yaml#people.ida.suspended
then she is not
  ida, classroom, Tue 2026-12-01 08:00, museum.example → allow category, levels/ks1.yaml#categories.known-good
in exam week Year 9 read no news on Monday
  mia, classroom, Mon 2026-11-23 10:00, news.example → block group, rules.yaml#groups.9x.times.Exam week.categories.news
but on Tuesday
  mia, classroom, Tue 2026-11-24 10:00, news.example → allow category, levels/ks3.yaml#categories.news
their teacher’s list for the third lesson leaves two sites
  mia, classroom, Tue 2026-11-24 11:30, find.example → block lesson, rules.yaml#lessons.9x@2026-11-24T11:20:00Z
Year 11’s class rule holds at any time
  omar, classroom, Sat 2026-11-28 10:00, memes.example → block group, rules.yaml#groups.11y.block.memes.example
a visitor in a lesson
  visitor, classroom, Tue 2026-11-24 10:00, chat.example → allow category, levels/sixth-form.yaml#categories.social
a visitor at six in the evening
  visitor, classroom, Tue 2026-11-24 18:00, museum.example → block schedule, levels/guest.yaml#hours
a visitor at the open day on Saturday
  visitor, classroom, Sat 2026-11-28 10:00, museum.example → allow category, levels/ks1.yaml#categories.known-good
the never-list holds for the head at the weekend
  h.patel, classroom, Sat 2026-11-28 15:00, never.example → block never, school.yaml#never.never.example
`);

const rules = prepareRules({
  policy,
  serial: 7,
  people: NO_DIRECTORY,
  index: indexOf(SITES),
  destinations: () => ({ mayReach: () => true }),
});
const known = prepareKnown({
  grants: [
    grant({
      hosts: ['topic.example'],
      levels: ['ks4'],
      from: Date.parse('2026-11-24T09:00:00Z'),
      until: Date.parse('2026-11-24T15:10:00Z'),
    }),
  ],
});

await t.test('a school’s year in stories', async (t) => {
  for (const { sentence, who, from, at, weekday, url, expected } of STORIES) {
    const asked = { url, from, ...(who !== 'nobody' && { user: who }) };
    const { verdict } = judge(rules, known, asked, readInstant(at, policy.timeZone), null);
    t.equal(`${verdict.verdict} ${verdict.reason}, ${verdict.rule}`, expected, sentence);
    t.equal(new Date(verdict.at).toUTCString().slice(0, 3), weekday, `${sentence}: the day of the week`);
  }
  t.ok(STORIES.length >= 40);
});

interface Story {
  readonly sentence: string;
  readonly who: string;
  readonly from: string;
  readonly at: string;
  readonly weekday: string;
  readonly url: string;
  readonly expected: string;
}

function readStories(text: string): Story[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Array.from({ length: lines.length / 2 }, (_, i) => {
    const [sentence, facts] = [lines[2 * i]!, lines[2 * i + 1]!];
    const parts = /^ {2}(.+?), (.+?), (\w{3}) (.+?), (.+?) → (.+)$/.exec(facts);
    if (parts === null) throw new Error(`"${sentence}" is told in another form: ${facts}`);
    const [who, place, weekday, at, url, expected] = parts.slice(1) as [string, string, string, string, string, string];
    return { sentence, who, from: PLACES[place]!, at, weekday, url, expected };
  });
}

function compileSchool(): PolicySnapshot {
  const { categories } = loadCatalogue(join(TEST, '..', 'blocklists'));
  const compiled = compileFolder(join(TEST, 'fixtures', 'fairfield'), categories);
  if ('problems' in compiled) throw new Error(compiled.problems.map(formatProblem).join('\n'));
  return compiled.snapshot;
}

/** An index that knows these sites and what is under them. */
function indexOf(sites: typeof SITES): ExplainedIndex {
  const known = new Map(Object.entries(sites).map(([host, categories]) => [host, match(...categories)]));
  const nothing = match();
  return {
    sha256: '',
    lists: [],
    match: (host) => known.get(host.replace(/^www\./, '')) ?? nothing,
    matchAddress: () => nothing,
    explain: () => [],
  };
}
