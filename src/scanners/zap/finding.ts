import type { z } from 'zod';
import { Occurrence } from '../../model/finding.ts';
import type { ReportEvent } from '../../model/report.ts';
import { defined, textOf, wholeOf, wordIn } from '../json-fields.ts';
import type { RuleInput, createRuleCache } from '../rule-cache.ts';
import { cwesOf, UNRATED, type Rating } from '../rule-words.ts';
import { shownUrl, withoutLogin } from '../web-place.ts';
import { paragraphsOf } from './html-text.ts';
import { siteHost, type ZapSite } from './sites.ts';

/**
 * What ZAP's JSON and XML reports say of one alert, in the names both use. Values are as they stand there; the JSON
 * report writes all of them as text.
 */
export interface ZapAlert {
  readonly pluginid?: unknown;
  /** `10016-1`: names one of several alerts of a plugin. Since ZAP 2.12. */
  readonly alertRef?: unknown;
  readonly alert?: unknown;
  readonly name?: unknown;
  readonly riskcode?: unknown;
  readonly confidence?: unknown;
  readonly riskdesc?: unknown;
  /** HTML. */
  readonly desc?: unknown;
  readonly solution?: unknown;
  readonly reference?: unknown;
  readonly otherinfo?: unknown;
  readonly cweid?: unknown;
  readonly wascid?: unknown;
}

/** One place an alert was raised at. Reports of old versions have these on the alert itself. */
export interface ZapInstance {
  readonly uri?: unknown;
  readonly method?: unknown;
  readonly param?: unknown;
  readonly attack?: unknown;
  readonly evidence?: unknown;
  readonly otherinfo?: unknown;
  /** Of the `-plus` reports. */
  readonly 'request-header'?: unknown;
  readonly 'request-body'?: unknown;
  readonly 'response-header'?: unknown;
  readonly 'response-body'?: unknown;
}

const RISKS: Readonly<Record<string, Rating['severity']>> = { 0: 'info', 1: 'low', 2: 'medium', 3: 'high' };
const CONFIDENCES: Readonly<Record<string, 'certain' | 'firm' | 'tentative'>> = {
  0: 'tentative',
  1: 'tentative',
  2: 'firm',
  3: 'certain',
  4: 'certain',
};

/**
 * One alert at one place. An alert without instances is given with `instance` left out and stands for the site.
 * Fits `RuleFacts` and `Occurrence` whatever the report holds.
 */
export function zapFinding(
  site: ZapSite,
  alert: ZapAlert,
  instance: ZapInstance | undefined,
  intern: ReturnType<typeof createRuleCache>,
): ReportEvent {
  return { kind: 'occurrence', rule: intern(ruleOf(alert)), occurrence: occurrenceOf(site, alert, instance) };
}

/** Alerts of scripts and add-ons may have no plugin: their name is all there is. */
function pluginOf({ pluginid }: ZapAlert): string | undefined {
  const plugin = textOf(pluginid);
  return plugin === '-1' ? undefined : plugin;
}

function ruleOf(alert: ZapAlert): RuleInput {
  const plugin = pluginOf(alert);
  const name = textOf(alert.alert) ?? textOf(alert.name) ?? (plugin ? `ZAP alert ${plugin}` : 'ZAP alert');
  const wasc = wholeOf(alert.wascid, 1);
  return {
    rule_id: pluginOf(alert) ?? name,
    title: name,
    ...ratingOf(alert),
    ...defined({
      rule_family: wasc === undefined ? undefined : `WASC-${wasc}`,
      confidence: wordIn(CONFIDENCES, textOf(alert.confidence) ?? ''),
      description: paragraphsOf(alert.desc).join('\n') || undefined,
      solution: paragraphsOf(alert.solution).join('\n') || undefined,
    }),
    references: paragraphsOf(alert.reference).slice(0, 50),
    cwes: cwesOf(alert.cweid),
  };
}

/** ZAP has no critical. `riskdesc` is `High (Medium)`, in the language of the user: only the code is read. */
function ratingOf(alert: ZapAlert): Rating {
  const severity = wordIn(RISKS, textOf(alert.riskcode) ?? '');
  return severity ? { severity, severity_source: 'zap risk', severity_rated: true } : UNRATED;
}

function occurrenceOf(site: ZapSite, alert: ZapAlert, instance: ZapInstance = {}): Occurrence {
  const isFalsePositive = textOf(alert.confidence) === '0';
  // `10055-4` beside `10055-6`: different weaknesses that one plugin finds at one place.
  const reference = textOf(alert.alertRef);
  const input: z.input<typeof Occurrence> = {
    location: locationOf(site, instance),
    untrusted: defined({
      output: seenText(alert, instance),
      response: lines([instance['response-header'], instance['response-body']]),
    }),
    ...(reference === undefined || reference === pluginOf(alert) ? {} : { discriminator: reference }),
    ...(isFalsePositive ? { report_state: 'marked as false positive in ZAP' } : {}),
  };
  return Occurrence.parse(input);
}

function locationOf(site: ZapSite, { uri, method, param }: ZapInstance): z.input<typeof Occurrence>['location'] {
  const url = textOf(uri) ?? textOf(site.name);
  return {
    ...siteHost({ ...site, ...defined({ name: url }) }),
    ...defined({
      url: url === undefined ? undefined : shownUrl(url),
      method: textOf(method),
      parameter: textOf(param),
    }),
  };
}

/** What the site showed, and what was sent to make it. Text of the alert stands in for an instance without its own. */
function seenText(alert: ZapAlert, instance: ZapInstance): string | undefined {
  const other = textOf(instance.otherinfo) ?? paragraphsOf(alert.otherinfo).join('\n');
  return lines([
    labelled('evidence', instance.evidence),
    labelled('attack', instance.attack),
    other,
    instance['request-header'] === undefined
      ? undefined
      : labelled('request', withoutLogin(textOf(instance['request-header']) ?? '')),
    labelled('request body', instance['request-body']),
  ]);
}

const labelled = (label: string, value: unknown): string | undefined => {
  const text = textOf(value);
  return text === undefined ? undefined : `${label}: ${text}`;
};

const lines = (values: readonly unknown[]): string | undefined =>
  values.flatMap((value) => textOf(value) ?? []).join('\n') || undefined;
