/** Text as it stands in XML. */
export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export const tag = (name: string, value: string): string => `<tag name="${name}">${escaped(value)}</tag>\n`;

const STARTED = tag('HOST_START', 'Mon Nov 16 11:33:11 2026');
const ENDED = tag('HOST_END', 'Mon Nov 16 11:40:48 2026');

/** Properties of a host that was scanned to its end. */
export const WHOLE = STARTED + ENDED;
export const CUT_SHORT = STARTED;

export interface ItemShape {
  readonly port?: string;
  readonly service?: string;
  readonly protocol?: string;
  readonly severity?: string;
  readonly id?: string;
  readonly name?: string;
  readonly family?: string;
}

/** One `<ReportItem>`; `children` is XML. */
export function item(children = '', shape: ItemShape = {}): string {
  const { port = '443', service = 'www', protocol = 'tcp', severity = '2', id = '1000' } = shape;
  const { name = 'A check', family = 'General' } = shape;
  return (
    `<ReportItem port="${port}" svc_name="${escaped(service)}" protocol="${protocol}" severity="${severity}" ` +
    `pluginID="${id}" pluginName="${escaped(name)}" pluginFamily="${escaped(family)}">\n${children}</ReportItem>\n`
  );
}

export const child = (name: string, text: string): string => `<${name}>${escaped(text)}</${name}>\n`;

export const host = (items: string, properties = WHOLE, name = '192.0.2.1'): string =>
  `<ReportHost name="${escaped(name)}"><HostProperties>\n${properties}</HostProperties>\n${items}</ReportHost>\n`;

export interface ReportText {
  readonly policy?: string;
  readonly name?: string;
  readonly declaration?: string;
}

export const report = (hosts: string, { policy = '', name = 'A scan', declaration }: ReportText = {}): string =>
  `${declaration ?? '<?xml version="1.0" ?>\n'}<NessusClientData_v2>\n${policy}` +
  `<Report name="${escaped(name)}" xmlns:cm="http://www.nessus.org/cm">\n${hosts}</Report>\n</NessusClientData_v2>\n`;

export const preference = (name: string, value: string): string =>
  `<preference><name>${name}</name>\n<value>${escaped(value)}</value>\n</preference>\n`;

export const family = (name: string, status: string): string =>
  `<FamilyItem><FamilyName>${escaped(name)}</FamilyName>\n<Status>${status}</Status>\n</FamilyItem>\n`;

export const plugin = (id: string, status: string): string =>
  `<PluginItem><PluginId>${id}</PluginId><PluginName>x</PluginName><Family>x</Family><Status>${status}</Status></PluginItem>\n`;

export const pluginPreference = (name: string, type: string, value: string): string =>
  `<item><pluginName>SSH settings</pluginName><pluginId>14273</pluginId><fullName>SSH settings[${type}]:${name}</fullName>` +
  `<preferenceName>${name}</preferenceName><preferenceType>${type}</preferenceType><preferenceValues></preferenceValues>` +
  `<selectedValue>${escaped(value)}</selectedValue></item>\n`;

export const policy = (parts: { server?: string; plugins?: string; families?: string; single?: string }): string =>
  `<Policy><policyName>Secret name of a policy</policyName><Preferences>` +
  `<ServerPreferences>${parts.server ?? ''}</ServerPreferences>` +
  `<PluginsPreferences>${parts.plugins ?? ''}</PluginsPreferences></Preferences>` +
  `<FamilySelection>${parts.families ?? ''}</FamilySelection>` +
  `<IndividualPluginSelection>${parts.single ?? ''}</IndividualPluginSelection></Policy>\n`;
