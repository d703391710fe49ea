import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { parseScenario, type Scenario } from './scenario.ts';
import { SimulatorError } from './simulator-error.ts';

/** Reads a scenario; files it names lie relative to it. @throws SimulatorError */
export function readScenario(path: string): Scenario {
  const document = parseDocument(textOf(path), { prettyErrors: true });
  const [broken] = document.errors;
  if (broken) throw new SimulatorError(`${path}: ${broken.message}`);
  let scenario: Scenario;
  try {
    scenario = parseScenario(document.toJS({ maxAliasCount: 100 }));
  } catch (error) {
    throw new SimulatorError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  for (const { report } of [...scenario.runs, ...scenario.scans.map(({ run }) => run)])
    if (report.file !== undefined) report.file = resolve(dirname(path), report.file);
  return scenario;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SimulatorError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
