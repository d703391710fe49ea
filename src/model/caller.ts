/**
 * Who asks. Over stdio and on the command line everything belongs to the person who started the process; but over stdio
 * a model decides what is asked, so only the command line is the operator.
 */
export interface Caller {
  /** Everything a caller creates belongs to its tenant; other tenants' things do not exist for it. */
  readonly tenant: string;
  /** For the audit log: `stdio:<client name>`, `cli`, later a key id or a token subject. */
  readonly name: string;
  readonly isOperator: boolean;
}

export const LOCAL_TENANT = 'local';
