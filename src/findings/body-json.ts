import type { Occurrence, Untrusted } from '../model/finding.ts';
import { isPlain } from './plain-text.ts';

const LINE_FEED = /\n/g;

/** The untrusted part of a finding on its way into a row. */
export interface UntrustedJson {
  readonly json: string;
  /** Whether all of it is plain (see plain-text.ts); asked once, because it goes through every character. */
  readonly isPlain: boolean;
}

/** As `JSON.stringify` writes it; plain text without quotation marks, which most is, in a third of the time. */
export function untrustedJson(untrusted: Untrusted): UntrustedJson {
  let json = '';
  let allPlain = true;
  for (const [name, text] of Object.entries(untrusted)) {
    if (text === undefined) continue;
    const plain = isPlain(text);
    allPlain &&= plain;
    const quoted = plain && !text.includes('"') ? `"${text.replace(LINE_FEED, '\\n')}"` : JSON.stringify(text);
    json += `${json === '' ? '' : ','}"${name}":${quoted}`;
  }
  return { json: `{${json}}`, isPlain: allPlain };
}

/** A row of the table `body`: the occurrence, with what ingest saw in it. */
export function bodyJson(
  occurrence: Occurrence,
  untrusted: UntrustedJson,
  signals: readonly string[],
  locationJson: string = JSON.stringify(occurrence.location),
): string {
  const { discriminator, compliance, report_state } = occurrence;
  let json = `{"location":${locationJson}`;
  if (discriminator !== undefined) json += `,"discriminator":${JSON.stringify(discriminator)}`;
  if (compliance !== undefined) json += `,"compliance":"${compliance}"`;
  if (report_state !== undefined) json += `,"report_state":${JSON.stringify(report_state)}`;
  if (signals.length > 0)
    return `${json},"injection_signals":${JSON.stringify(signals)},"untrusted":${untrusted.json}}`;
  return `${json},"injection_signals":[],"untrusted":${untrusted.json}}`;
}
