/**
 * The scripts scanmux may start, by name; categories and names are those of `script.db` of nmap 7.93. None is of category
 * external, dos, brute, exploit, broadcast, malware or fuzzer, and none has a part that runs before or after the hosts
 * were scanned unless that part only sorts results: no script talks to anybody but the targets.
 */
const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Run at `standard`: default or vuln, and safe. Left out: what relays, listens or takes minutes. */
export const STANDARD_SCRIPTS = words(`
  address-info afp-serverinfo ajp-auth ajp-methods amqp-info auth-owners backorifice-info bitcoinrpc-info
  cassandra-info dicom-ping dns-nsid dns-service-discovery epmd-info finger flume-master-info freelancer-info ftp-anon
  ftp-syst ganglia-info giop-info gopher-ls hadoop-datanode-info hadoop-jobtracker-info hadoop-namenode-info
  hadoop-secondary-namenode-info hadoop-tasktracker-info hbase-master-info hbase-region-info hddtemp-info hnap-info
  http-auth http-cisco-anyconnect http-cookie-flags http-cors http-favicon http-frontpage-login http-generator
  http-git http-internal-ip-disclosure http-jsonp-detection http-ls http-methods http-ntlm-info http-svn-enum
  http-svn-info http-title http-trace http-vmware-path-vuln http-vuln-cve2010-0738 http-vuln-cve2011-3192
  http-vuln-cve2014-2126 http-vuln-cve2014-2127 http-vuln-cve2014-2128 http-vuln-cve2014-2129 http-vuln-cve2015-1635
  http-vuln-cve2017-1001000 http-webdav-scan ike-version imap-capabilities imap-ntlm-info ipmi-cipher-zero
  ipv6-node-info irc-botnet-channels irc-info iscsi-info jdwp-info knx-gateway-info maxdb-info mongodb-databases
  mongodb-info ms-sql-info ms-sql-ntlm-info mysql-info nat-pmp-info nbns-interfaces nbstat ncp-serverinfo
  netbus-auth-bypass netbus-info nntp-ntlm-info ntp-info openflow-info openlookup-info p2p-conficker pop3-capabilities
  pop3-ntlm-info quake1-info quake3-info rdp-ntlm-info realvnc-auth-bypass rmi-dumpregistry rpcinfo rsa-vuln-roca
  rtsp-methods servicetags sip-methods smb-os-discovery smb-security-mode smb-vuln-ms17-010 smb2-security-mode
  smb2-time smb2-vuln-uptime smtp-commands smtp-ntlm-info snmp-hh3c-logins snmp-info snmp-interfaces snmp-netstat
  snmp-processes snmp-sysdescr snmp-win32-services snmp-win32-shares snmp-win32-software snmp-win32-users ssh-hostkey
  sshv1 ssl-ccs-injection ssl-cert ssl-cert-intaddr ssl-date ssl-dh-params ssl-heartbleed ssl-known-key ssl-poodle
  sslv2 sstp-discover telnet-ntlm-info tls-alpn tls-nextprotoneg tls-ticketbleed ubiquiti-discovery upnp-info
  uptime-agent-info ventrilo-info vnc-info wdb-version weblogic-t3-info x11-access xmlrpc-methods xmpp-info
`);

/** May be asked for by name at `light` and `standard`: safe, but not part of a usual scan. */
const SAFE_SCRIPTS = words(`
  acarsd-info afp-ls afp-showmount ajp-headers ajp-request allseeingeye-info banner bitcoin-getaddr bitcoin-info
  bjnp-discover cics-info citrix-enum-apps citrix-enum-apps-xml citrix-enum-servers citrix-enum-servers-xml clock-skew
  coap-resources couchdb-databases couchdb-stats cups-info cups-queue-info daap-get-library daytime db2-das-info
  dhcp-discover dict-info dns-recursion drda-info eppc-enum-processes firewalk ftp-bounce gkrellm-info gpsd-info
  http-apache-negotiation http-apache-server-status http-auth-finder http-backup-finder http-bigip-cookie
  http-cakephp-version http-comments-displayer http-date http-gitweb-projects-enum http-grep http-headers
  http-hp-ilo-info http-mcmp http-mobileversion-checker http-php-version http-qnap-nas-info http-referer-checker
  http-sap-netweaver-leak http-security-headers http-slowloris-check http-traceroute http-trane-info
  http-useragent-tester http-vlcstreamer-ls icap-info ip-forwarding ip-https-discover ipidseq ipmi-version isns-info
  ldap-novell-getpass ldap-rootdse ldap-search lexmark-config mcafee-epo-agent membase-http-info memcached-info
  mqtt-subscribe ms-sql-config ms-sql-dac ms-sql-dump-hashes ms-sql-hasdbaccess ms-sql-query ms-sql-tables msrpc-enum
  mysql-audit mysql-dump-hashes mysql-query nat-pmp-mapport ncp-enum-users ndmp-fs-info nfs-ls nfs-showmount
  nfs-statfs omp2-enum-targets openwebnet-discovery oracle-tns-version path-mtu port-states qscan rdp-enum-encryption
  redis-info rfc868-time riak-http-info rpcap-info rsync-list-modules rusers smb-ls smb-mbenum smb-protocols
  smb2-capabilities socks-auth-info ssh2-enum-algos telnet-encryption tn3270-screen unusual-port versant-info
  vmware-version voldemort-info vuze-dht-info xdmcp-discover
`);

/** Added at `intrusive`: vuln, not safe. They may log in, write to the service or crash it. */
export const INTRUSIVE_SCRIPTS = words(`
  firewall-bypass ftp-libopie ftp-vuln-cve2010-4221 http-aspnet-debug http-enum http-iis-webdav-vuln
  http-method-tamper http-passwd http-sql-injection http-vuln-cve2010-2861 http-vuln-cve2011-3368
  http-vuln-cve2015-1427 http-vuln-cve2017-5638 http-vuln-cve2017-8917 http-vuln-misfortune-cookie
  http-wordpress-users mysql-vuln-cve2012-2122 puppet-naivesigning rdp-vuln-ms12-020 rmi-vuln-classloader
  samba-vuln-cve-2012-1182 smb-vuln-cve-2017-7494 smb-vuln-ms10-061 smb-vuln-webexec smtp-vuln-cve2011-1720
  smtp-vuln-cve2011-1764 sslv2-drown
`);

/**
 * Those of the scripts above that judge with nselib/vulns.lua: their titles, descriptions and references are constants of
 * the script. Others write tables from what the target said, under any key, so a verdict in them is none.
 */
const JUDGES: ReadonlySet<string> = new Set(
  words(`
  ftp-libopie ftp-vuln-cve2010-4221 http-frontpage-login http-method-tamper http-sap-netweaver-leak
  http-slowloris-check http-vuln-cve2010-2861 http-vuln-cve2011-3192 http-vuln-cve2011-3368 http-vuln-cve2014-2126
  http-vuln-cve2014-2127 http-vuln-cve2014-2128 http-vuln-cve2014-2129 http-vuln-cve2015-1427 http-vuln-cve2015-1635
  http-vuln-cve2017-1001000 http-vuln-cve2017-5638 http-vuln-cve2017-8917 http-vuln-misfortune-cookie ipmi-cipher-zero
  mysql-vuln-cve2012-2122 rdp-vuln-ms12-020 realvnc-auth-bypass rmi-vuln-classloader rsa-vuln-roca
  samba-vuln-cve-2012-1182 smb-vuln-cve-2017-7494 smb-vuln-ms10-061 smb-vuln-ms17-010 smb-vuln-webexec
  smb2-vuln-uptime smtp-vuln-cve2011-1720 smtp-vuln-cve2011-1764 ssl-ccs-injection ssl-dh-params ssl-heartbleed
  ssl-poodle sslv2-drown tls-ticketbleed
`),
);

export const isJudge = (name: string): boolean => JUDGES.has(name);

const gentle: ReadonlySet<string> = new Set([...STANDARD_SCRIPTS, ...SAFE_SCRIPTS]);
const harsh: ReadonlySet<string> = new Set(INTRUSIVE_SCRIPTS);

/** What kind of script it is, for `rule_family`: undefined for one that scanmux would not start. */
export function scriptKind(name: string): 'safe' | 'intrusive' | undefined {
  if (gentle.has(name)) return 'safe';
  return harsh.has(name) ? 'intrusive' : undefined;
}

/** Names of allowed scripts that look like `name`, best first. */
export function nearestScripts(name: string, isIntrusive: boolean): readonly string[] {
  const known = [...gentle, ...(isIntrusive ? harsh : [])];
  const parts = name
    .toLowerCase()
    .slice(0, 64)
    .split(/[^a-z0-9]+/)
    .filter((part) => part.length > 1);
  return known
    .map((script) => ({ script, score: parts.filter((part) => script.includes(part)).length }))
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score || a.script.length - b.script.length)
    .slice(0, 5)
    .map(({ script }) => script);
}
