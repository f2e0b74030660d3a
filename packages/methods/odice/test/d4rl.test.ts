import { readFileSync } from "node:fs";
import { errorLike, expectClose, failureOf, readFixture } from "@offprint/testing";
import h5wasm from "h5wasm";
import { expect, it } from "vitest";
import { qlearningDataset, readD4rl } from "../src/index.js";

const bytes = new Uint8Array(readFileSync(new URL("fixtures/d4rl.hdf5", import.meta.url)));
const exact = readFixture<{
  observations: number[][];
  actions: number[][];
  rewards: number[];
  terminals: boolean[];
  timeouts: boolean[];
}>(import.meta.url, "d4rl.json");

it("a file that h5py wrote, compressed and with boolean flags, is read as it is", async () => {
  const steps = await readD4rl(bytes, h5wasm);
  expectClose(steps.observations, exact.observations, 1e-6);
  expectClose(steps.actions, exact.actions, 1e-6);
  expectClose(steps.rewards, exact.rewards, 1e-6);
  expectClose(steps.terminals, exact.terminals.map(Number), 0);
  expectClose(steps.timeouts, exact.timeouts.map(Number), 0);
  const dataset = qlearningDataset(steps);
  // The last row has no next one, and what followed row 8 is not known.
  expect(dataset.size).toBe(10);
  expectClose(dataset.nextObservations.slice([0]), exact.observations[1], 1e-6);
  expect(dataset.terminals.data()[4]).toBe(1);
});

it("next observations of a file are taken as they are: rows need not follow each other", async () => {
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File("next.h5", "w");
  const parts = { observations: [0, 5, 9], next_observations: [1, 6, 8], actions: [0, 0.5, 1] };
  for (const [name, data] of Object.entries(parts)) {
    file.create_dataset({ name, data: Float64Array.from(data), shape: [3, 1] });
  }
  file.create_dataset({ name: "rewards", data: Float64Array.of(1, 2, 3) });
  for (const name of ["terminals", "timeouts"]) file.create_dataset({ name, data: Uint8Array.of(0, 1, 0) });
  file.close();
  const written = FS.readFile("next.h5") as Uint8Array;
  FS.unlink("next.h5");
  const dataset = qlearningDataset(await readD4rl(written, h5wasm));
  expectClose(dataset.nextObservations, [[1], [6], [8]], 0);
  expectClose(
    [dataset.rewards, dataset.timeouts],
    [
      [1, 2, 3],
      [0, 1, 0],
    ],
    0,
  );
});

it("other files are refused", async () => {
  expect(await failureOf(() => readD4rl(new Uint8Array(100), h5wasm))).toEqual(
    errorLike("FormatError", /does not begin as HDF5/),
  );
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File("partial.h5", "w");
  file.create_dataset({ name: "observations", data: new Float32Array(4), shape: [2, 2] });
  file.close();
  const partial = FS.readFile("partial.h5") as Uint8Array;
  FS.unlink("partial.h5");
  expect(await failureOf(() => readD4rl(partial, h5wasm))).toEqual(
    errorLike("ValueError", /no "actions".*observations/),
  );
  const damaged = bytes.slice();
  damaged.fill(0xff, 100, 400);
  for (const broken of [bytes.slice(0, 600), damaged, bytes.slice(0, 8)]) {
    expect(await failureOf(() => readD4rl(broken, h5wasm))).toEqual(
      errorLike("FormatError", /cannot be read; it is truncated or damaged/),
    );
  }
});
