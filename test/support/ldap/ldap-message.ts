/** The kinds of request of RFC 4511; StartTLS is told from other extended operations. */
export type Operation =
  | 'bind'
  | 'unbind'
  | 'search'
  | 'modify'
  | 'add'
  | 'delete'
  | 'modifyDn'
  | 'compare'
  | 'abandon'
  | 'extended'
  | 'startTls';

const requestTags: Readonly<Record<number, Operation>> = {
  96: 'bind',
  66: 'unbind',
  99: 'search',
  102: 'modify',
  104: 'add',
  74: 'delete',
  108: 'modifyDn',
  110: 'compare',
  80: 'abandon',
  119: 'extended',
};

/** The answer that ends an operation. */
const answerTags: Readonly<Partial<Record<Operation, number>>> = {
  bind: 0x61,
  search: 0x65,
  modify: 0x67,
  add: 0x69,
  delete: 0x6b,
  modifyDn: 0x6d,
  compare: 0x6f,
  extended: 0x78,
  startTls: 0x78,
};

/** One LDAPMessage: its bytes, id and the tag and content of its operation. */
export interface LdapMessage {
  readonly bytes: Buffer;
  readonly id: number;
  readonly tag: number;
  readonly content: Buffer;
}

interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** Where the next one starts. */
  readonly end: number;
}

/** Cuts a stream of bytes into messages; what is left waits for more. */
export function createMessageReader(): (chunk: Buffer) => readonly LdapMessage[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const messages: LdapMessage[] = [];
    for (let element = readElement(rest, 0); element !== undefined; element = readElement(rest, 0)) {
      messages.push(toMessage(rest.subarray(0, element.end), element.content));
      rest = rest.subarray(element.end);
    }
    return messages;
  };
}

function toMessage(bytes: Buffer, content: Buffer): LdapMessage {
  const id = readElement(content, 0);
  const operation = id === undefined ? undefined : readElement(content, id.end);
  if (id === undefined || operation === undefined) throw new Error('That is no LDAP message.');
  return { bytes, id: id.content.readUIntBE(0, id.content.length), tag: operation.tag, content: operation.content };
}

/** A BER element at a place, as far as LDAP uses BER; undefined when it isn't all there. */
function readElement(bytes: Buffer, at: number): Element | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 2 + lengthBytes;
  if (start > bytes.length) return undefined;
  const end = start + (lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes));
  return end > bytes.length ? undefined : { tag, content: bytes.subarray(start, end), end };
}

export function operationOf({ tag, content }: LdapMessage): Operation {
  const operation = requestTags[tag];
  if (operation === undefined) throw new Error(`An LDAP client sends no operation ${tag}.`);
  const isStartTls = operation === 'extended' && content.includes('1.3.6.1.4.1.1466.20037');
  return isStartTls ? 'startTls' : operation;
}

/** Whether a bind gives a name and a password (RFC 4513 section 5.1). */
export function isAnonymousBind({ content }: LdapMessage): boolean {
  const version = readElement(content, 0);
  const name = readElement(content, version?.end ?? 0);
  const credentials = readElement(content, name?.end ?? 0);
  return !name?.content.length || !credentials?.content.length;
}

/** Whether the message ends its operation; entries and references do not. */
export function endsOperation({ tag }: LdapMessage): boolean {
  return tag !== 0x64 && tag !== 0x73 && tag !== 0x79;
}

export function resultCodeOf({ content }: LdapMessage): number | undefined {
  return readElement(content, 0)?.content[0];
}

/** An answer of our own, with a result code and nothing else. */
export function createAnswer(id: number, operation: Operation, resultCode: number): Buffer {
  const tag = answerTags[operation];
  if (tag === undefined) throw new Error(`"${operation}" has no answer.`);
  const idBytes = [0x02, 0x04, (id >> 24) & 0xff, (id >> 16) & 0xff, (id >> 8) & 0xff, id & 0xff];
  const result = [tag, 7, 0x0a, 1, resultCode, 0x04, 0, 0x04, 0];
  return Buffer.from([0x30, idBytes.length + result.length, ...idBytes, ...result]);
}
