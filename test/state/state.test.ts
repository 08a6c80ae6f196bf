import { describe, expect, it } from 'vitest';
import { TokenLabelTakenError } from '../../src/state/state.js';
import { describeOnStates } from './state-places.js';

const token = { gateway: 'corp', label: 'Entra', hash: 'h1', createdAtMs: 1000, expiresAtMs: 2000 };

await describeOnStates('state', (fixture) => {
  describe('keys', () => {
    it('are 32 random bytes, made once and shared by processes', async () => {
      const [first, second] = [await fixture.open(), await fixture.open()];
      const key = await first.key('cursor');
      expect(key).toHaveLength(32);
      expect(Buffer.from(await second.key('cursor'))).toEqual(Buffer.from(key));
      expect(Buffer.from(await first.key('other'))).not.toEqual(Buffer.from(key));
    });
  });

  describe('tokens', () => {
    it('are found by hash, whatever their gateway', async () => {
      const { tokens } = await fixture.open();
      await tokens.create(token);
      expect(await tokens.find('h1')).toEqual({
        gateway: 'corp',
        label: 'Entra',
        createdAtMs: 1000,
        expiresAtMs: 2000,
        lastUsedAtMs: undefined,
        revokedAtMs: undefined,
        replacedAtMs: undefined,
        awaitsProof: false,
      });
      expect(await tokens.find('h2')).toBeUndefined();
    });

    it('have labels that are unique within a gateway until they are revoked', async () => {
      const { tokens } = await fixture.open();
      await tokens.create(token);
      await expect(tokens.create({ ...token, hash: 'h2' })).rejects.toThrow(TokenLabelTakenError);
      await tokens.create({ ...token, hash: 'h3', gateway: 'other' });
      expect(await tokens.revoke('corp', 'Entra', 1500)).toBe(true);
      await tokens.create({ ...token, hash: 'h4' });
      expect(await tokens.list('corp')).toMatchObject([{ revokedAtMs: 1500 }, { revokedAtMs: undefined }]);
    });

    it('are revoked once, and for every process at once', async () => {
      const [first, second] = [await fixture.open(), await fixture.open()];
      await first.tokens.create(token);
      expect(await second.tokens.revoke('corp', 'Entra', 1500)).toBe(true);
      expect(await first.tokens.find('h1')).toMatchObject({ revokedAtMs: 1500 });
      expect(await first.tokens.revoke('corp', 'Entra', 1600)).toBe(false);
      expect(await first.tokens.revoke('corp', 'nobody', 1600)).toBe(false);
    });

    it('lose a note of use that comes after the end', async () => {
      const state = await fixture.open();
      await state.close();
      await expect(state.tokens.recordUse('h1', 1700)).resolves.toBeUndefined();
    });
  });
});
