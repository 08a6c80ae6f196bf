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
