import {
  type ClaimRecord,
  type ClaimTable,
  figure,
  formatQuantity,
  formatSeconds,
  plot,
  type Quantity,
} from "@offprint/claims";
import { escapeHtml } from "../workspace/markdown-document.js";
import type { Package } from "../workspace/workspace.js";
import type { StoredRun } from "./stored-runs.js";

/** Figures are shown one under another on a phone, so a cell says which column it is of. */
function cell(label: string, content: string): string {
  return `<td role="cell" data-label="${escapeHtml(label)}"><span>${content}</span></td>`;
}

/** Named values stand one below another, so that long names may break and values stay whole. */
function quantity(value: Quantity): string {
  if (typeof value === "number") return `<span class="figure">${escapeHtml(formatQuantity(value))}</span>`;
  if (typeof value !== "object") return escapeHtml(formatQuantity(value));
  return Object.entries(value)
    .map(([name, part]) => `<span class="named">${escapeHtml(name)} <b>${escapeHtml(formatQuantity(part))}</b></span>`)
    .join(" ");
}

function verdict({ holds, error }: ClaimRecord): string {
  const word = error !== undefined ? "error" : holds ? "holds" : "does not hold";
  return `<span class="verdict ${holds ? "good" : "bad"}">${holds ? "✓" : "✗"} ${word}</span>`;
}

/** Anchor of a claim on its method's page. */
function anchorOf({ id }: ClaimRecord): string {
  return `claim-${id}`;
}

/** Claims in brief: statement, the paper's value, the measured one, verdict. */
export function claimsList(records: readonly ClaimRecord[]): string {
  const items = records.map((record) => {
    const { statement, paper, measured } = record;
    return (
      `<li><p>${escapeHtml(statement)}</p>` +
      `<dl><div><dt>Paper</dt><dd>${quantity(paper)}</dd></div>` +
      `<div><dt>Measured</dt><dd>${quantity(measured)}</dd></div></dl>${verdict(record)}</li>`
    );
  });
  return `<ul class="claims-in-brief">${items.join("")}</ul>`;
}

/** The table claim | paper | measured | holds. */
function claimsTable(records: readonly ClaimRecord[]): string {
  const rows = records.map((record) => {
    const claim = `<a href="#${anchorOf(record)}">${escapeHtml(record.statement)}</a>`;
    const cells = [
      cell("Claim", `${claim} <small>${escapeHtml(record.source)}</small>`),
      cell("Paper", quantity(record.paper)),
      cell("Measured", quantity(record.measured)),
      cell("Holds", verdict(record)),
    ];
    return `<tr role="row">${cells.join("")}</tr>`;
  });
  const heads = ["Claim", "Paper", "Measured", "Holds"].map(
    (name) => `<th scope="col" role="columnheader">${name}</th>`,
  );
  return (
    `<table class="claims" role="table"><thead role="rowgroup"><tr role="row">${heads.join("")}</tr></thead>` +
    `<tbody role="rowgroup">${rows.join("")}</tbody></table>`
  );
}

function dataTable({ title, columns, rows }: ClaimTable, claim: string): string {
  const head = columns.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join("");
  const body = rows.map((row) => {
    const cells = row.map((value, place) => {
      const label = `data-label="${escapeHtml(columns[place] ?? "")}"`;
      return typeof value === "number"
        ? `<td class="number" ${label}>${escapeHtml(figure(value))}</td>`
        : `<td ${label}>${escapeHtml(value ?? "—")}</td>`;
    });
    return `<tr>${cells.join("")}</tr>`;
  });
  return (
    `<div class="wide-table" tabindex="0" role="region" aria-label="${escapeHtml(`${title} (${claim})`)}"><table>` +
    `<caption>${escapeHtml(title)}</caption><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table></div>`
  );
}

function claimDetail(record: ClaimRecord): string {
  const plots = record.series.map((series) => `<figure>${plot(series, { styles: "page" })}</figure>`);
  const parts = [
    `<p>${verdict(record)} · ${escapeHtml(record.source)} · ${escapeHtml(formatSeconds(record.seconds))}</p>`,
    `<p>${escapeHtml(record.error ?? record.detail)}</p>`,
    plots.length > 0 ? `<div class="plots">${plots.join("")}</div>` : "",
    ...record.tables.map((table) => dataTable(table, record.id)),
  ];
  return `### ${escapeHtml(record.statement)} {#${anchorOf(record)}}\n\n<div v-pre>${parts.join("")}</div>`;
}

function circumstances(run: StoredRun, { version }: Package): string {
  const { scale, seed, seconds, environment } = run;
  const facts = [
    environment.date,
    `version ${run.version}`,
    scale === "full" ? "at the paper's scale" : "at the quick scale, which takes seconds",
    `seed ${seed}`,
    formatSeconds(seconds),
    ...Object.entries(environment.facts)
      .filter(([name]) => ["Device", "Node", "Bun", "Deno", "Processor"].includes(name))
      .map(([name, value]) => `${name.toLowerCase()}: ${value}`),
  ];
  const now = run.version === version ? "" : `, and is now at version ${version}`;
  const old = run.current ? "" : ` <strong>The package has changed since${escapeHtml(now)}.</strong>`;
  return `<p class="circumstances">${escapeHtml(facts.join(" · "))}.${old}</p>`;
}

/** The measured part of a method's page: values, verdicts and plots of the last stored run. */
export function measuredSection(method: Package, runs: readonly StoredRun[]): string {
  const command = `\`\`\`sh\nnpx offprint reproduce ${method.slug}\n\`\`\``;
  const run = runs[0];
  if (!run) {
    return [
      "## Measured",
      "No run of these claims is stored with this version of the package, so there are no values to show here. Measure them yourself:",
      command,
    ].join("\n\n");
  }
  const verdict = ({ records }: StoredRun) => `${records.filter(({ holds }) => holds).length} of ${records.length}`;
  const others = runs.slice(1).map((other) => {
    const place = other.scale === "full" ? "At the paper's scale" : "At the quick scale";
    return `${place} ${verdict(other)} hold${other.current ? "" : ", of an older version"}.`;
  });
  return [
    "## Measured",
    [`In the last stored run ${verdict(run)} claims hold.`, ...others, "Repeat it with"].join(" "),
    run.scale === "full" ? command.replace(/\n```$/, " --full\n```") : command,
    `<div v-pre>${claimsTable(run.records)}${circumstances(run, method)}</div>`,
    ...run.records.map(claimDetail),
  ].join("\n\n");
}
