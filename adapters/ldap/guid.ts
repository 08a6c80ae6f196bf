const textPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** An entryUUID or objectGUID as this adapter writes it: lower case with dashes. Anything else is no id. */
export function isGuidText(text: string): boolean {
  return textPattern.test(text);
}

/** Active Directory's objectGUID in the form that Microsoft's tools show, in which the first three groups are turned. */
export function guidText(bytes: Uint8Array): string | undefined {
  if (bytes.length !== 16) return undefined;
  const hex = Buffer.from(turned(bytes)).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The 16 bytes that Active Directory keeps. @returns undefined when the text is no GUID */
export function guidBytes(text: string): Buffer | undefined {
  if (!isGuidText(text)) return undefined;
  return turned(Buffer.from(text.replaceAll('-', ''), 'hex'));
}

function turned(bytes: Uint8Array): Buffer {
  return Buffer.from([3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map((index) => bytes[index] ?? 0));
}
