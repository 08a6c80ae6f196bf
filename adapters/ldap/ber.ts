/** Tags of ASN.1 that LDAP uses (X.690). */
export const berTag = {
  boolean: 0x01,
  integer: 0x02,
  octetString: 0x04,
  enumerated: 0x0a,
  sequence: 0x30,
  set: 0x31,
} as const;

/** What arrived is not BER as RFC 4511 section 5.1 wants it. */
export class BerError extends Error {
  override readonly name = 'BerError';
}

/** Reads one element after another of a stretch of bytes. Nothing is copied before a value is asked for. */
export class BerReader {
  private readonly bytes: Buffer;
  private offset: number;
  private readonly end: number;

  constructor(bytes: Buffer, offset = 0, end = bytes.length) {
    this.bytes = bytes;
    this.offset = offset;
    this.end = end;
  }

  get isAtEnd(): boolean {
    return this.offset >= this.end;
  }

  /** The next element's tag; -1 at the end. */
  peek(): number {
    return this.offset < this.end ? (this.bytes[this.offset] as number) : -1;
  }

  /** The next element's content. Without a tag, whatever it is. */
  enter(tag?: number): BerReader {
    const end = this.openElement(tag);
    const content = new BerReader(this.bytes, this.offset, end);
    this.offset = end;
    return content;
  }

  skip(): void {
    this.offset = this.openElement(undefined);
  }

  text(tag: number = berTag.octetString): string {
    const end = this.openElement(tag);
    const text = this.bytes.toString('utf8', this.offset, end);
    this.offset = end;
    return text;
  }

  /** A copy, which doesn't keep the message it came in. */
  octets(tag: number = berTag.octetString): Uint8Array {
    const end = this.openElement(tag);
    const octets = new Uint8Array(this.bytes.subarray(this.offset, end));
    this.offset = end;
    return octets;
  }

  integer(tag: number = berTag.integer): number {
    const end = this.openElement(tag);
    const length = end - this.offset;
    if (length < 1 || length > 6) throw new BerError('an integer of this length is not expected');
    const value = this.bytes.readIntBE(this.offset, length);
    this.offset = end;
    return value;
  }

  boolean(): boolean {
    return this.integer(berTag.boolean) !== 0;
  }

  /** Moves to the content. @returns where it ends */
  private openElement(tag: number | undefined): number {
    const found = this.peek();
    if (found === -1 || (tag !== undefined && found !== tag)) throw new BerError(`tag ${found} instead of ${tag}`);
    let offset = this.offset + 1;
    let length = this.bytes[offset++] ?? 0;
    if (length > 0x80) {
      const count = length - 0x80;
      if (count > 4 || offset + count > this.end) throw new BerError('a length that cannot be');
      length = this.bytes.readUIntBE(offset, count);
      offset += count;
    } else if (length === 0x80) {
      throw new BerError('an indefinite length');
    }
    if (offset + length > this.end) throw new BerError('an element longer than what it is in');
    this.offset = offset;
    return offset + length;
  }
}

/** Encoded elements, for the values of controls and extended operations. */
export function berElement(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(length);
  const significant = size.subarray(length < 0x100 ? 3 : length < 0x10000 ? 2 : length < 0x1000000 ? 1 : 0);
  return Buffer.concat([Buffer.from([tag, 0x80 + significant.length]), significant, content]);
}

export function berSequence(...parts: readonly Uint8Array[]): Buffer {
  return berElement(berTag.sequence, ...parts);
}

export function berText(value: string, tag: number = berTag.octetString): Buffer {
  return berElement(tag, Buffer.from(value));
}

export function berInteger(value: number, tag: number = berTag.integer): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeIntBE(value, 0, 6);
  let from = 0;
  while (from < 5 && isPadding(bytes[from] as number, bytes[from + 1] as number)) from++;
  return berElement(tag, bytes.subarray(from));
}

export function berBoolean(value: boolean, tag: number = berTag.boolean): Buffer {
  return Buffer.from([tag, 1, value ? 0xff : 0]);
}

function isPadding(byte: number, next: number): boolean {
  return (byte === 0 && next < 0x80) || (byte === 0xff && next >= 0x80);
}

/**
 * Cuts a stream into messages. What has come is copied once, when its message is complete, however many pieces it came in.
 */
export class MessageSplitter {
  private pieces: Buffer[] = [];
  private size = 0;
  /** Bytes that the first message needs; 0 while its length isn't there yet. */
  private needed = 0;
  private readonly maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** No beginning of a message waits for its end. */
  get isEmpty(): boolean {
    return this.size === 0;
  }

  /** Calls back with each message that is complete. @throws BerError when the stream is no sequence of messages */
  push(chunk: Buffer, onMessage: (message: Buffer) => void): void {
    this.pieces.push(chunk);
    this.size += chunk.length;
    if (this.size < this.needed) return;
    let bytes = this.pieces.length === 1 ? chunk : Buffer.concat(this.pieces, this.size);
    this.needed = this.lengthOf(bytes);
    while (this.needed > 0 && bytes.length >= this.needed) {
      onMessage(bytes.subarray(0, this.needed));
      bytes = bytes.subarray(this.needed);
      this.needed = this.lengthOf(bytes);
    }
    this.pieces = bytes.length === 0 ? [] : [bytes];
    this.size = bytes.length;
  }

  private lengthOf(bytes: Buffer): number {
    if (bytes.length > 0 && bytes[0] !== berTag.sequence) throw new BerError('something that is no LDAP message');
    if (bytes.length < 2) return 0;
    const first = bytes[1] as number;
    if (first < 0x80) return 2 + first;
    const count = first - 0x80;
    if (count === 0 || count > 4) throw new BerError('a length that cannot be');
    if (bytes.length < 2 + count) return 0;
    const length = 2 + count + bytes.readUIntBE(2, count);
    if (length > this.maxBytes) throw new BerError('a message that is too long');
    return length;
  }
}
