import { readSafetensors, writeSafetensors } from "@offprint/data";
import { fuzzReader, type ReaderCase } from "@offprint/fuzz";
import { random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  bspAutoEncoder,
  intersectHalfspaces,
  loadModel,
  readObj,
  readPly,
  readStl,
  saveModel,
  writeObj,
  writePly,
} from "../src/index.js";
import { joinMeshes } from "../src/poly-mesh.js";

const bytes = (text: string) => new TextEncoder().encode(text);
const cube = intersectHalfspaces(
  Float64Array.of(1, 0, 0, -1, -1, 0, 0, 0, 0, 1, 0, -1, 0, -1, 0, 0, 0, 0, 1, -1, 0, 0, -1, 0),
);
const mesh = joinMeshes([{ mesh: cube, convex: 3 }]);

const stlText =
  "solid t\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid t\n";
const stl = new Uint8Array(84 + 50);
new DataView(stl.buffer).setUint32(80, 1, true);
new DataView(stl.buffer).setFloat32(84 + 12 + 12, 1, true);

function binaryPly(): Uint8Array {
  const header =
    "ply\nformat binary_little_endian 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n" +
    "element face 1\nproperty list uchar int vertex_indices\nproperty int convex\nend_header\n";
  const body = new DataView(new ArrayBuffer(36 + 17));
  body.setFloat32(12, 1, true);
  body.setFloat32(28, 1, true);
  body.setUint8(36, 3);
  body.setInt32(41, 1, true);
  body.setInt32(45, 2, true);
  return Uint8Array.from([...bytes(header), ...new Uint8Array(body.buffer)]);
}

const model = bspAutoEncoder({ dim: 2, resolution: 8, planes: 4, convexes: 2, ef: 1, hidden: [4] });
const saved = saveModel({ model, params: model.init(random.rng(1)), phase: 1 });
const { tensors, metadata } = readSafetensors(saved);
const optioned = (options: Uint8Array) =>
  loadModel(writeSafetensors(tensors, { metadata: { ...metadata, options: new TextDecoder().decode(options) } }));

const cases: ReaderCase[] = [
  { name: "OBJ", read: readObj, file: bytes(writeObj(mesh, "cube.mtl")) },
  { name: "PLY", read: readPly, file: bytes(writePly(mesh)) },
  { name: "PLY, binary", read: readPly, file: binaryPly() },
  { name: "STL", read: readStl, file: stl },
  { name: "STL, text", read: readStl, file: bytes(stlText) },
  { name: "bsp-net model", read: loadModel, file: saved },
  { name: "bsp-net options", read: optioned, file: bytes(metadata.options) },
];

describe("damaged files give typed errors and no huge allocation", () => {
  it.each(cases)("$name", (reader) => {
    fuzzReader(reader);
  });

  const format = (message: RegExp) =>
    expect.objectContaining({ name: "FormatError", message: expect.stringMatching(message) });

  it("elements that are not there, or that take no room", () => {
    const header = (lines: string) => `ply\nformat ascii 1.0\n${lines}\nend_header\n`;
    expect(() => readPly(header("element junk 1000000000000"))).toThrow(format(/no room for 1000000000000 elements/));
    expect(() => readPly(header("element junk 1e12\nproperty int a"))).toThrow(format(/no room/));
    expect(() => readPly(header("element vertex -1"))).toThrow(format(/no count/));
    expect(() => readPly(`${header("element face 1\nproperty list int int vertex_indices")}999999999 1`)).toThrow(
      format(/999999999 entries/),
    );
    expect(() => readPly(header("element face 1\nproperty list constructor int v"))).toThrow(format(/no property/));
    const odd = header("element vertex 1\nproperty int __proto__\nproperty int x\nproperty int y\nproperty int z");
    expect([...readPly(`${odd}1 2 3 4`).vertices]).toEqual([2, 3, 4]);
  });

  it("blank lines without end are read in one pass", () => {
    expect(() => readStl(`solid a\n${" \n".repeat(300_000)}endsolid`)).not.toThrow();
    expect(readObj("\n".repeat(300_000)).faces).toEqual([]);
  });

  it("a model that its tensors do not account for is not drawn", () => {
    const large = metadata.options.replace('"planes":4', '"planes":40000000');
    expect(large).not.toBe(metadata.options);
    expect(() => optioned(bytes(large))).toThrow(format(/more parameters than the file/));
    expect(loadModel(saved).model.options).toEqual(model.options);
  });

  it("texts are read as the bytes they stand for", () => {
    expect(readPly(writePly(mesh))).toEqual(readPly(bytes(writePly(mesh))));
    expect(readObj(bytes(writeObj(mesh, "m")))).toEqual(readObj(writeObj(mesh, "m")));
    expect(readStl(stlText)).toEqual(readStl(bytes(stlText)));
    for (const read of [readPly, readObj, readStl]) expect(() => read(null as never)).toThrow(format(/bytes/));
  });
});
