import { objectOf, textOf, type JsonObject } from '../json-fields.ts';

/** What a run says of where its files are and of how its tool looks at them. */
export interface RunOrigin {
  readonly driver: { readonly name: string | undefined };
  /** Of the repositories that were analysed, as URLs. */
  readonly repositories: readonly string[];
}

/** Tools that send requests to what runs, whether or not their logs hold those requests. */
const WEB_SCANNERS =
  /\b(?:zap|burp|dast|nuclei|nikto|arachni|wapiti|w3af|acunetix|invicti|netsparker|stackhawk|hawkscan|webinspect|insightappsec|detectify|probely|appscan standard|skipfish|dalfox|sqlmap)\b|\bweb (?:application )?(?:vulnerability )?scan/i;

const isWebScanner = ({ driver }: RunOrigin): boolean => WEB_SCANNERS.test(driver.name?.slice(0, 300) ?? '');

/** A URI with a host in it, also a relative one that begins with two slashes. */
const WITH_HOST = /^(?:[a-z][a-z0-9+.-]*:)?[\\/]{2}(?![\\/])/i;
export const hasHost = (uri: string): boolean => WITH_HOST.test(uri) && !/^file:\/\/localhost\//i.test(uri);

/**
 * Whether a URI that has a host in it is only where a file is kept, so that the host is no target: the result points
 * into the text of that file, or the file belongs to the repository that was analysed. A result with a request or
 * response, and one of a tool that sends them, is always about the host.
 */
export const isKeptFile = (uri: string, physical: JsonObject, result: JsonObject, run: RunOrigin): boolean =>
  !isAboutHost(result, run) && (hasRegion(physical) || isInRepository(uri, run));

export const isAboutHost = (result: JsonObject, run: RunOrigin): boolean =>
  isWebScanner(run) || [result['webRequest'], result['webResponse']].some((one) => hasFields(one));

export const isInRepository = (uri: string, { repositories }: RunOrigin): boolean =>
  repositories.some((repository) => uri.startsWith(repository) && /^[/?#]?$/.test(uri.charAt(repository.length)));

/** Without its `.git`, as files in it are written. */
export const repositoryOf = (provenance: unknown): string | undefined =>
  textOf(objectOf(provenance)['repositoryUri'])
    ?.trim()
    .slice(0, 2_000)
    .replace(/(?:\.git)?\/?$/, '');

const hasFields = (value: unknown): boolean => Object.keys(objectOf(value)).length > 0;

const hasRegion = (physical: JsonObject): boolean =>
  [physical['region'], physical['contextRegion']].some((one) => {
    const region = objectOf(one);
    return ['startLine', 'charOffset', 'byteOffset'].some((key) => textOf(region[key]) !== undefined);
  });
