import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type DType, type Tensor, tensor } from "@offprint/tensor-core";
import { toOnnx } from "../src/index.js";
import { type ExportCase, exportCases } from "./export-cases.js";
import { tensorsOf } from "./tree-tensors.js";

/** A tensor in JSON, which has no NaN and no infinities: they are texts. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly type: DType;
  readonly data: readonly (number | string | boolean)[];
}

export function store(x: Tensor): StoredTensor {
  const data = Array.from(x.data(), (v) => (Number.isFinite(v) ? v : String(v)));
  return { shape: x.shape, type: x.dtype, data };
}

const words: Record<string, number> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
};

export function restore({ shape, type, data }: StoredTensor): Tensor {
  const values = data.map((v) => (typeof v === "string" ? (words[v] ?? Number(v)) : Number(v)));
  return tensor(Float64Array.from(values), { shape, dtype: type });
}

/** What a case gives eagerly, in the order of the file's outputs. */
export function eagerly({ f, args }: ExportCase): Tensor[] {
  return tensorsOf(f(...args));
}

/** Writes every case's file and inputs.json into a folder. */
export function writeExports(folder: string): void {
  const inputs: Record<string, Record<string, StoredTensor>> = {};
  for (const [name, { f, args }] of Object.entries(exportCases)) {
    writeFileSync(join(folder, `${name}.onnx`), toOnnx(f, ...args));
    inputs[name] = Object.fromEntries(tensorsOf(args).map((x, i) => [`input${i}`, store(x)]));
  }
  writeFileSync(join(folder, "inputs.json"), JSON.stringify(inputs));
}

const PYTHON = "/usr/bin/python3";

/** Whether Debian's Python has the packages that check and run .onnx files. */
export function pythonHasOnnx(): boolean {
  return ["onnx", "onnxruntime"].every((name) => spawnSync(PYTHON, ["-c", `import ${name}, numpy`]).status === 0);
}

/** Checks the files of a folder with Python's onnx and runs them with its onnxruntime. */
export function runInPython(folder: string): Record<string, StoredTensor[]> {
  const script = fileURLToPath(new URL("fixtures/run_exports.py", import.meta.url));
  for (const task of ["check", "run"]) {
    const { status, stderr } = spawnSync(PYTHON, [script, task, folder], { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
  }
  return JSON.parse(readFileSync(join(folder, "outputs.json"), "utf8"));
}
