/** What the gateway itself has to remember. Nothing else is kept, so replicas share one state and are otherwise equal. */
export interface State {
  readonly tokens: TokenStore;
  /** A secret key of 32 bytes, made the first time that its name is asked for: `cursor`. Equal in every replica. */
  key(name: string): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Generated tokens. Only hashes are known here; times are milliseconds since 1970. */
export interface TokenStore {
  /** @throws TokenLabelTakenError when a token of the gateway has the label and is not revoked */
  create(token: NewToken): Promise<void>;
  /** Whatever its gateway and however old: the caller judges. */
  find(hash: string): Promise<TokenRecord | undefined>;
  /** Best effort: when the store is busy, the note is lost and nothing is thrown. */
  recordUse(hash: string, usedAtMs: number): Promise<void>;
  /** Oldest first, revoked ones included. */
  list(gateway: string): Promise<readonly TokenRecord[]>;
  /** @returns false when no token of the gateway has the label and is not yet revoked */
  revoke(gateway: string, label: string, revokedAtMs: number): Promise<boolean>;
}

export interface NewToken {
  readonly gateway: string;
  /** What people know the token by. */
  readonly label: string;
  /** SHA-256 of the token. */
  readonly hash: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export interface TokenRecord extends Omit<NewToken, 'hash'> {
  readonly lastUsedAtMs: number | undefined;
  readonly revokedAtMs: number | undefined;
}

export class TokenLabelTakenError extends Error {
  override readonly name = 'TokenLabelTakenError';
  constructor(gateway: string, label: string) {
    super(`Gateway "${gateway}" has a token labelled "${label}" already: choose another label, or revoke that token.`);
  }
}
