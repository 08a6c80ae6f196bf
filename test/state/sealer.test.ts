import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSealer } from '../../src/state/sealer.js';

const key = randomBytes(32);
const payload = { after: 'uid=zoë', count: 10 };

describe('createSealer', () => {
  it('opens what it sealed, also in another process with the same key', () => {
    const text = createSealer(key).seal(payload, 'users');
    expect(createSealer(key).open(text, 'users')).toEqual(payload);
  });

  it('gives only unreserved URL characters [9865-2-02]', () => {
    for (let length = 0; length < 50; length++) {
      expect(createSealer(key).seal({ text: 'x'.repeat(length) }, '')).toMatch(/^[A-Za-z0-9\-._~]+$/);
    }
  });

  it('shows nothing of the content, and never the same text twice [9865-5.2-04]', () => {
    const sealer = createSealer(key);
    const text = sealer.seal({ filter: 'salary gt 1000' }, '');
    expect(Buffer.from(text, 'base64url').toString('latin1')).not.toContain('salary');
    expect(sealer.seal({ filter: 'salary gt 1000' }, '')).not.toBe(text);
  });

  it('refuses a text with any one character flipped [9865-5.2-04]', () => {
    const sealer = createSealer(key);
    const text = sealer.seal(payload, 'users');
    for (let index = 0; index < text.length; index++) {
      for (const other of ['A', 'B', '_']) {
        if (text[index] === other) continue;
        const flipped = text.slice(0, index) + other + text.slice(index + 1);
        expect(sealer.open(flipped, 'users'), `position ${index}`).toBeUndefined();
      }
    }
  });

  it.each(['', 'xyz', '%%%', 'A'.repeat(60)])('refuses %j, which was never sealed [9865-5.2-04]', (text) => {
    expect(createSealer(key).open(text, 'users')).toBeUndefined();
  });

  it('opens with the same context and key only', () => {
    const text = createSealer(key).seal(payload, 'users of caller a');
    expect(createSealer(key).open(text, 'users of caller b')).toBeUndefined();
    expect(createSealer(randomBytes(32)).open(text, 'users of caller a')).toBeUndefined();
  });

  it('refuses a text that was cut or lengthened', () => {
    const sealer = createSealer(key);
    const text = sealer.seal(payload, '');
    expect(sealer.open(text.slice(0, -4), '')).toBeUndefined();
    expect(sealer.open(`${text}AAAA`, '')).toBeUndefined();
    expect(sealer.open(`${text}=`, '')).toBeUndefined();
  });
});
