import { systemClock, type Clock } from '../../platform/clock.ts';
import type { Scanner, ScannerType } from '../scanner.ts';
import { CHECKS } from './notes.ts';
import { parsePorts } from './ports.ts';
import { parseReport } from './parse.ts';
import { BaselineSettings } from './settings.ts';

/** Made new with every rule that changes what is found. */
const VERSION = '1';

/** The built-in engine. @param clock Judges the dates of certificates. */
export const createBaseline = (settings: BaselineSettings, clock: Clock = systemClock): Scanner => ({
  async probe(signal) {
    signal.throwIfAborted();
    return { status: 'healthy', version: VERSION, canLaunch: true };
  },
  async run(job, ctx) {
    // Loaded with the first scan: most processes only list what the engine can do.
    const { runBaseline } = await import('./run.ts');
    return runBaseline(job, ctx, settings, clock);
  },
  parse: (report) => parseReport(report),
});

/** In process, needs nothing installed, sends nothing that could harm. */
export const baselineType: ScannerType<BaselineSettings> = {
  capabilities: {
    engine: 'baseline',
    targetKinds: ['host', 'network', 'url'],
    authenticated: false,
    adoptable: false,
    intensities: ['light', 'standard', 'intrusive'],
    options: ['ports'],
    looksFor: Object.values(CHECKS),
  },
  settings: BaselineSettings,
  check({ ports }) {
    if (ports !== undefined) parsePorts(ports);
  },
  create: (settings) => createBaseline(settings),
};
