import type { ScanRecord } from '../model/scan.ts';
import type { LookFacts } from '../findings/look-proof.ts';

/** What the record of a scan adds to what its findings file proves. */
export function lookFacts({ state, result, request }: ScanRecord): LookFacts {
  const { access, privilege, severity_levels: severityLevels } = request;
  return {
    endedWhole: state === 'completed' && result?.ended_whole !== false,
    access,
    ...(privilege === undefined ? {} : { privilege }),
    ...(severityLevels === undefined ? {} : { severityLevels }),
  };
}
