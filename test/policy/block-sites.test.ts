import t from 'tap';
import { blockPlaces, withBlocked } from '../../src/policy/block-sites.ts';
import { FILES } from './small-school.ts';

void t.test('a site can be blocked in a level with those that extend it, or for everybody', async (t) => {
  const places = blockPlaces({ ...FILES, 'levels/broken.yaml': 'title: [' }, (level) => level !== 'evening');
  t.same(
    places.map(({ file, also, isPupilsRoot }) => [file, also.join(), isPupilsRoot]),
    [
      ['levels/junior.yaml', 'Senior,Evening', true],
      ['levels/senior.yaml', '', false],
      ['levels/evening.yaml', '', false],
      ['school.yaml', '', false],
    ],
  );
  const onlySeniors = blockPlaces(FILES, (level) => level === 'senior');
  t.match(onlySeniors.find(({ isPupilsRoot }) => isPupilsRoot)?.file, 'levels/senior.yaml', 'extends none for pupils');
});

void t.test('each site is added once, and nothing else is touched', async (t) => {
  const level = 'title: Junior # ours\nblock:\n  - closed.example # kept shut\n';
  const files = { ...FILES, 'levels/junior.yaml': level, 'levels/none.yaml': 'title: None\n' };
  const hosts = ['closed.example', 'bad.example'];
  const blocked = withBlocked(files, hosts, ['levels/junior.yaml', 'levels/none.yaml', 'school.yaml'])!;
  t.equal(blocked['levels/junior.yaml'], `${level}  - bad.example\n`);
  t.match(blocked['levels/none.yaml'], 'block:\n  - closed.example\n  - bad.example\n');
  t.match(
    blocked['school.yaml'],
    /never: \[ ?never\.example, notnow\.example\/page, closed\.example, bad\.example ?\]/,
  );
  t.equal(blocked['rules.yaml'], FILES['rules.yaml']);
  t.equal(withBlocked(files, ['closed.example'], ['levels/junior.yaml']), files, 'blocked there already');
  t.equal(withBlocked(files, hosts, ['levels/gone.yaml']), null);
  t.equal(withBlocked({ ...files, 'school.yaml': 'name: [' }, hosts, ['school.yaml']), null);
});
