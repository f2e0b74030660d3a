import { heatMap } from "@offprint/claims";

/** A token and its text. */
export interface ReportedToken {
  /** Id in the model. */
  readonly id: number;
  /** Its text, blanks kept. */
  readonly text: string;
}

/** Where one generated token came from. */
export interface ExplainedToken extends ReportedToken {
  /** Its probability after what stands before it. */
  readonly probability: number;
  /** Importance of every token before it; sums to 1. */
  readonly importance: readonly number[];
  /** Places of the tokens that several runs agree on. */
  readonly rationale: readonly number[];
  /** Whether a run stopped by itself. */
  readonly sufficient: boolean;
  /** Step in which each run stopped, or null. */
  readonly stoppedAt: readonly (number | null)[];
  /** Prompts given to the model. */
  readonly forwardPasses: number;
}

/** Everything that the command finds; the JSON file holds it as it is. */
export interface AttributionReport {
  /** The model's folder, or `tiny`. */
  readonly model: string;
  /** Where replacements came from. */
  readonly replacer: string;
  /** Options of the search. */
  readonly settings: Readonly<Record<string, number>>;
  /** The prompt's tokens, then those that were generated. */
  readonly tokens: readonly ReportedToken[];
  /** How many of them are the prompt's. */
  readonly promptLength: number;
  /** The tokens after the prompt, explained. */
  readonly explained: readonly ExplainedToken[];
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => entities[sign]);
}

/** One token on a background as strong as its importance, relative to the largest. */
function cell(text: string, share: number, strongest: number, inRationale: boolean): string {
  const strength = strongest > 0 ? share / strongest : 0;
  const shown = escaped(text).replaceAll("\n", "↵\n");
  const mark = inRationale ? ' class="rationale"' : "";
  return `<span${mark} style="--strength:${strength.toFixed(3)}" title="${(100 * share).toFixed(2)} %">${shown}</span>`;
}

function section(report: AttributionReport, token: ExplainedToken): string {
  const strongest = Math.max(...token.importance);
  const before = token.importance.map((share, i) =>
    cell(report.tokens[i].text, share, strongest, token.rationale.includes(i)),
  );
  const order = token.importance.map((_, i) => i).sort((a, b) => token.importance[b] - token.importance[a]);
  const rows = order
    .slice(0, 8)
    .map(
      (i) => `<tr><td>${escaped(report.tokens[i].text)}</td><td>${(100 * token.importance[i]).toFixed(2)} %</td></tr>`,
    );
  const stopped = token.stoppedAt.filter((step) => step !== null).length;
  const runs = `${stopped} of ${token.stoppedAt.length} runs stopped by themselves; ${token.forwardPasses} forward passes`;
  return `<section>
<h2>Why <q>${escaped(token.text.trim())}</q>? <small>probability ${token.probability.toFixed(4)}; ${runs}</small></h2>
<p class="text">${before.join("")}<b>${escaped(token.text)}</b></p>
<table><thead><tr><th>token</th><th>importance</th></tr></thead><tbody>${rows.join("")}</tbody></table>
</section>`;
}

function map(report: AttributionReport): string {
  const { explained, tokens, promptLength } = report;
  if (explained.length < 2) return "";
  const width = promptLength + explained.length - 1;
  return `<section>${heatMap({
    kind: "heat-map",
    title: "Importance of every token for every generated one",
    x: { label: "token" },
    y: { label: "generated" },
    value: { label: "importance" },
    columns: tokens.slice(0, width).map(({ text }) => text.trim()),
    rows: explained.map(({ text }) => text.trim()),
    values: explained.map(({ importance }) => Array.from({ length: width }, (_, i) => importance[i] ?? null)),
  })}</section>`;
}

const style = `
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --mark: 255, 140, 0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --paper: #161616; --mark: 255, 150, 40; } }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h2 small { font-weight: normal; font-size: .8rem; opacity: .75; }
.text { line-height: 2.1; white-space: pre-wrap; font-size: 1.1rem; }
.text span { background: rgba(var(--mark), calc(var(--strength) * .85)); border-radius: 3px; padding: .15em 0; }
.text .rationale { border-bottom: 3px solid rgb(var(--mark)); }
table { border-collapse: collapse; } th, td { text-align: left; padding: .1rem 1.5rem .1rem 0; white-space: pre; }
`;

/** A self-contained page: the prompt in colours for each generated token, and a map of all of them. */
export function attributionPage(report: AttributionReport): string {
  const settings = Object.entries(report.settings)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Attribution by ReAGent</title>
<style>${style}</style>
</head>
<body>
<h1>What made the model say it?</h1>
<p>Model ${escaped(report.model)}, replacements from ${escaped(report.replacer)}; ${escaped(settings)}. A stronger colour is a more
important token; those underlined are the rationale. Point at a token to read its share.</p>
${report.explained.map((token) => section(report, token)).join("\n")}
${map(report)}
</body>
</html>
`;
}
