import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Gives texts to clients that they can neither read nor forge: RFC 9865 cursors. */
export interface Sealer {
  /**
   * @param payload plain JSON data: bytes would not survive
   * @param context what the text is bound to (gateway, type, caller, query …): it opens with the same context only
   * @returns only unreserved URL characters (RFC 9865 §2)
   */
  seal(payload: object, context: string): string;
  /** @returns undefined when the text was not sealed with this key and context, or was changed by a single character */
  open(text: string, context: string): object | undefined;
}

const version = 1;
const ivBytes = 12;
const tagBytes = 16;
const headBytes = 1 + ivBytes + tagBytes;

/** @param key 32 bytes, shared by all replicas */
export function createSealer(key: Uint8Array): Sealer {
  return {
    seal(payload, context) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context));
      const sealed = Buffer.concat([cipher.update(JSON.stringify(payload), 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.of(version), iv, cipher.getAuthTag(), sealed]).toString('base64url');
    },

    open(text, context) {
      const bytes = Buffer.from(text, 'base64url');
      if (bytes.length <= headBytes || bytes[0] !== version) return undefined;
      // Several texts decode to the same bytes, since the last character has unused bits: only one of them is ours.
      if (bytes.toString('base64url') !== text) return undefined;
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, 1 + ivBytes), {
          authTagLength: tagBytes,
        });
        decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(1 + ivBytes, headBytes));
        const payload: unknown = JSON.parse(
          Buffer.concat([decipher.update(bytes.subarray(headBytes)), decipher.final()]).toString('utf8'),
        );
        return typeof payload === 'object' && payload !== null ? payload : undefined;
      } catch {
        return undefined;
      }
    },
  };
}
