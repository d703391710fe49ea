interface Host {
  readonly address: string;
  readonly name?: string;
  /** Open ones. */
  readonly ports: readonly number[];
}

/** A whole nmap report, 2026-01-02 03:04:05 UTC, of hosts that all answered. */
export function nmapXml(hosts: readonly Host[]): string {
  const host = ({ address, name, ports }: Host): string =>
    `<host><status state="up" reason="syn-ack"/><address addr="${address}" addrtype="ipv4"/>
<hostnames>${name === undefined ? '' : `<hostname name="${name}" type="user"/>`}</hostnames>
<ports><extraports state="closed" count="${999 - ports.length}"/><port protocol="tcp" portid="1"><state state="closed" reason="reset"/></port>${ports
      .map((port) => `<port protocol="tcp" portid="${port}"><state state="open" reason="syn-ack"/></port>`)
      .join('')}</ports></host>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nmaprun>
<nmaprun scanner="nmap" args="nmap -oX -" start="1767323045" version="7.94" xmloutputversion="1.05">
<scaninfo type="syn" protocol="tcp" numservices="1000" services="1-1000"/>
${hosts.map(host).join('\n')}
<runstats><finished time="1767323105" exit="success"/><hosts up="${hosts.length}" down="0" total="${hosts.length}"/></runstats>
</nmaprun>
`;
}
