import type { Intensity } from '../../model/scan.ts';
import type { EngineProgress } from '../scanner.ts';

/** Share of a run's time each of nmap's tasks takes, from measured runs; nmap gives per cent of the task only. */
const PHASES = {
  light: { 'Connect Scan': [0, 0.9], 'Service scan': [0.9, 0.9], NSE: [0.9, 1] },
  full: { 'Connect Scan': [0, 0.3], 'Service scan': [0.3, 0.6], NSE: [0.6, 1] },
} as const satisfies Record<string, Record<string, readonly [number, number]>>;

const WORDS: ReadonlyMap<string, string> = new Map([
  ['Connect Scan', 'looking for open ports'],
  ['Service scan', 'finding out service versions'],
  ['NSE', 'running scripts'],
]);

const STARTING = 'starting nmap';

/** A tag longer than this is a script with its output: its name has been seen, the rest says nothing here. */
const MAX_TAG_CHARS = 4_096;

/** Reads the XML of one or more runs as it comes and says how far nmap is. Never goes back, never says 100. */
export interface ProgressTap {
  /** Begins the next run, over this many addresses. */
  nextRun(addresses: number): void;
  /** True when there is news. */
  feed(chunk: Buffer): boolean;
  readonly progress: EngineProgress;
  readonly run: { readonly hostsDone: number; readonly findings: number; readonly isSuccess: boolean };
}

/**
 * nmap escapes `<` and `>` everywhere but in tags, so its tags can be found in the bytes without a second XML parser.
 * @param total Addresses of all runs.
 */
export function createProgressTap(intensity: Intensity, total: number): ProgressTap {
  const phases = intensity === 'light' ? PHASES.light : PHASES.full;
  let held = '';
  let phase = STARTING;
  let percent = 0;
  let doneBefore = 0;
  let findingsBefore = 0;
  let run = { addresses: 0, hostsDone: 0, findings: 0, isSuccess: false };

  const advance = (share: number): void => {
    const hosts = doneBefore + run.hostsDone + share * Math.max(0, run.addresses - run.hostsDone);
    percent = Math.max(percent, Math.min(99, Math.round((hosts / Math.max(1, total)) * 1_000) / 10));
  };
  const task = (name: string, done: number): void => {
    phase = WORDS.get(name) ?? phase;
    const [from, to] = Object.entries(phases).find(([known]) => known === name)?.[1] ?? [0, 0];
    advance(from + (to - from) * Math.min(1, done / 100));
  };
  const tag = ([, host, found, finished, name, done]: RegExpExecArray): void => {
    if (host !== undefined) run.hostsDone += 1;
    else if (found !== undefined) run.findings += 1;
    else if (finished !== undefined) run.isSuccess = finished.includes('exit="success"');
    else if (name !== undefined) return task(name, Number(done));
    advance(0);
  };

  return {
    nextRun(addresses) {
      doneBefore += run.addresses;
      findingsBefore += run.findings;
      run = { addresses, hostsDone: 0, findings: 0, isSuccess: false };
      held = '';
    },
    feed(chunk) {
      const text = held + chunk.toString('latin1');
      const last = text.lastIndexOf('<');
      const isOpen = last !== -1 && !text.includes('>', last) && text.length - last <= MAX_TAG_CHARS;
      held = isOpen ? text.slice(last) : '';
      const isFirst = phase === STARTING;
      if (isFirst) phase = WORDS.get('Connect Scan') ?? phase;
      const matches = [...text.slice(0, isOpen ? last : text.length).matchAll(TAGS)];
      for (const match of matches) tag(match);
      return isFirst || matches.length > 0;
    },
    get progress() {
      const hostsDone = doneBefore + run.hostsDone;
      return { percent, phase, hostsDone, findingsSoFar: findingsBefore + run.findings, estimated: true };
    },
    get run() {
      return run;
    },
  };
}

const TAGS =
  /(<\/host>)|(<state state="open"|<script id=)|(<finished [^>]*)|<taskprogress task="([^"]{1,60})"[^>]*? percent="([\d.]+)"/g;
