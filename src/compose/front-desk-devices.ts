// front desk ── device-… ──► supervisor ── device-… ──► console ── what became of it ──► back the same way
import type { DeviceSessions } from '../identity/device-service.ts';
import type { DeviceAnswer } from '../identity/signed-in-devices.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Message, ProcessLink } from './process-link.ts';

/** Sign-ins by address, as the front desk asks for them. None of these rejects; what cannot be done is `no-answer`. */
export interface FrontDeskDevices {
  signIn(name: string, password: string, address: string): Promise<DeviceAnswer>;
  signInGuest(code: string, address: string): Promise<DeviceAnswer>;
  signOut(address: string): Promise<DeviceAnswer>;
  at(address: string): Promise<DeviceAnswer>;
}

const NO_ANSWER = { state: 'no-answer' } as const;
const TYPES: ReadonlySet<string> = new Set(['device-sign-in', 'device-guest', 'device-sign-out', 'device-at']);

/** Longer than some twenty passwords take that wait for their turn, and shorter than the front desk's own patience, ms. */
const CONSOLE_MS = 7_000;
const FRONT_DESK_MS = 8_000;

/** The console's end. */
export function frontDeskDevices(devices: DeviceSessions, log: Logger): FrontDeskDevices {
  const orNoAnswer = async (work: () => DeviceAnswer | Promise<DeviceAnswer>): Promise<DeviceAnswer> => {
    try {
      return await work();
    } catch (error) {
      log.error({ err: error }, 'a sign-in on a device could not be looked at');
      return NO_ANSWER;
    }
  };
  return {
    signIn: (name, password, address) => orNoAnswer(() => devices.signIn({ name, password, address })),
    signInGuest: (code, address) => orNoAnswer(() => devices.signInGuest(code, address)),
    signOut: (address) =>
      orNoAnswer(() => {
        devices.signOut(address);
        return devices.at(address);
      }),
    at: (address) => orNoAnswer(() => devices.at(address)),
  };
}

export function isDeviceMessage({ type }: Message): boolean {
  return TYPES.has(type);
}

/** What the console answers to a message about devices. */
export function askDevices(devices: FrontDeskDevices, message: Message): Promise<DeviceAnswer> {
  const { type, name, password, code, address } = message as Message &
    Record<'name' | 'password' | 'code' | 'address', string>;
  if (type === 'device-sign-in') return devices.signIn(name, password, address);
  if (type === 'device-guest') return devices.signInGuest(code, address);
  return type === 'device-sign-out' ? devices.signOut(address) : devices.at(address);
}

/** Passes a message on to the console, which alone knows. `no-answer` where none runs on this machine. */
export async function devicesAtConsole(
  console: ProcessLink | null | undefined,
  { type, name, password, code, address }: Message,
): Promise<DeviceAnswer> {
  return askOver(console, { type, name, password, code, address }, CONSOLE_MS);
}

/** The front desk's end. */
export function devicesOver(link: ProcessLink): FrontDeskDevices {
  const ask = (message: Message): Promise<DeviceAnswer> => askOver(link, message, FRONT_DESK_MS);
  return {
    signIn: (name, password, address) => ask({ type: 'device-sign-in', name, password, address }),
    signInGuest: (code, address) => ask({ type: 'device-guest', code, address }),
    signOut: (address) => ask({ type: 'device-sign-out', address }),
    at: (address) => ask({ type: 'device-at', address }),
  };
}

async function askOver(link: ProcessLink | null | undefined, message: Message, ms: number): Promise<DeviceAnswer> {
  try {
    return ((await link?.ask(message, ms)) as DeviceAnswer | undefined) ?? NO_ANSWER;
  } catch {
    return NO_ANSWER;
  }
}
