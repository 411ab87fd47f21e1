import type { IllegalWording } from '../../policy/snapshot.ts';
import { TEMPORARY_PASSWORD } from '../../policy/steps.ts';
import type { Decision } from '../../policy/verdict.ts';
import { REASON_WORDS } from './reasons.ts';
import { TOPIC_WORDS } from './topics.ts';
import { WARNING_WORDS } from './warnings.ts';
import type { Voice, Words, WordsByVoice } from './words.ts';

export type Theme = keyof typeof TOPIC_WORDS | keyof typeof REASON_WORDS | keyof typeof WARNING_WORDS;

/** What of a decision the wording depends on. */
export type Told = Pick<Decision, 'action' | 'reason' | 'category' | 'rule' | 'locked'>;

/** Categories whose refusal needs words of its own; every other one is told by its title. A school may add some of its own. */
const TOPICS: Readonly<Record<string, keyof typeof TOPIC_WORDS>> = {
  'self-harm': 'self-harm',
  'eating-disorders': 'eating-disorders',
  abuse: 'abuse',
  bullying: 'abuse',
  adult: 'grown-up',
  dating: 'grown-up',
  violence: 'grown-up',
  weapons: 'grown-up',
  hate: 'grown-up',
  discrimination: 'grown-up',
  extremism: 'grown-up',
  drugs: 'drugs',
  'alcohol-tobacco': 'drugs',
  gambling: 'gambling',
  malware: 'security',
  phishing: 'security',
  'vpn-proxy': 'bypass',
  adverts: 'adverts',
  trackers: 'adverts',
};

const REASON_THEMES: Readonly<Record<Exclude<Decision['reason'], 'illegal' | 'category'>, Theme>> = {
  malformed: 'malformed',
  protocol: 'protocol',
  port: 'port',
  destination: 'destination',
  never: 'school',
  person: 'person',
  group: 'group',
  'allow-list': 'list',
  'block-list': 'list',
  unblock: 'list',
  uncategorised: 'uncategorised',
  schedule: 'schedule',
  lesson: 'lesson',
  agreement: 'agreement',
  identity: 'identity',
  limit: 'limit',
  default: 'list',
  fault: 'fault',
};

/** Which words a refusal is told in. */
export function themeOf(decision: Told): Theme {
  if (decision.locked || decision.reason === 'illegal') return illegalTheme(decision.category);
  if (decision.action === 'warn') return warningTheme(decision.category);
  if (decision.rule?.endsWith('#downloads') === true) return 'download';
  if (decision.rule === TEMPORARY_PASSWORD) return 'password';
  if (decision.reason === 'person' && decision.rule?.endsWith('.suspended') === true) return 'suspended';
  if (decision.category !== null && (decision.reason === 'category' || decision.reason === 'group')) {
    return TOPICS[decision.category] ?? 'topic';
  }
  return decision.reason === 'category' ? 'list' : REASON_THEMES[decision.reason];
}

/** Where a refusal would offer help before rules, so does a warning. */
function warningTheme(category: string | null): Theme {
  if (category === null) return 'warned-unknown';
  const topic = TOPICS[category];
  return topic !== undefined && TOPIC_WORDS[topic].child.tone === 'help' ? 'warned-help' : 'warned';
}

function illegalTheme(category: string | null): Theme {
  return category === 'csam' || category === 'terrorism' ? category : 'illegal';
}

const WORDS: Readonly<Record<Theme, WordsByVoice>> = { ...TOPIC_WORDS, ...REASON_WORDS, ...WARNING_WORDS };

export const THEMES = Object.keys(WORDS) as readonly Theme[];

/** `own`: what the school says of illegal material in place of our heading and sentences. What to do and who helps stays ours. */
export function wordsFor(theme: Theme, voice: Voice, own: IllegalWording = {}): Words {
  const words = WORDS[theme][voice];
  const said = theme === 'csam' || theme === 'terrorism' ? own[theme] : undefined;
  return said === undefined ? words : { ...words, heading: said.heading, why: said.text };
}
