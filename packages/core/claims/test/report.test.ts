import { describe, expect, it } from "vitest";
import { type ClaimRecord, type ClaimRun, htmlReport } from "../src/index.js";

const record: ClaimRecord = {
  id: "global-minimum",
  statement: "Ends in the <global> minimum",
  source: "Figure 3",
  paper: "> 0.75",
  measured: 0.903,
  holds: true,
  detail: "0.903 is more than 0.75.",
  series: [
    {
      kind: "line",
      title: "Loss",
      x: { label: "step" },
      y: { label: "loss" },
      curves: [{ name: "diffGrad", y: Array.from({ length: 200 }, (_, index) => 1 / (index + 1)) }],
    },
    {
      kind: "bar",
      title: "Accuracy",
      category: "optimizer",
      categories: ["a", "b"],
      value: { label: "accuracy" },
      bars: [{ name: "mean", values: [1, 2], low: [0, 1], high: [2, 3] }],
    },
  ],
  tables: [
    {
      title: "All",
      columns: ["optimizer", "accuracy"],
      rows: [
        ["Adam", 0.5],
        ["SGDM", null],
      ],
    },
  ],
  seconds: 1.25,
};
const failed = { ...record, id: "fails", holds: false, error: "ValueError: bad", series: [], tables: [] };
const run: ClaimRun = {
  method: "diffgrad",
  version: "0.1.0",
  seed: 7,
  scale: "quick",
  device: "cpu",
  records: [record, failed],
  seconds: 2.5,
};
const options = {
  environment: { date: "24 November 2025", facts: { Node: "20.20.0", Threads: "1" } },
  papers: { diffgrad: { title: "diffGrad", authors: "Dubey et al.", year: 2020, arxiv: "1909.11015" } },
};

describe("htmlReport", () => {
  const html = htmlReport([run], options);

  it("loads nothing from anywhere", () => {
    expect(html).not.toMatch(/<script|<iframe|@import|url\(/);
    const sources = Array.from(
      html.matchAll(/(?:src|<link[^>]*href|<image[^>]*href)="([^"]*)"/g),
      (match) => match[1]!,
    );
    for (const source of sources) expect(source).toMatch(/^data:/);
  });

  it("shows what was claimed, measured and where", () => {
    for (const part of [
      "1 of 2 claims hold",
      "Ends in the &lt;global&gt; minimum",
      "ValueError: bad",
      "✗ error",
      "seed 7",
      "device cpu",
      "24 November 2025",
      "20.20.0",
      "https://arxiv.org/abs/1909.11015",
    ]) {
      expect(html).toContain(part);
    }
  });

  it("has every link's target, every table's caption and header scopes, and no id twice", () => {
    const ids = Array.from(html.matchAll(/ id="([^"]*)"/g), (match) => match[1]!);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of html.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(target);
    for (const [table] of html.matchAll(/<div class="scroll".*?<\/table>/gs))
      expect(table).toMatch(/<caption>.+<\/caption>/);
    for (const [header] of html.matchAll(/<th\b[^>]*>/g)) expect(header).toMatch(/scope="(col|row)"/);
  });

  it("escapes whatever came from elsewhere", () => {
    const evil = '"><script>alert(1)</script>';
    const papers = { [evil]: { title: evil, authors: evil, year: evil as unknown as number, arxiv: evil } };
    const page = htmlReport(
      [{ ...run, method: evil, version: evil, device: evil, records: [{ ...record, id: evil }] }],
      {
        environment: { date: evil, facts: { [evil]: evil } },
        papers,
        title: evil,
      },
    );
    expect(page).not.toContain("<script");
    expect(page).not.toContain('""');
  });

  it("closes every element", () => {
    const open: string[] = [];
    const empty = new Set(["meta", "link"]);
    for (const [, close, name, self] of html
      .replace(/<!doctype html>|<style>.*?<\/style>/gs, "")
      .matchAll(/<(\/?)([a-z0-9]+)[^<>]*?(\/?)>/g)) {
      if (self || empty.has(name!)) continue;
      if (close) expect(open.pop()).toBe(name);
      else open.push(name!);
    }
    expect(open).toEqual([]);
  });

  it("gives plotted numbers as tables, long ones thinned out", () => {
    expect(html).toContain("Data (at most 60 rows of each curve)");
    expect(html).toContain("mean, high");
  });
});
