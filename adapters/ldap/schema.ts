/** An attribute type (RFC 4512 section 4.1.2), what it inherits from its superiors filled in. */
export interface AttributeType {
  readonly oid: string;
  /** The first name, in the schema's spelling; the OID where there is none. */
  readonly name: string;
  readonly names: readonly string[];
  readonly superior: string | undefined;
  /** Names or OIDs of matching rules. */
  readonly equality: string | undefined;
  readonly ordering: string | undefined;
  readonly substrings: string | undefined;
  /** OID of the syntax. */
  readonly syntax: string | undefined;
  /** How long values may be, where the schema says so: `{64}`. */
  readonly maxLength: number | undefined;
  readonly isSingleValued: boolean;
  readonly isReadOnly: boolean;
  readonly isOperational: boolean;
  /** Values are bytes and not text: see `AttributeValue`. */
  readonly isBinary: boolean;
  /** Values are DNs. */
  readonly isDn: boolean;
}

/** An object class (RFC 4512 section 4.1.1). `must` and `may` are its own and those of its superiors. */
export interface ObjectClass {
  readonly oid: string;
  readonly name: string;
  readonly names: readonly string[];
  readonly superiors: readonly string[];
  readonly kind: 'abstract' | 'structural' | 'auxiliary';
  readonly must: readonly string[];
  readonly may: readonly string[];
}

export interface DirectorySchema {
  /** By name or OID, in any case of letters, options (`;lang-de`) left out. */
  attribute(name: string): AttributeType | undefined;
  objectClass(name: string): ObjectClass | undefined;
  readonly attributes: readonly AttributeType[];
  readonly objectClasses: readonly ObjectClass[];
}

/** Syntaxes whose values are bytes: RFC 4517, RFC 4523, and those of Active Directory (MS-ADTS section 3.1.1.2.2.2). */
const binarySyntaxes = new Set([
  '1.3.6.1.4.1.1466.115.121.1.4', // audio
  '1.3.6.1.4.1.1466.115.121.1.5', // binary
  '1.3.6.1.4.1.1466.115.121.1.8', // certificate
  '1.3.6.1.4.1.1466.115.121.1.9', // certificate list
  '1.3.6.1.4.1.1466.115.121.1.10', // certificate pair
  '1.3.6.1.4.1.1466.115.121.1.23', // fax
  '1.3.6.1.4.1.1466.115.121.1.28', // JPEG
  '1.3.6.1.4.1.1466.115.121.1.49', // supported algorithm
  '1.2.840.113556.1.4.907', // security descriptor
  '1.3.6.1.4.1.1466.115.121.1.40', // octet string: see textDespiteOctets
]);
const octetString = '1.3.6.1.4.1.1466.115.121.1.40';
/** Octet strings in which everybody keeps text. */
const textDespiteOctets = new Set(['userpassword', 'authpassword', 'pwdhistory', 'olcrootpw']);
const dnSyntaxes = new Set([
  '1.3.6.1.4.1.1466.115.121.1.12',
  '1.3.6.1.4.1.1466.115.121.1.34', // name and optional UID, of uniqueMember
]);
/** Beyond, a schema inherits in a circle. */
const maxInheritance = 32;

/** What a subschema entry holds, as text. Descriptions that cannot be read are left out: they are of no use then. */
export function parseSchema(source: {
  readonly attributeTypes: readonly string[];
  readonly objectClasses: readonly string[];
}): DirectorySchema {
  const rawTypes = source.attributeTypes.map(parseDescription).filter((parsed) => parsed !== undefined);
  const typeIndex = indexByName(rawTypes);
  const attributes = rawTypes.map((raw) => toAttributeType(raw, typeIndex));
  const rawClasses = source.objectClasses.map(parseDescription).filter((parsed) => parsed !== undefined);
  const classIndex = indexByName(rawClasses);
  const objectClasses = rawClasses.map((raw) => toObjectClass(raw, classIndex));
  const attributeIndex = indexByName(attributes);
  const objectClassIndex = indexByName(objectClasses);
  return {
    attribute: (name) => attributeIndex.get((name.split(';', 1)[0] as string).toLowerCase()),
    objectClass: (name) => objectClassIndex.get(name.toLowerCase()),
    attributes,
    objectClasses,
  };
}

/** A description (RFC 4512 section 4.1) by keyword. */
interface Description {
  readonly oid: string;
  readonly names: readonly string[];
  readonly fields: ReadonlyMap<string, readonly string[]>;
}

/** Quoted text, parentheses, "$", or a word. */
const descriptionToken = /'(?:[^'\\]|\\.)*'|[()$]|[^\s()$']+/g;
/** Keywords without a value; all others have one, or a list in parentheses. */
const flags = new Set([
  'OBSOLETE',
  'SINGLE-VALUE',
  'COLLECTIVE',
  'NO-USER-MODIFICATION',
  'ABSTRACT',
  'STRUCTURAL',
  'AUXILIARY',
]);

function parseDescription(text: string): Description | undefined {
  const tokens: readonly string[] = text.match(descriptionToken) ?? [];
  const oid = tokens[1];
  if (tokens[0] !== '(' || oid === undefined || oid === ')') return undefined;
  const fields = new Map<string, readonly string[]>();
  for (let at = 2; at < tokens.length && tokens[at] !== ')'; ) {
    const keyword = (tokens[at++] as string).toUpperCase();
    if (flags.has(keyword)) {
      fields.set(keyword, []);
    } else if (tokens[at] === '(') {
      const end = tokens.indexOf(')', at);
      if (end < 0) return undefined;
      fields.set(
        keyword,
        tokens
          .slice(at + 1, end)
          .filter((token) => token !== '$')
          .map(unquote),
      );
      at = end + 1;
    } else if (at < tokens.length) {
      fields.set(keyword, [unquote(tokens[at++] as string)]);
    }
  }
  return { oid: unquote(oid), names: fields.get('NAME') ?? [], fields };
}

function unquote(token: string): string {
  return token.startsWith("'") ? token.slice(1, -1) : token;
}

function indexByName<T extends { readonly oid: string; readonly names: readonly string[] }>(
  all: readonly T[],
): ReadonlyMap<string, T> {
  const index = new Map<string, T>();
  for (const one of all) {
    index.set(one.oid.toLowerCase(), one);
    for (const name of one.names) index.set(name.toLowerCase(), one);
  }
  return index;
}

function toAttributeType(raw: Description, index: ReadonlyMap<string, Description>): AttributeType {
  const lineage = lineageOf(raw, index);
  const inherited = (keyword: string): string | undefined => {
    for (const description of lineage) {
      const value = description.fields.get(keyword)?.[0];
      if (value !== undefined) return value;
    }
    return undefined;
  };
  const [, syntax, length] = /^([^{]*)(?:\{(\d+)\})?$/.exec(inherited('SYNTAX') ?? '') ?? [];
  const names = raw.names.length === 0 ? [raw.oid] : raw.names;
  const usage = inherited('USAGE')?.toLowerCase();
  return {
    oid: raw.oid,
    name: names[0] as string,
    names,
    superior: raw.fields.get('SUP')?.[0],
    equality: inherited('EQUALITY'),
    ordering: inherited('ORDERING'),
    substrings: inherited('SUBSTR'),
    syntax: syntax === '' ? undefined : syntax,
    maxLength: length === undefined ? undefined : Number(length),
    isSingleValued: raw.fields.has('SINGLE-VALUE'),
    isReadOnly: raw.fields.has('NO-USER-MODIFICATION'),
    isOperational: usage !== undefined && usage !== 'userapplications',
    isBinary: isBinarySyntax(syntax, names),
    isDn: syntax !== undefined && dnSyntaxes.has(syntax),
  };
}

function isBinarySyntax(syntax: string | undefined, names: readonly string[]): boolean {
  if (syntax === undefined || !binarySyntaxes.has(syntax)) return false;
  return syntax !== octetString || !names.some((name) => textDespiteOctets.has(name.toLowerCase()));
}

/** The description itself and what it inherits from, nearest first. */
function lineageOf(raw: Description, index: ReadonlyMap<string, Description>): readonly Description[] {
  const lineage: Description[] = [raw];
  const seen = new Set(lineage);
  for (let at = 0; at < lineage.length && lineage.length < maxInheritance; at++) {
    for (const name of lineage[at]?.fields.get('SUP') ?? []) {
      const superior = index.get(name.toLowerCase());
      if (superior === undefined || seen.has(superior)) continue;
      seen.add(superior);
      lineage.push(superior);
    }
  }
  return lineage;
}

function toObjectClass(raw: Description, index: ReadonlyMap<string, Description>): ObjectClass {
  const lineage = lineageOf(raw, index);
  const all = (keyword: string): readonly string[] => {
    const byKey = new Map<string, string>();
    for (const { fields } of lineage) for (const name of fields.get(keyword) ?? []) byKey.set(name.toLowerCase(), name);
    return [...byKey.values()];
  };
  const names = raw.names.length === 0 ? [raw.oid] : raw.names;
  return {
    oid: raw.oid,
    name: names[0] as string,
    names,
    superiors: raw.fields.get('SUP') ?? [],
    kind: raw.fields.has('ABSTRACT') ? 'abstract' : raw.fields.has('AUXILIARY') ? 'auxiliary' : 'structural',
    must: all('MUST'),
    may: all('MAY'),
  };
}
