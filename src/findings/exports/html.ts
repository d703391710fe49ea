import { createHash } from 'node:crypto';
import { findingSection, overview } from './html-findings.ts';
import { STYLE } from './html-style.ts';
import { lookedAtSection, topOfPage } from './html-summary.ts';
import { markup, Markup } from './markup.ts';
import { leftOutNotes, mostUrgent } from './most-urgent.ts';
import type { Formatter } from './source.ts';

/** The one style of the page, by its hash: nothing else may style, run, load or send anything. */
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'`;

/**
 * A report for people: one file without scripts, which loads nothing, for the screen and for paper. Whatever a report or a
 * target wrote is escaped by the template (`markup`).
 */
export const html: Formatter = function* html(source) {
  const { scan, engine, source: made } = source.header;
  const top = yield* mostUrgent(source);
  const notes = leftOutNotes(source, top);
  yield markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${`Scan report: ${scan.name ?? scan.targets.slice(0, 3).join(', ')}`}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<main>
${topOfPage(source)}${notes.map((note) => markup`<p class="note">${note}</p>\n`)}${lookedAtSection(source)}`.text;
  yield '<section>\n<h2>Findings</h2>\n';
  if (top.shown === 0) yield '<p>None. That is worth as much as what was looked at.</p>\n';
  else yield overview(top.groups).text;
  for (const [at, group] of top.groups.entries()) yield findingSection(group, at + 1).text;
  yield markup`</section>
<footer><p>Scan ${scan.scan_id} by ${made.tool ?? engine}, exported by scanmux. Text marked as written by the scanned system is quoted as it was, with control characters made visible and links disarmed.</p></footer>
</main>
</body>
</html>
`.text;
};
