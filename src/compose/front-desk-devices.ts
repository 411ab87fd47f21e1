// front desk ── device-… ──► supervisor ── device-… ──► console ── what became of it ──► back the same way
import type { PasswordChange } from '../identity/change-password.ts';
import type { DeviceSessions } from '../identity/device-service.ts';
import type { DeviceAnswer } from '../identity/signed-in-devices.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Message, ProcessLink } from './process-link.ts';

/** Sign-ins by address, as the front desk asks for them. None of these rejects; what cannot be done is `no-answer`. */
export interface FrontDeskDevices {
  signIn(name: string, password: string, address: string): Promise<DeviceAnswer>;
  signInGuest(code: string, address: string): Promise<DeviceAnswer>;
  signOut(address: string): Promise<DeviceAnswer>;
  changePassword(change: PasswordChange): Promise<DeviceAnswer>;
  accept(ticket: string, version: string, address: string): Promise<DeviceAnswer>;
  at(address: string): Promise<DeviceAnswer>;
}

/** The console could not be asked. */
export const NO_ANSWER = { state: 'no-answer' } as const;

/** Longer than the supervisor waits for the console, so that it gets an answer in any case, ms. */
export const FRONT_DESK_MS = 8_000;

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
    changePassword: (change) => orNoAnswer(() => devices.changePassword(change)),
    accept: (ticket, version, address) => orNoAnswer(() => devices.accept(ticket, version, address)),
    at: (address) => orNoAnswer(() => devices.at(address)),
  };
}

/** What the console answers to a message about devices. */
export function askDevices(devices: FrontDeskDevices, message: Message): Promise<DeviceAnswer> {
  const { type, name, password, code, ticket, version, address } = message as Message &
    Record<'name' | 'password' | 'code' | 'ticket' | 'version' | 'address', string>;
  if (type === 'device-sign-in') return devices.signIn(name, password, address);
  if (type === 'device-guest') return devices.signInGuest(code, address);
  if (type === 'device-password') return devices.changePassword(message as Message & PasswordChange);
  if (type === 'device-accept') return devices.accept(ticket, version, address);
  return type === 'device-sign-out' ? devices.signOut(address) : devices.at(address);
}

/** The front desk's end. */
export function devicesOver(link: ProcessLink): FrontDeskDevices {
  const ask = (message: Message): Promise<DeviceAnswer> =>
    link.ask(message, FRONT_DESK_MS).then(
      (answer) => answer as DeviceAnswer,
      () => NO_ANSWER,
    );
  return {
    signIn: (name, password, address) => ask({ type: 'device-sign-in', name, password, address }),
    signInGuest: (code, address) => ask({ type: 'device-guest', code, address }),
    accept: (ticket, version, address) => ask({ type: 'device-accept', ticket, version, address }),
    changePassword: (change) => ask({ type: 'device-password', ...change }),
    signOut: (address) => ask({ type: 'device-sign-out', address }),
    at: (address) => ask({ type: 'device-at', address }),
  };
}
