import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What users run. */
export const SCANMUX = join(process.cwd(), 'dist', 'cli', 'main.js');

/** A program of this folder: compiled, it stands beside this file. */
const beside = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url));

export const ECHO_SERVER = beside('floor-echo-server');
export const HTTP_FLOOR = beside('floor-http-server');
export const FLOOR_WAKER = beside('floor-waker');
export const CLOCKED_WORKER = beside('clocked-worker');
export const NESSUS_CHILD = beside('nessus-child');
export const SSE_SERVER = beside('sse-server');
export const FLOOR_SSE_SERVER = beside('floor-sse-server');
