import type { ScanRecord } from '../model/scan.ts';
import type { LookFacts } from '../findings/look-proof.ts';

/** What the record of a scan adds to what its findings file proves. */
export function lookFacts({ origin, state, result, request }: ScanRecord): LookFacts {
  const { access, privilege, intensity, severity_levels: severityLevels } = request;
  return {
    endedWhole: state === 'completed' && result?.ended_whole !== false,
    access,
    ...(origin === 'run' ? { intensity } : {}),
    ...(privilege === undefined ? {} : { privilege }),
    ...(severityLevels === undefined ? {} : { severityLevels }),
  };
}
