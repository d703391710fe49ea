import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as apps from 'kubernetes-models/apps/v1';
import * as autoscaling from 'kubernetes-models/autoscaling/v2';
import * as networking from 'kubernetes-models/networking.k8s.io/v1';
import * as policy from 'kubernetes-models/policy/v1';
import * as core from 'kubernetes-models/v1';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { loadSettings } from '../../src/config/settings.ts';
import { ENGINES } from '../../src/engines.ts';
import { silentLog } from '../../src/platform/log.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import { documentsOf, unknownVariables, yamlFilesUnder } from './documents.ts';

const BASE = 'deploy/kubernetes/base';

const Labels = z.record(z.string(), z.string());
const Manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});
type Manifest = z.infer<typeof Manifest>;

const Kustomization = z.looseObject({
  resources: z.array(z.string()),
  configMapGenerator: z.array(z.object({ name: z.string(), files: z.array(z.string()) })),
});
const kustomization = Kustomization.parse(documentsOf(join(BASE, 'kustomization.yaml'))[0]);
const manifests = kustomization.resources.flatMap((file) =>
  documentsOf(join(BASE, file)).map((one): [string, Manifest] => {
    const manifest = Manifest.parse(one);
    return [`${manifest.kind} ${manifest.metadata.name}`, manifest];
  }),
);
const named = (name: string): Manifest => {
  const found = manifests.find(([known]) => known === name);
  if (!found) throw new Error(`no ${name}`);
  return found[1];
};

/** Made from the OpenAPI document of Kubernetes. */
const MODELS: Readonly<Record<string, new (...data: never[]) => { validate(): void }>> = {
  'apps/v1 StatefulSet': apps.StatefulSet,
  'autoscaling/v2 HorizontalPodAutoscaler': autoscaling.HorizontalPodAutoscaler,
  'networking.k8s.io/v1 NetworkPolicy': networking.NetworkPolicy,
  'policy/v1 PodDisruptionBudget': policy.PodDisruptionBudget,
  'v1 Namespace': core.Namespace,
  'v1 Service': core.Service,
  'v1 ServiceAccount': core.ServiceAccount,
};

function validate(manifest: Manifest): void {
  const model = MODELS[`${manifest.apiVersion} ${manifest.kind}`];
  if (!model) throw new Error(`${manifest.apiVersion} ${manifest.kind} has no schema here`);
  Reflect.construct(model, [manifest]).validate();
}

const Container = z.looseObject({
  args: z.array(z.string()),
  env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })),
  securityContext: z.object({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })),
});
const Workload = z.looseObject({
  spec: z.looseObject({
    serviceName: z.string(),
    selector: z.object({ matchLabels: Labels }),
    template: z.looseObject({
      metadata: z.object({ labels: Labels }),
      spec: z.looseObject({
        automountServiceAccountToken: z.literal(false),
        terminationGracePeriodSeconds: z.number(),
        securityContext: z.looseObject({
          runAsNonRoot: z.literal(true),
          seccompProfile: z.object({ type: z.literal('RuntimeDefault') }),
        }),
        containers: z.tuple([Container]),
        volumes: z.array(z.looseObject({ name: z.string() })),
      }),
    }),
    volumeClaimTemplates: z.array(z.looseObject({ metadata: z.object({ name: z.string() }) })),
  }),
});
const WORKLOADS = ['StatefulSet scanmux-server', 'StatefulSet scanmux-worker'];

it.each(manifests)('%s keeps to the schema of its kind', (_name, manifest) => {
  expect(() => validate(manifest)).not.toThrow();
});

it('would find a wrong manifest', () => {
  const { spec } = Workload.parse(named('StatefulSet scanmux-server'));
  const wrong = { ...named('StatefulSet scanmux-server'), spec: { ...spec, replicas: 'two' } };
  expect(() => validate(wrong)).toThrow(/replicas must be integer/);
});

it('leaves no file out', () => {
  const used = new Set([
    ...kustomization.resources,
    ...kustomization.configMapGenerator.flatMap(({ files }) => files),
    'kustomization.yaml',
  ]);
  expect(yamlFilesUnder(BASE).filter((file) => !used.has(file.slice(BASE.length + 1)))).toEqual([]);
});

it.each(WORKLOADS)('%s is hardened, selects its own pods and mounts what there is', (name) => {
  const { spec } = Workload.parse(named(name));
  const { metadata, spec: pod } = spec.template;
  expect(metadata.labels).toMatchObject(spec.selector.matchLabels);
  const [container] = pod.containers;
  const volumes = [...pod.volumes.map((one) => one.name), ...spec.volumeClaimTemplates.map((one) => one.metadata.name)];
  expect(new Set(container.volumeMounts.map((mount) => mount.name))).toEqual(new Set(volumes));
  expect(unknownVariables(container.env.map((one) => one.name))).toEqual([]);
  // Nothing that is secret stands in a manifest.
  expect(container.env.filter(({ name: variable, value }) => /URL|KEY|PASSWORD|TOKEN/.test(variable) && value)).toEqual(
    [],
  );
  // What a service, a budget and a network policy select are these pods.
  const component = metadata.labels['app.kubernetes.io/component'] ?? '';
  const selecting = manifests.filter(([, { spec: part }]) => JSON.stringify(part ?? {}).includes(`"${component}"`));
  expect(selecting.map(([, { kind }]) => kind)).toEqual(
    expect.arrayContaining(['Service', 'PodDisruptionBudget', 'NetworkPolicy']),
  );
});

it('gives workers more time to end than they give their scans', () => {
  const { worker } = loadSettings({ configFolder: join(BASE, 'config'), env: {} });
  const { spec } = Workload.parse(named('StatefulSet scanmux-worker'));
  expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(worker.shutdown_grace_seconds + 30);
});

it('scales the workers by a metric the adapter makes', () => {
  const text = JSON.stringify(named('HorizontalPodAutoscaler scanmux-worker'));
  expect(text).toContain('"kind":"StatefulSet","name":"scanmux-worker"');
  const adapter = JSON.stringify(documentsOf('deploy/kubernetes/prometheus-adapter.yaml'));
  expect(text).toContain('"name":"scanmux_queue_load"');
  expect(adapter).toContain('"as":"scanmux_queue_load"');
});

it('brings settings and scanners that can be loaded', async () => {
  const settings = loadSettings({ configFolder: join(BASE, 'config'), env: {} });
  expect(settings.http.host).toBe('0.0.0.0');
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-kubernetes-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(BASE, 'config'), folder, { recursive: true });
  const registry = await createRegistry({
    file: join(folder, 'scanners.yaml'),
    types: ENGINES,
    defaults: () => [],
    defaultPool: settings.default_pool,
    log: silentLog,
    env: {},
    probeIntervalMs: 60_000,
  });
  onTestFinished(() => registry.close());
  expect([registry.status().lastError, registry.pools().map(({ name }) => name)]).toEqual([undefined, ['baseline']]);
});
