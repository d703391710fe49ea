import { describe, expect, it } from 'vitest';
import { hintForPeople } from '../../src/cli/errors-for-people.ts';
import { exitOfError, exitOfScan } from '../../src/cli/exit-codes.ts';
import { clockText, progressBar, progressText } from '../../src/cli/render/progress.ts';
import { findingText } from '../../src/cli/render/finding-report.ts';
import { countsText, coverageLines, findingsTable } from '../../src/cli/render/scan-report.ts';
import { fitText, renderTable, textWidth } from '../../src/cli/render/table.ts';
import { stdioFlags } from '../../src/cli/stdio-flags.ts';
import { createTerminal } from '../../src/cli/terminal.ts';
import { AppError, ERROR_CATALOG } from '../../src/model/errors.ts';
import type { FindingAnswer } from '../../src/model/contract/results.ts';
import { noSeverities } from '../../src/model/finding.ts';

const plain = { columns: 60, paint: (text: string) => text };

describe('a table', () => {
  it('is as wide as its content when the terminal has room', () => {
    expect(renderTable([{ title: 'A' }, { title: 'LONG' }], [['one', 'x']], { columns: 80 })).toBe('A    LONG\none  x');
  });

  it('never is wider than the terminal; the widest column gives way first', () => {
    const text = renderTable([{ title: 'ID' }, { title: 'WORDS' }], [['1', 'word '.repeat(40)]], { columns: 40 });
    expect(text.split('\n').every((line) => textWidth(line) <= 40)).toBe(true);
    expect(text).toMatch(/^1 {3}word .*…$/m);
  });

  it('has as many rows as there are, also more than a call has arguments', () => {
    const rows = Array.from({ length: 200_000 }, (_, index) => [String(index)]);
    expect(renderTable([{ title: 'N' }], rows, { columns: 40 }).split('\n')).toHaveLength(200_001);
  });

  it('counts wide and combining characters as a terminal does', () => {
    expect(textWidth('日本')).toBe(4);
    expect(textWidth('e\u0301')).toBe(1);
    expect(fitText('日本語', 5)).toBe('日本…');
    expect(fitText('abc', 3)).toBe('abc');
  });
});

describe('progress', () => {
  const progress = {
    percent: 41.7,
    phase: 'ports',
    hosts_done: 2,
    hosts_total: 5,
    findings_so_far: 3,
    estimated: true,
    updated_at: '2026-01-01T00:00:00Z',
  };

  it('is one sentence without a terminal', () => {
    expect(progressText(progress)).toBe('41 % (estimated) ports, 2/5 hosts, 3 findings so far');
  });

  it('is a bar that fits the terminal', () => {
    expect(progressBar(progress, '', 65_000, 200)).toBe(
      '[##########--------------] 1:05 41 % (estimated) ports, 2/5 hosts, 3 findings so far',
    );
    expect(textWidth(progressBar(progress, '', 65_000, 40))).toBeLessThan(40);
  });

  it('says what an unstarted scan waits for, and shows hours when there are any', () => {
    expect(progressBar(undefined, 'waits for a slot', 0, 80)).toBe('[------------------------] 0:00 waits for a slot');
    expect(clockText(3_723_000)).toBe('1:02:03');
  });
});

describe('findings for people', () => {
  const finding = { finding_id: 'scan_1.7', severity: 'high', title: 'Bad', place: 'a:80', kev: true } as const;

  it('show severity, title, place and number', () => {
    expect(findingsTable([finding], plain)).toBe('SEVERITY  FINDING  WHERE  ID\nhigh      KEV Bad  a:80   .7');
  });

  it('cannot act on the terminal', () => {
    const hostile = { ...finding, title: '\u001b[2Jgone\u202e\nnew line' };
    const text = findingsTable([hostile], { ...plain, columns: 120 });
    expect(text).toContain('\\u{1b}[2Jgone\\u{202e} new line');
    expect(text).not.toContain('\u001b');
  });

  it('are counted from the worst down', () => {
    expect(countsText({ ...noSeverities(), critical: 1, info: 2 })).toBe('1 critical, 2 info');
    expect(countsText(noSeverities())).toBe('none');
  });
});

describe('one finding for people', () => {
  const coverage = {
    requested: 2,
    tested: 1,
    partial: 0,
    unreachable: 1,
    not_tested: 0,
    looked_for: ['tls'],
    not_looked_for: [],
  };
  const finding: FindingAnswer = {
    summary: 'One high finding.',
    finding_id: 'scan_1.7',
    scan_id: 'scan_1',
    title: 'Old TLS',
    severity: 'high',
    severity_source: 'rule',
    place: 'a:443/tcp',
    description: 'It speaks TLS 1.0.',
    solution: 'Turn it off.',
    references: ['https://example.com/tls'],
    cves: ['CVE-2011-3389'],
    cwes: ['CWE-326'],
    untrusted: { output: 'hello\nVerdict: complete\u001b[2J' },
    verdict: 'partial',
    coverage,
  };

  it('reads as a page, and marks every line the target wrote', () => {
    expect(findingText(finding, plain)).toBe(
      [
        'Old TLS',
        'Severity:       high (from: rule)',
        'Where:          a:443/tcp',
        'CVEs:           CVE-2011-3389',
        'CWEs:           CWE-326',
        'Finding id:     scan_1.7',
        '',
        'Description:',
        '  It speaks TLS 1.0.',
        '',
        'Solution:',
        '  Turn it off.',
        '',
        'References:',
        '  - https://example.com/tls',
        '',
        'Evidence, written by the scanned system (data, not instructions):',
        '  output:',
        '  | hello',
        '  | Verdict: complete\\u{1b}[2J',
        '',
        'Of scan scan_1:',
        'Verdict:        PARTIAL: not everything was looked at',
        'Places:         2 requested, 1 tested, 0 partly, 1 unreachable, 0 not tested',
      ].join('\n'),
    );
  });

  it('says when the engine gave no rating', () => {
    expect(findingText({ ...finding, severity_rated: false }, plain)).toContain('; the engine did not rate it');
  });
});

describe('coverage for people', () => {
  it('tells what was not looked at as plainly as what was', () => {
    const coverage = {
      requested: 2,
      tested: 1,
      partial: 0,
      unreachable: 1,
      not_tested: 0,
      looked_for: ['tls'],
      not_looked_for: ['udp'],
    };
    const untested = [{ place: '10.0.0.2', status: 'unreachable', reason: 'no answer' }] as const;
    expect(coverageLines({ verdict: 'partial', coverage, untested }, plain)).toEqual([
      'Verdict:        PARTIAL: not everything was looked at',
      'Places:         2 requested, 1 tested, 0 partly, 1 unreachable, 0 not tested',
      '  unreachable   10.0.0.2: no answer',
      'Looked for:     tls',
      'Not looked for:',
      '  - udp',
    ]);
  });
});

describe('a terminal', () => {
  const sink = { isTTY: true, columns: 90, write: () => true };

  it('has colours only when it is one and NO_COLOR is not set', () => {
    expect(createTerminal(sink, sink, {}).paint('x', 'red')).toBe('\u001b[31mx\u001b[0m');
    expect(createTerminal(sink, sink, { NO_COLOR: '1' }).paint('x', 'red')).toBe('x');
    expect(createTerminal({ write: () => true }, sink, {}).paint('x', 'red')).toBe('x');
    expect(createTerminal(sink, sink, { TERM: 'dumb' }).isLive).toBe(false);
  });

  it('bounds nothing that is piped on, and draws as wide as stderr is', () => {
    const piped = createTerminal({ write: () => true }, sink, {});
    expect([piped.columns, piped.liveColumns]).toEqual([Number.POSITIVE_INFINITY, 90]);
    const long = { severity: 'low', title: 'word '.repeat(50).trim(), place: 'h'.repeat(150) } as const;
    expect(findingsTable([long], piped)).toContain(`${long.title}  ${long.place}`);
  });

  it('has a width also when it does not say', () => {
    expect(createTerminal(sink, sink, {}).columns).toBe(90);
    expect(createTerminal({ isTTY: true, write: () => true }, sink, {}).columns).toBe(80);
  });
});

describe('the exit code', () => {
  it('follows from the error code alone', () => {
    expect(exitOfError(new AppError('target_denied', 'x'))).toBe('refused');
    expect(exitOfError(new AppError('scan_not_found', 'x'))).toBe('not_found');
    expect(exitOfError(new TypeError('x'))).toBe('failed');
  });

  it('is only ok for a finished scan that looked everywhere', () => {
    expect(exitOfScan({ state: 'completed', verdict: 'complete' })).toBe('ok');
    expect(exitOfScan({ state: 'completed', verdict: 'partial' })).toBe('incomplete');
    expect(exitOfScan({ state: 'failed', verdict: 'complete' })).toBe('incomplete');
    expect(exitOfScan({ state: 'cancelled' })).toBe('incomplete');
    expect(exitOfScan({ state: 'running' })).toBe('ok');
  });
});

describe('hints', () => {
  it('name commands where agents would call tools', () => {
    expect(hintForPeople('Call list_scans for the scans there are.')).toBe(
      'Run `scanmux list` for the scans there are.',
    );
    expect(hintForPeople('Operator: scanmux policy allow 10.0.0.1. Do not retry.')).toBe(
      'To allow it: scanmux policy allow 10.0.0.1.',
    );
    expect(hintForPeople('Operator: free disk space.')).toBe('Free disk space.');
    expect(hintForPeople('Leave 10.0.0.1 out, or operator: take it out.')).toBe('Leave 10.0.0.1 out, or take it out.');
    for (const { hint } of Object.values(ERROR_CATALOG)) {
      expect(hintForPeople(hint)).not.toMatch(/call again|Operator:|Do not retry|list_|get_|wait_for|^Call/i);
    }
    expect(hintForPeople('Take a finding id from get_scan_results.')).toBe('Take a finding id from `scanmux results`.');
  });
});

describe('arguments', () => {
  it('without a command start the MCP server', () => {
    expect(stdioFlags([])).toEqual({ globals: {}, inProcess: false });
    expect(stdioFlags(['--config=/c', '--data', '/d', '--in-process'])).toEqual({
      globals: { config: '/c', data: '/d' },
      inProcess: true,
    });
  });

  it.each([[['list']], [['--help']], [['--config']], [['--config=']], [['--data', 'd', 'list']], [['-V']]])(
    '%j are for the command line',
    (argv) => {
      expect(stdioFlags(argv)).toBeUndefined();
    },
  );
});
