// worker, front desk ──► supervisor ──┬── channel ──► console           (on this machine)
//                                     └── relay ── Redis ──► console    (elsewhere)
import type { CredentialsAnswer, ProxyCredentials } from '../identity/credentials.ts';
import { canonicalAddress } from '../kernel/ip.ts';
import { askDevices, type FrontDeskDevices, NO_ANSWER } from './front-desk-devices.ts';
import type { AnswerLessons } from './front-desk-lessons.ts';
import type { AnswerReports } from './front-desk-reports.ts';
import type { AnswerWishes } from './front-desk-wishes.ts';
import type { Message } from './process-link.ts';

/** A way to the console: a channel between two processes, or the bus. Rejects when no answer comes within `ms`. */
export interface ConsoleLine {
  ask(message: Message, ms: number): Promise<unknown>;
}

/** Shorter than a worker waits, so that it gets an answer in any case, ms. */
const VERIFY_MS = 4_500;
/** Longer than some twenty passwords take that wait for their turn, and shorter than the front desk's own patience, ms. */
const DEVICES_MS = 7_000;

/** Whether it is a question that the console alone can answer. */
export function isForConsole(message: Message): boolean {
  return Object.hasOwn(PARTS, message.type);
}

/**
 * Passes a question on to the console. Never rejects: where it cannot be asked, or not in time, the answer says so. `hurryMs`: so much
 * sooner than whoever asks gives up.
 */
export async function askConsole(
  line: ConsoleLine | null | undefined,
  message: Message,
  hurryMs = 0,
): Promise<unknown> {
  const [noAnswer, ms] = message.type === 'verify' ? ['no-answer', VERIFY_MS] : [NO_ANSWER, DEVICES_MS];
  try {
    return (await line?.ask(message, ms - hurryMs)) ?? noAnswer;
  } catch {
    return noAnswer;
  }
}

/** What the console answers to gateways. None of it rejects. */
export interface ConsoleAnswers {
  /** Whose credentials these are; `no-answer` when that could not be found out. */
  verify(credentials: ProxyCredentials): Promise<CredentialsAnswer>;
  /** Who is signed in at which address, as the front desk asks. */
  readonly devices: FrontDeskDevices;
  /** What whoever is signed in at an address asks of lesson lists. */
  readonly lessons: AnswerLessons;
  /** What whoever is signed in at an address would like to have opened or closed. */
  readonly wishes: AnswerWishes;
  /** What somebody at an address reports. */
  readonly reports: AnswerReports;
}

/** The console's answer, whichever way it was asked. Rejects for what no gateway asks: anybody who reaches the bus can put a question. */
export async function answerGateway(answers: ConsoleAnswers, question: unknown): Promise<unknown> {
  const message = readQuestion(question);
  if (message === null) throw new Error('no gateway asks so');
  if (message.type === 'lesson') return await answers.lessons(message['address'] as string, message['ask'] as string);
  if (message.type === 'wish') return await answers.wishes(message['address'] as string, message['ask'] as string);
  if (message.type === 'report') return await answers.reports(message['address'] as string, message['ask'] as string);
  if (message.type !== 'verify') return await askDevices(answers.devices, message);
  const { name, password, address } = message as unknown as ProxyCredentials;
  return await answers.verify({ name, password, address });
}

/** What each kind of question is made of, besides the address. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  verify: ['name', 'password'],
  'device-sign-in': ['name', 'password'],
  'device-guest': ['code'],
  'device-password': ['ticket', 'name', 'current', 'next', 'again'],
  'device-accept': ['ticket', 'version'],
  'device-sign-out': [],
  'device-at': [],
  lesson: ['ask'],
  wish: ['ask'],
  report: ['ask'],
};

function readQuestion(question: unknown): Message | null {
  if (typeof question !== 'object' || question === null) return null;
  const { type, ...parts } = question as Message & Record<string, unknown>;
  if (!Object.hasOwn(PARTS, type) || PARTS[type]!.some((part) => typeof parts[part] !== 'string')) return null;
  const { address } = parts;
  const isCanonical = typeof address === 'string' && canonicalAddress(address) === address;
  return isCanonical ? (question as Message) : null;
}
