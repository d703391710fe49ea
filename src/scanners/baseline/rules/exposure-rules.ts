import type { Rule } from './rule.ts';

const FORGOTTEN =
  'https://owasp.org/www-project-web-security-testing-guide/latest/4-Web_Application_Security_Testing/02-Configuration_and_Deployment_Management_Testing/04-Review_Old_Backup_and_Unreferenced_Files_for_Sensitive_Information';
const ACTUATOR = 'https://docs.spring.io/spring-boot/reference/actuator/endpoints.html';

/** Files and pages that should not be public; each one proved by its content. */
export const EXPOSURE_RULES = {
  'exposed-git': {
    family: 'exposure',
    title: 'The Git repository of the site can be downloaded',
    severity: 'high',
    description:
      'The file .git/HEAD is served. High: the source, its history and every secret ever committed can usually be rebuilt from the folder.',
    cwes: ['CWE-527'],
    solution:
      'Remove the folder .git from the web root, refuse paths that begin with a dot, and replace committed secrets.',
    reference: FORGOTTEN,
  },
  'exposed-svn': {
    family: 'exposure',
    title: 'The Subversion working copy of the site can be downloaded',
    severity: 'high',
    description: 'The file .svn/wc.db is served. High: it names every file and leads to the source.',
    cwes: ['CWE-527'],
    solution: 'Remove the folder .svn from the web root and refuse paths that begin with a dot.',
    reference: FORGOTTEN,
  },
  'exposed-env': {
    family: 'exposure',
    title: 'The file .env with settings can be downloaded',
    severity: 'critical',
    description:
      'Lines of the form KEY=VALUE are served. Critical: such files hold passwords and keys in clear text, readable by anyone. Only the names of the keys are kept.',
    cwes: ['CWE-538', 'CWE-312'],
    solution: 'Remove the file from the web root, refuse paths that begin with a dot, and replace every secret in it.',
    reference: FORGOTTEN,
  },
  'exposed-htpasswd': {
    family: 'exposure',
    title: 'A password file can be downloaded',
    severity: 'high',
    description:
      'User names with password hashes are served. High: weak passwords can be found offline. Nothing of it is kept.',
    cwes: ['CWE-538'],
    solution: 'Move the file out of the web root and replace the passwords.',
    reference: FORGOTTEN,
  },
  'exposed-ds-store': {
    family: 'exposure',
    title: 'A .DS_Store file is served',
    severity: 'low',
    description: 'Low: it only names the files of the folder.',
    cwes: ['CWE-538'],
    solution: 'Remove the file and refuse paths that begin with a dot.',
    reference: FORGOTTEN,
  },
  'exposed-server-status': {
    family: 'exposure',
    title: 'The status page of Apache is public',
    severity: 'medium',
    description: 'Medium: it shows addresses of visitors and the paths they ask for, sometimes with tokens in them.',
    cwes: ['CWE-497'],
    solution: 'Allow /server-status for local addresses only (Require local).',
    reference: 'https://httpd.apache.org/docs/2.4/mod/mod_status.html',
  },
  'exposed-nginx-status': {
    family: 'exposure',
    title: 'The status page of nginx is public',
    severity: 'low',
    description: 'Low: it shows counts of connections only.',
    cwes: ['CWE-497'],
    solution: 'Allow the page for local addresses only.',
    reference: 'https://nginx.org/en/docs/http/ngx_http_stub_status_module.html',
  },
  'exposed-actuator': {
    family: 'exposure',
    title: 'The list of Spring Boot actuator endpoints is public',
    severity: 'medium',
    description: 'Medium: it names the management endpoints, and those may be open as well.',
    cwes: ['CWE-497'],
    solution: 'Expose only health over the web, or put the actuator on a separate, protected port.',
    reference: ACTUATOR,
  },
  'exposed-actuator-env': {
    family: 'exposure',
    title: 'The settings of a Spring Boot application are public',
    severity: 'high',
    description:
      '/actuator/env answers. High: it shows the configuration, and secrets where masking misses them. Nothing of it is kept.',
    cwes: ['CWE-497', 'CWE-200'],
    solution: 'Do not expose env over the web; replace secrets that were visible.',
    reference: ACTUATOR,
  },
  'exposed-metrics': {
    family: 'exposure',
    title: 'Metrics are public',
    severity: 'low',
    description: 'Low: they show internals (versions, paths, load), rarely secrets.',
    cwes: ['CWE-497'],
    solution: 'Let only the monitoring system read the metrics.',
    reference: 'https://prometheus.io/docs/operating/security/',
  },
  'exposed-phpinfo': {
    family: 'exposure',
    title: 'A phpinfo page is public',
    severity: 'medium',
    description:
      'Medium: it shows the whole PHP configuration and environment, which may hold secrets. Nothing of it is kept.',
    cwes: ['CWE-497'],
    solution: 'Remove the page.',
    reference: 'https://www.php.net/manual/en/function.phpinfo.php',
  },
  'exposed-pprof': {
    family: 'exposure',
    title: 'The Go profiler is public',
    severity: 'medium',
    description: 'Medium: it shows memory and command line of the program, and profiles cost it time.',
    cwes: ['CWE-489'],
    solution: 'Serve net/http/pprof on a local address only.',
    reference: 'https://pkg.go.dev/net/http/pprof',
  },
} as const satisfies Record<string, Rule>;
