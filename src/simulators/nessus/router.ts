import type { Route } from './call.ts';
import { CONTROL_ROUTES } from './routes/scan-control.ts';
import { DETAIL_ROUTES } from './routes/scan-details.ts';
import { EXPORT_ROUTES } from './routes/exports.ts';
import { FILE_ROUTES } from './routes/files.ts';
import { FOLDER_ROUTES } from './routes/folders.ts';
import { LIST_ROUTES } from './routes/scan-list.ts';
import { SERVER_ROUTES } from './routes/server.ts';
import { SESSION_ROUTES } from './routes/session.ts';
import { WRITE_ROUTES } from './routes/scan-writes.ts';
import type { Edition } from './scenario.ts';

export const ROUTES: readonly Route[] = [
  ...SERVER_ROUTES,
  ...SESSION_ROUTES,
  ...FOLDER_ROUTES,
  ...LIST_ROUTES,
  ...WRITE_ROUTES,
  ...CONTROL_ROUTES,
  ...DETAIL_ROUTES,
  ...EXPORT_ROUTES,
  ...FILE_ROUTES,
];

const NUMBERS = new Set(['id', 'hid', 'pid']);

const patternOf = ({ path }: Route): RegExp =>
  new RegExp(
    `^${path.replace(/\{(\w+)\}/g, (_, name: string) => `(?<${name}>${NUMBERS.has(name) ? String.raw`\d{1,15}` : '[^/]+'})`)}$`,
  );

const PATTERNS = ROUTES.map((route) => ({ route, pattern: patternOf(route) }));

export interface Found {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** @returns 405 where the path has routes, but none for this method */
export function findRoute(method: string, path: string, edition: Edition): Found | 404 | 405 {
  const place = edition === 'tenable_vm' ? 'cloud' : 'self_hosted';
  let isKnown = false;
  for (const { route, pattern } of PATTERNS) {
    if (route.only !== undefined && route.only !== place) continue;
    const match = pattern.exec(path);
    if (!match) continue;
    isKnown = true;
    if (route.method === method) return { route, params: { ...match.groups } };
  }
  return isKnown ? 405 : 404;
}
