import { type Cluster, cluster, type GridOutcome, gridSearch } from "@offprint/cluster";
import { failureOf } from "@offprint/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildJobs } from "./built-jobs.js";

interface Point {
  readonly x: number;
  readonly ms: number;
}

describe("gridSearch", () => {
  let threads: Cluster;
  beforeAll(async () => {
    const { entry, manifest } = await buildJobs();
    threads = await cluster({ kind: "threads", workers: 2, entry, manifest });
  });
  afterAll(() => threads.close());
  const job = "@fixture/jobs#slowSquare";

  it("runs every point once, gives them in the order of the grid, and of equal ones the first", async () => {
    const told: GridOutcome<Point, number>[] = [];
    const { best, outcomes } = await gridSearch<Point, number>(threads, job, {
      axes: { x: [3, -1, 1], ms: [40, 0] },
      score: (value) => value,
      onOutcome: (outcome) => told.push(outcome),
    });
    expect(outcomes.map(({ point, score }) => [point.x, point.ms, score])).toEqual([
      [3, 40, 9],
      [3, 0, 9],
      [-1, 40, 1],
      [-1, 0, 1],
      [1, 40, 1],
      [1, 0, 1],
    ]);
    expect(best).toEqual({ point: { x: -1, ms: 40 }, value: 1, score: 1 });
    expect(told.map(({ index }) => index).sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("goes on where a point fails, or has no finite score, and throws where all do", async () => {
    const search = (axes: { message: string[]; x?: number[] }, score = (value: number) => value) =>
      gridSearch<{ message: string; x?: number }, number>(threads, "@fixture/jobs#failsAt", { axes, score } as never);
    const { best, outcomes } = await search({ message: ["", "no", ""], x: [5] });
    expect([best?.value, outcomes.map(({ score }) => score)]).toEqual([5, [5, Number.POSITIVE_INFINITY, 5]]);
    const failure = await failureOf(() => search({ message: ["first", "second"] }));
    expect([failure.name, failure.message]).toEqual(["JobError", "first"]);
    expect((await failureOf(() => search({ message: [""], x: [5] }, () => Number.NaN))).message).toMatch(
      /finite at no point/,
    );
  });

  it("that is aborted gives what there is", async () => {
    const controller = new AbortController();
    const { best, outcomes } = await gridSearch<Point, number>(threads, job, {
      axes: { x: [2, 3, 4, 5], ms: [0, 1e6] },
      score: (value) => value,
      signal: controller.signal,
      onOutcome: () => controller.abort(),
    });
    expect([best?.value, outcomes.length]).toEqual([4, 1]);
    const none = await gridSearch<Point, number>(threads, job, {
      axes: { x: [2], ms: [0] },
      score: (value) => value,
      signal: AbortSignal.abort(),
    });
    expect(none).toEqual({ best: null, outcomes: [] });
  });

  it("refuses what is none", async () => {
    const refused = async (options: object) =>
      (await failureOf(() => gridSearch(threads, job, { axes: { x: [1] }, score: Number, ...options } as never)))
        .message;
    expect(await refused({ axes: { x: [] } })).toMatch(/axes.x has no values/);
    expect(await refused({ axes: { x: 3 } })).toMatch(/axes.x has no values/);
    expect(await refused({ score: 3 })).toMatch(/score is number/);
    expect(await refused({ scores: 3 })).toMatch(/no option "scores"/);
  });
});
