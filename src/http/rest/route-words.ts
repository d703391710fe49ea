import { ROUTES } from './routes.ts';

/** Tools that have no route of their own, and what does the same. */
const ALSO: Readonly<Record<string, string>> = {
  run_untrusted_scan: 'POST /api/scans',
  run_authenticated_scan: 'POST /api/scans',
  wait_for_scan: 'GET /api/scans/{scan_id} or its /events',
};

const ROUTE_OF_TOOL: ReadonlyMap<string, string> = new Map([
  ...ROUTES.map(({ method, path, tool }) => [tool.name, `${method.toUpperCase()} /api${path}`] as const),
  ...Object.entries(ALSO),
]);

const TOOL = new RegExp(`\\b(${[...ROUTE_OF_TOOL.keys()].join('|')})\\b`, 'g');

/** Hints are written for agents, who call tools; over REST each is a route. */
export const hintForRest = (hint: string): string => hint.replaceAll(TOOL, (tool) => ROUTE_OF_TOOL.get(tool) ?? tool);
