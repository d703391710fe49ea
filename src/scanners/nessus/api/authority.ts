import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { AppError } from '../../../model/errors.ts';

/** The authorities of `ca_file`, as the file is now. */
export interface Authority {
  readonly file: string;
  /**
   * Looks whether the file has changed, and reads it again then: a renewed authority must count without a restart. When
   * what is there now cannot be used, the last good text stays and `trouble` says why.
   */
  current(): { readonly pem: string; readonly trouble?: string };
}

const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;
/** All authorities of an operating system are a quarter of it. */
const MAX_BYTES = 1 << 20;

/** @throws AppError config_invalid, with the path: no such file, or no PEM certificate in it */
export function openAuthority(file: string): Authority {
  let seen = signatureOf(file);
  let current: ReturnType<Authority['current']> = { pem: readCertificates(file) };
  return {
    file,
    current() {
      const now = signatureOf(file);
      if (now === seen) return current;
      seen = now;
      try {
        current = { pem: readCertificates(file) };
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        current = { pem: current.pem, trouble: error.message };
      }
      return current;
    },
  };
}

function readCertificates(file: string): string {
  const text = readText(file);
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0) throw refused(file, 'holds no PEM certificate');
  for (const [index, block] of found.entries()) {
    if (!isCertificate(block)) throw refused(file, `holds a certificate that cannot be read (number ${index + 1})`);
  }
  return found.join('\n');
}

function readText(file: string): string {
  let text: string;
  try {
    if (statSync(file).size > MAX_BYTES) throw refused(file, `is larger than ${MAX_BYTES} bytes`);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw refused(file, `cannot be read (${codeOf(error)})`);
  }
  return text;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

const refused = (file: string, why: string): AppError => new AppError('config_invalid', `ca_file ${file} ${why}.`);

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';

/** Changes whenever the file is written or replaced. */
function signatureOf(file: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join(':');
  } catch (error) {
    return codeOf(error);
  }
}
