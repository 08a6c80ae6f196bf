/**
 * The fields that our manifests may use, as the API reference of Kubernetes names them: `*` stands for any key. A misspelt
 * field is dropped by the API server without a word, or refuses the whole manifest.
 */
export type Fields = { readonly [name: string]: Fields | 'text' | 'number' | 'boolean' | 'texts' | 'port' };

const metadata: Fields = {
  name: 'text',
  namespace: 'text',
  labels: { '*': 'text' },
  annotations: { '*': 'text' },
};
const labelSelector: Fields = { matchLabels: { '*': 'text' } };
const probe: Fields = {
  httpGet: { path: 'text', port: 'port', scheme: 'text' },
  initialDelaySeconds: 'number',
  periodSeconds: 'number',
  timeoutSeconds: 'number',
  failureThreshold: 'number',
  successThreshold: 'number',
};
const container: Fields = {
  name: 'text',
  image: 'text',
  imagePullPolicy: 'text',
  args: 'texts',
  ports: { '[]': { name: 'text', containerPort: 'number', protocol: 'text' } },
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  resources: { requests: { '*': 'text' }, limits: { '*': 'text' } },
  securityContext: {
    allowPrivilegeEscalation: 'boolean',
    readOnlyRootFilesystem: 'boolean',
    capabilities: { drop: 'texts' },
  },
  volumeMounts: { '[]': { name: 'text', mountPath: 'text', readOnly: 'boolean' } },
};
const volume: Fields = {
  name: 'text',
  configMap: { name: 'text', defaultMode: 'number' },
  secret: { secretName: 'text', defaultMode: 'number' },
  emptyDir: { medium: 'text', sizeLimit: 'text' },
};
const pod: Fields = {
  serviceAccountName: 'text',
  automountServiceAccountToken: 'boolean',
  enableServiceLinks: 'boolean',
  terminationGracePeriodSeconds: 'number',
  securityContext: {
    runAsNonRoot: 'boolean',
    runAsUser: 'number',
    runAsGroup: 'number',
    fsGroup: 'number',
    seccompProfile: { type: 'text' },
  },
  topologySpreadConstraints: {
    '[]': { maxSkew: 'number', topologyKey: 'text', whenUnsatisfiable: 'text', labelSelector },
  },
  containers: { '[]': container },
  volumes: { '[]': volume },
};
const policyPorts: Fields = { '[]': { protocol: 'text', port: 'port' } };
const policyPeers: Fields = { '[]': { namespaceSelector: labelSelector, podSelector: labelSelector } };

/** By apiVersion and kind. */
export const fieldsOfKinds: Readonly<Record<string, Fields>> = {
  'apps/v1 Deployment': {
    metadata,
    spec: {
      replicas: 'number',
      revisionHistoryLimit: 'number',
      minReadySeconds: 'number',
      selector: labelSelector,
      strategy: { type: 'text', rollingUpdate: { maxUnavailable: 'port', maxSurge: 'port' } },
      template: { metadata, spec: pod },
    },
  },
  'v1 ConfigMap': { metadata, data: { '*': 'text' } },
  'v1 Secret': { metadata, type: 'text', stringData: { '*': 'text' } },
  'v1 ServiceAccount': { metadata, automountServiceAccountToken: 'boolean' },
  'v1 Service': {
    metadata,
    spec: {
      type: 'text',
      selector: { '*': 'text' },
      ports: { '[]': { name: 'text', port: 'number', targetPort: 'port', appProtocol: 'text', protocol: 'text' } },
    },
  },
  'policy/v1 PodDisruptionBudget': {
    metadata,
    spec: { maxUnavailable: 'port', minAvailable: 'port', selector: labelSelector },
  },
  'networking.k8s.io/v1 NetworkPolicy': {
    metadata,
    spec: {
      podSelector: labelSelector,
      policyTypes: 'texts',
      ingress: { '[]': { from: policyPeers, ports: policyPorts } },
      egress: { '[]': { to: policyPeers, ports: policyPorts } },
    },
  },
  'networking.k8s.io/v1 Ingress': {
    metadata,
    spec: {
      ingressClassName: 'text',
      tls: { '[]': { hosts: 'texts', secretName: 'text' } },
      rules: {
        '[]': {
          host: 'text',
          http: {
            paths: {
              '[]': {
                path: 'text',
                pathType: 'text',
                backend: { service: { name: 'text', port: { name: 'text', number: 'number' } } },
              },
            },
          },
        },
      },
    },
  },
  'kustomize.config.k8s.io/v1beta1 Kustomization': { namespace: 'text', resources: 'texts' },
};

/** What of a manifest is unknown or of another type, as `spec.replicas: number expected`. */
export function wrongFields(value: unknown, fields: Fields, path = ''): readonly string[] {
  const list = fields['[]'];
  if (list !== undefined) {
    if (!Array.isArray(value)) return [`${path}: a list expected`];
    return value.flatMap((item, index) => wrongField(item, list, `${path}[${index}]`));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path}: a map expected`];
  return Object.entries(value).flatMap(([name, part]) => {
    const field = fields[name] ?? fields['*'];
    const at = path === '' ? name : `${path}.${name}`;
    return field === undefined ? [`${at}: unknown`] : wrongField(part, field, at);
  });
}

function wrongField(value: unknown, field: Fields[string], path: string): readonly string[] {
  if (typeof field === 'object') return wrongFields(value, field, path);
  return isOf(value, field) ? [] : [`${path}: ${field} expected`];
}

function isOf(value: unknown, field: Exclude<Fields[string], Fields>): boolean {
  if (field === 'texts') return Array.isArray(value) && value.every((item) => typeof item === 'string');
  if (field === 'port') return Number.isInteger(value) || typeof value === 'string';
  if (field === 'number') return Number.isInteger(value);
  return typeof value === (field === 'text' ? 'string' : field);
}
