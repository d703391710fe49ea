import { SEVERITIES } from '../../model/finding.ts';
import { markup } from './markup.ts';
import type { Markup } from './markup.ts';
import { countText, pluralText } from './most-urgent.ts';
import {
  accessText,
  nothingLeftText,
  whosePlaces,
  coverageParts,
  momentText,
  placesLeft,
  verdictTitle,
} from './places-left.ts';
import type { PlacesLeft } from './places-left.ts';
import type { ExportSource } from './source.ts';

/** Places that were not looked at for one reason, named one by one. */
const MOST_UNTESTED = 100;
const MOST_TARGETS = 20;

const WIDTH = 360;
const ROW = 27;
const BAR_AT = 72;
const BAR_WIDTH = 220;

/** One bar per severity: a length, a name and a number each, so that no colour alone says anything. */
function severityChart({ counts }: ExportSource): Markup {
  const rows = SEVERITIES.toReversed().map((severity) => ({ severity, count: counts.bySeverity[severity] }));
  const most = Math.max(1, ...rows.map(({ count }) => count));
  const height = rows.length * ROW;
  const said = rows.map(({ severity, count }) => `${count} ${severity}`).join(', ');
  return markup`<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Findings by severity: ${said}">${rows.map(
    ({ severity, count }, at) => {
      const width = count === 0 ? 0 : Math.max(3, Math.round((count / most) * BAR_WIDTH));
      const top = at * ROW;
      return markup`<text x="0" y="${top + 17}">${severity[0]?.toUpperCase()}${severity.slice(1)}</text><rect class="track" x="${BAR_AT}" y="${top + 6}" width="${BAR_WIDTH}" height="14" rx="2"/><rect class="${severity}" x="${BAR_AT}" y="${top + 6}" width="${width}" height="14" rx="2"/><text class="number" x="${WIDTH}" y="${top + 17}">${countText(count)}</text>`;
    },
  )}</svg>`;
}

/** What became of the places, as one bar and in numbers. */
function coverageChart({ header }: ExportSource): Markup {
  const parts = coverageParts(header.coverage);
  const total = Math.max(
    1,
    parts.reduce((sum, { count }) => sum + count, 0),
  );
  let at = 0;
  const bars = parts.map(({ status, count }) => {
    const width = (count / total) * WIDTH;
    const bar = markup`<rect class="${status}" x="${at.toFixed(2)}" y="0" width="${width.toFixed(2)}" height="18"/>`;
    at += width;
    return bar;
  });
  const said = parts.map(({ words, count }) => `${count} ${words}`).join(', ');
  return markup`<svg viewBox="0 0 ${WIDTH} 18" role="img" aria-label="Places: ${said || 'none'}"><rect class="track" x="0" y="0" width="${WIDTH}" height="18"/>${bars}</svg>
<ul class="legend">${parts.map(
    ({ status, words, count }) =>
      markup`<li><span class="dot ${status}"></span><b>${countText(count)}</b> <span>${words}</span></li>`,
  )}</ul>`;
}

function facts({ header }: ExportSource): Markup {
  const { scan, engine, source } = header;
  const made = [source.tool || engine, source.version].filter(Boolean).join(' ');
  const targets = scan.targets.slice(0, MOST_TARGETS).join(', ');
  const more = scan.targets.length - MOST_TARGETS;
  const rows: [string, string | undefined][] = [
    ['Targets', more > 0 ? `${targets} and ${countText(more)} more` : targets],
    ['Engine', made],
    ['Access', accessText(scan)],
    ['Started', scan.started_at && momentText(scan.started_at)],
    ['State', `${scan.state.replace('_', ' ')}${scan.origin === 'imported' ? ', imported' : ''}`],
    ['Finished', scan.finished_at && momentText(scan.finished_at)],
    ['Scan', scan.scan_id],
  ];
  return markup`<dl class="facts">${rows.flatMap(([name, value]) =>
    value === undefined ? [] : [markup`<dt>${name}</dt><dd>${value}</dd>`],
  )}</dl>`;
}

/** Title, verdict, numbers: what somebody reads who reads nothing else. */
export function topOfPage(source: ExportSource): Markup {
  const { header, counts } = source;
  const { scan, coverage, error, summary } = header;
  const name = scan.name ?? scan.targets.slice(0, 3).join(', ');
  return markup`<header>
<p class="kicker">Vulnerability scan report</p>
<h1>${name}</h1>
${scan.finished_at ? markup`<p class="lead">${momentText(scan.finished_at)}</p>` : undefined}
</header>
<div class="verdict ${scan.verdict}"><strong>${verdictTitle(header)}</strong><p>${summary}</p>${
    error ? markup`<p>${error.code}: ${error.message}</p>` : undefined
  }</div>
<div class="cards">
<section class="card"><h2>Findings <span>${countText(counts.total)}</span></h2>${severityChart(source)}</section>
<section class="card"><h2>Places <span>${countText(coverage.requested)} ${whosePlaces(scan)}</span></h2>${coverageChart(source)}</section>
</div>
${facts(source)}
`;
}

/** The section that keeps an empty list of findings from being read as an all-clear. */
export function lookedAtSection(source: ExportSource): Markup {
  const { looked_for: looked, not_looked_for: kinds } = source.header.coverage;
  const left = placesLeft(source, MOST_UNTESTED);
  return markup`<section>
<h2>What was and was not looked at</h2>
${looked.length > 0 ? markup`<h4>Looked for</h4><p class="small">${looked.join(', ')}</p>` : undefined}
${kinds.length > 0 ? markup`<h4>Not looked for</h4><ul class="small">${kinds.map((kind) => markup`<li>${kind}</li>`)}</ul>` : undefined}
${left.length > 0 ? markup`<h4>Places not fully looked at</h4>${left.map(reasonText)}` : undefined}
${kinds.length + left.length === 0 ? markup`<p class="small">${nothingLeftText(source.header)}</p>` : undefined}
</section>
`;
}

function reasonText({ why, count, places }: PlacesLeft): Markup {
  const more = count - places.length;
  const named = markup` <span class="mono soft">${places.join(', ')}${places.length > 0 && more > 0 ? ` and ${countText(more)} more` : ''}</span>`;
  return markup`<p class="small"><b>${pluralText(count, 'place')}</b> ${why}${places.length > 0 ? named : undefined}</p>`;
}
