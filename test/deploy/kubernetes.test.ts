import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Document, parse, parseAllDocuments } from 'yaml';
import { loadAdapterModules } from '../../adapters/registry.js';
import { loadConfig } from '../../config/load.js';
import { formatProblem } from '../../config/problem.js';
import { compileGateway } from '../../src/composition.js';
import { repositoryRoot } from '../support/gateway.js';
import { type SpawnedServer, spawnServer } from '../support/spawned-server.js';
import { execForm, stagesOf, wordsOf } from './dockerfile.js';
import { fieldsOfKinds, wrongFields } from './kubernetes-fields.js';

const folder = join(repositoryRoot, 'deploy/kubernetes');
const files = readdirSync(folder);

interface Named {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: { readonly name: string; readonly namespace?: string; readonly labels?: Labels };
}
type Labels = Readonly<Record<string, string>>;
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
}
interface Container {
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly resources: { readonly requests: Labels; readonly limits: Labels };
  readonly securityContext: object;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}
interface Selector {
  readonly matchLabels: Labels;
}
interface Deployment extends Named {
  readonly spec: {
    readonly replicas: number;
    readonly selector: Selector;
    readonly strategy: { readonly rollingUpdate: object };
    readonly template: {
      readonly metadata: { readonly labels: Labels; readonly annotations: Labels };
      readonly spec: {
        readonly serviceAccountName: string;
        readonly automountServiceAccountToken: boolean;
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: { readonly runAsUser: number };
        readonly topologySpreadConstraints: readonly { readonly labelSelector: Selector }[];
        readonly containers: readonly [Container];
        readonly volumes: readonly {
          readonly name: string;
          readonly configMap?: { readonly name: string };
          readonly secret?: { readonly secretName: string };
          readonly emptyDir?: object;
        }[];
      };
    };
  };
}

const text = (file: string): string => readFileSync(join(folder, file), 'utf8');
const manifest = <T>(file: string): Named & T => parse(text(file)) as Named & T;
const deployment = manifest<Deployment>('deployment.yaml');
const configuration = manifest<{ readonly data: Labels }>('configuration.yaml');
const secret = manifest<{ readonly stringData: Labels }>('secret.example.yaml');
const pod = deployment.spec.template.spec;
const [container] = pod.containers;
const gatewayYaml = configuration.data['gateway.yaml'] ?? '';
const settings = parse(gatewayYaml) as {
  readonly listen: string;
  readonly metrics: { readonly listen: string };
  readonly data: string;
};
const portOf = (name: string): number | undefined => container.ports.find((one) => one.name === name)?.containerPort;
const isSelected = (selector: Labels | undefined): boolean =>
  selector !== undefined &&
  Object.keys(selector).length > 0 &&
  Object.entries(selector).every(([name, value]) => deployment.spec.template.metadata.labels[name] === value);

describe('each manifest', () => {
  it.each(files)('%s is one document without faults, of a known kind, with fields that Kubernetes knows', (file) => {
    const documents = parseAllDocuments(text(file), { strict: true, uniqueKeys: true }) as readonly Document[];
    expect(documents).toHaveLength(1);
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
    expect(text(file)).not.toMatch(/\t|[ ]$/m);
    // Octal to some readers of YAML, decimal to others.
    expect(text(file)).not.toMatch(/: 0\d+\b/);
    const { apiVersion, kind, ...rest } = manifest(file);
    const fields = fieldsOfKinds[`${apiVersion} ${kind}`];
    expect(fields, `${apiVersion} ${kind}`).toBeDefined();
    expect(wrongFields(rest, fields ?? {})).toEqual([]);
  });

  it.each(files.filter((file) => file !== 'kustomization.yaml'))(
    '%s has a lawful name and the label of all',
    (file) => {
      const { metadata } = manifest(file);
      expect(metadata?.name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
      expect(metadata?.namespace).toBeUndefined();
      expect(metadata?.labels).toEqual({ 'app.kubernetes.io/name': 'scimbridge' });
    },
  );

  it('is listed, but for the secret, which everybody makes', () => {
    const { resources } = manifest<{ readonly resources: readonly string[] }>('kustomization.yaml');
    const others = files.filter((file) => file !== 'kustomization.yaml' && file !== 'secret.example.yaml');
    expect([...resources].toSorted()).toEqual(others.toSorted());
    expect(Object.values(secret.stringData).every((value) => value === 'fill-in')).toBe(true);
  });
});

describe('what one names of another', () => {
  it('is there: pods that are selected, ports, volumes, the account, the service', () => {
    const service = manifest<{
      spec: { selector: Labels; ports: { port: number; name: string; targetPort: string }[] };
    }>('service.yaml');
    const budget = manifest<{ spec: { selector: Selector } }>('disruption-budget.yaml');
    const policy = manifest<{
      spec: {
        podSelector: Selector;
        ingress: { ports: { port: string }[] }[];
        egress: { ports: { port: number }[] }[];
      };
    }>('network-policy.yaml');
    const spread = pod.topologySpreadConstraints.map(({ labelSelector }) => labelSelector.matchLabels);
    const selectors = [
      deployment.spec.selector.matchLabels,
      service.spec.selector,
      budget.spec.selector.matchLabels,
      policy.spec.podSelector.matchLabels,
      ...spread,
    ];
    for (const selector of selectors) expect(isSelected(selector)).toBe(true);
    const named = [
      ...service.spec.ports.map(({ targetPort }) => targetPort),
      ...policy.spec.ingress.flatMap(({ ports }) => ports.map(({ port }) => port)),
      ...[container.startupProbe, container.livenessProbe, container.readinessProbe].map(({ httpGet }) => httpGet.port),
    ];
    for (const name of named) expect(portOf(name), name).toBeDefined();
    expect(manifest('service-account.yaml').metadata?.name).toBe(pod.serviceAccountName);
    const volumes = pod.volumes.map(({ name }) => name).toSorted();
    expect(container.volumeMounts.map(({ name }) => name).toSorted()).toEqual(volumes);
    for (const { configMap, secret: used } of pod.volumes) {
      if (configMap !== undefined) expect(configMap.name).toBe(configuration.metadata?.name);
      if (used !== undefined) expect(used.secretName).toBe(secret.metadata?.name);
    }
    const ingress = manifest<{
      spec: {
        rules: {
          host: string;
          http: { paths: { backend: { service: { name: string; port: { name: string } } } }[] };
        }[];
      };
    }>('ingress.yaml');
    const backends = ingress.spec.rules.flatMap(({ http }) => http.paths.map(({ backend }) => backend.service));
    for (const { name, port } of backends) {
      expect(name).toBe(service.metadata?.name);
      expect(service.spec.ports.map((one) => one.name)).toContain(port.name);
    }
    expect(gatewayYaml).toContain(`publicUrl: https://${ingress.spec.rules[0]?.host}`);
    // The gateway may reach what it is configured to.
    const open = policy.spec.egress.flatMap(({ ports }) => ports.map(({ port }) => port));
    expect(open).toEqual(expect.arrayContaining([53, 5432, 636, 443]));
  });

  it('agrees with the program: ports, folders, and where its files are mounted', () => {
    expect(settings.listen).toBe(`0.0.0.0:${portOf('http')}`);
    expect(settings.metrics.listen).toBe(`0.0.0.0:${portOf('metrics')}`);
    expect(deployment.spec.template.metadata.annotations['prometheus.io/port']).toBe(String(portOf('metrics')));
    const mounted = container.volumeMounts.map(({ mountPath }) => mountPath);
    expect(mounted).toContain(settings.data);
    expect(container.args.slice(0, 3)).toEqual(['serve', '--config', '/etc/scimbridge/gateway.yaml']);
    expect(mounted).toContain(dirname(container.args[2] ?? ''));
    const secrets = [...gatewayYaml.matchAll(/\/run\/secrets\/scimbridge\/([\w.-]+)/g)].map(([, name]) => name);
    expect(mounted).toContain('/run/secrets/scimbridge');
    expect(new Set(secrets)).toEqual(new Set(Object.keys(secret.stringData)));
    expect(execForm(wordsOf(stagesOf('Dockerfile').at(-1) ?? [], 'ENTRYPOINT')[0] ?? '[]')).toEqual([
      'node',
      'dist/src/main.js',
    ]);
  });
});

describe('the pods', () => {
  it('have no rights, and nothing in them can be written but memory and a folder that goes with them', () => {
    expect(pod.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      fsGroup: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(wordsOf(stagesOf('Dockerfile').at(-1) ?? [], 'USER')).toEqual(['node']); // 1000 in the images of Node
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
    for (const { name, readOnly } of container.volumeMounts) {
      const { emptyDir } = pod.volumes.find((volume) => volume.name === name) ?? {};
      expect(readOnly === true || emptyDir !== undefined, name).toBe(true);
    }
  });

  it('are two, of which one always answers: while nodes are drained and while a version is rolled out', () => {
    expect(deployment.spec.replicas).toBe(2);
    expect(deployment.spec.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
    expect(manifest<{ spec: { maxUnavailable: number } }>('disruption-budget.yaml').spec.maxUnavailable).toBe(1);
  });

  it('have time to end in order', () => {
    const secondsOf = (option: string): number => Number(container.args[container.args.indexOf(option) + 1]);
    const [drain, grace] = [secondsOf('--drain'), secondsOf('--grace')];
    // Until everybody knows that the pod goes: readiness has failed often enough by then.
    const { periodSeconds, failureThreshold } = container.readinessProbe;
    expect(drain).toBeGreaterThanOrEqual(periodSeconds * failureThreshold);
    // What a request may take by default, and the recorder's last ten seconds.
    expect(grace).toBeGreaterThanOrEqual(25);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(drain + grace + 10);
  });

  it('have time to start: the state is waited for a minute', () => {
    const { periodSeconds, failureThreshold } = container.startupProbe;
    expect(periodSeconds * failureThreshold).toBeGreaterThan(60);
    for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
      expect(probe.timeoutSeconds).toBeLessThanOrEqual(probe.periodSeconds);
    }
  });

  it('ask for no more than they may have', () => {
    const { requests, limits } = container.resources;
    const bytes = (quantity = ''): number => {
      const [, number = '', unit = ''] = /^(\d+)(Mi|Gi)$/.exec(quantity) ?? [];
      return Number(number) * (unit === 'Gi' ? 1024 : 1);
    };
    expect(requests.cpu).toMatch(/^\d+m?$/);
    expect(bytes(requests.memory)).toBeGreaterThan(0);
    expect(bytes(requests.memory)).toBeLessThanOrEqual(bytes(limits.memory));
  });
});

describe('the configuration in the ConfigMap', () => {
  const place = mkdtempSync(join(tmpdir(), 'kubernetes-'));
  afterAll(() => rmSync(place, { recursive: true, force: true }));

  it('passes the check', async () => {
    for (const name of Object.keys(secret.stringData)) writeFileSync(join(place, name), 'filled in');
    const file = join(place, 'gateway.yaml');
    writeFileSync(file, gatewayYaml.replaceAll('/run/secrets/scimbridge', place));
    const modules = await loadAdapterModules();
    const adapterSchemas = new Map([...modules].map(([type, { configSchema }]) => [type, configSchema]));
    const { config, problems } = loadConfig({ file, adapterSchemas });
    expect(problems.map(formatProblem)).toEqual([]);
    const compiled = (config?.gateways ?? []).flatMap((gateway) => compileGateway(gateway).problems);
    expect(compiled.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(config?.state).toMatchObject({ host: 'postgresql.example.com', tls: { ca: join(place, 'state-ca.crt') } });
    expect(config?.reloadOnChange).toBe(true);
  });
});

describe('the probes', () => {
  let server: SpawnedServer;
  beforeAll(async () => {
    server = await spawnServer();
  });
  afterAll(() => server?.close());

  it('are answered by the program', async () => {
    const { base } = await server.gateway();
    const { origin } = new URL(base);
    for (const { httpGet } of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
      expect((await fetch(origin + httpGet.path)).status).toBe(200);
    }
  });
});
