import { inspect } from 'node:util';

/** A value that prints as stars everywhere; it must be revealed on purpose. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '*****';
  }

  toJSON(): string {
    return '*****';
  }

  [inspect.custom](): string {
    return '*****';
  }
}
