import type { ParsedFindingInput } from '../../model/finding.ts';
import type { RuleName } from './rules/table.ts';

/** What one check saw, before the place it saw it at is added. */
export interface Observation {
  readonly rule: RuleName;
  readonly confidence?: 'certain' | 'firm' | 'tentative';
  /** Only what the target wrote; never a secret. */
  readonly untrusted?: NonNullable<ParsedFindingInput['untrusted']>;
  readonly discriminator?: string;
  readonly parameter?: string;
  readonly method?: string;
  readonly service?: string;
  /** Path of a web finding, when it is not the page that was asked for first. */
  readonly path?: string;
}
