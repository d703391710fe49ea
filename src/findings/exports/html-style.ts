/**
 * The style of the HTML report: system fonts, no images, light and dark by the reader's setting, and for paper. Class
 * names only: the page allows no style attribute.
 */
export const STYLE = `
:root{color-scheme:light dark;
--paper:#fff;--page:#f4f5f7;--ink:#16202c;--soft:#556273;--faint:#e3e7ec;--line:#d3d9e0;--wash:#f7f8fa;
--critical:#9b1239;--high:#c2410c;--medium:#a16207;--low:#1d5fa8;--info:#5b6777;
--tested:#2f7d4f;--partial:#a16207;--unreachable:#c2410c;--not_tested:#8a94a1;
--complete-bg:#eaf5ee;--partial-bg:#fdf5e2;--not_tested-bg:#fbebe6}
@media (prefers-color-scheme:dark){:root{
--paper:#161b22;--page:#0d1117;--ink:#e6ebf1;--soft:#9aa7b5;--faint:#262d36;--line:#323b46;--wash:#1b222b;
--critical:#f2708f;--high:#f59455;--medium:#e0b341;--low:#6cb0f5;--info:#9aa7b5;
--tested:#58b97e;--partial:#e0b341;--unreachable:#f59455;--not_tested:#7d8895;
--complete-bg:#14271c;--partial-bg:#2a2310;--not_tested-bg:#2e1a14}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:62rem;margin:0 auto;padding:2.5rem 3rem 4rem;background:var(--paper);overflow-wrap:anywhere}
h1,h2,h3,h4{line-height:1.25;margin:0;font-weight:650;letter-spacing:-.01em}
h1{font-size:1.9rem}
h2{font-size:1.3rem;margin:3rem 0 1rem;padding-top:1rem;border-top:1px solid var(--line)}
h3{font-size:1.08rem}
h4{font-size:.74rem;letter-spacing:.07em;text-transform:uppercase;color:var(--soft);margin:1.2rem 0 .3rem}
p{margin:.5rem 0}
ul,ol{margin:.4rem 0;padding-left:1.2rem}
li{margin:.15rem 0}
a{color:inherit;text-decoration-color:var(--soft);text-underline-offset:.15em}
a:hover{text-decoration-thickness:2px}
code,pre,.mono{font:.86em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
.kicker{font-size:.76rem;letter-spacing:.09em;text-transform:uppercase;color:var(--soft);margin:0 0 .5rem}
.lead{color:var(--soft);margin:.4rem 0 0}
.verdict{margin:1.8rem 0 0;padding:1rem 1.25rem;border-left:5px solid;border-radius:4px}
.verdict strong{display:block;font-size:1.12rem}
.verdict p{margin:.25rem 0 0}
.verdict.complete{background:var(--complete-bg);border-color:var(--tested)}
.verdict.partial{background:var(--partial-bg);border-color:var(--partial)}
.verdict.not_tested{background:var(--not_tested-bg);border-color:var(--unreachable)}
.cards{display:grid;grid-template-columns:1fr 1fr;gap:1.25rem;margin:1.25rem 0 0}
.card{border:1px solid var(--line);border-radius:6px;padding:1.1rem 1.25rem;min-width:0}
.card h2{border:0;margin:0 0 .8rem;padding:0;font-size:.95rem}
.card h2 span{font-weight:400;color:var(--soft)}
svg{display:block;width:100%;height:auto}
svg text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;fill:var(--ink)}
svg text.number{font-variant-numeric:tabular-nums;font-weight:600;text-anchor:end}
svg .track{fill:var(--faint)}
svg .critical{fill:var(--critical)}svg .high{fill:var(--high)}svg .medium{fill:var(--medium)}
svg .low{fill:var(--low)}svg .info{fill:var(--info)}
svg .tested{fill:var(--tested)}svg .partial{fill:var(--partial)}svg .unreachable{fill:var(--unreachable)}
svg .not_tested{fill:var(--not_tested)}
.legend{list-style:none;padding:0;margin:.8rem 0 0;font-size:.9rem}
.legend li{display:flex;gap:.55rem;align-items:center}
.legend b{font-variant-numeric:tabular-nums;min-width:2.2rem;text-align:right}
.dot{width:.7rem;height:.7rem;border-radius:2px;flex:none;background:var(--not_tested)}
.dot.tested{background:var(--tested)}.dot.partial{background:var(--partial)}.dot.unreachable{background:var(--unreachable)}
.facts{display:grid;grid-template-columns:max-content 1fr max-content 1fr;gap:.3rem 1.25rem;margin:1.5rem 0 0;font-size:.93rem}
.facts dt{color:var(--soft)}
.facts dd{margin:0;min-width:0}
.note{border:1px solid var(--line);border-radius:6px;padding:.7rem 1rem;margin:1rem 0 0;font-size:.93rem;background:var(--wash)}
.two{columns:2;column-gap:2rem}
.two li{break-inside:avoid}
.small{font-size:.9rem}
.soft{color:var(--soft)}
.chip{display:inline-block;font-size:.7rem;font-weight:700;letter-spacing:.05em;text-transform:uppercase;line-height:1;
padding:.32em .55em;border-radius:3px;color:var(--paper);vertical-align:.12em;white-space:nowrap}
.chip.critical{background:var(--critical)}.chip.high{background:var(--high)}.chip.medium{background:var(--medium)}
.chip.low{background:var(--low)}.chip.info{background:var(--info)}
.flag{display:inline-block;font-size:.72rem;font-weight:600;line-height:1;padding:.3em .5em;border-radius:3px;
border:1px solid var(--critical);color:var(--critical);white-space:nowrap}
table{width:100%;border-collapse:collapse;font-size:.93rem}
th{text-align:left;font-size:.74rem;letter-spacing:.05em;text-transform:uppercase;color:var(--soft);font-weight:600}
th,td{padding:.45rem .6rem;border-bottom:1px solid var(--faint);vertical-align:top}
th:first-child,td:first-child{padding-left:0}
th:last-child,td:last-child{padding-right:0}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td .flag{margin-left:.4rem}
.finding{margin:1.5rem 0 0;padding:1.1rem 1.25rem 1.2rem;border:1px solid var(--line);border-left:5px solid var(--info);
border-radius:4px}
.finding.critical{border-left-color:var(--critical)}.finding.high{border-left-color:var(--high)}
.finding.medium{border-left-color:var(--medium)}.finding.low{border-left-color:var(--low)}
.finding h3{margin:.45rem 0 .35rem}
.marks{display:flex;flex-wrap:wrap;gap:.4rem;align-items:center}
.meta{margin:0;font-size:.88rem;color:var(--soft)}
.text{white-space:pre-line;margin:.2rem 0}
.places{list-style:none;padding:0;margin:.3rem 0 0}
.places>li{padding:.35rem 0;border-top:1px solid var(--faint);margin:0}
.places>li:first-child{border-top:0}
.evidence{margin:.35rem 0 .2rem}
.evidence p{margin:0;font-size:.76rem;color:var(--soft)}
pre{margin:.15rem 0 0;padding:.6rem .75rem;background:var(--wash);border:1px solid var(--faint);border-radius:4px;
white-space:pre-wrap;max-height:18rem;overflow:auto}
footer{margin:3.5rem 0 0;padding-top:1rem;border-top:1px solid var(--line);font-size:.85rem;color:var(--soft)}
@media (max-width:44rem){
main{padding:1.5rem 1.1rem 3rem}
h1{font-size:1.5rem}
.cards{grid-template-columns:1fr}
.two{columns:1}
.facts{grid-template-columns:1fr;gap:0}
.facts dd{margin:0 0 .5rem}
.finding{padding:.9rem .9rem 1rem}
.wide{display:none}}
@page{size:A4;margin:16mm 15mm 18mm}
@media print{
:root{color-scheme:light;--paper:#fff;--page:#fff;--ink:#000;--soft:#444;--faint:#ddd;--line:#bbb;--wash:#fafafa;
--critical:#9b1239;--high:#c2410c;--medium:#a16207;--low:#1d5fa8;--info:#5b6777;
--tested:#2f7d4f;--partial:#a16207;--unreachable:#c2410c;--not_tested:#8a94a1;
--complete-bg:#eaf5ee;--partial-bg:#fdf5e2;--not_tested-bg:#fbebe6}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
body{font-size:10.5pt}
main{max-width:none;padding:0}
h1,h2,h3,h4{break-after:avoid}
.verdict,.card,tr,.note{break-inside:avoid}
.marks,.meta{break-after:avoid}
pre{max-height:none;overflow:visible}
.evidence{break-inside:avoid}
a{text-decoration:none}}
`;
