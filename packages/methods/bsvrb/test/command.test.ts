import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { readCsv, readSafetensors } from "@offprint/data";
import { random } from "@offprint/tensor-core";
import { temporaryFolder } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";

const folder = temporaryFolder("learn to rank");
const at = (name: string) => join(folder, name);
const rng = random.rng(4);
/** Rows of queries: query, price in cents, size, relevance by 2 size - price. */
const rows = Array.from({ length: 24 }, (_, q) => {
  const items = rng.normal([6 + (q % 5), 2], { dtype: "float64" }).toArray() as number[][];
  const worth = items.map(([price, size]) => 2 * size! - price!);
  const order = [...worth.keys()].sort((a, b) => worth[b]! - worth[a]!);
  return items.map(([price, size], i) => [q + 1, 1000 + 300 * price!, 5 + size!, Math.max(0, 3 - order.indexOf(i))]);
}).flat();
const [letor, csv] = [at("queries.txt"), at("queries.csv")];
writeFileSync(letor, rows.map(([q, a, b, grade], i) => `${grade} qid:${q} 1:${a} 2:${b} # item ${i}`).join("\n"));
writeFileSync(csv, `search,price,size,grade\n${rows.map(([q, ...others]) => `s${q},${others}`).join("\n")}\n`);
const figures = (out: string, label: RegExp) =>
  out
    .split("\n")
    .filter((line) => label.test(line))
    .map((line) => Number(line.match(/\S+$/)));

describe("learn-to-rank", () => {
  it("learns from LETOR's text and from CSV the same, and writes model, rankings and NDCG", async () => {
    const words = { k: 3, sampledItems: 12, holdout: 0.25 };
    const files = { output: at("letor.safetensors"), rankings: at("rankings.csv"), quality: at("quality.csv") };
    const first = await runWords(commands, "learn-to-rank", { table: letor, ...words, ...files });
    expect([first.code, first.err]).toEqual([0, ""]);
    expect(first.out).toMatch(/24 queries, 2 features; 18 queries with 54 relevant items/);
    const [, unseenBefore] = figures(first.out, /as the file/);
    const [learnt, unseen] = figures(first.out, /as learnt/);
    expect(unseenBefore).toBeLessThan(0.8);
    expect(Math.min(learnt!, unseen!)).toBeGreaterThan(0.95);
    const rankings = readCsv(readFileSync(files.rankings));
    expect(rankings.names).toEqual(["query", "rank", "row", "score", "relevance"]);
    expect(rankings.rows).toBe(rows.length);
    const quality = readCsv(readFileSync(files.quality));
    expect(quality.names).toEqual(["query", "part", "items", "ndcg@3"]);
    expect(
      Array.from<number | string | null>(quality.column("part").values).filter((part) => part === "held out"),
    ).toHaveLength(6);

    const other = at("csv.safetensors");
    const again = await runWords(commands, "learn-to-rank", { table: csv, query: "search", ...words, output: other });
    expect(again.code).toBe(0);
    const weights = (file: string) => Array.from(readSafetensors(readFileSync(file)).tensors["weights"]!.data());
    expect(weights(other)).toEqual(weights(files.output));
  });

  it("models rank the items of files without relevance", async () => {
    const unknown = at("unknown.csv");
    writeFileSync(unknown, "search,size,price\na,4,900\na,6,900\na,5,900\nb,5,1500\nb,5,200\n");
    const model = at("csv.safetensors");
    const { code, out } = await runWords(commands, "rank-items", { model, table: unknown, query: "search" });
    expect(code).toBe(0);
    const table = readCsv(out);
    expect(table.names).toEqual(["query", "rank", "row", "score"]);
    expect(Array.from<number | string | null>(table.column("row").values)).toEqual([2, 3, 1, 5, 4]);
  });

  it("goes on after an interruption to the same model", async () => {
    const words = { table: letor, sampledItems: 4, epochs: 6 };
    const files = { output: at("resumed.safetensors"), state: at("state.json") };
    const [whole, parts] = await runInTwo(commands, "learn-to-rank", words, files);
    expect(parts).toEqual(whole);
  });

  it("says what a file lacks", async () => {
    const refused = async (text: string, words = {}) => {
      const table = at("wrong.txt");
      writeFileSync(table, text);
      const { code, err } = await runWords(commands, "learn-to-rank", { table, holdout: 0, ...words });
      return [code, err];
    };
    expect(await refused("1 1:2\n0 1:3\n")).toEqual([2, expect.stringMatching(/which query.*label qid:1/)]);
    expect(await refused("0 qid:1 1:2\n0 qid:1 1:3\n")).toEqual([2, expect.stringMatching(/no query has a relevant/)]);
    expect(await refused("a,b\n1,2\n")).toEqual([2, expect.stringMatching(/query/)]);
    expect(await refused("query,x,y\n1,2,good\n")).toEqual([2, expect.stringMatching(/relevance holds texts/)]);
    expect(await refused("query,x,y\n,2,1\n")).toEqual([2, expect.stringMatching(/no value in row 1/)]);
    const model = letor;
    const { code, err } = await runWords(commands, "rank-items", { model, table: letor });
    expect([code, err]).toEqual([2, expect.stringMatching(/safetensors|no model/i)]);
  });
});
