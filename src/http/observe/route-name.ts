import type { Request } from 'express';
import { ROUTES } from '../rest/routes.ts';

/** Segments of the REST patterns, as Express writes them. */
const REST = [...ROUTES.map(({ path }) => path), '/openapi.json', '/downloads/{token}'].map((path) =>
  `/api${path.replaceAll(/\{(\w+)\}/g, ':$1')}`.split('/'),
);

/**
 * One name for all answers of a route, from a fixed set: also where the request was refused before a router saw it, and
 * after its router is left, when Express no longer knows where that was mounted. `other`: there is no such route.
 */
export function routeOf(request: Request): string {
  // Routes are matched whatever the case of their mount.
  const [path = ''] = request.originalUrl.split('?', 1);
  switch (path.split('/', 2)[1]?.toLowerCase()) {
    case 'api':
      return restRouteOf(path);
    case 'mcp':
      return /^\/mcp\/?$/i.test(path) ? '/mcp' : 'other';
    case 'queues': {
      const matched = matchedOf(request);
      return matched === undefined || matched === '/' ? '/queues' : `/queues${matched}`;
    }
    default:
      return matchedOf(request) ?? 'other';
  }
}

function restRouteOf(path: string): string {
  const given = path.replace(/\/$/, '').split('/');
  const fits = (pattern: readonly string[]): boolean =>
    pattern.length === given.length &&
    pattern.every((part, at) =>
      part.startsWith(':') ? given[at] !== '' : at === 1 ? given[at]?.toLowerCase() === part : given[at] === part,
    );
  // What is fixed comes before what is an argument.
  return REST.find(fits)?.join('/') ?? 'other';
}

function matchedOf(request: Request): string | undefined {
  const route: unknown = request.route;
  if (typeof route !== 'object' || route === null || !('path' in route)) return undefined;
  const path: unknown = Array.isArray(route.path) ? route.path[0] : route.path;
  return typeof path === 'string' ? path : undefined;
}
