import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { describe, expect, it } from "vitest";
import { digitsRegression } from "../claims/digits-job.js";
import { exactGradients } from "../claims/exact-gradients.js";
import { guarantees } from "../claims/guarantees.js";
import { inProcessCluster } from "../claims/in-process-cluster.js";
import { claims } from "../claims/index.js";
import { loads } from "../claims/loads.js";
import { type Method, published } from "../claims/method.js";
import { realWorkers, type Workers } from "../claims/real-workers.js";
import { runTime, waiting } from "../claims/run-time.js";
import { Turns } from "../claims/turns.js";
import { gc, ignoreStragglers, mSgc, type Scheme } from "../src/index.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;
const here: Workers = {
  open: async () => ({ ...inProcessCluster(digitsRegression), close: async () => undefined }),
  job: "here#digitsRegression",
};

/** M-SGC that goes on with its plan where it should retry. */
const withoutRetry: Method["mSgc"] = (options) => {
  const scheme = mSgc(options);
  const planned: Scheme["assign"] = (state) =>
    scheme.assign(state).map(({ job, tasks }) => ({ job, tasks: tasks.map(() => state.round - job) }));
  return { ...scheme, assign: planned };
};

/** Chooses among few. */
const quickly: Method["selectParameters"] = (delays, options) =>
  published.selectParameters(delays, { ...options, maxLambda: 4, maxWindow: 3 });

describe("claims fail for baselines and broken variants", () => {
  it("guarantees: fails without retries, and for a code that is one short", async () => {
    expect(await holds(guarantees({ ...published, mSgc: withoutRetry }))).toBe(false);
    const short: Method["srSgc"] = (options) => published.srSgc({ ...options, lambda: options.lambda - 1 });
    expect(await holds(guarantees({ ...published, srSgc: short }))).toBe(false);
  });

  it("exact gradients: fails where stragglers are ignored", async () => {
    const ignoring = () => ignoreStragglers({ workers: 8 });
    expect(await holds(exactGradients({ ...published, gc: ignoring, srSgc: ignoring, mSgc: ignoring }))).toBe(false);
  });

  it("loads: fails for GC in the place of M-SGC", async () => {
    const coded: Method["mSgc"] = ({ workers, lambda }) => gc({ workers, stragglers: Math.min(lambda, workers - 1) });
    expect(await holds(loads({ ...published, mSgc: coded }))).toBe(false);
  });

  it("run time: fails where M-SGC is GC, and where redundancy costs nothing", async () => {
    const baseline: Method["makeScheme"] = (workers, choice) =>
      published.makeScheme(workers, choice.kind === "m-sgc" ? { kind: "gc", parameters: { stragglers: 2 } } : choice);
    expect(await holds(runTime({ ...published, selectParameters: quickly, makeScheme: baseline }))).toBe(false);
    const free: Method["simulate"] = (scheme, delays, options) =>
      published.simulate(scheme, delays, { ...options, alpha: 0 });
    const manyStragglers: Method["makeScheme"] = (workers, choice) =>
      choice.kind === "gc" ? gc({ workers, stragglers: 8 }) : published.makeScheme(workers, choice);
    const wrong = { ...published, selectParameters: quickly, simulate: free, makeScheme: manyStragglers };
    expect(await holds(runTime(wrong))).toBe(false);
  });

  it("waiting: fails where the rule waits for all", async () => {
    const patient: Method["simulate"] = (scheme, delays, options) =>
      published.simulate(scheme, delays, { ...options, waitOut: "all" });
    expect(await holds(waiting({ ...published, selectParameters: quickly, simulate: patient }))).toBe(false);
  });

  it("real workers: holds, and fails for GC in the place of M-SGC", async () => {
    expect(await holds(realWorkers(published, here))).toBe(true);
    const coded: Method["mSgc"] = ({ workers }) => gc({ workers, stragglers: 1 });
    expect(await holds(realWorkers({ ...published, mSgc: coded }, here))).toBe(false);
  });
});

it("runs take turns, the first of which rotates, until they leave", async () => {
  const turns = new Turns(["a", "b", "c"]);
  const order: string[] = [];
  const one = async (name: string, rounds: number) => {
    for (let k = 0; k < rounds; k++) {
      await turns.take(name);
      order.push(name);
      if (k === rounds - 1) turns.leave(name);
      else turns.give(name);
    }
  };
  await Promise.all([one("a", 3), one("b", 2), one("c", 4)]);
  expect(order.join("")).toBe("abcbcacac");
});

it("the package declares the claims of the sheet", () => {
  expect(claims.claims.map(({ id }) => id)).toEqual([
    "guarantees",
    "exact-gradients",
    "loads",
    "run-time",
    "real-workers",
    "waiting",
  ]);
});
