import { fuzzReader, type ReaderCase } from "@offprint/fuzz";
import { random, tensor } from "@offprint/tensor-core";
import { gzipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { crc32 } from "../src/formats/inflate.js";
import { writeZip } from "../src/formats/zip.js";
import {
  npzNames,
  readCifar10,
  readCifar100,
  readClinicalRecord,
  readCsv,
  readIdx,
  readImage,
  readLibsvm,
  readMatrixMarket,
  readNpy,
  readNpz,
  readSafetensors,
  readSamples,
  Table,
  writeCsv,
  writeNpy,
  writeNpz,
  writePng,
  writePnm,
  writeSafetensors,
} from "../src/index.js";
import { files } from "./fixture-files.js";

const text = (content: string) => new TextEncoder().encode(content);
const noise = random.rng(1).uniform([20, 30, 3]);

/** The checksums of a PNG's chunks made right again, so that damage gets behind them. */
function withPngChecksums(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  const view = new DataView(out.buffer);
  for (let at = 8; at + 12 <= out.length; ) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > out.length) break;
    view.setUint32(end, crc32(out.subarray(at + 4, end)));
    at = end + 4;
  }
  return out;
}

const csv = text('a,b\n"x ""1""",2\nNA,3e4\n');
const market = text("%%MatrixMarket matrix coordinate real symmetric\n3 3 2\n1 1 2.5\n3 1 -1\n");
const cases: ReaderCase[] = [
  { name: "npy", read: readNpy, file: files["npy/<f8"].bytes },
  { name: "npy, version 2", read: readNpy, file: files["npy/version2"].bytes },
  { name: "npz, stored", read: (b) => readNpz(b, ["weights"]), file: files["npz/stored"].bytes },
  { name: "npz, deflated", read: (b) => readNpz(b), file: writeNpz({ a: noise, b: tensor([1, 2]) }) },
  { name: "npz, names", read: npzNames, file: writeNpz({ a: noise, b: tensor([1, 2]) }) },
  { name: "npz, its array", read: (b) => readNpz(writeZip([["x.npy", b]], true)), file: writeNpy(tensor([1, 2])) },
  { name: "safetensors", read: readSafetensors, file: files.safetensors.bytes },
  { name: "safetensors, two", read: readSafetensors, file: writeSafetensors({ a: tensor([1]), b: tensor([[2, 3]]) }) },
  { name: "IDX", read: readIdx, file: files["idx/bytes"].bytes },
  { name: "IDX, gzip", read: readIdx, file: files["idx/gzip"].bytes },
  { name: "IDX in gzip", read: (b) => readIdx(gzipSync(b)), file: files["idx/bytes"].bytes },
  { name: "CSV", read: readCsv, file: csv },
  {
    name: "clinical record",
    read: readClinicalRecord,
    file: text("Time,Parameter,Value\n00:00,RecordID,7\n01:30,HR,80\n"),
  },
  { name: "CSV, gzip", read: readCsv, file: gzipSync(text("a,b\n1,2\n".repeat(50))) },
  { name: "samples, CSV", read: (b) => sampled(() => readSamples(b)), file: text("a,b\n1,2\n3,4\n") },
  { name: "samples, LIBSVM", read: (b) => sampled(() => readSamples(b)), file: text("1 1:0.5 7:2\n-1 3:1e3\n") },
  {
    name: "samples, npz",
    read: (b) =>
      sampled(() =>
        readSamples(
          writeZip(
            [
              ["x.npy", writeNpy(noise.reshape([60, 30]))],
              ["y.npy", b],
            ],
            true,
          ),
        ),
      ),
    file: writeNpy(random.rng(2).uniform([60])),
  },
  { name: "LIBSVM", read: readLibsvm, file: text("1 qid:1 1:0.5 7:2 # c\n-1 qid:2 3:1e3\n") },
  { name: "MatrixMarket", read: readMatrixMarket, file: market },
  {
    name: "MatrixMarket, dense",
    read: readMatrixMarket,
    file: text("%%MatrixMarket matrix array real general\n2 1\n1\n2\n"),
  },
  { name: "CIFAR-10", read: readCifar10, file: new Uint8Array(3073).fill(7) },
  { name: "CIFAR-100", read: readCifar100, file: new Uint8Array(3074).fill(7) },
  { name: "PNG", read: readImage, file: writePng(noise) },
  { name: "PNG, palette, interlaced", read: readImage, file: files["png/palette4-1"].bytes },
  { name: "PNG behind its checksums", read: (b) => readImage(withPngChecksums(b)), file: writePng(noise) },
  { name: "PNG, palette, behind", read: (b) => readImage(withPngChecksums(b)), file: files["png/palette4-1"].bytes },
  { name: "PNM", read: readImage, file: writePnm(noise) },
  { name: "PNM, plain", read: readImage, file: text("P3 2 2 15 1 2 3 4 5 6 7 8 9 10 11 12") },
];

/** What `readSamples` says of whole files that hold other samples is for the user too. */
function sampled(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!/^(ValueError|ShapeError)$/.test((error as Error).name)) throw error;
  }
}

describe("damaged files give typed errors and no huge allocation", () => {
  it.each(cases)("$name", (reader) => {
    fuzzReader(reader);
  });

  it.each(cases)("$name: every truncation", ({ name, read, file }) => {
    const step = Math.max(1, Math.floor(file.length / 200));
    let refused = 0;
    let cuts = 0;
    for (let length = 0; length < file.length; length += step, cuts++) {
      try {
        read(file.slice(0, length));
      } catch (error) {
        expect((error as Error).name).toMatch(/^(FormatError|UnsupportedError)$/);
        refused++;
      }
    }
    const isText = /^(?:CSV|clinical record|LIBSVM|PNM, plain|MatrixMarket.*|samples, .*)$/.test(name);
    // a shorter text may be a whole one, as is the first byte of a gzip file; binary formats notice every cut
    if (name === "CSV, gzip") expect(refused).toBe(cuts - 1);
    else if (isText) expect(refused).toBeGreaterThan(0);
    else expect(refused).toBe(cuts);
  });

  it("anything but bytes is refused", () => {
    const refused = expect.objectContaining({ name: "FormatError" });
    for (const read of [readNpy, readNpz, readIdx, readImage, readSamples, readSafetensors, readCifar10]) {
      expect(() => read("x" as never)).toThrow(refused);
      expect(() => read(null as never)).toThrow(refused);
    }
    for (const read of [readClinicalRecord, readCsv, readLibsvm, readMatrixMarket])
      expect(() => read(null as never)).toThrow(refused);
  });
});

describe("files that lie about their size", () => {
  const format = (message: RegExp) =>
    expect.objectContaining({ name: "FormatError", message: expect.stringMatching(message) });

  it("a matrix of empty rows", () => {
    const lie = "%%MatrixMarket matrix coordinate real general\n2147483647 1 0\n";
    expect(() => readMatrixMarket(lie)).toThrow(format(/2147483647 rows for 0 entries/));
  });

  it("a table of one number in the last of its columns", () => {
    expect(() => readSamples(text("1 134217727:1\n"))).toThrow(/too many for a table/);
  });

  it("an archive of files that share their bytes", () => {
    const bytes = writeNpz({ a: noise, b: noise });
    const view = new DataView(bytes.buffer);
    const second = bytes.length - 22 - 46 - "b.npy".length;
    view.setUint32(second + 42, 0, true);
    expect(() => readNpz(bytes)).toThrow(format(/overlaps the file before it/));
    expect(() => npzNames(bytes)).toThrow(format(/overlaps/));
  });

  it("an archive of which another array was asked for", () => {
    const bytes = writeNpz({ a: tensor([1]), b: noise });
    bytes[bytes.length - 22 - 46 - 5 - 40 - 60] ^= 255; // within the data of b
    expect(readNpz(bytes, ["a"]).a.toArray()).toEqual([1]);
    expect(npzNames(bytes)).toEqual(["a", "b"]);
    expect(() => readNpz(bytes)).toThrow(expect.objectContaining({ name: "FormatError" }));
  });

  it("an image that few bytes claim", () => {
    const png = writePng(noise);
    new DataView(png.buffer).setUint32(16, 2 ** 30);
    expect(() => readImage(withPngChecksums(png))).toThrow(expect.objectContaining({ name: "UnsupportedError" }));
  });
});

describe("texts are read in one pass", () => {
  // a second pass over every digit, or for every blank, would take minutes
  const long = 400_000;
  it.each([
    ["CSV", (t: string) => readCsv(`a\n${t}`), `${"1".repeat(long)}x\n`],
    ["LIBSVM", readLibsvm, `${"1".repeat(long)}x\n`],
    ["LIBSVM, blanks", readLibsvm, `1${" ".repeat(long)}x\n`],
    ["MatrixMarket", readMatrixMarket, `%%MatrixMarket matrix array real general\n1 1\n${"1".repeat(long)}x\n`],
    ["CSV, quotes", (t: string) => readCsv(`a\n${t}`), `"${'""'.repeat(long)}`],
  ] as [string, (text: string) => unknown, string][])("%s", (_, read, content) => {
    try {
      read(content);
    } catch (error) {
      expect((error as Error).name).toBe("FormatError");
    }
  });
});

describe("names that every object has", () => {
  it("are columns of a table", () => {
    const table = readCsv("id,constructor,__proto__,toString\n1,abc,2,x\n");
    expect(table.names).toEqual(["id", "constructor", "__proto__", "toString"]);
    expect(table.columns.map(({ type }) => type)).toEqual(["number", "text", "number", "text"]);
    expect(readCsv(writeCsv(table)).columns).toEqual(table.columns);
    expect(new Table(table.columns).column("toString").values).toEqual(["x"]);
    const samples = readSamples(text("constructor,__proto__\n1,2\n"));
    expect([samples.inputNames, samples.targetName]).toEqual([["constructor"], "__proto__"]);
  });

  it("are arrays of files, and are missing where they are not there", () => {
    const arrays = Object.fromEntries(["constructor", "__proto__", "toString"].map((name, i) => [name, tensor([i])]));
    const npz = readNpz(writeNpz(arrays));
    const { tensors } = readSafetensors(writeSafetensors(arrays));
    for (const [i, name] of Object.keys(arrays).entries()) {
      expect(Object.getOwnPropertyDescriptor(npz, name)?.value.toArray()).toEqual([i]);
      expect(Object.getOwnPropertyDescriptor(tensors, name)?.value.toArray()).toEqual([i]);
    }
    const value = expect.objectContaining({ name: "ValueError" });
    expect(() => readSamples(writeNpz({ x: noise.reshape([60, 30]) }), { target: "constructor" })).toThrow(value);
    const header = text(JSON.stringify({ w: { dtype: "constructor", shape: [1], data_offsets: [0, 4] } }));
    const file = new Uint8Array(8 + header.length + 4);
    file[0] = header.length;
    file.set(header, 8);
    expect(() => readSafetensors(file)).toThrow(expect.objectContaining({ name: "UnsupportedError" }));
  });
});
