/** What the gateway itself has to remember. Nothing else is kept, so replicas share one state and are otherwise equal. */
export interface State {
  readonly tokens: TokenStore;
  readonly controls: ControlStore;
  /** A secret key of 32 bytes, made the first time that its name is asked for: `cursor`. Equal in every replica. */
  key(name: string): Promise<Uint8Array>;
  /** False while it is known that nothing can be looked up. */
  isUp(): boolean;
  close(): Promise<void>;
}

/** The state cannot be asked now: nothing is known of a credential that was not looked up before. */
export class StateUnavailableError extends Error {
  override readonly name = 'StateUnavailableError';
  readonly retryAfterSeconds = 5;
}

/** What an operator sets while the gateway runs, over what the configuration says. Kept through restarts. */
export interface ControlStore {
  /**
   * Quick enough for every request, and at most a quarter of a second old, whichever process made the change. While the
   * state is away, what was known holds.
   */
  get(gateway: string): Control;
  /** Sets what is there, takes away what is null, leaves the rest. */
  set(gateway: string, change: { readonly [K in keyof Control]: Control[K] | null }): Promise<void>;
}

export interface Control {
  readonly enabled?: boolean;
  readonly level?: 'debug' | 'information' | 'warning';
  /** Values are recorded until then, in milliseconds since 1970. */
  readonly recordValuesUntilMs?: number;
}

/** Generated tokens and clients' secrets. Only hashes are known here; times are milliseconds since 1970. */
export interface TokenStore {
  /**
   * @param options.single revokes all others of the gateway in the same step
   * @throws TokenLabelTakenError when a current token of the gateway has the label
   */
  create(token: NewToken, options?: { readonly single?: boolean }): Promise<void>;
  /**
   * Puts a new secret in the place of the current one with the token's label, in one step. The former is valid until
   * `formerUntilMs`, or until the new one has been used for the first time.
   * @returns the former, or undefined when the gateway has no valid token with the label (nothing was created then)
   */
  rotate(token: NewToken, formerUntilMs: number | 'proven'): Promise<TokenRecord | undefined>;
  /** Whatever its gateway and however old: the caller judges. @throws StateUnavailableError */
  find(hash: string): Promise<TokenRecord | undefined>;
  /** Best effort: when the store is busy, the note is lost and nothing is thrown. */
  recordUse(hash: string, usedAtMs: number): Promise<void>;
  /** The token was used: those that it was to replace once proven are revoked now, durably. */
  prove(hash: string, usedAtMs: number): Promise<void>;
  /** Oldest first, revoked ones included. */
  list(gateway: string): Promise<readonly TokenRecord[]>;
  /** All that have the label, a former one of a rotation included. @returns false when there is none that is valid */
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
  /** Set for the secret of an OAuth client: it is only taken at the token endpoint, with this id. */
  readonly clientId?: string;
  readonly readOnly?: boolean;
  readonly resourceTypes?: readonly string[];
}

export interface TokenRecord extends Omit<NewToken, 'hash'> {
  readonly lastUsedAtMs: number | undefined;
  readonly revokedAtMs: number | undefined;
  /** Another one has taken its place: it is valid until `expiresAtMs`, or until that one is proven. */
  readonly replacedAtMs: number | undefined;
  /** Replaced by rotate-until-proven: the successor has not been used yet. */
  readonly awaitsProof: boolean;
}

export class TokenLabelTakenError extends Error {
  override readonly name = 'TokenLabelTakenError';
  constructor(gateway: string, label: string) {
    super(`Gateway "${gateway}" has a token labelled "${label}" already: choose another label, or revoke that token.`);
  }
}
