import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

/** ASN.1 of an X25519 public key (RFC 8410) before its 32 bytes. */
const SPKI = Buffer.from('302a300506032b656e032100', 'hex');
const POINT_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Texts are filled up to a multiple of this, so that a sealed one does not tell how long it is. */
const PAD_BYTES = 256;

/** The 32 bytes of an X25519 public key, base64, as gateways are sent it. */
export function publicKeyText(key: KeyObject): string {
  return key.export({ format: 'der', type: 'spki' }).subarray(SPKI.length).toString('base64');
}

/**
 * Seals a text so that only whoever holds the private key can read it: ephemeral X25519, HKDF-SHA-256 over both public keys,
 * AES-256-GCM. Gives base64 of ephemeral public key, nonce, tag and ciphertext. Throws if `publicKey` is none.
 */
export function sealTarget(publicKey: string, text: string): string {
  const recipient = readPublicKey(Buffer.from(publicKey, 'base64'));
  const ephemeral = generateKeyPairSync('x25519');
  const point = Buffer.from(publicKeyText(ephemeral.publicKey), 'base64');
  const shared = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: recipient });
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', sealingKey(shared, point, publicKey), iv);
  const sealed = Buffer.concat([cipher.update(pad(text)), cipher.final()]);
  return Buffer.concat([point, iv, cipher.getAuthTag(), sealed]).toString('base64');
}

/** Reads what `sealTarget` made. Throws if it was sealed to another key or was changed. */
export function openTarget(privateKey: KeyObject, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64');
  const point = bytes.subarray(0, POINT_BYTES);
  const [iv, tag] = [bytes.subarray(POINT_BYTES, POINT_BYTES + IV_BYTES), bytes.subarray(44, 44 + TAG_BYTES)];
  const shared = diffieHellman({ privateKey, publicKey: readPublicKey(point) });
  const own = publicKeyText(createPublicKey(privateKey));
  const decipher = createDecipheriv('aes-256-gcm', sealingKey(shared, point, own), iv);
  decipher.setAuthTag(tag);
  const padded = Buffer.concat([decipher.update(bytes.subarray(44 + TAG_BYTES)), decipher.final()]);
  return padded.toString('utf8', 4, 4 + padded.readUInt32LE(0));
}

function sealingKey(shared: Buffer, point: Buffer, recipient: string): Buffer {
  const salt = Buffer.concat([point, Buffer.from(recipient, 'base64')]);
  return Buffer.from(hkdfSync('sha256', shared, salt, 'schoolgate evidence: target', 32));
}

function pad(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const padded = Buffer.alloc(Math.ceil((bytes.length + 4) / PAD_BYTES) * PAD_BYTES);
  padded.writeUInt32LE(bytes.length, 0);
  bytes.copy(padded, 4);
  return padded;
}

function readPublicKey(point: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI, point]), format: 'der', type: 'spki' });
}
