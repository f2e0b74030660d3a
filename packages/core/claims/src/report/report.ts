import { checkOptions, requireObject } from "@offprint/tensor-core";
import { plot } from "../plots/plot.js";
import { escapeText } from "../plots/svg.js";
import { formatQuantity, formatSeconds } from "../quantity.js";
import type { ClaimRecord, ClaimRun } from "../record.js";
import { dataTable, tableMarkup } from "./data-table.js";
import { reportStyles } from "./styles.js";

/** What is known about a method's paper. */
export interface Paper {
  /** Title of the paper. */
  readonly title: string;
  /** Authors as they should be shown. */
  readonly authors: string;
  /** Year of publication. */
  readonly year: number;
  /** Identifier on arXiv, or nothing when the paper is not there. */
  readonly arxiv?: string;
}

/** Facts about the machine and the software of a run. */
export interface Environment {
  /** When the run was done, as it should be shown. */
  readonly date: string;
  /** Further facts by name: Node version, processor, package versions, threads. */
  readonly facts: Readonly<Record<string, string>>;
}

/** Options of `htmlReport`. */
export interface ReportOptions {
  /** Heading and title of the page; default `Claims reproduced`. */
  readonly title?: string;
  /** Where and when the runs were done. */
  readonly environment: Environment;
  /** Papers by the name of the method. */
  readonly papers?: Readonly<Record<string, Paper>>;
}

function verdict(record: ClaimRecord): string {
  const [style, text] = record.holds ? ["good", "✓ holds"] : ["bad", record.error ? "✗ error" : "✗ does not hold"];
  return `<span class="verdict ${style}">${text}</span>`;
}

function anchor(run: ClaimRun, record: ClaimRecord): string {
  return escapeText(`${run.method}-${record.id}`);
}

function claimsTable(run: ClaimRun): string {
  const labels = ["Claim", "Paper", "Measured", "Holds"];
  const heading = labels.map((label) => `<th scope="col" role="columnheader">${label}</th>`).join("");
  const rows = run.records.map((record) => {
    const name =
      `<th scope="row" role="rowheader"><a href="#${anchor(run, record)}">${escapeText(record.statement)}</a> ` +
      `<span class="soft">(${escapeText(record.source)})</span></th>`;
    const cells = [
      escapeText(formatQuantity(record.paper)),
      escapeText(formatQuantity(record.measured)),
      verdict(record),
    ];
    const data = cells.map((cell, index) => `<td role="cell" data-label="${labels[index + 1]}">${cell}</td>`);
    return `<tr role="row">${name}${data.join("")}</tr>`;
  });
  return (
    `<table class="claims" role="table"><thead role="rowgroup"><tr role="row">${heading}</tr></thead>` +
    `<tbody role="rowgroup">${rows.join("")}</tbody></table>`
  );
}

function claimSection(run: ClaimRun, record: ClaimRecord): string {
  const plots = record.series.map(
    (series) => `<figure>${plot(series, { styles: "page", width: 420 })}${dataTable(series)}</figure>`,
  );
  return [
    `<section aria-labelledby="${anchor(run, record)}">`,
    `<h3 id="${anchor(run, record)}">${escapeText(record.statement)}</h3>`,
    `<p>${verdict(record)} <span class="soft">· ${escapeText(record.source)} · ${formatSeconds(record.seconds)}</span></p>`,
    `<dl><dt>Paper</dt><dd>${escapeText(formatQuantity(record.paper))}</dd>`,
    `<dt>Measured</dt><dd>${escapeText(formatQuantity(record.measured))}</dd></dl>`,
    `<p>${escapeText(record.detail)}</p>`,
    record.error === undefined ? "" : `<p class="bad">${escapeText(record.error)}</p>`,
    plots.length === 0 ? "" : `<div class="plots">${plots.join("")}</div>`,
    ...record.tables.map(({ title, columns, rows }) => tableMarkup(title, columns, rows)),
    "</section>",
  ].join("\n");
}

function paperLine(paper: Paper | undefined): string {
  if (!paper) return "";
  const arxiv = paper.arxiv
    ? `, <a href="https://arxiv.org/abs/${escapeText(encodeURI(paper.arxiv))}">arXiv:${escapeText(paper.arxiv)}</a>`
    : "";
  return `<p>${escapeText(paper.authors)}: <cite>${escapeText(paper.title)}</cite>, ${escapeText(String(paper.year))}${arxiv}</p>`;
}

function methodSection(run: ClaimRun, paper: Paper | undefined): string {
  const held = run.records.filter(({ holds }) => holds).length;
  const setting = `version ${run.version} · seed ${run.seed} · ${run.scale} · device ${run.device} · ${formatSeconds(run.seconds)}`;
  return [
    `<h2 id="${escapeText(run.method)}">${escapeText(run.method)}</h2>`,
    paperLine(paper),
    `<p class="soft">${escapeText(setting)}</p>`,
    `<p class="verdict ${held === run.records.length ? "good" : "bad"}">${held} of ${run.records.length} claims hold</p>`,
    claimsTable(run),
    ...run.records.map((record) => claimSection(run, record)),
  ].join("\n");
}

function facts(environment: Environment): string {
  const entries = Object.entries({ Date: environment.date, ...environment.facts });
  return `<dl class="facts">${entries.map(([name, value]) => `<dt>${escapeText(name)}</dt><dd>${escapeText(value)}</dd>`).join("")}</dl>`;
}

/**
 * One self-contained HTML page of runs: a summary, every claim with its plots and tables, and the environment. It
 * loads nothing, follows the system's dark or light setting and can be read on a phone.
 */
export function htmlReport(runs: readonly ClaimRun[], options: ReportOptions): string {
  requireObject("htmlReport", "runs", runs, "an array");
  checkOptions("htmlReport", options, ["title", "environment", "papers"], ["environment"]);
  const { title = "Claims reproduced", environment, papers = {} } = options;
  const records = runs.flatMap((run) => run.records);
  const held = records.filter(({ holds }) => holds).length;
  const contents = runs.map(({ method }) => `<a href="#${escapeText(method)}">${escapeText(method)}</a>`).join(" · ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
<link rel="icon" href="data:,">
<style>
${reportStyles}
</style>
</head>
<body>
<main>
<h1>${escapeText(title)}</h1>
<p class="verdict ${held === records.length ? "good" : "bad"}">${held} of ${records.length} claims hold</p>
${runs.length > 1 ? `<nav aria-label="Methods">${contents}</nav>` : ""}
${facts(environment)}
${runs.map((run) => methodSection(run, papers[run.method])).join("\n")}
</main>
</body>
</html>
`;
}
