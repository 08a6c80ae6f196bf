// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to secrets are written so

import { describe, expect, it } from 'vitest';
import {
  compareConfigs,
  describeChanges,
  isNothing,
  keepFixed,
  type SourcedConfig,
} from '../../src/serving/config-changes.js';
import { load } from '../config/temp-config.js';

const base = `version: 1
adapters:
  directory: { type: sqlite, file: a.db, password: "\${file:secret}" }
  lab: { type: memory }
gateways:
  corp:
    limits: { requestsPerSecond: 10 }
    resources:
      User:
        adapter: directory
        use: [./rules.yaml]
        mapping:
          userName: uid
          emails[type eq "work"].value: mail
`;
const rules = 'mapping: { title: role, emails[type eq "home"].value: homeMail }\n'.replace(
  /emails\[.*?\]\.value/,
  "'$&'",
);

function read(yaml: string, files: Readonly<Record<string, string>> = {}): SourcedConfig {
  const all = { secret: 'one', 'rules.yaml': rules, 'rules2.yaml': rules, ...files };
  const { config, sources, lines } = load({ 'gateway.yaml': yaml, ...all }, { NAME: 'one' });
  if (config === undefined) throw new Error(lines.join('\n'));
  // Each is read in a folder of its own; a reload reads the same one again.
  return { config: { ...config, baseDir: '/', dataDir: '/data', files: [], secretFiles: [] }, sources };
}

const changesOf = (after: string, files: Readonly<Record<string, string>> = {}): string =>
  describeChanges(compareConfigs(read(base), read(after, files)));
const replaced = (one: string, other: string): string => {
  expect(base).toContain(one);
  return base.replace(one, other);
};

describe('what another configuration changes', () => {
  it.each<[what: string, after: string, changes: string]>([
    ['a limit', replaced('requestsPerSecond: 10', 'requestsPerSecond: 11'), 'gateway corp: limits.requestsPerSecond'],
    [
      'several settings',
      replaced('limits: { requestsPerSecond: 10 }', 'strict: true\n    auth: { tokens: { single: true }, basic: {} }'),
      'gateway corp: strict, auth.tokens.single, auth.basic, limits.requestsPerSecond, resources.User.unmapped',
    ],
    [
      'an issuer',
      replaced('limits: { r', 'auth: { jwt: { issuer: "https://a/", audience: a } }\n    limits: { r'),
      'gateway corp: auth.jwt',
    ],
    ['a rule', replaced('userName: uid', 'userName: login'), 'gateway corp: resources.User.mapping.userName'],
    [
      'a rule of a slot',
      replaced('.value: mail', '.value: eMail'),
      'gateway corp: resources.User.mapping["emails[type eq \\"work\\"].value"]',
    ],
    [
      'a rule that is gone',
      replaced('use: [./rules.yaml]', 'entity: User'),
      'gateway corp: resources.User.mapping.title, resources.User.mapping["emails[type eq \\"home\\"].value"]',
    ],
    [
      'a type that is new',
      `${base}      Group: { adapter: directory, mapping: { displayName: cn } }\n`,
      'gateway corp: resources.Group',
    ],
    [
      'an operation',
      `${base}        operations: { delete: false }\n`,
      'gateway corp: resources.User.operations.delete',
    ],
    ['the level', replaced('limits:', 'level: debug\n    limits:'), 'gateway corp: level'],
    [
      'values that are recorded',
      replaced(
        'limits:',
        `record: { values: true, until: ${new Date(Date.now() + 3_600_000).toISOString()} }\n    limits:`,
      ),
      'gateway corp: record.until',
    ],
    ['a setting of an adapter', replaced('a.db', 'b.db'), 'adapter directory: file'],
    ['an adapter that is new', replaced('  lab:', '  more: { type: memory }\n  lab:'), 'adapter more: added'],
    ['an adapter that is gone', replaced('  lab: { type: memory }\n', ''), 'adapter lab: removed'],
    [
      'a kind of adapter',
      replaced('lab: { type: memory }', 'lab: { type: sqlite }'),
      'adapter lab: type, file, busyTimeoutMs',
    ],
    [
      'a gateway that is new',
      `${base}  more: { resources: { User: { adapter: lab, mapping: { userName: a } } } }\n`,
      'gateway corp: address; gateway more: added',
    ],
    [
      'the public URL and the log',
      `publicUrl: https://a.example\nlog: { level: warn }\n${base}`,
      'publicUrl, log.level',
    ],
    ['trusted proxies', `trustedProxies: [10.0.0.1]\nreloadOnChange: true\n${base}`, 'trustedProxies, reloadOnChange'],
  ])('%s is told by its name', (_, after, changes) => {
    expect(changesOf(after)).toBe(changes);
  });

  it('is told without values: a secret is called one, whichever way it changes', () => {
    expect(changesOf(base, { secret: 'two' })).toBe('adapter directory: password (secret)');
    expect(changesOf(replaced('"${file:secret}"', '"${env:NAME}-new"'))).toBe('adapter directory: password (secret)');
    expect(changesOf(replaced('file: a.db', 'file: "${file:secret}.db"'))).toBe('adapter directory: file (secret)');
  });

  it('is told when the order of rules changes, which decides between slots that fit alike', () => {
    const [first, second] = ['          userName: uid\n', '          emails[type eq "work"].value: mail\n'];
    expect(changesOf(base.replace(first + second, second + first))).toBe('gateway corp: resources.User.mappingOrder');
  });

  it.each([
    ['a remark', base.replace('userName: uid', 'userName: uid # the login')],
    ['a default that is written out', base.replace('limits:', 'level: information\n    limits:')],
    ['the other way to write a rule', base.replace('userName: uid', 'userName: { field: uid }')],
    ['rules from another file', base.replace('rules.yaml', 'rules2.yaml')],
    ['the name of the gateway as it is by default', base.replace('limits:', 'name: corp\n    limits:')],
  ])('is nothing when only the words differ: %s', (_, after) => {
    expect(after).not.toBe(base);
    const changes = compareConfigs(read(base), read(after));
    expect(describeChanges(changes)).toBe('');
    expect(isNothing(changes)).toBe(true);
  });
});

describe('what cannot change while the process runs', () => {
  it('stays, and is told by its name in the file', () => {
    const running = read(base).config;
    const next = read(
      `listen: 127.0.0.1:1\ndata: other\nmetrics: { listen: 127.0.0.1:2 }\ntls: { certificate: c, key: k }\n${base}`,
    ).config;
    const { config, nextStart } = keepFixed(running, { ...next, dataDir: '/other' });
    expect(nextStart).toEqual(['listen', 'data', 'tls', 'metrics']);
    expect(config).toMatchObject({ listen: running.listen, dataDir: '/data', tls: undefined, metrics: undefined });
    expect(keepFixed(running, running).nextStart).toEqual([]);
  });
});
