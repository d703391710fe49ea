import { constants, X509Certificate } from 'node:crypto';
import { connect as connectTls, type ConnectionOptions, type SecureVersion, type TLSSocket } from 'node:tls';
import { codeOf, isPinned, openSocket, type Endpoint, type Waits } from './wire.ts';

/** Everything the local OpenSSL can do, however weak: the aim is to see, not to protect. */
const SEE_EVERYTHING = 'DEFAULT:@SECLEVEL=0';
/** Suites without encryption or authentication, with broken ciphers or with export keys. */
export const WEAK_CIPHERS = 'eNULL:aNULL:RC4:DES:3DES:EXPORT:@SECLEVEL=0';

export interface HandshakeOptions extends Waits {
  /** Server name to ask for; left out for addresses, which SNI forbids. */
  readonly servername?: string;
  readonly version?: SecureVersion;
  readonly weakCiphersOnly?: boolean;
}

export interface Handshake {
  /**
   * `secure`: it succeeded. `refused`: the server speaks TLS but not like this. `not_tls`: it answered something else.
   * `silence`: no answer in time. `local_cannot`: this build of OpenSSL cannot try.
   */
  readonly outcome: 'secure' | 'refused' | 'not_tls' | 'silence' | 'local_cannot';
  readonly protocol?: string;
  readonly cipher?: string;
  readonly leaf?: X509Certificate;
  /** OpenSSL's word on the chain, e.g. DEPTH_ZERO_SELF_SIGNED_CERT; undefined when it is trusted. */
  readonly chainError?: string;
}

/** Options of every TLS connection to a target. Certificates are looked at, never enforced: nothing secret is sent. */
export const tlsOptions = ({ servername, version, weakCiphersOnly }: Partial<HandshakeOptions>): ConnectionOptions => ({
  ...(servername === undefined ? {} : { servername }),
  rejectUnauthorized: false,
  minVersion: version ?? 'TLSv1',
  maxVersion: version ?? (weakCiphersOnly ? 'TLSv1.2' : 'TLSv1.3'),
  ciphers: weakCiphersOnly ? WEAK_CIPHERS : SEE_EVERYTHING,
  secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT,
  ALPNProtocols: ['http/1.1'],
});

/** OpenSSL error names that mean a TLS alert came back, or a version that was not offered. */
const SPOKE_TLS = /ALERT|UNSUPPORTED_PROTOCOL|NO_SHARED_CIPHER|VERSION_TOO_LOW|WRONG_SSL_VERSION/;
/** The other side closed without a word. */
const CLOSED = Object.assign(new Error('closed'), { code: 'ECONNRESET' });
const LOCAL_LIMIT = /NO_PROTOCOLS_AVAILABLE|NO_CIPHERS_AVAILABLE|NO_CIPHER_MATCH|INVALID_PROTOCOL/;

function failureOf(code: string | undefined): Handshake['outcome'] {
  if (code === undefined || code === 'ETIMEDOUT') return 'silence';
  if (LOCAL_LIMIT.test(code)) return 'local_cannot';
  return SPOKE_TLS.test(code) ? 'refused' : 'not_tls';
}

/** One TLS handshake to a checked address. Never rejects; the socket is gone when it resolves. */
export function shakeHands(endpoint: Endpoint, options: HandshakeOptions, signal: AbortSignal): Promise<Handshake> {
  return new Promise((resolve) => {
    const tcp = openSocket(endpoint);
    let result: Handshake = { outcome: 'silence' };
    const stop = (): void => void tcp.destroy();
    let timer = setTimeout(stop, options.connectMs);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    tcp.once('close', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      resolve(result);
    });
    const failed = (error: unknown): void => {
      if (result.outcome !== 'secure') result = { outcome: failureOf(codeOf(error)) };
      stop();
    };
    tcp.on('error', failed);
    tcp.once('connect', () => {
      clearTimeout(timer);
      if (!isPinned(tcp, endpoint)) return stop();
      timer = setTimeout(stop, options.answerMs);
      try {
        const tls = connectTls({ ...tlsOptions(options), socket: tcp });
        tls.on('error', failed);
        tls.once('end', () => failed(CLOSED));
        tls.once('secureConnect', () => {
          result = seen(tls);
          stop();
        });
      } catch (error) {
        failed(error);
      }
    });
  });
}

function seen(tls: TLSSocket): Handshake {
  const protocol = tls.getProtocol();
  const leaf = certificateOf(tls);
  const chainError = tls.authorized ? undefined : chainErrorOf(tls.authorizationError);
  return {
    outcome: 'secure',
    cipher: tls.getCipher().standardName ?? tls.getCipher().name,
    ...(protocol === null ? {} : { protocol }),
    ...(leaf ? { leaf } : {}),
    ...(chainError === undefined ? {} : { chainError }),
  };
}

/** Anonymous suites have no certificate, and a hostile one may not parse. */
function certificateOf(tls: TLSSocket): X509Certificate | undefined {
  try {
    const { raw } = tls.getPeerCertificate();
    return raw ? new X509Certificate(raw) : undefined;
  } catch {
    return undefined;
  }
}

/** Node types it as an Error and hands out a string. */
const chainErrorOf = (error: unknown): string =>
  error instanceof Error ? (codeOf(error) ?? 'unknown') : String(error);
