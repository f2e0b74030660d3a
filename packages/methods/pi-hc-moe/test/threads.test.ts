import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Cluster, cluster } from "@offprint/cluster";
import { random } from "@offprint/tensor-core";
import { expectClose, temporaryFolder } from "@offprint/testing";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { waves } from "../claims/waves.js";
import { burgers, hardConstraint, solveOnCluster } from "../src/index.js";

const folder = temporaryFolder("offprint-pi-hc-moe");
let threads: Cluster;
beforeAll(async () => {
  await build({
    entryPoints: {
      thread: join(import.meta.dirname, "..", "..", "..", "core", "cluster", "src", "threads", "thread-main.ts"),
      experts: join(import.meta.dirname, "fixtures", "experts.ts"),
    },
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    ...{ bundle: true, splitting: true, platform: "node", format: "esm", target: "node20", logLevel: "silent" },
    conditions: ["@offprint/source"],
    banner: {
      js: "import { createRequire as offprintRequire } from 'node:module'; const require = offprintRequire(import.meta.url);",
    },
  });
  threads = await cluster({ kind: "threads", workers: 2, entry: pathToFileURL(join(folder, "thread.mjs")) });
});
afterAll(() => threads.close());

it("experts on threads find what they find together, and end with the signal", async () => {
  const pde = burgers({ times: 8, points: 16 });
  const problem = { initial: waves(random.rng(4), 2, 16) };
  const basis = random.rng(5).normal([2, 8, 16, 4], { dtype: "float64" });
  const options = { experts: [1, 4], ridge: 0.1, tolerance: 1e-10, maxIterations: 200 };
  const job = { module: pathToFileURL(join(folder, "experts.mjs")), name: "expert" };
  const { u, converged } = await solveOnCluster(threads, job, basis, pde, problem, options);
  expect(converged.flat()).toEqual(new Array(8).fill(true));
  expectClose(u, hardConstraint(basis, pde, problem, options).u, 1e-8);
  const aborted = { ...options, signal: AbortSignal.abort() };
  await expect(solveOnCluster(threads, job, basis, pde, problem, aborted)).rejects.toThrow(/abort/i);
});
