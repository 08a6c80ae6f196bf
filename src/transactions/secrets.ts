const secretName = /passw|passphrase|passcode|^pwd$|^pin$|^otp$|secret|token|credential|api[-_]?key|private[-_]?key/i;
/** Tokens of this gateway, JSON Web Tokens, and headers that carry a credential. */
const secretText =
  /scimb_[\w-]{20}|\beyJ[\w-]{8,512}\.[\w-]{8}|\b(?:Bearer|Basic)\s+[\w.~+/-]{8}|-----BEGIN [A-Z ]*PRIVATE KEY/;

/** Whether an attribute is one that holds a secret, going by its name; a path is judged by all of its names. */
export function isSecretName(path: string): boolean {
  // Nothing of a filter or of a schema's URN counts.
  const names = path.includes('[') ? path.replace(/\[.*\]/s, '') : path;
  return names
    .slice(names.lastIndexOf(':') + 1)
    .split('.')
    .some((name) => secretName.test(name));
}

/** Whether a text is a credential, wherever it stands. */
export function isSecretText(text: string): boolean {
  return secretText.test(text);
}
