import { exitCode } from '../exit-codes.ts';
import { examine } from '../doctor/examine.ts';
import type { Finding } from '../doctor/finding.ts';
import type { Session } from '../session.ts';
import type { Style } from '../terminal.ts';

const STYLE: Readonly<Record<Finding['level'], Style>> = { ok: 'green', warn: 'yellow', fail: 'red' };

/** `scanmux doctor`: one line per thing that must be right, each with the fix. Works with whatever is broken. */
export async function doctor(session: Session, { json }: { json?: boolean }): Promise<number> {
  const { terminal } = session;
  const findings = await examine(session);
  if (json === true) terminal.out(JSON.stringify(findings, undefined, 2));
  else {
    for (const { level, subject, said, fix } of findings) {
      const line = `${terminal.paint(level.padEnd(4), STYLE[level])}  ${subject.padEnd(9)}  ${said}`;
      terminal.out(fix === undefined ? line : `${line} Fix: ${fix}`);
    }
  }
  return exitCode(findings.some(({ level }) => level === 'fail') ? 'failed' : 'ok');
}
