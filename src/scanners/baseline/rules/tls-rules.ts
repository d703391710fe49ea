import type { Rule } from './rule.ts';

const DEPRECATED = 'https://www.rfc-editor.org/rfc/rfc8996';
const PATH_VALIDATION = 'https://www.rfc-editor.org/rfc/rfc5280#section-6';
const CONFIGURATION = 'https://wiki.mozilla.org/Security/Server_Side_TLS';

/** Checks of TLS endpoints. */
export const TLS_RULES = {
  'tls-1.0-offered': {
    family: 'tls',
    title: 'TLS 1.0 is offered',
    severity: 'medium',
    description:
      'The service accepts TLS 1.0, which RFC 8996 forbids. Medium: an attack needs a position in the network and a client that still falls back.',
    cwes: ['CWE-327'],
    solution: 'Offer TLS 1.2 and 1.3 only.',
    reference: DEPRECATED,
  },
  'tls-1.1-offered': {
    family: 'tls',
    title: 'TLS 1.1 is offered',
    severity: 'medium',
    description:
      'The service accepts TLS 1.1, which RFC 8996 forbids. Medium: an attack needs a position in the network and a client that still falls back.',
    cwes: ['CWE-327'],
    solution: 'Offer TLS 1.2 and 1.3 only.',
    reference: DEPRECATED,
  },
  'tls-1.2-missing': {
    family: 'tls',
    title: 'Neither TLS 1.2 nor TLS 1.3 is offered',
    severity: 'high',
    description:
      'Only forbidden protocol versions were accepted. High: every connection is made with them, and current clients cannot connect at all.',
    cwes: ['CWE-327'],
    solution: 'Enable TLS 1.2 and 1.3.',
    reference: DEPRECATED,
  },
  'tls-weak-cipher': {
    family: 'tls',
    title: 'A weak cipher suite is accepted',
    severity: 'high',
    description:
      'A handshake that offered only suites without encryption, without authentication, or with RC4, DES, 3DES or export keys succeeded. High: such traffic can be read or changed on the way.',
    cwes: ['CWE-326'],
    solution: 'Allow only suites with forward secrecy and authenticated encryption.',
    reference: CONFIGURATION,
  },
  'tls-cert-expired': {
    family: 'tls',
    title: 'The certificate has expired',
    severity: 'high',
    description:
      'The end of its validity has passed. High: clients refuse the service, or their users are trained to ignore warnings.',
    cwes: ['CWE-298'],
    solution: 'Renew the certificate and automate its renewal.',
    reference: PATH_VALIDATION,
  },
  'tls-cert-expires-in-7-days': {
    family: 'tls',
    title: 'The certificate expires in less than 7 days',
    severity: 'medium',
    description:
      'Automatic renewal would have happened by now. Medium: the service fails within days unless somebody acts.',
    cwes: ['CWE-298'],
    solution: 'Renew the certificate now and find out why its renewal did not run.',
    reference: PATH_VALIDATION,
  },
  'tls-cert-expires-in-30-days': {
    family: 'tls',
    title: 'The certificate expires in less than 30 days',
    severity: 'low',
    description: 'Low: there is time to act, and an automatic renewal may still be due.',
    cwes: ['CWE-298'],
    solution: 'Make sure that renewal is planned or automatic.',
    reference: PATH_VALIDATION,
  },
  'tls-cert-not-yet-valid': {
    family: 'tls',
    title: 'The certificate is not valid yet',
    severity: 'high',
    description: 'Its validity begins in the future. High: clients refuse the service.',
    cwes: ['CWE-295'],
    solution: 'Install a certificate that is valid now, and check the clock of the machine that issued this one.',
    reference: PATH_VALIDATION,
  },
  'tls-cert-name-mismatch': {
    family: 'tls',
    title: 'The certificate is for another name',
    severity: 'medium',
    description:
      'None of its subject alternative names is the name or address that was scanned. Medium: clients refuse it, or cannot tell this service from an impostor; scans by address of a service used by name show it too.',
    cwes: ['CWE-297'],
    solution: 'Issue a certificate whose subject alternative names hold every name the service is used by.',
    reference: 'https://www.rfc-editor.org/rfc/rfc9525',
  },
  'tls-cert-self-signed': {
    family: 'tls',
    title: 'The certificate is self-signed',
    severity: 'medium',
    description:
      'The service vouches for itself. Medium: clients cannot tell it from an impostor unless they hold this very certificate.',
    cwes: ['CWE-295'],
    solution: 'Use a certificate of an authority that its clients trust.',
    reference: PATH_VALIDATION,
  },
  'tls-cert-untrusted-chain': {
    family: 'tls',
    title: 'The certificate chain is not trusted',
    severity: 'medium',
    description:
      'No path leads from the certificate to an authority of the Mozilla list: a private authority, or a missing intermediate certificate. Medium: clients without that authority cannot tell the service from an impostor.',
    cwes: ['CWE-295'],
    solution:
      'Send the intermediate certificates, or use a public authority where clients do not trust the private one.',
    reference: PATH_VALIDATION,
  },
  'tls-cert-weak-key': {
    family: 'tls',
    title: 'The key of the certificate is too short',
    severity: 'high',
    description:
      'An RSA or DSA key under 2048 bits, or an elliptic curve under 224 bits. High: it can be computed with known means, and then the service can be impersonated.',
    cwes: ['CWE-326'],
    solution: 'Issue a certificate with RSA of at least 2048 bits or the curve P-256.',
    reference: 'https://csrc.nist.gov/pubs/sp/800/57/pt1/r5/final',
  },
  'tls-cert-weak-signature': {
    family: 'tls',
    title: 'The certificate is signed with MD5 or SHA-1',
    severity: 'medium',
    description:
      'Collisions of these hashes are practical. Medium: forging a certificate needs an authority that still signs with them.',
    cwes: ['CWE-328'],
    solution: 'Issue a certificate signed with SHA-256 or better.',
    reference: 'https://www.rfc-editor.org/rfc/rfc9155',
  },
} as const satisfies Record<string, Rule>;
