import { describe, expect, it } from 'vitest';
import { load } from './temp-config.js';

const withSection = (section: string): string => `version: 1
adapters:
  store: ${section}
gateways:
  corp: { resources: { User: { adapter: store, use: [scim] } } }
`;

describe('keys of every adapter', () => {
  it('are read apart from those of its type, with the defaults filled in', () => {
    const { config, lines } = load({
      'gateway.yaml': withSection('{ type: memory, rate: { requests: 100 }, concurrency: 4 }'),
    });
    expect(lines).toEqual([]);
    expect(config?.adapters.get('store')).toEqual({
      name: 'store',
      type: 'memory',
      settings: {},
      guard: { rate: { requests: 100, perSeconds: 1 }, concurrency: 4 },
    });
  });

  it('may be left out', () => {
    const { config } = load({ 'gateway.yaml': withSection('{ type: memory }') });
    expect(config?.adapters.get('store')?.guard).toEqual({});
  });

  it.each([
    ['{ type: memory, rate: 5 }', '3:32'],
    ['{ type: memory, rate: { perSeconds: 5 } }', '3:26'],
    ['{ type: memory, rate: { requests: 0 } }', '3:44'],
    ['{ type: memory, rate: { requests: 5, perSeconds: 0 } }', '3:59'],
    ['{ type: memory, rate: { request: 5 } }', '3:34'],
    ['{ type: memory, concurrency: 0 }', '3:39'],
    ['{ type: memory, concurency: 3 }', '3:26'],
  ])('are checked, with line and column: %s', (section, place) => {
    const { config, lines } = load({ 'gateway.yaml': withSection(section) });
    expect(config).toBeUndefined();
    expect(
      lines.some((line) => line.includes(`:${place}: error:`)),
      lines.join('\n'),
    ).toBe(true);
  });
});
