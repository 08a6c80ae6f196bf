import { BerReader, berTag } from './ber.js';
import type { AttributeValue, Entry, ResponseControl } from './directory.js';
import type { DirectorySchema } from './schema.js';

const controlsTag = 0xa0;
const noControls: readonly ResponseControl[] = [];

/** Which attributes hold bytes where no schema tells: they are known by these names everywhere. */
const knownBinary = new Set(
  [
    'objectGUID',
    'objectSid',
    'sIDHistory',
    'jpegPhoto',
    'thumbnailPhoto',
    'photo',
    'audio',
    'userCertificate',
    'cACertificate',
    'userSMIMECertificate',
    'userPKCS12',
    'unicodePwd',
    'msExchMailboxGuid',
    'mS-DS-ConsistencyGuid',
    'tokenGroups',
    'nTSecurityDescriptor',
    'logonHours',
  ].map((name) => name.toLowerCase()),
);

interface AttributeName {
  /** In lower case, with the options that are part of it (`;lang-de`). */
  readonly key: string;
  readonly isBinary: boolean;
  /** The last index of a range that isn't the attribute's end. */
  readonly rangeEnd: number | undefined;
}

const rangeOption = /^range=(\d+)-(\d+|\*)$/;

/** Reads entries as a server sends them. What a name means is worked out once for each spelling. */
export class EntryReader {
  private readonly names = new Map<string, AttributeName>();
  private readonly schema: DirectorySchema | undefined;

  constructor(schema: DirectorySchema | undefined) {
    this.schema = schema;
  }

  /** @param content of a SearchResultEntry (RFC 4511 section 4.5.2), or of the value of a control of RFC 4527 */
  read(content: BerReader, controls: readonly ResponseControl[] = noControls): Entry {
    const dn = content.text();
    const attributes = new Map<string, readonly AttributeValue[]>();
    let unfinished: Map<string, { readonly next: number }> | undefined;
    const list = content.enter(berTag.sequence);
    while (!list.isAtEnd) {
      const attribute = list.enter(berTag.sequence);
      const { key, isBinary, rangeEnd } = this.nameOf(attribute.text());
      const values: AttributeValue[] = [];
      const set = attribute.enter(berTag.set);
      while (!set.isAtEnd) values.push(isBinary ? set.octets() : set.text());
      if (rangeEnd !== undefined) {
        unfinished ??= new Map();
        unfinished.set(key, { next: rangeEnd + 1 });
      }
      // Beside a range, Active Directory sends the attribute without values.
      const earlier = attributes.get(key);
      attributes.set(key, earlier === undefined || earlier.length === 0 ? values : [...earlier, ...values]);
    }
    return unfinished === undefined ? { dn, attributes, controls } : { dn, attributes, unfinished, controls };
  }

  readControlValue(value: Uint8Array): Entry {
    // A sequence by RFC 4527, and with the tag of an entry by OpenLDAP.
    return this.read(new BerReader(Buffer.from(value)).enter());
  }

  private nameOf(name: string): AttributeName {
    const known = this.names.get(name);
    if (known !== undefined) return known;
    const parsed = parseName(name, this.schema);
    // Ranges would make the map grow with every page of a large group.
    if (!name.includes(';')) this.names.set(name, parsed);
    return parsed;
  }
}

function parseName(name: string, schema: DirectorySchema | undefined): AttributeName {
  const [type = '', ...options] = name.toLowerCase().split(';');
  const range = options.map((option) => rangeOption.exec(option)).find((match) => match !== null);
  const kept = options.filter((option) => option !== 'binary' && !rangeOption.test(option));
  return {
    key: [type, ...kept].join(';'),
    isBinary: options.includes('binary') || isBinary(type, schema),
    rangeEnd: range === undefined || range?.[2] === '*' ? undefined : Number(range?.[2]),
  };
}

function isBinary(type: string, schema: DirectorySchema | undefined): boolean {
  return knownBinary.has(type) || schema?.attribute(type)?.isBinary === true;
}

/** The controls at the end of a message. */
export function readControls(message: BerReader): readonly ResponseControl[] {
  if (message.peek() !== controlsTag) return noControls;
  const controls: ResponseControl[] = [];
  const list = message.enter(controlsTag);
  while (!list.isAtEnd) {
    const control = list.enter(berTag.sequence);
    const oid = control.text();
    if (control.peek() === berTag.boolean) control.skip();
    controls.push(control.isAtEnd ? { oid } : { oid, value: control.octets() });
  }
  return controls;
}
