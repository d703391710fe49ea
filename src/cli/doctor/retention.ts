import type { App } from '../../app.ts';
import { ok, type Finding } from './finding.ts';

/** What is removed by itself, and when. */
export async function examineRetention({ settings: { retention } }: Pick<App, 'settings'>): Promise<Finding[]> {
  const {
    finished_days: days,
    finished_per_tenant: most,
    dead_letter_days: deadDays,
    exports_days: exportDays,
  } = retention;
  const finished = [
    ...(days === 0 ? [] : [`for ${daysText(days)}`]),
    ...(most === 0 ? [] : [`the newest ${most} of a tenant`]),
  ];
  const kept = [
    `finished scans: ${finished.length === 0 ? 'for ever' : finished.join(', ')}`,
    `dead letters: ${deadDays === 0 ? 'for ever' : `for ${daysText(deadDays)}`}`,
    `exports: for ${daysText(exportDays)}`,
  ];
  return [ok('retention', `kept: ${kept.join('; ')}`)];
}

const daysText = (days: number): string => (days === 1 ? '1 day' : `${days} days`);
