import { AdapterError, type AdapterErrorDetails } from '../../src/backend/adapter-error.js';

/** Result codes (RFC 4511 section 4.1.9 and appendix A), those that something is done about. */
export const resultCode = {
  success: 0,
  operationsError: 1,
  protocolError: 2,
  timeLimitExceeded: 3,
  sizeLimitExceeded: 4,
  compareFalse: 5,
  compareTrue: 6,
  authMethodNotSupported: 7,
  strongerAuthRequired: 8,
  referral: 10,
  adminLimitExceeded: 11,
  unavailableCriticalExtension: 12,
  confidentialityRequired: 13,
  noSuchAttribute: 16,
  undefinedAttributeType: 17,
  inappropriateMatching: 18,
  constraintViolation: 19,
  attributeOrValueExists: 20,
  invalidAttributeSyntax: 21,
  noSuchObject: 32,
  invalidDnSyntax: 34,
  inappropriateAuthentication: 48,
  invalidCredentials: 49,
  insufficientAccessRights: 50,
  busy: 51,
  unavailable: 52,
  unwillingToPerform: 53,
  namingViolation: 64,
  objectClassViolation: 65,
  notAllowedOnNonLeaf: 66,
  notAllowedOnRdn: 67,
  entryAlreadyExists: 68,
  objectClassModsProhibited: 69,
  affectsMultipleDsas: 71,
  other: 80,
  assertionFailed: 122,
} as const;

export type LdapOperation =
  | 'search'
  | 'add'
  | 'modify'
  | 'modifyDn'
  | 'delete'
  | 'compare'
  | 'passwordModify'
  | 'extended'
  | 'bind';

/**
 * The server carried the operation out not at all, and says why by a code. `diagnostic` is its own text, which holds DNs,
 * values and names of files: it may be read to tell cases apart, and logged, and is never sent.
 */
export class LdapResultError extends Error {
  override readonly name = 'LdapResultError';
  readonly operation: LdapOperation;
  readonly code: number;
  readonly matchedDn: string;
  readonly diagnostic: string;
  readonly referrals: readonly string[];

  constructor(
    operation: LdapOperation,
    result: { readonly code: number; readonly matchedDn: string; readonly diagnostic: string },
    referrals: readonly string[] = [],
  ) {
    super(`The directory answered ${operation} with code ${result.code}.`);
    this.operation = operation;
    this.code = result.code;
    this.matchedDn = result.matchedDn;
    this.diagnostic = result.diagnostic;
    this.referrals = referrals;
  }

  /** The Windows error code at the start of what Active Directory says, in lower case: `0000052d`. */
  get windowsCode(): string | undefined {
    return /^([0-9A-Fa-f]{8}):/.exec(this.diagnostic)?.[1]?.toLowerCase();
  }
}

/** True when the server answered with one of the codes. */
export function hasResultCode(error: unknown, ...codes: readonly number[]): error is LdapResultError {
  return error instanceof LdapResultError && codes.includes(error.code);
}

/** What an adapter's method rejects with. An AdapterError stays as it is, and what is no error of a directory too. */
export function adapterErrorOf(error: unknown): unknown {
  return error instanceof LdapResultError ? fromResult(error) : error;
}

function fromResult(error: LdapResultError): AdapterError {
  if (error.operation === 'bind') return fromBind(error);
  const { code } = error;
  switch (code) {
    case resultCode.noSuchObject:
      return error.operation === 'add' || error.operation === 'modifyDn'
        ? rejected(error, 'The place in the directory for this entry does not exist.')
        : new AdapterError('notFound', 'There is no such entry.', { cause: error });
    case resultCode.entryAlreadyExists:
      return new AdapterError('conflict', 'The directory has such an entry already.', fieldDetails(error));
    case resultCode.constraintViolation:
      return fromConstraint(error);
    case resultCode.assertionFailed:
      return new AdapterError('revisionMismatch', 'The entry changed since it was read.', { cause: error });
    case resultCode.noSuchAttribute:
      return new AdapterError('revisionMismatch', 'A value that was to be removed is not there any more.', {
        cause: error,
      });
    case resultCode.timeLimitExceeded:
      return new AdapterError('timeout', 'The directory gave up because of its time limit.', {
        applied: 'no',
        cause: error,
      });
    case resultCode.strongerAuthRequired:
    case resultCode.confidentialityRequired:
      return new AdapterError('denied', 'The directory demands an encrypted connection.', { cause: error });
    case resultCode.inappropriateAuthentication:
    case resultCode.invalidCredentials:
    case resultCode.insufficientAccessRights:
      return new AdapterError('denied', `The gateway's account in the directory may not ${verbs[error.operation]}.`, {
        cause: error,
      });
    case resultCode.operationsError:
      return isUnfitPrincipal(error) ? unfitPrincipal(error) : busy(error);
    case resultCode.busy:
    case resultCode.unavailable:
      return busy(error);
    default:
      return fromRefusal(error);
  }
}

function busy(error: LdapResultError): AdapterError {
  return new AdapterError('unavailable', 'The directory is busy or not ready.', { retryAfterSeconds: 1, cause: error });
}

/** Samba makes Kerberos keys together with a password, and of some names it can make none: one that ends in a backslash. */
function isUnfitPrincipal({ diagnostic }: LdapResultError): boolean {
  return /malformed representation of principal/i.test(diagnostic);
}

function unfitPrincipal(error: LdapResultError): AdapterError {
  const reason = 'The directory can make no Kerberos principal of it.';
  return new AdapterError('rejected', reason, { field: 'userPrincipalName', reason, cause: error });
}

/** Refusals of what was asked: nothing that waiting would mend. */
function fromRefusal(error: LdapResultError): AdapterError {
  const reason = reasons[error.code];
  if (reason !== undefined) return rejected(error, reason);
  switch (error.code) {
    case resultCode.unwillingToPerform:
      return isPasswordRefusal(error)
        ? rejected(error, passwordReason(error))
        : rejected(error, "The directory's rules do not allow it.");
    case resultCode.sizeLimitExceeded:
    case resultCode.adminLimitExceeded:
      return unsupported(error, 'The answer is larger than the directory gives.');
    case resultCode.unavailableCriticalExtension:
      return unsupported(error, 'The directory does not know a control that it was sent.');
    case resultCode.referral:
    case resultCode.affectsMultipleDsas:
      return unsupported(error, 'The entry lies on another server, and such are not followed.');
    default:
      return new AdapterError('unavailable', `The directory failed with code ${error.code}.`, {
        applied: isRead(error.operation) ? 'no' : 'unknown',
        cause: error,
      });
  }
}

const reasons: Readonly<Record<number, string>> = {
  [resultCode.undefinedAttributeType]: 'The directory has no such attribute.',
  [resultCode.inappropriateMatching]: 'The directory cannot compare this attribute so.',
  [resultCode.attributeOrValueExists]: 'A value is given twice or is there already.',
  [resultCode.invalidAttributeSyntax]: 'The value has not the form that the directory wants.',
  [resultCode.invalidDnSyntax]: 'The value is no name of an entry.',
  [resultCode.namingViolation]: "The entry's name does not go with its attributes.",
  [resultCode.objectClassViolation]:
    "The entry lacks an attribute that its object classes demand, or has one that they don't allow.",
  [resultCode.notAllowedOnNonLeaf]: 'The entry has others below it.',
  [resultCode.notAllowedOnRdn]: 'The attribute is part of the name of the entry.',
  [resultCode.objectClassModsProhibited]: 'The object classes of the entry cannot be changed so.',
};

const verbs: Readonly<Record<LdapOperation, string>> = {
  search: 'read it',
  compare: 'read it',
  add: 'create it',
  modify: 'change it',
  modifyDn: 'rename or move it',
  delete: 'delete it',
  passwordModify: 'set its password',
  extended: 'do this',
  bind: 'sign in',
};

function isRead(operation: LdapOperation): boolean {
  return operation === 'search' || operation === 'compare';
}

/** Code 19 means four things, which only the server's text tells apart. */
function fromConstraint(error: LdapResultError): AdapterError {
  const { diagnostic } = error;
  if (
    /non-unique attributes|same attribute value already exists|already in use|^000021c7|^000021c8|^0000217b/i.test(
      diagnostic,
    )
  ) {
    return new AdapterError('conflict', 'Another entry in the directory has this value.', fieldDetails(error));
  }
  if (isPasswordRefusal(error)) return rejected(error, passwordReason(error));
  if (/multiple values|single.?valued?/i.test(diagnostic)) {
    return rejected(error, 'The directory holds only one value of this attribute.');
  }
  // 389-DS, which does not say of which attribute.
  if (/not 7-bit clean/i.test(diagnostic)) {
    return rejected(error, 'The directory takes ASCII characters only in one of the attributes.');
  }
  return rejected(error, "The value breaks one of the directory's rules.");
}

function isPasswordRefusal({ operation, diagnostic }: LdapResultError): boolean {
  return operation === 'passwordModify' || /^0000052d|^00000056|password|unicodePwd/i.test(diagnostic);
}

function passwordReason({ diagnostic }: LdapResultError): string {
  if (/history|already.*used|reuse/i.test(diagnostic)) return 'The password was used before.';
  if (/too short|at least \d+ char|min(imum)? length/i.test(diagnostic)) return 'The password is too short.';
  if (/too young|minimum age|within password minimum age/i.test(diagnostic)) {
    return 'The password was changed too recently.';
  }
  if (/quality|complex|syntax|trivial|dictionary|palindrome/i.test(diagnostic)) {
    return 'The password is too simple for the directory.';
  }
  return "The password does not meet the directory's policy: its length, its variety, or that it was used before.";
}

/** A refusal to let the gateway in: never retried quickly, since accounts get locked by that. */
function fromBind(error: LdapResultError): AdapterError {
  const { code } = error;
  const busy: readonly number[] = [
    resultCode.operationsError,
    resultCode.busy,
    resultCode.unavailable,
    resultCode.other,
  ];
  if (busy.includes(code)) {
    return new AdapterError('unavailable', 'The directory is not ready to let anybody in.', {
      retryAfterSeconds: 1,
      cause: error,
    });
  }
  if (code === resultCode.strongerAuthRequired || code === resultCode.confidentialityRequired) {
    return new AdapterError('denied', 'The directory demands an encrypted connection: use ldaps:// or startTls.', {
      cause: error,
    });
  }
  const sub = /\bdata ([0-9a-f]{3,8})\b/i.exec(error.diagnostic)?.[1]?.toLowerCase() ?? '';
  return new AdapterError('denied', `The directory does not let the gateway's account in${bindReasons[sub] ?? ''}.`, {
    cause: error,
  });
}

/** What Active Directory adds to code 49. */
const bindReasons: Readonly<Record<string, string>> = {
  '525': ': there is no such account',
  '52e': ': the password is wrong',
  '530': ': it may not sign in at this time',
  '531': ': it may not sign in from this machine',
  '532': ': its password has expired',
  '533': ': it is disabled',
  '701': ': it has expired',
  '773': ': its password has to be changed first',
  '775': ': it is locked',
};

function rejected(error: LdapResultError, reason: string): AdapterError {
  return new AdapterError('rejected', reason, { ...fieldDetails(error), reason });
}

function unsupported(error: LdapResultError, message: string): AdapterError {
  return new AdapterError('unsupported', message, { cause: error });
}

function fieldDetails(error: LdapResultError): AdapterErrorDetails {
  const field = attributeNamed(error);
  return field === undefined ? { cause: error } : { field, cause: error };
}

/** How servers name the attribute that they refuse: OpenLDAP, 389-DS, Active Directory and Samba. */
const attributePatterns: readonly RegExp[] = [
  /non-unique attributes found with \(\|?\(?([A-Za-z][\w-]*)=/i,
  /^([A-Za-z][\w;-]*): (?:value #\d|attribute|multiple values|no such|no user modification|no equality|inappropriate|invalid)/,
  /\(attribute: ['"]?([A-Za-z][\w;-]*)/i,
  /attribute (?:type )?['"]([A-Za-z][\w;-]*)['"]/i,
  /\bAtt [0-9a-f]+ \(([A-Za-z][\w-]*)\)/i,
];

/** The attribute that the server's text is about, in the spelling of the text: an attribute's name and nothing else. */
export function attributeNamed({ diagnostic }: LdapResultError): string | undefined {
  for (const pattern of attributePatterns) {
    const found = pattern.exec(diagnostic)?.[1];
    if (found !== undefined && found.length <= 64) return found;
  }
  return undefined;
}
