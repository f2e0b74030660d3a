import { expect, it } from "vitest";
import {
  cbasSequences,
  cbasVaeSequences,
  comsSequences,
  evolveSequences,
  fitTable,
  predictScores,
  reinforceSequences,
} from "../src/index.js";
import { bent, table } from "./problem.js";

const fit = fitTable(table, bent, { ridge: 1e-2 });
const truth = (sequence: string) => [...sequence].filter((letter) => letter === "G").length;

it("searches on the proxy find different sequences that it likes better than the table's best", async () => {
  const best = [...predictScores(fit, table.sequences)].sort((a, b) => b - a);
  for (const search of [evolveSequences, reinforceSequences, cbasSequences, cbasVaeSequences]) {
    const { sequences, predictions, history, distances } = await search(fit, { count: 10, batchSize: 64, steps: 15 });
    expect(new Set(sequences).size).toBe(10);
    expect([...predictions]).toEqual([...predictions].sort((a, b) => b - a));
    expect(predictions[0]).toBeGreaterThanOrEqual(best[0]);
    expect(predictions[9]).toBeGreaterThan(best[9]);
    expect(Math.max(...distances)).toBeLessThanOrEqual(5);
    expect(history[14].mean).toBeGreaterThan(history[0].mean - 0.5);
  }
});

it("REINFORCE and CbAS move their distributions to better sequences", async () => {
  for (const search of [reinforceSequences, cbasSequences, cbasVaeSequences]) {
    const { history } = await search(fit, { count: 10, batchSize: 128, steps: 25 });
    expect(history[24].mean).toBeGreaterThan(history[0].mean + 0.3);
  }
});

it("the conservative proxy learns the table, and its designs are better than their starts", async () => {
  const { sequences, starts, history } = await comsSequences(table, {
    starts: 8,
    steps: 200,
    batchSize: 32,
    hidden: 16,
  });
  expect(history[199].value).toBeLessThan(0.5 * history[0].value);
  const mean = (names: readonly string[]) => names.reduce((total, name) => total + truth(name), 0) / names.length;
  expect(mean(sequences)).toBeGreaterThan(mean(starts) + 0.5);
});

it("the penalty holds the gap between adversaries and rows, which a free proxy opens", async () => {
  const options = { starts: 4, steps: 250, batchSize: 32, hidden: 16, ascentSteps: 0 } as const;
  const last = async (gap: number) => {
    const { history } = await comsSequences(table, { ...options, gap });
    return history.slice(-20).reduce((total, record) => total + record.gap, 0) / 20;
  };
  const [held, free] = [await last(0.5), await last(1e6)];
  expect(held).toBeLessThan(0.75);
  expect(free).toBeGreaterThan(1);
});

it("the autoencoder of CbAS is one of the table's best, is resumed, and refuses what it cannot be", async () => {
  const options = { count: 30, batchSize: 64 } as const;
  const { state, history } = await cbasVaeSequences(fit, { ...options, steps: 6 });
  const half = await cbasVaeSequences(fit, { ...options, steps: 3 });
  const rest = await cbasVaeSequences(fit, { ...options, steps: 6, resume: half.state });
  expect(rest.history).toEqual(history);
  expect(JSON.stringify(rest.state)).toBe(JSON.stringify(state));
  // What it draws at first is like the thirty best: better than the table.
  const mean = predictScores(fit, table.sequences).reduce((a, b) => a + b) / table.sequences.length;
  expect(fit.middle + fit.spread * history[0].mean).toBeGreaterThan(mean);
  await expect((async () => cbasVaeSequences(fit, { latents: 0 }))()).rejects.toThrow("latents is 0");
  await expect((async () => cbasVaeSequences(fit, { quantile: 1 }))()).rejects.toThrow("quantile is 1");
  await expect((async () => cbasVaeSequences(fit, { learningRate: 1e200 }))()).rejects.toThrow("smaller learningRate");
});
