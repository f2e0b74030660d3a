import { plotStyles } from "../plots/palette.js";

const light =
  "--ink:#1f2328;--soft:#59636e;--line:#d9dee3;--paper:#ffffff;--panel:#f6f8fa;--good:#1a7f37;--bad:#b3261e;--link:#0550ae";
const dark =
  "--ink:#e6eaef;--soft:#a3adb8;--line:#32383f;--paper:#14171a;--panel:#1c2126;--good:#56d364;--bad:#ff8a80;--link:#79b8ff";

/** The style sheet of the report. Tables become lists of cells on a phone; ARIA roles keep them tables for readers. */
export const reportStyles = `
:root{color-scheme:light dark;${light}}
@media (prefers-color-scheme:dark){:root{${dark}}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
main{max-width:68rem;margin:0 auto;padding:1.5rem 1.25rem 4rem}
h1{font-size:1.7rem;line-height:1.25;margin:0 0 .5rem}
h2{font-size:1.3rem;line-height:1.3;margin:3rem 0 .4rem;padding-top:1.2rem;border-top:2px solid var(--line)}
h3{font-size:1.05rem;line-height:1.4;margin:2.2rem 0 .4rem}
p{margin:.4rem 0}
a{color:var(--link)}
.soft{color:var(--soft)}
.verdict{font-weight:600}
.good{color:var(--good)}
.bad{color:var(--bad)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:.8rem 0}
dt{color:var(--soft)}
dd{margin:0}
.facts{background:var(--panel);border:1px solid var(--line);border-radius:.5rem;padding:.4rem 1rem}
table{border-collapse:collapse;width:100%;margin:.8rem 0;font-size:.93rem}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{text-align:left;vertical-align:top;padding:.4rem .7rem .4rem 0;border-bottom:1px solid var(--line)}
thead th{color:var(--soft);font-weight:600}
tbody th{font-weight:400}
thead th,.claims td:last-child{overflow-wrap:normal;white-space:nowrap}
.claims td,.claims th{overflow-wrap:break-word}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1.6rem 2rem;margin:1rem 0}
figure{margin:0;min-width:0;max-width:31rem}
figure .offprint-plot{display:block;width:100%}
details{margin:.3rem 0;font-size:.9rem}
summary{cursor:pointer;color:var(--soft)}
@media (max-width:40rem){
.claims thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.claims tr{display:block;border-bottom:1px solid var(--line);padding:.6rem 0}
.claims th,.claims td{display:block;border:0;padding:.1rem 0}
.claims td::before{content:attr(data-label) ": ";color:var(--soft)}
dl{grid-template-columns:1fr}
dd{margin-bottom:.4rem}
}
@media print{details{display:none}h3,figure{break-inside:avoid}}
${plotStyles()}`.trim();
