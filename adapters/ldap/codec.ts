import {
  AddRequest,
  AndFilter,
  BerWriter,
  BindRequest,
  Change,
  DeleteRequest,
  EqualityFilter,
  ExtendedRequest,
  ExtensibleFilter,
  type Filter,
  GreaterThanEqualsFilter,
  Attribute as LdaptsAttribute,
  SearchRequest as LdaptsSearchRequest,
  LessThanEqualsFilter,
  ModifyDNRequest,
  ModifyRequest,
  NotFilter,
  OrFilter,
  PresenceFilter,
  SubstringFilter,
} from 'ldapts';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { berBoolean, berElement, berInteger, berSequence, berTag, berText } from './ber.js';
import type { Attribute, AttributeValue, Modification, Rename, RequestControl, SearchRequest } from './directory.js';
import type { LdapFilter } from './ldap-filter.js';
import { oid } from './server-kind.js';

/**
 * Requests as bytes. The only file that knows ldapts, of which the messages, filters and the BER writer are used and the
 * client is not: that one reconnects as anonymous, sometimes in clear text, lets operations wait for ever when its socket
 * drops, cuts the connection for one late answer, and writes every request (passwords too) as JSON for a debug line.
 */
export type Encode = (messageId: number) => Buffer;

/** What ldapts' requests have in common. */
interface Operation {
  readonly protocolOperation: number;
  writeMessage(writer: BerWriter): void;
}

/** Deeper ones make servers close the connection. */
const maxFilterDepth = 64;
/** The writer has three bytes for lengths. */
const maxRequestBytes = 0xff_ffff;
const controlsTag = 0xa0;
const tags = { unbind: 0x42, abandon: 0x50, compare: 0x6e } as const;

export function encodeSearch(request: SearchRequest, timeLimitSeconds: number): Encode {
  const filter = toLdaptsFilter(request.filter, 0);
  const attributes = request.attributes.length === 0 ? ['1.1'] : [...request.attributes];
  const { base, scope, sizeLimit = 0, page, controls = [] } = request;
  const message = new LdaptsSearchRequest({
    messageId: 0,
    baseDN: base,
    scope,
    filter,
    attributes,
    sizeLimit,
    timeLimit: timeLimitSeconds,
  });
  const paged = page === undefined ? controls : [...controls, pagedResults(page.size, page.cookie)];
  return framed(message, paged, filterBytesAtMost(request.filter) + textBytesAtMost(attributes) + base.length * 3);
}

export function encodeAdd(dn: string, attributes: readonly Attribute[], controls: readonly RequestControl[]): Encode {
  const message = new AddRequest({ messageId: 0, dn, attributes: attributes.map(toLdaptsAttribute) });
  return framed(message, controls, valueBytesAtMost(attributes) + dn.length * 3);
}

export function encodeModify(
  dn: string,
  modifications: readonly Modification[],
  controls: readonly RequestControl[],
): Encode {
  const changes = modifications.map((modification) => {
    return new Change({ operation: modification.op, modification: toLdaptsAttribute(modification) });
  });
  return framed(
    new ModifyRequest({ messageId: 0, dn, changes }),
    controls,
    valueBytesAtMost(modifications) + dn.length * 3,
  );
}

export function encodeModifyDn(dn: string, rename: Rename, controls: readonly RequestControl[]): Encode {
  const { newRdn, newSuperior = '', deleteOldRdn = true } = rename;
  const message = new ModifyDNRequest({ messageId: 0, dn, newRdn, newSuperior, deleteOldRdn });
  return framed(message, controls, (dn.length + newRdn.length + newSuperior.length) * 3);
}

export function encodeDelete(dn: string, controls: readonly RequestControl[]): Encode {
  return framed(new DeleteRequest({ messageId: 0, dn }), controls, dn.length * 3);
}

export function encodeCompare(dn: string, attribute: string, value: AttributeValue): Encode {
  const assertion = berSequence(berText(attribute), berElement(berTag.octetString, toBuffer(value)));
  const content = berElement(tags.compare, berText(dn), assertion);
  return (messageId) => berSequence(berInteger(messageId), content);
}

export function encodeExtended(
  name: string,
  value: Uint8Array | undefined,
  controls: readonly RequestControl[] = [],
): Encode {
  const content = value === undefined ? {} : { value: toBuffer(value) };
  return framed(
    new ExtendedRequest({ messageId: 0, oid: name, ...content }),
    controls,
    (value?.length ?? 0) + name.length,
  );
}

/** @param password never empty: servers take an empty one for an anonymous bind, and answer with success */
export function encodeSimpleBind(dn: string, password: string): Encode {
  if (dn === '' || password === '')
    throw new AdapterError('denied', 'An account without name or password is not used.');
  return framed(new BindRequest({ messageId: 0, dn, password }), [], (dn.length + password.length) * 3);
}

export function encodeExternalBind(): Encode {
  return framed(new BindRequest({ messageId: 0, mechanism: 'EXTERNAL' }), [], 16);
}

export function encodeUnbind(messageId: number): Buffer {
  return berSequence(berInteger(messageId), Buffer.from([tags.unbind, 0]));
}

export function encodeAbandon(messageId: number, abandoned: number): Buffer {
  return berSequence(berInteger(messageId), berInteger(abandoned, tags.abandon));
}

/** A filter by itself, as controls carry it (assertion, matched values). */
export function encodeFilter(filter: LdapFilter): Buffer {
  const writer = new BerWriter({ size: filterBytesAtMost(filter) + 64 });
  toLdaptsFilter(filter, 0).write(writer);
  return Buffer.from(writer.buffer);
}

export function encodeControl(control: RequestControl): Buffer {
  const value = control.value === undefined ? [] : [berElement(berTag.octetString, control.value)];
  const critical = control.critical ? [berBoolean(true)] : [];
  return berSequence(berText(control.oid), ...critical, ...value);
}

function pagedResults(size: number, cookie: Uint8Array | undefined): RequestControl {
  const value = berSequence(berInteger(size), berElement(berTag.octetString, cookie ?? new Uint8Array()));
  return { oid: oid.pagedResults, value, critical: true };
}

/**
 * The envelope. The writer gets its room at once: one that has to grow loses a byte when what is in it ends exactly where
 * its room does.
 */
function framed(operation: Operation, controls: readonly RequestControl[], contentBytes: number): Encode {
  const encodedControls = controls.map(encodeControl);
  const controlBytes = encodedControls.reduce((sum, { length }) => sum + length, 0);
  const size = contentBytes + controlBytes + 256;
  return (messageId) => {
    const writer = new BerWriter({ size });
    try {
      writer.startSequence();
      writer.writeInt(messageId);
      writer.startSequence(operation.protocolOperation);
      operation.writeMessage(writer);
      writer.endSequence();
      if (encodedControls.length > 0) writer.writeBuffer(Buffer.concat(encodedControls), controlsTag);
      writer.endSequence();
      return writer.buffer;
    } catch (error) {
      if (size < maxRequestBytes) throw error;
      const reason = 'It is larger than what one request to the directory may hold (16 MiB).';
      throw new AdapterError('rejected', reason, { reason, cause: error });
    }
  };
}

function toLdaptsFilter(filter: LdapFilter, depth: number): Filter {
  if (depth > maxFilterDepth) {
    throw new AdapterError('unsupported', `A filter may be nested ${maxFilterDepth} deep for a directory.`);
  }
  switch (filter.kind) {
    case 'and':
      return new AndFilter({ filters: filter.operands.map((operand) => toLdaptsFilter(operand, depth + 1)) });
    case 'or':
      return new OrFilter({ filters: filter.operands.map((operand) => toLdaptsFilter(operand, depth + 1)) });
    case 'not':
      return new NotFilter({ filter: toLdaptsFilter(filter.operand, depth + 1) });
    case 'equality':
      return new EqualityFilter({ attribute: filter.attribute, value: toText(filter.value) });
    case 'substrings':
      return toSubstrings(filter);
    case 'greaterOrEqual':
      return new GreaterThanEqualsFilter({ attribute: filter.attribute, value: filter.value });
    case 'lessOrEqual':
      return new LessThanEqualsFilter({ attribute: filter.attribute, value: filter.value });
    case 'present':
      return new PresenceFilter({ attribute: filter.attribute });
    case 'extensible': {
      const { attribute = '', rule = '', value, dnAttributes = false } = filter;
      return new ExtensibleFilter({ matchType: attribute, rule, value, dnAttributes });
    }
  }
}

function toSubstrings(filter: Extract<LdapFilter, { kind: 'substrings' }>): Filter {
  const { attribute, initial = '', any = [], final = '' } = filter;
  if (initial === '' && final === '' && !any.some((part) => part !== '')) return new PresenceFilter({ attribute });
  return new SubstringFilter({ attribute, initial, any: any.filter((part) => part !== ''), final });
}

function toLdaptsAttribute({ name, values }: Attribute): LdaptsAttribute {
  const allText = values.every((value) => typeof value === 'string');
  return new LdaptsAttribute({ type: name, values: allText ? [...(values as string[])] : values.map(toBuffer) });
}

function toBuffer(value: AttributeValue): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

function toText(value: AttributeValue): string | Buffer {
  return typeof value === 'string' ? value : toBuffer(value);
}

/** UTF-8 takes at most three bytes for a unit of UTF-16; the rest is for tags and lengths. */
function valueBytesAtMost(attributes: readonly Attribute[]): number {
  let bytes = 0;
  for (const { name, values } of attributes) {
    bytes += name.length * 3 + 32;
    for (const value of values) bytes += (typeof value === 'string' ? value.length * 3 : value.length) + 8;
  }
  return bytes;
}

function textBytesAtMost(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length * 3 + 8, 0);
}

function filterBytesAtMost(filter: LdapFilter): number {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.operands.reduce((sum, operand) => sum + filterBytesAtMost(operand), 8);
    case 'not':
      return filterBytesAtMost(filter.operand) + 8;
    case 'present':
      return filter.attribute.length * 3 + 8;
    case 'substrings': {
      const { attribute, initial = '', any = [], final = '' } = filter;
      return textBytesAtMost([attribute, initial, ...any, final]) + 16;
    }
    case 'extensible':
      return textBytesAtMost([filter.attribute ?? '', filter.rule ?? '', filter.value]) + 16;
    default: {
      const { length } = filter.value;
      return (filter.attribute.length + length) * 3 + 24;
    }
  }
}
