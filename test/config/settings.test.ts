import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LimitSettings, OidcSettings } from '../../src/config/settings-auth.ts';
import { HttpSettings } from '../../src/config/settings-http.ts';
import { loadSettings, Settings } from '../../src/config/settings.ts';
import { settingVariables } from '../../src/config/settings-environment.ts';
import { AppError } from '../../src/model/errors.ts';
import { temporaryFolder } from './temporary-folder.ts';

function load(text: string | undefined, env: Record<string, string> = {}) {
  const configFolder = temporaryFolder();
  if (text !== undefined) writeFileSync(join(configFolder, 'scanmux.yaml'), text);
  return loadSettings({ configFolder, env });
}

function refusal(text: string | undefined, env: Record<string, string> = {}): string[] {
  try {
    load(text, env);
  } catch (error) {
    if (error instanceof AppError && error.code === 'config_invalid') {
      return error.message.split('\n').map((line) => line.replace(/^\/.*\/(?=scanmux\.yaml)/, ''));
    }
    throw error;
  }
  throw new Error('was accepted');
}

/** Of variables that take no number. */
const TEXTS: ReadonlyMap<string, string> = new Map([
  ['SCANMUX_LOG_LEVEL', 'debug'],
  ['SCANMUX_IMPORT_FOLDERS', '/srv/reports'],
  ['SCANMUX_ARTEFACTS_STORE', 'directory'],
  ['SCANMUX_ARTEFACTS_FOLDER', '/srv/scans'],
  ['SCANMUX_ARTEFACTS_S3_BUCKET', 'scans'],
  ['SCANMUX_ARTEFACTS_S3_ENDPOINT', 'http://127.0.0.1:9000'],
  ['SCANMUX_ARTEFACTS_S3_SERVER_SIDE_ENCRYPTION', 'AES256'],
  ['SCANMUX_REDIS_PASSWORD_FILE', '/run/password'],
  ['SCANMUX_REDIS_SENTINEL_PASSWORD_FILE', '/run/password'],
  ['SCANMUX_REDIS_SENTINELS', 'host:26379'],
  ['SCANMUX_REDIS_TLS_CA_FILE', '/run/ca.pem'],
  ['SCANMUX_REDIS_TLS_CERT_FILE', '/run/cert.pem'],
  ['SCANMUX_REDIS_TLS_KEY_FILE', '/run/key.pem'],
  ['SCANMUX_REDIS_LEASE_SECONDS', '30'],
  ['SCANMUX_HTTP_PUBLIC_URL', 'https://scanmux.test'],
  ['SCANMUX_HTTP_ALLOWED_HOSTS', 'scanmux.test'],
  ['SCANMUX_HTTP_ALLOWED_ORIGINS', 'https://console.test'],
  ['SCANMUX_HTTP_TRUST_PROXY', '10.0.0.1'],
  ['SCANMUX_HTTP_MCP_MODE', 'stateless'],
  ['SCANMUX_OIDC_ISSUER', 'https://id.test'],
  ['SCANMUX_OIDC_JWKS_URI', 'https://id.test/keys'],
  ['SCANMUX_OIDC_ALGORITHMS', 'ES256'],
  ['SCANMUX_METRICS_TOKEN_FILE', '/run/token'],
  ['SCANMUX_METRICS_ALLOW_FROM', '192.0.2.0/24'],
]);
/** A key that needs another. */
const COMPANIONS: ReadonlyMap<string, Record<string, string>> = new Map([
  ['SCANMUX_OIDC_ISSUER', { SCANMUX_OIDC_AUDIENCE: 'scanmux' }],
]);

/** Keys that stand for nothing when they are absent. */
const WITHOUT_DEFAULT =
  /^SCANMUX_REDIS_(URL|USERNAME|PASSWORD_FILE|SENTINEL_USERNAME|SENTINEL_PASSWORD_FILE|TLS_[A-Z]+_[A-Z]+)$/;

describe('settings', () => {
  it('have a default for everything', () => {
    expect(load(undefined)).toEqual({
      default_pool: 'baseline',
      log_level: 'info',
      storage_reserve_mb: 256,
      idempotency_hours: 48,
      queued_expiry_hours: 168,
      max_raw_report_mb: 2_048,
      import_folders: [],
      probe_interval_seconds: 60,
      worker: {
        max_concurrent_scans: 64,
        idle_exit_seconds: 60,
        shutdown_grace_seconds: 30,
        in_process: false,
        lease_seconds: 60,
      },
      retry: { max_attempts: 3, base_seconds: 2, max_seconds: 300 },
      retention: { finished_days: 0, finished_per_tenant: 0, dead_letter_days: 0, exports_days: 7 },
      artefacts: {
        store: 'directory',
        folder: '',
        cache_mb: 4_096,
        s3: {
          bucket: '',
          prefix: 'scanmux',
          region: '',
          endpoint: '',
          force_path_style: false,
          server_side_encryption: 'bucket',
          kms_key_id: '',
        },
      },
      redis: { cluster: false, sentinels: [], master_name: 'mymaster', tls: {}, prefix: 'scanmux', lease_seconds: 15 },
      allow_volatile_redis: false,
      http: HttpSettings.parse({}),
      oidc: OidcSettings.parse({}),
      operator_tenants: ['local'],
      limits: LimitSettings.parse({}),
      events: { max_streams_per_tenant: 1_000, max_streams: 10_000 },
      metrics: { token_file: '', allow_from: [] },
    });
  });

  it('are the defaults when the file is empty, and where a section or key is left empty', () => {
    expect(load('')).toEqual(load(undefined));
    expect(load('worker:\nlog_level:\n')).toEqual(load(undefined));
  });

  it('come from the file, and the environment wins over it', () => {
    const settings = load('worker:\n  idle_exit_seconds: 5\n  lease_seconds: 7\n', {
      SCANMUX_WORKER_IDLE_EXIT_SECONDS: '9.5',
      SCANMUX_WORKER_IN_PROCESS: 'true',
    });
    expect(settings.worker).toMatchObject({ idle_exit_seconds: 9.5, lease_seconds: 7, in_process: true });
  });

  it('have a variable for every key', () => {
    for (const { path, name, schema } of settingVariables(Settings)) {
      const text = TEXTS.get(name) ?? (schema['type'] === 'boolean' ? 'true' : '3');
      const settings: unknown = load(undefined, { ...COMPANIONS.get(name), [name]: text });
      const value = schema['type'] === 'string' ? text : schema['type'] === 'array' ? [text] : JSON.parse(text);
      expect(settings).toHaveProperty([...path], value);
    }
    const names = settingVariables(Settings).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('describe and bound every key', () => {
    for (const { name, schema } of settingVariables(Settings)) {
      expect(schema, name).toHaveProperty('description');
      if (!WITHOUT_DEFAULT.test(name)) expect(schema, name).toHaveProperty('default');
      if (schema['type'] === 'array') expect(schema, name).toHaveProperty('maxItems');
      else if (schema['type'] !== 'string' && schema['type'] !== 'boolean')
        expect(schema, name).toHaveProperty('maximum');
    }
  });

  it('read a list also from one text, parts by comma, and name the variable when a part is wrong', () => {
    expect(load('import_folders: [/srv/a, /srv/b]').import_folders).toEqual(['/srv/a', '/srv/b']);
    expect(load('import_folders: /srv/a').import_folders).toEqual(['/srv/a']);
    expect(load(undefined, { SCANMUX_IMPORT_FOLDERS: '/srv/a, /srv/b' }).import_folders).toEqual(['/srv/a', '/srv/b']);
    expect(load("import_folders: [/srv/a, { path: /srv/b, tenants: [acme, '*'] }]").import_folders).toEqual([
      '/srv/a',
      { path: '/srv/b', tenants: ['acme', '*'] },
    ]);
    for (const wrong of ['{ path: /srv/a }', '{ path: b, tenants: [acme] }', '7'])
      expect(refusal(`import_folders: [${wrong}]`)).toEqual([expect.stringContaining('must be an absolute path')]);
    expect(refusal('import_folders: [{ path: /srv/a, tenants: [] }]')).toEqual([
      'scanmux.yaml:1: import_folders[0].tenants: must name a tenant, or leave it out',
    ]);
    expect(refusal(undefined, { SCANMUX_IMPORT_FOLDERS: '/srv/a,reports' })).toEqual([
      'environment variable SCANMUX_IMPORT_FOLDERS: must be an absolute path (~ is not expanded here)',
    ]);
    expect(refusal('import_folders:\n  - ~/reports\n')).toEqual([
      'scanmux.yaml:2: import_folders[0]: must be an absolute path (~ is not expanded here)',
    ]);
  });

  it('take the log level also from LOG_LEVEL, in any case, but rather from our own variable', () => {
    expect(load(undefined, { LOG_LEVEL: 'WARN' }).log_level).toBe('warn');
    expect(load('log_level: error', { LOG_LEVEL: 'debug', SCANMUX_LOG_LEVEL: 'silent' }).log_level).toBe('silent');
  });

  it('take the URL of Redis also from REDIS_URL, but rather from our own variable', () => {
    expect(load(undefined, { REDIS_URL: 'redis://a' }).redis.url).toBe('redis://a');
    expect(load('redis:\n  url: redis://c', { REDIS_URL: 'redis://a', SCANMUX_REDIS_URL: 'redis://b' }).redis.url).toBe(
      'redis://b',
    );
  });

  it('take a variable that is set to nothing as not set', () => {
    expect(load('log_level: error', { SCANMUX_LOG_LEVEL: '' }).log_level).toBe('error');
  });

  it('list every wrong key of file and environment at once, with line, path and the nearest valid key', () => {
    const text = 'log_levle: info\nworker:\n  max_concurrent_scans: 0\n  lease: 3\nretry: 5\nidempotency_hours: soon\n';
    expect(refusal(text, { SCANMUX_WORKER_LEASE_SECONDS: 'long', SCANMUX_WORKER_IN_PROCES: 'true' })).toEqual([
      'environment variable SCANMUX_WORKER_IN_PROCES: unknown; did you mean SCANMUX_WORKER_IN_PROCESS?',
      'scanmux.yaml:6: idempotency_hours: expected number, received string',
      'scanmux.yaml:3: worker.max_concurrent_scans: expected number to be >=1',
      'environment variable SCANMUX_WORKER_LEASE_SECONDS: expected number, received string',
      expect.stringMatching(/^scanmux\.yaml:4: worker\.lease: unknown key; the keys are max_concurrent_scans, /),
      'scanmux.yaml:5: retry: expected object, received number',
      'scanmux.yaml:1: log_levle: unknown key; did you mean log_level?',
    ]);
  });

  it('keep the rule between keys, also when the two come from different places', () => {
    expect(refusal('retry:\n  max_seconds: 10\n', { SCANMUX_RETRY_BASE_SECONDS: '11' })).toEqual([
      'environment variable SCANMUX_RETRY_BASE_SECONDS: must not be larger than retry.max_seconds',
    ]);
  });

  it('blame the variable, not the file, for what is missing beside it', () => {
    const needed = expect.stringMatching(
      /^environment variable SCANMUX_OIDC_AUDIENCE, which is not set beside SCANMUX_OIDC_ISSUER: is needed with oidc/,
    );
    expect(refusal(undefined, { SCANMUX_OIDC_ISSUER: 'https://id.example.org' })).toEqual([needed]);
    expect(refusal('log_level: info', { SCANMUX_OIDC_ISSUER: 'https://id.example.org' })).toEqual([needed]);
    expect(refusal('oidc:\n  issuer: https://id.example.org\n')).toEqual([
      expect.stringMatching(/^scanmux\.yaml(:\d)?: oidc\.audience: is needed/),
    ]);
  });

  it('name line and column of a syntax error', () => {
    expect(refusal('log_level: info\nretry: {max_attempts: 2\n')).toEqual([
      expect.stringMatching(/^scanmux\.yaml:3:1: YAML: /),
    ]);
  });

  it('leave variables alone that belong to the operator', () => {
    expect(load(undefined, { SCANMUX_NESSUS_PASSWORD: 'x', SCANMUX_CONFIG_DIR: '/x' }).log_level).toBe('info');
  });

  it('say so when the file is no text or cannot be read', () => {
    const configFolder = temporaryFolder();
    writeFileSync(join(configFolder, 'scanmux.yaml'), Buffer.from([0x6c, 0xff, 0xfe]));
    expect(() => loadSettings({ configFolder, env: {} })).toThrow(/is not UTF-8 text/);
    expect(() => loadSettings({ configFolder: join(configFolder, 'scanmux.yaml'), env: {} })).toThrow(
      /cannot be read \(ENOTDIR\)/,
    );
  });
});
