import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ClaimRecord,
  displayWidth,
  figure,
  formatQuantity,
  formatSeconds,
  formatTable,
  wrapText,
} from "../src/index.js";

const record: ClaimRecord = {
  id: "a",
  statement: "On F1 and F2 diffGrad ends in the global minimum",
  source: "Figure 3",
  paper: { Adam: 0.2, diffGrad: -0.3 },
  measured: { Adam: 0.20008, diffGrad: -0.30003 },
  holds: true,
  detail: "",
  series: [],
  tables: [],
  seconds: 1,
};

describe("formatTable", () => {
  it("is never wider than the terminal and loses no word", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 60 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(text, text, text), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 24, max: 160 }),
        (rows, width) => {
          const records = rows.map(([statement, paper, measured]) => ({ ...record, statement, paper, measured }));
          for (const line of formatTable(records, { width }).split("\n"))
            expect(displayWidth(line)).toBeLessThanOrEqual(width);
        },
      ),
      { seed: 1 },
    );
  });

  it("shows claim, paper, measured and holds", () => {
    expect(formatTable([record, { ...record, measured: 7, holds: false }], { width: 100 })).toBe(
      [
        "claim                                      │ paper                  │ measured               │ holds",
        "───────────────────────────────────────────┼────────────────────────┼────────────────────────┼──────",
        "On F1 and F2 diffGrad ends in the global   │ Adam: 0.2,             │ Adam: 0.2001,          │ yes",
        "minimum (Figure 3)                         │ diffGrad: −0.3         │ diffGrad: −0.3         │",
        "───────────────────────────────────────────┼────────────────────────┼────────────────────────┼──────",
        "On F1 and F2 diffGrad ends in the global   │ Adam: 0.2,             │ 7                      │ NO",
        "minimum (Figure 3)                         │ diffGrad: −0.3         │                        │",
      ].join("\n"),
    );
  });

  it("lists the cells one below the other where four columns would not fit", () => {
    const lines = formatTable([record], { width: 40 }).split("\n");
    expect(lines.map((line) => line.slice(0, 10).trim()).filter((word) => word !== "")).toEqual([
      "claim",
      "paper",
      "measured",
      "holds",
    ]);
  });

  it("gives numbers the room that they need, and lists the cells where it is not there", () => {
    const measured = { "difference of the gradients": 1.11e-16, "at the limit": 1.2345e-10 };
    for (const width of [30, 44, 58, 70, 100]) {
      const table = formatTable([{ ...record, paper: "exact", measured }], { width });
      expect(table).toContain("1.11e−16");
      expect(table).toContain("1.234e−10");
      expect(Math.max(...table.split("\n").map(displayWidth))).toBeLessThanOrEqual(width);
    }
  });

  it("colours the verdict alone", () => {
    const table = formatTable([{ ...record, statement: "yes we can", measured: "yes" }], { width: 90, colour: true });
    expect(table.split("\u001b").slice(1)).toEqual(["[32myes", "[0m\n" + table.split("[0m\n")[1]]);
  });

  it("shows the message of a claim that ended with an error", () => {
    const table = formatTable([{ ...record, holds: false, error: "ValueError: bad" }], { width: 120 });
    expect(table).toMatch(/ValueError: bad\s+│ error/);
  });
});

describe("wrapText", () => {
  it("breaks between words, and inside a word only when it is longer than a line", () => {
    expect(wrapText("one two three", 7)).toEqual(["one two", "three"]);
    expect(wrapText("abcdefgh ij", 3)).toEqual(["abc", "def", "gh", "ij"]);
    expect(wrapText("", 5)).toEqual([""]);
    expect(wrapText("a b\u00a0c", 4)).toEqual(["a", "b\u00a0c"]);
  });

  it("breaks a long word where its parts meet, never inside a number", () => {
    expect(wrapText("largest\u00a0error:\u00a01.11e−16", 12)).toEqual(["largest", "error:", "1.11e−16"]);
    expect(wrapText("fit_regressor/loss", 10)).toEqual(["fit_", "regressor/", "loss"]);
  });
});

describe("numbers for readers", () => {
  it.each([
    [0.903125, "0.9031"],
    [-0.30003, "−0.3"],
    [1797, "1797"],
    [1.5e-7, "1.5e−7"],
    [123456789.5, "1.235e8"],
    [Number.NaN, "NaN"],
    [Number.NEGATIVE_INFINITY, "−∞"],
    [0, "0"],
  ])("%d is %s", (value, text) => {
    expect(figure(value)).toBe(text);
  });

  it("names the parts of a quantity", () => {
    expect(formatQuantity({ Adam: 0.2, verdict: "worse" })).toBe("Adam:\u00a00.2, verdict:\u00a0worse");
    expect(formatQuantity({ "c = 1e-8, half-way": 1 })).toBe("c\u00a0=\u00a01e−8,\u00a0half-way:\u00a01");
    expect(formatQuantity({ "at -0.5": 1, "layer-2": 2 })).toBe("at\u00a0−0.5:\u00a01, layer-2:\u00a02");
  });

  it.each([
    [2.5e-6, "2.5 µs"],
    [0.43, "430 ms"],
    [12.34, "12.3 s"],
    [245, "4 min 5 s"],
    [59.96, "1 min 0 s"],
    [0.9996, "1.0 s"],
  ])("%d s is %s", (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });
});
