import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { random, tensor } from "@offprint/tensor-core";
import { errorLike, expectClose, temporaryFolder } from "@offprint/testing";
import { gzipSync } from "fflate";
import { describe, expect, it } from "vitest";
import {
  clinicalQuantities,
  clinicalSeries,
  collectSeries,
  hideObservations,
  type IrregularSeries,
  rangeScaling,
  readClinicalRecord,
  readCsv,
  subsetSeries,
  tableSeries,
} from "../src/index.js";
import { loadClinicalRecords } from "../src/node.js";

const seen = (id: string, time: number, name: string, value: number) => ({ id, time, name, value });
const few = [
  seen("b", 2, "x", 4),
  seen("a", 0.4, "y", 1),
  seen("a", 0.6, "x", 2),
  seen("a", 0.7, "x", 6),
  seen("b", 2, "y", -1),
];

describe("collectSeries", () => {
  it("puts what was seen on the times of all, with masks", () => {
    const { ids, names, times, values, mask } = collectSeries(few);
    expect([ids, names, times.toArray()]).toEqual([
      ["b", "a"],
      ["x", "y"],
      [0.4, 0.6, 0.7, 2],
    ]);
    const [b, a] = values.toArray() as number[][][];
    expect(b).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
      [4, -1],
    ]);
    expect(a).toEqual([
      [0, 1],
      [2, 0],
      [6, 0],
      [0, 0],
    ]);
    expect((mask.toArray() as number[][][])[1]).toEqual([
      [0, 1],
      [1, 0],
      [1, 0],
      [0, 0],
    ]);
  });

  it("rounds times, averages what falls together, makes a whole grid of a span", () => {
    const { times, values } = collectSeries(few, { quantum: 1, span: [0, 3], names: ["x"] });
    expect(times.toArray()).toEqual([0, 1, 2, 3]);
    expect(values.toArray()).toEqual([
      [[0], [0], [4], [0]],
      [[0], [4], [0], [0]],
    ]);
    expect(collectSeries(few, { quantum: 0.5 }).times.toArray()).toEqual([0.5, 2]);
    expect(collectSeries(few, { span: [0, 1] }).ids).toEqual(["a"]);
  });

  it("refuses what has no place", () => {
    expect(() => collectSeries([seen("a", 0, "x", Number.NaN)])).toThrow(
      errorLike("ValueError", /series a has x = NaN/),
    );
    expect(() => collectSeries([seen("a", Infinity, "x", 1)])).toThrow(errorLike("ValueError", /at time Infinity/));
    expect(() => collectSeries([])).toThrow(errorLike("ValueError", /nothing to keep/));
    expect(() => collectSeries(few, { names: ["z"] })).toThrow(errorLike("ValueError", /nothing to keep/));
    expect(() => collectSeries(few, { names: ["x", "x"] })).toThrow(errorLike("ValueError", /twice/));
    expect(() => collectSeries(few, { quantum: 0 })).toThrow(errorLike("ValueError", /quantum/));
    expect(() => collectSeries(few, { span: [1, 1] })).toThrow(errorLike("ValueError", /span/));
    expect(() => collectSeries(few, { quantum: 1e-9, span: [0, 10] })).toThrow(
      errorLike("ValueError", /larger quantum/),
    );
    expect(() => collectSeries({} as never)).toThrow(errorLike("ValueError", /no list/));
  });
});

describe("tableSeries", () => {
  const table = readCsv("patient,hour,pulse,note,ph\np,0,80,x,\np,2,,y,7.4\nq,1,60,,\n");

  it("reads a table with gaps", () => {
    const { ids, names, times, mask } = tableSeries(table, { id: "patient", names: ["pulse", "ph"] });
    expect([ids, names, times.toArray()]).toEqual([
      ["p", "q"],
      ["pulse", "ph"],
      [0, 1, 2],
    ]);
    expect(mask.toArray()).toEqual([
      [
        [1, 0],
        [0, 0],
        [0, 1],
      ],
      [
        [0, 0],
        [1, 0],
        [0, 0],
      ],
    ]);
    expect(tableSeries(readCsv("t,x\n0,1\n1,2\n")).values.toArray()).toEqual([[[1], [2]]]);
  });

  it("says what is wrong with one", () => {
    expect(() => tableSeries(table, { id: "patient" })).toThrow(errorLike("ValueError", /note holds texts/));
    expect(() => tableSeries(table, { id: "name" })).toThrow(errorLike("ValueError", /no column name/));
    expect(() => tableSeries(readCsv("t,x\n0,1\n,2\n"))).toThrow(errorLike("ValueError", /row 2 has no t/));
    expect(() => tableSeries(readCsv("id\na\n"), { id: "id" })).toThrow(errorLike("ValueError", /no column of times/));
  });
});

describe("parts and units", () => {
  const series = collectSeries(few);

  it("subsets keep names and order", () => {
    const { ids, values } = subsetSeries(series, [1]);
    expect([ids, values.shape]).toEqual([["a"], [1, 4, 2]]);
    expect(() => subsetSeries({ ...series, mask: tensor([1]) }, [0])).toThrow(errorLike("ShapeError", /mask \[1\]/));
  });

  it("what is hidden and what is seen are all there was, and share nothing", () => {
    const { seen: left, hidden } = hideObservations(series, { share: 0.5, rng: random.rng(1) });
    expectClose(left.mask.add(hidden.mask), series.mask, 0);
    expectClose(left.values.add(hidden.values), series.values, 0);
    expectClose(left.mask.mul(hidden.mask).sum(), 0, 0);
    expect(
      hideObservations(series, { share: 0, rng: random.rng(1) })
        .hidden.mask.sum()
        .item(),
    ).toBe(0);
    expect(() => hideObservations(series, { share: 2, rng: random.rng(1) })).toThrow(errorLike("ValueError", /share/));
  });

  it("ranges are of what was seen, and can be undone", () => {
    const scale = rangeScaling(series);
    expect([scale.minimum.toArray(), scale.maximum.toArray()]).toEqual([
      [2, -1],
      [6, 1],
    ]);
    const { values } = scale.apply(series);
    expect((values.toArray() as number[][][])[0]).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
      [0.5, 0],
    ]);
    expectClose(scale.invert(values).mul(series.mask), series.values, 1e-15);
    const still = rangeScaling(collectSeries([seen("a", 0, "x", 3), seen("a", 1, "x", 3)]));
    expect([still.minimum.item(), still.maximum.item()]).toEqual([3, 4]);
    expect(() => scale.apply(collectSeries([seen("a", 0, "x", 1)]))).toThrow(errorLike("ValueError", /1 quantities/));
    const bad: IrregularSeries = { ...series, values: series.values.div(0) };
    expect(() => rangeScaling(bad)).toThrow(errorLike("ValueError", /not finite/));
  });
});

const record = (id: number, rows: string) =>
  `Time,Parameter,Value\n00:00,RecordID,${id}\n00:00,Age,54\n00:00,Gender,0\n00:00,Height,-1\n00:00,ICUType,4\n00:00,Weight,-1\n${rows}`;

describe("records of the PhysioNet Challenge 2012", () => {
  const text = record(132539, "00:07,HR,73\n00:37,HR,77\n00:37,Temp,35.1\n47:37,pH,7.4\n48:00,Weight,81.6\n");

  it("are read, unknown weights and heights left out", () => {
    const { id, descriptors, observations, unnamed } = readClinicalRecord(text);
    expect([id, descriptors, unnamed]).toEqual(["132539", { Age: 54, Gender: 0, ICUType: 4 }, 0]);
    expect(observations).toHaveLength(5);
    expectClose(observations[1].time, 37 / 60, 1e-15);
    expect(readClinicalRecord(gzipSync(new TextEncoder().encode(text))).id).toBe("132539");
    expect(readClinicalRecord(record(1, "01:00,,7\n")).unnamed).toBe(1);
  });

  it("become series of 37 quantities at 49 times, or at every minute", () => {
    const { names, times, values, mask } = clinicalSeries([readClinicalRecord(text)]);
    expect([names.length, times.shape, values.shape]).toEqual([37, [49], [1, 49, 37]]);
    const at = (time: number, name: string) => [0, time, clinicalQuantities.indexOf(name)] as const;
    const value = (k: number, name: string) => values.slice([...at(k, name)]).item();
    // 00:37 is nearer to the first hour than to none
    expect([value(0, "HR"), value(1, "HR"), value(48, "pH"), value(48, "Weight")]).toEqual([73, 77, 7.4, 81.6]);
    expect(mask.sum().item()).toBe(5);
    expect(clinicalSeries([readClinicalRecord(text)], { quantum: 1 / 60 }).times.shape).toEqual([2881]);
    const twice = clinicalSeries([readClinicalRecord(text)], { quantum: 2, names: ["HR"] });
    expect([twice.times.size, twice.values.slice([0, 0, 0]).item()]).toEqual([25, 75]);
  });

  it("of a folder come in the order of their numbers; patients without measurements do not appear", async () => {
    const folder = join(temporaryFolder("records"), "set-a");
    mkdirSync(folder);
    writeFileSync(join(folder, "132540.txt"), record(132540, "02:10,HR,60\n"));
    writeFileSync(join(folder, "99.txt"), record(99, ""));
    writeFileSync(join(folder, "132539.txt"), text);
    writeFileSync(join(folder, "Outcomes-a.txt"), "RecordID,SAPS-I\n132539,6\n");
    const records = await loadClinicalRecords(folder);
    expect(records.map(({ id }) => id)).toEqual(["99", "132539", "132540"]);
    expect(clinicalSeries(records).ids).toEqual(["132539", "132540"]);
    expect(await loadClinicalRecords(folder, { limit: 1 })).toHaveLength(1);
    writeFileSync(join(folder, "132541.txt"), "Time,Parameter,Value\n00:00,RecordID,132541\n00:07,HR\n");
    await expect(loadClinicalRecords(folder)).rejects.toThrow(errorLike("FormatError", /132541.txt.*line 3/));
  });

  it("a folder without any, or none at all, is an error", async () => {
    const folder = temporaryFolder("no records");
    await expect(loadClinicalRecords(folder)).rejects.toThrow(errorLike("ValueError", /no file such as 132539.txt/));
    await expect(loadClinicalRecords(join(folder, "gone"))).rejects.toThrow(errorLike("ValueError", /cannot read/));
    await expect(loadClinicalRecords(folder, { limit: 0 })).rejects.toThrow(errorLike("ValueError", /limit/));
  });

  it.each([
    ["another header", "RecordID,SAPS-I\n132539,6\n", 1, /first line/],
    ["no header", "", 1, /first line/],
    ["a row that is cut off", record(1, "00:07,HR"), 8, /2 fields where 3/],
    ["a time that is none", record(1, "0007,HR,73"), 8, /hours:minutes/],
    ["minutes that are none", record(1, "00:77,HR,73"), 8, /hours:minutes/],
    ["a value that is no number", record(1, "00:07,HR,seventy"), 8, /HR is "seventy"/],
    ["a value that is too large", record(1, "00:07,HR,1e999"), 8, /not a number/],
    ["no value", record(1, "00:07,HR,"), 8, /not a number/],
    ["two patients", record(1, "00:00,RecordID,2"), 8, /second RecordID/],
    ["a patient without a number", "Time,Parameter,Value\n00:00,RecordID,x", 2, /RecordID "x"/],
    ["no patient", "Time,Parameter,Value\n00:07,HR,73\n", 1, /no row has a RecordID/],
  ])("damaged: %s", (_, file, line, message) => {
    expect(() => readClinicalRecord(file)).toThrow(errorLike("FormatError", message));
    expect(() => readClinicalRecord(file)).toThrow(expect.objectContaining({ offset: line }));
  });

  it("refuse one patient twice, and parameters that nobody asked for", () => {
    const one = readClinicalRecord(text);
    expect(() => clinicalSeries([one, one])).toThrow(errorLike("ValueError", /two records of patient 132539/));
    const odd = readClinicalRecord(record(2, "01:00,Mood,3\n"));
    expect(() => clinicalSeries([odd])).toThrow(errorLike("ValueError", /record 2 has Mood/));
    expect(clinicalSeries([odd], { names: ["Mood"] }).names).toEqual(["Mood"]);
    expect(() => clinicalSeries([])).toThrow(errorLike("ValueError", /nothing to keep/));
    expect(() => clinicalSeries(undefined as never)).toThrow(errorLike("ValueError", /a list of records/));
  });
});
