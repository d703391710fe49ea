import type { Rule } from './rule.ts';

const HEADERS = 'https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html';
const SESSION = 'https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html';

/** Checks of what a web server answers to plain requests. */
export const HTTP_RULES = {
  'http-no-https-redirect': {
    family: 'http',
    title: 'The site is served without encryption',
    severity: 'medium',
    description:
      'A page came over plain HTTP instead of a redirect to HTTPS. Medium: everyone on the way can read and change it. On loopback it is only judged where the same host also offers HTTPS.',
    cwes: ['CWE-319'],
    solution: 'Answer every plain HTTP request with a permanent redirect to HTTPS.',
    reference: 'https://cheatsheetseries.owasp.org/cheatsheets/Transport_Layer_Security_Cheat_Sheet.html',
  },
  'http-no-hsts': {
    family: 'http',
    title: 'Strict-Transport-Security is missing',
    severity: 'low',
    description:
      'Browsers may still try plain HTTP first. Low: an attack needs a position in the network at that moment. Not judged for addresses, where browsers ignore the header.',
    cwes: ['CWE-319'],
    solution: 'Send Strict-Transport-Security with a max-age of at least one year.',
    reference: 'https://www.rfc-editor.org/rfc/rfc6797',
  },
  'http-no-csp': {
    family: 'http',
    title: 'Content-Security-Policy is missing',
    severity: 'low',
    description:
      'Low: a policy is a second line of defence that makes script injection harder; its absence is no hole by itself.',
    cwes: ['CWE-693'],
    solution: 'Send a Content-Security-Policy that names the sources of scripts.',
    reference: HEADERS,
  },
  'http-framing-allowed': {
    family: 'http',
    title: 'The page may be framed by any site',
    severity: 'low',
    description:
      'Neither X-Frame-Options nor the directive frame-ancestors restricts framing. Low: clickjacking needs a page with something worth a click, and a visitor who is lured.',
    cwes: ['CWE-1021'],
    solution: "Send Content-Security-Policy: frame-ancestors 'self' (and X-Frame-Options for old browsers).",
    reference: 'https://cheatsheetseries.owasp.org/cheatsheets/Clickjacking_Defense_Cheat_Sheet.html',
  },
  'http-sniffing-allowed': {
    family: 'http',
    title: 'X-Content-Type-Options is missing',
    severity: 'low',
    description:
      'Browsers may guess another type than the declared one. Low: it matters where visitors can upload content.',
    cwes: ['CWE-430'],
    solution: 'Send X-Content-Type-Options: nosniff.',
    reference: HEADERS,
  },
  'http-no-referrer-policy': {
    family: 'http',
    title: 'Referrer-Policy is missing or leaks full addresses',
    severity: 'info',
    description:
      'Info: current browsers already default to strict-origin-when-cross-origin; old ones, or the value unsafe-url, send full addresses to other sites.',
    cwes: ['CWE-200'],
    solution: 'Send Referrer-Policy: strict-origin-when-cross-origin or stricter.',
    reference: HEADERS,
  },
  'http-cookie-not-secure': {
    family: 'http',
    title: 'A cookie is set without Secure',
    severity: 'medium',
    description:
      'It was set over HTTPS but may travel over plain HTTP too. Medium: where it is a session, whoever reads it takes over the session.',
    cwes: ['CWE-614'],
    solution: 'Set the attribute Secure.',
    reference: SESSION,
  },
  'http-cookie-not-httponly': {
    family: 'http',
    title: 'A cookie is set without HttpOnly',
    severity: 'low',
    description: 'Scripts can read it. Low: that needs a script injection, and some cookies are meant for scripts.',
    cwes: ['CWE-1004'],
    solution: 'Set the attribute HttpOnly on every cookie that scripts need not read.',
    reference: SESSION,
  },
  'http-cookie-no-samesite': {
    family: 'http',
    title: 'A cookie is set without SameSite',
    severity: 'low',
    description:
      'Low: browsers that treat this as Lax limit request forgery; others send it with every request of any site.',
    cwes: ['CWE-1275'],
    solution: 'Set SameSite=Lax or Strict; SameSite=None only together with Secure.',
    reference: SESSION,
  },
  'http-cors-any-origin': {
    family: 'http',
    title: 'Any site may read answers with the credentials of the visitor',
    severity: 'high',
    description:
      'An invented Origin came back in Access-Control-Allow-Origin together with Access-Control-Allow-Credentials: true. High: any site a visitor opens can read what the visitor may read here.',
    cwes: ['CWE-942'],
    solution: 'Compare Origin with a list of trusted sites and send no credentials header for others.',
    reference: 'https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS',
  },
  'http-trace-enabled': {
    family: 'http',
    title: 'TRACE is enabled',
    severity: 'low',
    description: 'The server returned the request, headers included. Low: browsers no longer send TRACE from scripts.',
    cwes: ['CWE-693'],
    solution: 'Disable TRACE (Apache: TraceEnable off).',
    reference: 'https://owasp.org/www-community/attacks/Cross_Site_Tracing',
  },
  'http-directory-listing': {
    family: 'http',
    title: 'A folder lists its files',
    severity: 'medium',
    description: 'Medium: forgotten files (backups, exports, keys) are found without guessing their names.',
    cwes: ['CWE-548'],
    solution: 'Turn off directory listing (Apache: Options -Indexes; nginx: autoindex off).',
    reference: 'https://cwe.mitre.org/data/definitions/548.html',
  },
  'http-version-banner': {
    family: 'http',
    title: 'The server names its software with the version',
    severity: 'info',
    description:
      'Info: it saves an attacker some work, and old versions may have known holes; this engine does not look those up.',
    cwes: ['CWE-497'],
    solution: 'Shorten or remove the header.',
    reference: 'https://cwe.mitre.org/data/definitions/497.html',
  },
} as const satisfies Record<string, Rule>;
