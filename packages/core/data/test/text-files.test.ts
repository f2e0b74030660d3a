import { sparse, tensor } from "@offprint/tensor-core";
import fc from "fast-check";
import { gzipSync } from "fflate";
import { describe, expect, it } from "vitest";
import {
  readCsv,
  readLibsvm,
  readMatrixMarket,
  Table,
  writeCsv,
  writeLibsvm,
  writeMatrixMarket,
} from "../src/index.js";

const formatError = (line: number | undefined, message: RegExp) =>
  expect.objectContaining({ name: "FormatError", offset: line, message: expect.stringMatching(message) });
const utf8 = (text: string) => new TextEncoder().encode(text);

describe("CSV", () => {
  const text = 'name,size,ok\r\n"Doe, ""Jo""",1.5,true\r\n"two\nlines",NA,false\r\n\r\nx,-2e3,TRUE\r\n';

  it("reads quotes, line breaks, missing values and types", () => {
    const table = readCsv(text, { types: { ok: "boolean" } });
    expect(table.names).toEqual(["name", "size", "ok"]);
    expect(table.rows).toBe(3);
    expect(table.column("name")).toEqual({ name: "name", type: "text", values: ['Doe, "Jo"', "two\nlines", "x"] });
    expect([...(table.column("size").values as Float64Array)]).toEqual([1.5, Number.NaN, -2000]);
    expect(table.tensor(["size", "ok"], { dtype: "float64" }).toArray()).toEqual([
      [1.5, 1],
      [Number.NaN, 0],
      [-2000, 1],
    ]);
    expect(table.tensor().shape).toEqual([3, 2]);
  });

  it("reads bytes, gzip, byte order marks, other delimiters and files without a header", () => {
    expect(readCsv(utf8("\ufeffa;b\n1;2"), { delimiter: ";" }).names).toEqual(["a", "b"]);
    expect(
      readCsv(gzipSync(utf8("a,b\n1,2\n")))
        .tensor()
        .toArray(),
    ).toEqual([[1, 2]]);
    expect(readCsv("1,2\n3,4\n", { header: false }).tensor().toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(readCsv("1\t2", { header: ["x", "y"], delimiter: "\t" }).names).toEqual(["x", "y"]);
    expect(readCsv("a,b\n").rows).toBe(0);
    expect([...(readCsv("a\ninf\n-Infinity\n").column("a").values as Float64Array)]).toEqual([Infinity, -Infinity]);
    expect(readCsv("a\n0x10\n").column("a").type).toBe("text");
  });

  it("keeps the rows of one column in which nothing stands", () => {
    const values = Float64Array.of(1, Number.NaN, 3);
    const text = writeCsv(new Table([{ name: "a", type: "number", values }]));
    expect(text).toBe('a\n1\n""\n3\n');
    expect([...(readCsv(text).column("a").values as Float64Array)]).toEqual([...values]);
    expect(readCsv('a\n"x"\n\n""\ny\n').column("a").values).toEqual(["x", null, "y"]);
  });

  it("takes a header's semicolons or tabs for delimiters where it has no comma outside quotes", () => {
    expect(readCsv("a;b\n1;2\n").tensor().toArray()).toEqual([[1, 2]]);
    expect(readCsv('\n"x, y"\tb\r\n1\t2\r\n').names).toEqual(["x, y", "b"]);
    expect(readCsv('"a;b",c\n1,2\n').names).toEqual(["a;b", "c"]);
    expect(readCsv("a;b\n1;2\n", { delimiter: "," }).names).toEqual(["a;b"]);
    expect(readCsv("a;b\n", { header: false }).names).toEqual(["0"]);
    const table = new Table([{ name: "a;b", type: "number", values: new Float64Array([1]) }]);
    expect(readCsv(writeCsv(table)).names).toEqual(["a;b"]);
  });

  it("turns texts into categories", () => {
    const { codes, labels } = readCsv("k\nb\na\nb\nNA\n").categories("k");
    expect(labels).toEqual(["b", "a"]);
    expect(codes.toArray()).toEqual([0, 1, 0, -1]);
  });

  it.each([
    ["a row that is cut off", "a,b\n1,2\n3", 3, /1 fields where 2/],
    ["a row after a quoted line break", 'a,b\n"1\n\n",2\n3\n', 5, /1 fields/],
    ["a quote that does not end", 'a\n"x', 2, /does not end/],
    ["a quote inside a field", 'a\nx"y\n', 2, /inside an unquoted/],
    ["text after a quote", 'a\n"x"y\n', 2, /follows a closing quote/],
    ["an empty file", "", 1, /empty/],
    ["two columns of one name", "a,a\n1,2", 1, /two columns have the name "a"; rename one/],
    ["a number that is none", "n\n1\ntwo\n", 3, /"two" is not of type number/],
  ])("%s is a FormatError with the line", (_, content, line, message) => {
    const types: Record<string, "number"> = content.startsWith("n") ? { n: "number" } : {};
    expect(() => readCsv(content, { types })).toThrow(formatError(line, message));
  });

  it("bytes that are not UTF-8 are a FormatError; wrong options a ValueError", () => {
    expect(() => readCsv(new Uint8Array([0x61, 0xff, 0xfe]))).toThrow(formatError(undefined, /UTF-8/));
    expect(() => readCsv("a\n1.5", { types: { a: "integer" } })).toThrow(formatError(2, /integer/));
    const value = expect.objectContaining({ name: "ValueError" });
    expect(() => readCsv("a\n1", { types: { b: "number" } })).toThrow(value);
    expect(() => readCsv("a\n1", { delimiter: "ab" })).toThrow(value);
    expect(() => readCsv("a\n1").column("b")).toThrow(value);
    expect(() => readCsv("a\nx").tensor(["a"])).toThrow(expect.objectContaining({ name: "DTypeError" }));
  });

  it("reads back what it wrote", () => {
    const field = fc
      .oneof(fc.string({ maxLength: 6 }), fc.constantFrom('"', ",", "\n", '",\r\n"', "é"))
      .filter((s) => s !== "");
    fc.assert(
      fc.property(fc.array(fc.tuple(field, fc.double({ noNaN: true })), { minLength: 1, maxLength: 5 }), (rows) => {
        const table = new Table([
          { name: "t", type: "text", values: rows.map(([t]) => t) },
          { name: "x,", type: "number", values: Float64Array.from(rows, ([, x]) => x) },
        ]);
        const back = readCsv(writeCsv(table), { types: { t: "text", "x,": "number" }, missing: [] });
        expect(back.column("t").values).toEqual(table.column("t").values);
        expect([...back.column("x,").values].map(Number)).toEqual(rows.map(([, x]) => x + 0));
      }),
    );
    const x = tensor([
      [0.1, 2],
      [3, 1e-20],
    ]);
    expect(
      readCsv(writeCsv(x, { names: ["a", "b"] }))
        .tensor()
        .toArray(),
    ).toEqual(x.toArray());
    expect(writeCsv(x)).toContain("0.1,2\n");
  });
});

describe("LIBSVM", () => {
  it("reads rows, comments and query numbers", () => {
    const { inputs, targets, queries } = readLibsvm("# head\n+1 qid:3 1:0.5 4:-2e1 # note\r\n\n-1 qid:4\n");
    expect(inputs.shape).toEqual([2, 4]);
    expect([...inputs.indices]).toEqual([0, 3]);
    expect([...inputs.values]).toEqual([0.5, -20]);
    expect(targets.toArray()).toEqual([1, -1]);
    expect(queries?.toArray()).toEqual([3, 4]);
    expect(readLibsvm("1 0:2", { zeroBased: true, features: 5 }).inputs.shape).toEqual([1, 5]);
    expect(readLibsvm("").inputs.shape).toEqual([0, 0]);
  });

  it("reads back what it wrote", () => {
    const inputs = sparse.toCsr(sparse.fromTriplets(3, 4, [0, 2, 2], [3, 0, 1], [0.1, -2, 3e-300]));
    const back = readLibsvm(writeLibsvm(inputs, [1, 2, 3]), { features: 4 });
    expect(back.inputs).toEqual(inputs);
    expect(back.targets.toArray()).toEqual([1, 2, 3]);
  });

  it.each([
    ["a label that is none", "x 1:2", 1, /label "x"/],
    ["a pair without a colon", "1 1:2\n1 5", 2, /not index:value/],
    ["a value that is none", "1 1:abc", 1, /value "abc"/],
    ["an empty value", "1 1:", 1, /value ""/],
    ["index 0", "1 0:1", 1, /zeroBased/],
    ["an index beyond 32 bits", "1 9999999999:1", 1, /not an integer/],
    ["indices out of order", "1 2:1 1:1", 1, /sort/],
    ["qid in some rows", "1 qid:1 1:1\n1 1:1", 2, /all or none/],
  ])("%s is a FormatError with the line", (_, text, line, message) => {
    expect(() => readLibsvm(text)).toThrow(formatError(line, message));
  });

  it("features below the file's are a ValueError", () => {
    expect(() => readLibsvm("1 7:1", { features: 3 })).toThrow(/at least 7/);
  });
});

describe("MatrixMarket", () => {
  it("reads and writes through tensor-core, gzip included", () => {
    const a = sparse.toCsr(sparse.fromTriplets(2, 3, [0, 1], [2, 0], [1.5, -2]));
    const bytes = writeMatrixMarket(a);
    for (const file of [bytes, gzipSync(bytes), new TextDecoder().decode(bytes)]) {
      expect(readMatrixMarket(file)).toEqual({ format: "coordinate", matrix: a });
    }
    expect(() => readMatrixMarket("%%MatrixMarket matrix coordinate real general\n2 2 5\n1 1 1\n")).toThrow(
      expect.objectContaining({ name: "FormatError" }),
    );
  });
});
