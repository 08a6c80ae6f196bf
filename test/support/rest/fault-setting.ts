import { expect } from 'vitest';
import type { Answer, TestGateway, TestServer } from '../gateway.js';
import { isRightOrUnavailable, skipTime, timed, untilAvailable } from '../ldap/outage.js';
import type { Fault, FaultFor } from './fault.js';
import { type RestStyle, type RestTarget, startRestGateway, startRestTarget } from './targets.js';

export const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const groupSchema = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

/** Tries, pauses between them, and room for a busy machine. */
export const deadlineMs = 15_000;

export interface NewUser {
  readonly id: string;
  readonly userName: string;
}

/** A gateway over a target of its own. */
export interface FaultSetting {
  readonly target: RestTarget;
  readonly server: TestServer;
  readonly gateway: TestGateway;
  newUser(): Promise<NewUser>;
  newGroup(...members: readonly NewUser[]): Promise<string>;
  /**
   * Sends a request while a fault waits for it; whatever comes, it comes in time.
   * @returns whether it was the right answer, and not 503
   */
  askWith(fault: Fault, on: FaultFor, ask: () => Promise<Answer>, right: readonly number[]): Promise<boolean>;
  /** The answer, once the backend is asked again. */
  again(ask: () => Promise<Answer>): Promise<Answer>;
  close(): Promise<void>;
}

let count = 0;

export async function startFaultSetting(style: RestStyle): Promise<FaultSetting> {
  const target = await startRestTarget(style);
  const server = await startRestGateway(target, ['timeoutMs: 400', 'connectTimeoutMs: 400']);
  const gateway = await server.gateway();
  const again: FaultSetting['again'] = (ask) => {
    // Whatever the target asked to wait, and the time for which a failing one is spared, are over.
    skipTime(60_000);
    return untilAvailable(ask);
  };
  return {
    target,
    server,
    gateway,
    again,
    newUser: async () => {
      const userName = `fault${count++}@example.org`;
      const body = { schemas: [userSchema], userName, title: 'Before', name: { familyName: 'User' } };
      const answer = await again(() => gateway.request('POST', '/Users', { body }));
      expect(answer.status, answer.text).toBe(201);
      return { id: answer.body.id, userName };
    },
    newGroup: async (...members) => {
      const body = {
        schemas: [groupSchema],
        displayName: `Group ${count++}`,
        members: members.map(({ id }) => ({ value: id })),
      };
      const answer = await again(() => gateway.request('POST', '/Groups', { body }));
      expect(answer.status, answer.text).toBe(201);
      return answer.body.id;
    },
    askWith: async (fault, on, ask, right) => {
      skipTime(60_000);
      const injected = target.faults.inject(fault, on);
      const { answer, tookMs } = await timed(ask());
      target.faults.heal();
      expect(injected.hits, 'the fault did not happen').toBe(1);
      expect(tookMs).toBeLessThan(deadlineMs);
      return isRightOrUnavailable(answer, right);
    },
    close: async () => {
      await server.close();
      await target.close();
    },
  };
}

export function patchBody(...operations: readonly object[]): object {
  return { schemas: [patchSchema], Operations: operations };
}
