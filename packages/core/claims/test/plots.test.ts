import { inflateSync } from "node:zlib";
import { ShapeError, ValueError } from "@offprint/tensor-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  barPlot,
  heatMap,
  imageGrid,
  type LineSeries,
  linePlot,
  plot,
  plotStyles,
  polygonGrid,
  type Series,
} from "../src/index.js";
import { axisScale } from "../src/plots/scale.js";
import { textWidth } from "../src/plots/svg.js";

const sizes: Record<string, number> = { h: 15, a: 12.5, k: 12.5, v: 11, t: 12 };

const entities: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };

interface Box {
  text: string;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Boxes of the texts outside the plotting area, from estimated widths. */
function textBoxes(svg: string): Box[] {
  const outside = svg.replace(/<svg x=.*?<\/svg>/g, "").replace(/<g transform.*?<\/g>/g, "");
  return Array.from(
    outside.matchAll(/<text x="([-\d.]+)" y="([-\d.]+)" class="(\w)"(?: text-anchor="(\w+)")?>(.*?)<\/text>/g),
    ([, x, y, style, anchor, content]) => {
      const text = content!.replaceAll(/&[\w#]+;/g, (entity) => entities[entity]!);
      const width = textWidth(text, sizes[style!]!);
      const left = Number(x) - (anchor === "end" ? width : anchor === "middle" ? width / 2 : 0);
      return { text, left, right: left + width, top: Number(y) - 0.75 * sizes[style!]!, bottom: Number(y) + 2 };
    },
  );
}

function expectReadable(svg: string) {
  const [, width, height] = svg.match(/viewBox="0 0 (\d+) (\d+)"/)!.map(Number);
  const boxes = textBoxes(svg);
  for (const box of boxes) {
    expect(box.left, box.text).toBeGreaterThanOrEqual(-0.5);
    expect(box.right, box.text).toBeLessThanOrEqual(width! + 0.5);
    expect(box.bottom, box.text).toBeLessThanOrEqual(height! + 0.5);
  }
  for (const [index, a] of boxes.entries()) {
    for (const b of boxes.slice(index + 1)) {
      const apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
      expect(apart, `"${a.text}" over "${b.text}"`).toBe(true);
    }
  }
}

function decodePng(address: string) {
  const bytes = Buffer.from(address.replace("data:image/png;base64,", ""), "base64");
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    chunks.set(bytes.toString("latin1", at + 4, at + 8), bytes.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const header = chunks.get("IHDR")!;
  return { width: header.readUInt32BE(0), height: header.readUInt32BE(4), rows: inflateSync(chunks.get("IDAT")!) };
}

const lines: LineSeries = {
  kind: "line",
  title: "Distance to the minimum",
  x: { label: "update" },
  y: { label: "distance", unit: "m" },
  curves: [
    { name: "first", y: [3, 2, 1] },
    { name: "second", x: [0, 1, 2], y: [1, 2, 3], low: [0, 1, 2], high: [2, 3, 4] },
  ],
};

describe("linePlot", () => {
  it("names axes with their units, curves and the whole", () => {
    const svg = linePlot(lines);
    for (const word of ["Distance to the minimum", "distance (m)", ">update<", ">first<", ">second<"]) {
      expect(svg).toContain(word);
    }
    expect(svg).toMatch(
      /role="img" aria-label="Distance to the minimum\. distance \(m\) against update: first, second\."/,
    );
  });

  it("texts neither overlap nor leave the plot, whatever the data", () => {
    const value = fc.oneof(
      fc.double({ min: -1e9, max: 1e9, noNaN: true }),
      fc.double({ min: -1e-6, max: 1e-6, noNaN: true }),
      fc.constant(null),
    );
    const name = fc.string({ minLength: 1, maxLength: 50 });
    const scale = fc.constantFrom("linear" as const, "log" as const);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, fc.array(value, { minLength: 1, maxLength: 20 })), { minLength: 1, maxLength: 6 }),
        fc.tuple(scale, scale, name),
        fc.integer({ min: 320, max: 900 }),
        (curves, [across, up, label], width) => {
          const series: LineSeries = {
            ...lines,
            x: { label, scale: across },
            y: { label, unit: "ms", scale: up },
            curves: curves.map(([name, y]) => ({ name, y })),
            references: [{ value: 1, label: "criterion" }],
          };
          const svg = linePlot(series, { width });
          expect(svg).not.toMatch(/NaN|Infinity|undefined/);
          expectReadable(svg);
        },
      ),
      { seed: 2, numRuns: 300 },
    );
  });

  it("leaves a gap where a point is missing, and shows a lone point", () => {
    const svg = linePlot({ ...lines, curves: [{ name: "c", y: [1, 2, null, 4, Number.NaN, 6, 7] }] });
    const path = svg.match(/class="l s1" d="(.*?)"/)![1]!;
    expect(path.match(/M/g)).toHaveLength(3);
    expect(svg.match(/<circle/g)).toHaveLength(1);
  });

  it("skips what a logarithmic axis cannot show", () => {
    const svg = linePlot({ ...lines, y: { label: "y", scale: "log" }, curves: [{ name: "c", y: [0, -1, 10, 100] }] });
    expect(svg.match(/class="l s1" d="(.*?)"/)![1]!.match(/[ML]/g)).toHaveLength(2);
  });

  it("draws a long curve with few points and keeps its extremes", () => {
    const y = Float64Array.from({ length: 100_000 }, (_, index) => Math.sin(index / 50));
    y[54_321] = 5;
    const svg = linePlot({ ...lines, y: { label: "y", range: [-5, 5] }, curves: [{ name: "c", y }] });
    expect(svg.length).toBeLessThan(60_000);
    const heights = Array.from(svg.match(/class="l s1" d="(.*?)"/)![1]!.matchAll(/[ML][\d.]+ ([\d.]+)/g), (m) =>
      Number(m[1]),
    );
    expect(Math.min(...heights)).toBe(0);
  });

  it("tells curves apart by dashes and marks as well as by colour", () => {
    const curves = ["a", "b", "c"].map((name) => ({ name, y: [1, 2], style: "line-points" as const }));
    const svg = linePlot({ ...lines, curves });
    const dashes = Array.from(
      svg.matchAll(/class="l s\d"[^>]*?d="M[^>]*?>/g),
      ([path]) => path.match(/dasharray="(.*?)"/)?.[1],
    );
    expect(new Set(dashes).size).toBe(3);
  });

  it("carries its style sheet unless the page has it", () => {
    expect(linePlot(lines)).toContain("prefers-color-scheme:dark");
    expect(linePlot(lines, { styles: "page" })).not.toContain("<style>");
    expect(plotStyles(".dark")).toContain(".dark .offprint-plot{");
  });

  it("escapes texts", () => {
    const svg = linePlot({ ...lines, title: `<script>"&'` });
    expect(svg).toContain("&lt;script&gt;&quot;&amp;&#39;");
    expect(svg).not.toContain("<script>");
  });
});

describe("ticks", () => {
  it("name multiples of their step exactly", () => {
    const texts = (low: number, high: number, count: number) =>
      axisScale({ label: "", range: [low, high] }, [])
        .ticks(count)
        .map(({ text }) => text);
    expect(texts(0, 1, 4)).toEqual(["0.00", "0.25", "0.50", "0.75", "1.00"]);
    expect(texts(-1, 1, 4)).toEqual(["−1.0", "−0.5", "0.0", "0.5", "1.0"]);
    expect(texts(0, 4e6, 4)).toEqual(["0", "1", "2", "3", "4"]);
  });

  it("of a linear axis lie inside it at even distances", () => {
    const finite = fc.double({ min: -1e12, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(
        finite,
        fc.double({ min: 1e-9, max: 1e12, noNaN: true }),
        fc.integer({ min: 2, max: 9 }),
        (low, span, count) => {
          fc.pre(span > Math.abs(low) * 1e-6);
          const scale = axisScale({ label: "", range: [low, low + span] }, []);
          const ticks = scale.ticks(count);
          expect(ticks.length).toBeGreaterThanOrEqual(1);
          expect(ticks.length).toBeLessThanOrEqual(count + 1);
          for (const { value } of ticks) {
            expect(scale.place(value)).toBeGreaterThan(-1e-6);
            expect(scale.place(value)).toBeLessThan(1 + 1e-6);
          }
          expect(new Set(ticks.map(({ text }) => text)).size).toBe(ticks.length);
        },
      ),
      { seed: 3 },
    );
  });
});

describe("barPlot", () => {
  const bars: Series = {
    kind: "bar",
    title: "Accuracy",
    category: "optimizer",
    categories: ["diffGrad", "Adam", "SGDM"],
    value: { label: "test accuracy" },
    bars: [{ name: "measured", values: [0.9, 0.35, null], low: [0.8, 0.2, null], high: [0.95, 0.5, null] }],
    references: [{ value: 0.75, label: "criterion" }],
  };

  it("stands bars on zero, with whiskers and numbers, and leaves out missing ones", () => {
    const svg = barPlot(bars);
    expect(svg.match(/<rect class="f1"/g)).toHaveLength(2);
    expect(svg.match(/<path class="e"/g)).toHaveLength(2);
    expect(svg).toContain(">0.35<");
    expectReadable(svg);
  });

  it("writes numbers of neighbours so that they do not touch", () => {
    const three = (values: number[]) =>
      barPlot({
        ...bars,
        categories: ["2", "3", "4", "5"],
        bars: ["a", "b", "c"].map((name, index) => ({ name, values: [values[index], 1.21, 2.42, 3.32] })),
      });
    const numbers = (svg: string) => [...svg.matchAll(/class="v"[^>]*>([^<]+)</g)].map((match) => match[1]);
    expect(numbers(three([0.944, 0.944, 1.28])).slice(0, 3)).toEqual(["0.94", "0.94", "1.3"]);
    // Of quite different heights they may keep their digits.
    expect(numbers(three([0.944, 3.944, 1.28])).slice(0, 3)).toEqual(["0.944", "3.94", "1.28"]);
  });

  it("lays bars down when names are long, and keeps every text readable", () => {
    const categories = [
      "compiled into one graph, one thread",
      "eager with a BLAS library",
      "unrolled WebAssembly loops",
    ];
    const svg = barPlot({ ...bars, categories }, { width: 320 });
    expect(svg).toContain('text-anchor="end">compiled into');
    expectReadable(svg);
  });

  it("stays readable for any names and numbers", () => {
    const name = fc.string({ minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, fc.double({ min: -1e8, max: 1e8, noNaN: true })), { minLength: 1, maxLength: 12 }),
        fc.constantFrom("linear" as const, "log" as const),
        (rows, scale) => {
          const svg = barPlot({
            ...bars,
            value: { label: "time", unit: "ms", scale },
            categories: rows.map(([category]) => category),
            bars: [{ name: "time", values: rows.map(([, value]) => value) }],
          });
          expect(svg).not.toMatch(/NaN|Infinity|undefined/);
          expectReadable(svg);
        },
      ),
      { seed: 4, numRuns: 200 },
    );
  });
});

describe("heatMap", () => {
  const map: Series = {
    kind: "heat-map",
    title: "Confusion",
    x: { label: "predicted" },
    y: { label: "true" },
    value: { label: "share" },
    rows: ["cat", "dog"],
    columns: ["cat", "dog", "bird"],
    values: [Float64Array.of(0, 1, 0.5), [1, null, 0]],
  };

  it("colours cells from low to high and leaves missing ones transparent", () => {
    const svg = heatMap(map);
    const { width, height, rows } = decodePng(svg.match(/href="(data:image\/png[^"]*)"/)![1]!);
    expect([width, height]).toEqual([3, 2]);
    expect([...rows.subarray(1, 9)]).toEqual([0x44, 0x01, 0x54, 255, 0xfd, 0xe7, 0x25, 255]);
    expect(rows[13 + 1 + 7]).toBe(0);
    expectReadable(svg);
  });

  it("puts the neutral colour of a diverging map at the centre", () => {
    const svg = heatMap({ ...map, center: 0, values: [[-1, 0, 4]], rows: ["only"] });
    const { rows } = decodePng(svg.match(/href="(data:image\/png[^"]*)"/)![1]!);
    expect([...rows.subarray(5, 8)]).toEqual([0xf5, 0xf5, 0xf5]);
  });
});

describe("imageGrid", () => {
  it("keeps the pixels", () => {
    const svg = imageGrid({
      kind: "images",
      title: "Digits",
      images: [{ label: "seven", width: 2, height: 2, channels: 1, pixels: [0, 1, 0.5, 2] }],
    });
    const { rows } = decodePng(svg.match(/href="(data:image\/png[^"]*)"/)![1]!);
    expect([...rows]).toEqual([0, 0, 255, 0, 128, 255]);
    expect(svg).toContain(">seven<");
  });
});

describe("polygonGrid", () => {
  const square = { points: [0, 0, 2, 0, 2, 1, 0, 1] };

  it("draws all drawings to one scale, y upwards, later polygons over earlier ones", () => {
    const svg = polygonGrid(
      {
        kind: "polygons",
        title: "Solids",
        columns: 2,
        drawings: [
          { label: "first", polygons: [square, { points: [0, 0, 1, 0, 0, 1], colour: 1, shade: 0.5 }] },
          { label: "second", polygons: [square] },
        ],
      },
      { width: 410 },
    );
    const paths = [...svg.matchAll(/<path[^>]* d="([^"]*)"[^>]*>/g)].map(([whole, d]) => ({ whole, d }));
    expect(paths.length).toBe(4);
    const xs = (d: string) => [...d.matchAll(/[ML]([-\d.]+) /g)].map(([, x]) => Number(x));
    const ys = (d: string) => [...d.matchAll(/[ML][-\d.]+ ([-\d.]+)/g)].map(([, y]) => Number(y));
    expect(xs(paths[0]!.d!)).toEqual([0, 200, 200, 0]);
    expect(xs(paths[3]!.d!)).toEqual([210, 410, 410, 210]);
    const [bottom, , top] = ys(paths[0]!.d!);
    expect(bottom! - top!).toBeCloseTo(100, 6);
    expect(paths[1]!.whole).toContain('class="m f2"');
    expect(paths[2]!.whole).toContain('fill-opacity="0.3"');
    expectReadable(svg);
    expect(svg).toContain("Drawings: first, second.");
  });

  it.each<[string, number[], new (...args: never[]) => Error]>([
    ["a polygon of two corners", [0, 0, 1, 1], ShapeError],
    ["a coordinate that is missing", [0, 0, 1, 1, Number.NaN, 2], ValueError],
  ])("rejects %s", (_, points, error) => {
    expect(() => plot({ kind: "polygons", title: "p", drawings: [{ polygons: [{ points }] }] })).toThrow(error);
  });

  it("rejects drawings without polygons", () => {
    expect(() => plot({ kind: "polygons", title: "p", drawings: [{ polygons: [] }] })).toThrow(ValueError);
  });
});

describe("plot", () => {
  it.each<[string, Series, new (...args: never[]) => Error]>([
    ["curves of different lengths", { ...lines, curves: [{ name: "c", x: [1], y: [1, 2] }] }, ShapeError],
    ["half an error band", { ...lines, curves: [{ name: "c", y: [1], low: [0] }] }, ValueError],
    ["no curves", { ...lines, curves: [] }, ValueError],
    ["a range that descends", { ...lines, y: { label: "y", range: [1, 0] } }, ValueError],
    [
      "too few pixels",
      { kind: "images", title: "i", images: [{ width: 2, height: 2, channels: 3, pixels: [1] }] },
      ShapeError,
    ],
  ])("rejects %s", (_, series, error) => {
    expect(() => plot(series)).toThrow(error);
  });
});
