import type { Rule } from './rule.ts';

/** What is reachable, and services that answer without a password. */
export const SERVICE_RULES = {
  'tcp-open': {
    family: 'inventory',
    title: 'TCP port is open',
    severity: 'info',
    description: 'A connection was accepted. Info: an inventory of what can be reached, no weakness by itself.',
    cwes: [],
    solution: 'Close or filter the port if nobody needs it.',
    reference: 'https://www.iana.org/assignments/service-names-port-numbers/service-names-port-numbers.xhtml',
  },
  'http-service': {
    family: 'inventory',
    title: 'A web server answers',
    severity: 'info',
    description: 'A plain GET was answered over HTTP. Info: an inventory, with what the server says of itself.',
    cwes: [],
    solution: 'Nothing to do if the service is meant to be reachable.',
    reference: 'https://www.rfc-editor.org/rfc/rfc9110',
  },
  'open-redis': {
    family: 'open-service',
    title: 'Redis answers without a password',
    severity: 'critical',
    description:
      'INFO was answered without AUTH. Critical: whoever reaches the port reads and writes everything, and can often run code on the machine.',
    cwes: ['CWE-306'],
    solution: 'Bind Redis to private addresses, keep protected mode on and require a password or ACL user.',
    reference: 'https://redis.io/docs/latest/operate/oss_and_stack/management/security/',
  },
  'open-memcached': {
    family: 'open-service',
    title: 'Memcached answers without a password',
    severity: 'high',
    description: 'The command version was answered. High: whoever reaches the port reads and changes the cache.',
    cwes: ['CWE-306'],
    solution:
      'Bind Memcached to private addresses (-l), disable UDP (-U 0), use SASL or TLS where it must be reachable.',
    reference: 'https://docs.memcached.org/features/sasl/',
  },
  'open-elasticsearch': {
    family: 'open-service',
    title: 'Elasticsearch answers without a password',
    severity: 'high',
    description:
      'The cluster names itself to anyone. High: without security enabled its indexes can be read and changed.',
    cwes: ['CWE-306'],
    solution: 'Enable the security features of Elasticsearch and bind it to private addresses.',
    reference: 'https://www.elastic.co/docs/deploy-manage/security',
  },
  'open-docker': {
    family: 'open-service',
    title: 'The Docker API answers without a certificate',
    severity: 'critical',
    description: 'GET /version was answered. Critical: whoever reaches the API can become root on the machine.',
    cwes: ['CWE-306'],
    solution: 'Do not expose the API over TCP; where it must be, require client certificates (tlsverify).',
    reference: 'https://docs.docker.com/engine/security/protect-access/',
  },
} as const satisfies Record<string, Rule>;
