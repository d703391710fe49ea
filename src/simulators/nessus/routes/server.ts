import type { Answer } from '../answer.ts';
import { json } from '../answer.ts';
import type { Call, Route } from '../call.ts';
import { hasScanApi, type Edition } from '../scenario.ts';
import type { Server } from '../server-state.ts';
import { TEMPLATES } from '../templates.ts';

const NAMES: Readonly<Record<Edition, { readonly name: string; readonly type: string }>> = {
  manager: { name: 'Nessus Manager', type: 'manager' },
  professional: { name: 'Nessus Professional', type: 'professional' },
  essentials: { name: 'Nessus Essentials', type: 'home' },
  tenable_vm: { name: 'Tenable Vulnerability Management', type: 'io' },
};
const HOME_IPS = 16;
const MANY_IPS = 2_147_483_647;

/** How far the start is, in percent; undefined once it is through. */
export function bootProgress({ clock, readyAt, bootedAt }: Server): number | undefined {
  const now = clock.now();
  return now >= readyAt ? undefined : Math.floor((100 * (now - bootedAt)) / (readyAt - bootedAt));
}

function status({ server }: Call): Answer {
  const progress = bootProgress(server);
  if (progress !== undefined) return json({ code: 503, status: 'loading', progress }, 503);
  const part = { progress: 100, status: 'ready' };
  return json({
    code: 200,
    status: 'ready',
    progress: null,
    pluginSet: true,
    pluginData: true,
    initLevel: 9,
    detailed_status: { login_status: 'allow', feed_status: part, db_status: part, engine_status: part },
  });
}

/** Without login there is only a part of it. */
function properties({ server, auth }: Call): Answer {
  const { edition, version, auth: script } = server.scenario;
  const { name, type } = NAMES[edition];
  const open = {
    nessus_type: name,
    nessus_ui_version: version,
    server_version: version,
    server_build: '20010',
    platform: 'LINUX',
    loaded_plugin_set: '202611200000',
  };
  if (auth !== 'keys' && auth !== 'session') return json(open);
  const features = {
    api: true,
    // Tenable Vulnerability Management has no such switch: its API is how it is used.
    ...(edition === 'tenable_vm' ? {} : { scan_api: hasScanApi(edition) }),
    policies: true,
    report: true,
    users: edition === 'manager',
    vpr: edition !== 'essentials',
  };
  return json({
    ...open,
    server_uuid: '5e11c5f6-0000-4000-8000-5ca05ca05ca0',
    plugin_set: '202611200000',
    scanner_boottime: Math.floor(server.bootedAt / 1_000),
    idle_timeout: String(script.idle_timeout_ms / 60_000),
    used_ip_count: usedIps(server),
    expiration: 2_000_000_000,
    restart_pending: {},
    notifications: [],
    feed_error: 0,
    license: {
      type,
      name,
      restricted: !hasScanApi(edition),
      ips: edition === 'essentials' ? HOME_IPS : MANY_IPS,
      agents: 0,
      scanners: 1,
      expiration_date: 2_000_000_000,
      features,
    },
    features,
  });
}

const usedIps = ({ state }: Server): number =>
  new Set(state.scans.flatMap(({ runs }) => runs.flatMap(({ targets }) => targets))).size;

const templates = ({ server }: Call): Answer =>
  json({
    templates: TEMPLATES.map((template) => ({
      ...template,
      desc: 'Simulated.',
      is_agent: false,
      cloud_only: false,
      subscription_only: false,
      manager_only: false,
      unsupported: false,
      more_info: '',
      ...(server.scenario.edition === 'tenable_vm' ? { order: null } : {}),
    })),
  });

const scanners = ({ server }: Call): Answer =>
  json({
    scanners: [
      {
        id: 1,
        uuid: '00000000-0000-0000-0000-00000000000000000000000000001',
        name: 'Local Scanner',
        type: 'local',
        status: 'on',
        scan_count: server.state.scans.filter(({ runs }) => runs.some(({ end }) => end === undefined)).length,
        engine_version: server.scenario.version,
        platform: 'LINUX',
        loaded_plugin_set: '202611200000',
      },
    ],
  });

export const SERVER_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/server/status', isOpen: true, handle: status },
  { method: 'GET', path: '/server/properties', isOpen: true, handle: properties },
  { method: 'GET', path: '/editor/scan/templates', handle: templates },
  { method: 'GET', path: '/policies', handle: () => json({ policies: null }) },
  { method: 'GET', path: '/scanners', handle: scanners },
];
