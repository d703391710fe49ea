import type { FindingFilter } from '../findings/findings.ts';

/** Arguments with the filters among them, as contract/finding-filter.ts has them. */
export type FilterArguments = { readonly [Name in keyof FindingFilter]?: FindingFilter[Name] | undefined };

/** The filters of a call, without those that change nothing. */
export const filterOf = (input: FilterArguments): FindingFilter => ({ ...ruleFilters(input), ...placeFilters(input) });

function ruleFilters(input: FilterArguments): FindingFilter {
  const { severity_levels: levels, min_severity, min_cvss, min_epss, exploit_available, cve, rule_id } = input;
  return {
    ...(levels !== undefined && levels.length > 0 && { severity_levels: levels }),
    ...(min_severity !== undefined && { min_severity }),
    ...(min_cvss !== undefined && { min_cvss }),
    ...(min_epss !== undefined && { min_epss }),
    ...(input.kev_only === true && { kev_only: true }),
    ...(exploit_available !== undefined && { exploit_available }),
    ...(cve !== undefined && { cve }),
    ...(rule_id !== undefined && { rule_id }),
  };
}

const placeFilters = ({ host, port, text }: FilterArguments): FindingFilter => ({
  ...(host !== undefined && { host }),
  ...(port !== undefined && { port }),
  ...(text !== undefined && { text }),
});
