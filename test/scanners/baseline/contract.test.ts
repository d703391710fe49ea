import { baselineType } from '../../../src/scanners/baseline/scanner.ts';
import { describeScannerContract } from '../../contracts/scanner-contract.ts';

const header = '{"scanmux_baseline":1,"intensity":"light","started_at":"2026-01-01T00:00:00.000Z"}\n';

describeScannerContract('baseline', {
  create: () => baselineType.create(baselineType.settings.parse({ answer_timeout_ms: 300 })),
  hostileReports: {
    'nothing in it': '',
    'another format': '<?xml version="1.0"?>\n<nmaprun/>\n',
    'an unknown version': header.replace(':1', ':9'),
    'no header': '{"kind":"checks","looked_for":[],"not_looked_for":[]}\n',
    'a line that is no JSON': `${header}{"kind":\n{"end":true}\n`,
    'bytes that are no UTF-8': Buffer.concat([Buffer.from(header), Buffer.from([0xff, 0xfe, 10])]),
    'a key it does not know': `${header}{"end":true,"more":1}\n`,
    'an unknown check': `${header}{"kind":"finding","rule":"__proto__","confidence":"firm","location":{},"untrusted":{}}\n`,
    'something after the end': `${header}{"end":true}\n${header}`,
    'a line without end': `${header}${'['.repeat(300_000)}`,
    'an endless line': `${header}"${'a'.repeat(2_000_000)}"\n`,
  },
});
