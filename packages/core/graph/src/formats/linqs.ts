import { checkOptions, FormatError, tensor } from "@offprint/tensor-core";
import { coalesce } from "../edits.js";
import { undirected } from "../graph.js";
import type { NodeData } from "../node-data.js";
import { failAtLine, type TextFile, textLines } from "./text-lines.js";

/** Options of `readLinqs`. */
export interface LinqsOptions {
  /** What people call the data set. Default "LINQS". */
  name?: string;
  /** What to do with citations of papers that are not in the content file: leave out, or fail. Default `leave out`. */
  unknown?: "leave out" | "fail";
}

/**
 * A citation data set of the LINQS group: `NAME.content`, a line per paper with its id, its words (0 or 1, or
 * numbers) and its class, and `NAME.cites`, a line per citation with the ids of the cited and the citing paper. Citations
 * become edges both ways, once.
 */
export function readLinqs(content: TextFile, cites: TextFile, options: LinqsOptions = {}): NodeData {
  checkOptions("readLinqs", options, ["name", "unknown"]);
  const { name = "LINQS", unknown = "leave out" } = options;
  const lines = textLines("LINQS content", content);
  if (lines.length === 0) throw new FormatError("LINQS content: the file is empty");
  const rows = lines.map((line) => ({ line, cells: line.text.trim().split(/\t|\s+/) }));
  const width = rows[0].cells.length - 2;
  if (width < 1) failAtLine("LINQS content", lines[0], "a line has an id, at least one word and a class");
  for (const { line, cells } of rows) {
    if (cells.length !== width + 2) {
      failAtLine("LINQS content", line, `${cells.length} cells; the first line has ${width + 2}`);
    }
  }
  const ids = new Map<string, number>();
  const features = new Float32Array(rows.length * width);
  const classNumbers = new Map<string, number>();
  const classNames = [...new Set(rows.map(({ cells }) => cells[cells.length - 1]))].sort();
  for (const [i, className] of classNames.entries()) classNumbers.set(className, i);
  const labels = new Int32Array(rows.length);
  rows.forEach(({ line, cells }, i) => {
    if (ids.has(cells[0])) failAtLine("LINQS content", line, `paper ${cells[0]} comes twice`);
    ids.set(cells[0], i);
    for (let k = 0; k < width; k++) {
      const value = Number(cells[k + 1]);
      if (!Number.isFinite(value)) failAtLine("LINQS content", line, `"${cells[k + 1]}" is no number`);
      features[i * width + k] = value;
    }
    labels[i] = classNumbers.get(cells[width + 1]) as number;
  });
  const pairs: number[] = [];
  for (const line of textLines("LINQS cites", cites)) {
    const ends = line.text.trim().split(/\t|\s+/);
    if (ends.length !== 2) failAtLine("LINQS cites", line, `${ends.length} ids; a line has two`);
    const [cited, citing] = ends.map((id) => ids.get(id));
    if (cited !== undefined && citing !== undefined) pairs.push(cited, citing);
    else if (unknown === "fail") failAtLine("LINQS cites", line, `a paper of ${ends.join(" ")} is not in the content`);
  }
  const edges = tensor(Int32Array.from(pairs), { shape: [pairs.length / 2, 2] });
  return {
    name,
    graph: coalesce(undirected(edges, rows.length)),
    features: tensor(features, { shape: [rows.length, width] }),
    labels,
    classNames,
    nodeNames: [...ids.keys()],
  };
}
