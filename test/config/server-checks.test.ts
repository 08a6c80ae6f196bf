import { describe, expect, it } from 'vitest';
import { load } from './temp-config.js';

const gateway = `adapters: { store: { type: memory } }
gateways: { corp: { resources: { User: { adapter: store, use: [scim] } } } }
`;
const problemsOf = (settings: string, files: Readonly<Record<string, string>> = {}): readonly string[] =>
  load({ 'gateway.yaml': `version: 1\n${settings}\n${gateway}`, ...files }).lines;

describe('settings of the server that expose something', () => {
  it.each([
    ['listen: 0.0.0.0:8080', /^gateway\.yaml:2:9: warning: Others can reach 0\.0\.0\.0, and nothing is encrypted/],
    ['listen: "[::]:8080"', /:2:9: warning: Others can reach ::/],
    ['publicUrl: http://scim.example.com', /:2:12: warning: .*unencrypted/],
    ['trustedProxies: [10.0.0.0/8, 0.0.0.0/0]', /:2:30: warning: "0\.0\.0\.0\/0" is everybody/],
    ['trustedProxies: ["::/0"]', /:2:18: warning: "::\/0" is everybody/],
  ])('are warned of: %s', (settings, expected) => {
    expect(problemsOf(settings)).toEqual([expect.stringMatching(expected)]);
  });

  it.each([
    ['listen: 0.0.0.0:8080', 'metrics: { listen: 127.0.0.1:8080 }'],
    ['listen: 127.0.0.1:8080', 'metrics: { listen: 127.0.0.1:8080 }'],
  ])('cannot work with two listeners at one place: %s, %s', (...settings) => {
    const problems = problemsOf(['publicUrl: https://scim.example.com', ...settings].join('\n'));
    expect(problems).toEqual([expect.stringMatching(/:4:2\d: error: .*port 8080.*metrics/)]);
  });

  it('are warned of where TLS has no files', () => {
    const settings = 'tls: { certificate: here.pem, key: there.pem }';
    expect(problemsOf(settings, { 'here.pem': 'x' })).toEqual([
      expect.stringMatching(/:2:\d+: warning: The file cannot be read here \(ENOENT\)/),
    ]);
    expect(problemsOf(settings, { 'here.pem': 'x', 'there.pem': 'y' })).toEqual([]);
  });

  it.each([
    'listen: 127.0.0.1:8080',
    'listen: localhost:8080',
    'listen: "[::1]:8080"',
    'listen: 0.0.0.0:8080\npublicUrl: https://scim.example.com',
    'publicUrl: http://localhost:8080',
    'publicUrl: http://127.0.0.1:8080\nmetrics: { listen: 127.0.0.1:9464 }',
    'trustedProxies: [10.0.0.0/8, "fd00::/8"]',
  ])('are not warned of where nothing is exposed: %s', (settings) => {
    expect(problemsOf(settings)).toEqual([]);
  });
});
