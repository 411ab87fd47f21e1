import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { systemClock } from '../../src/kernel/clock.ts';

/** A certificate and its private key, PEM. */
export interface CertifiedKey {
  readonly cert: string;
  readonly key: string;
}

export interface LeafOptions {
  /** ms since the epoch; the default is an hour ago and a day ahead. */
  readonly notBefore?: number;
  readonly notAfter?: number;
}

/** A certificate authority that lives as long as the test: `cert` is its PEM, for `ca:` of a client. */
export interface TestAuthority {
  readonly cert: string;
  /** A server certificate for DNS names and IP addresses. */
  readonly issue: (names: readonly string[], options?: LeafOptions) => CertifiedKey;
}

/** Makes an authority with a P-256 key. Certificates follow RFC 5280; no program but Node is needed. */
export function createAuthority(commonName = 'Schoolgate test authority'): TestAuthority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = { name: distinguishedName(commonName), key: keys.privateKey, keyId: keyId(keys.publicKey) };
  const validity = { notBefore: systemClock() - HOUR, notAfter: systemClock() + 48 * HOUR };
  const extensions = [
    extension('2.5.29.19', true, sequence(boolean(true))),
    extension('2.5.29.15', true, bitString(Buffer.from([0x06]), 1)),
    extension('2.5.29.14', false, octets(issuer.keyId)),
  ];
  return {
    cert: certificate(issuer, issuer.name, keys.publicKey, validity, extensions),
    issue: (names, options = {}) => issueLeaf(issuer, names, options),
  };
}

interface Issuer {
  readonly name: Buffer;
  readonly key: KeyObject;
  readonly keyId: Buffer;
}

interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

const HOUR = 3_600_000;

function issueLeaf(issuer: Issuer, names: readonly string[], options: LeafOptions): CertifiedKey {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const validity = {
    notBefore: options.notBefore ?? systemClock() - HOUR,
    notAfter: options.notAfter ?? systemClock() + 24 * HOUR,
  };
  const extensions = [
    extension('2.5.29.19', true, sequence()),
    extension('2.5.29.15', true, bitString(Buffer.from([0x80]), 7)),
    extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.17', false, sequence(...names.map(generalName))),
    extension('2.5.29.14', false, octets(keyId(keys.publicKey))),
    extension('2.5.29.35', false, sequence(tagged(0x80, issuer.keyId))),
  ];
  return {
    cert: certificate(issuer, distinguishedName(names[0] ?? 'leaf'), keys.publicKey, validity, extensions),
    key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

/** RFC 5280 §4.1: the certificate fields, signed. */
function certificate(
  issuer: Issuer,
  subject: Buffer,
  publicKey: KeyObject,
  validity: Validity,
  extensions: Buffer[],
): string {
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const fields = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, positive(randomBytes(12))),
    algorithm,
    issuer.name,
    sequence(generalizedTime(validity.notBefore), generalizedTime(validity.notAfter)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', fields, issuer.key);
  return pem(sequence(fields, algorithm, bitString(signature, 0)));
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function keyId(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
}

function distinguishedName(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(oid('2.5.4.3'), tagged(0x0c, Buffer.from(commonName)))));
}

function generalName(name: string): Buffer {
  const kind = isIP(name);
  if (kind === 0) return tagged(0x82, Buffer.from(name));
  return tagged(0x87, kind === 4 ? Buffer.from(name.split('.').map(Number)) : ipv6Bytes(name));
}

function ipv6Bytes(address: string): Buffer {
  const [head = '', tail] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const all = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function generalizedTime(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  // RFC 5280 §4.1.2.5: years up to 2049 are written with two digits.
  return text < '2050' ? tagged(0x17, Buffer.from(text.slice(2))) : tagged(0x18, Buffer.from(text));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return critical ? sequence(oid(id), boolean(true), octets(value)) : sequence(oid(id), octets(value));
}

/** DER (X.690): tag, length, contents. */
function tagged(tag: number, contents: Buffer): Buffer {
  const size = contents.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), contents]);
}

function sequence(...parts: Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function octets(bytes: Buffer): Buffer {
  return tagged(0x04, bytes);
}

function bitString(bytes: Buffer, unusedBits: number): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([unusedBits]), bytes]));
}

function boolean(value: boolean): Buffer {
  return tagged(0x01, Buffer.from([value ? 0xff : 0]));
}

function positive(bytes: Buffer): Buffer {
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes;
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const digits = [arc & 127];
    for (let left = arc >> 7; left > 0; left >>= 7) digits.unshift((left & 127) | 128);
    bytes.push(...digits);
  }
  return tagged(0x06, Buffer.from(bytes));
}
