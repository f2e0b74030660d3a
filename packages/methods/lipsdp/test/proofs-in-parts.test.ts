import { activation, perceptron } from "@offprint/networks";
import { inOneGo, type Parts } from "@offprint/solvers";
import { describe, expect, it } from "vitest";
import { deterministicLayers } from "../claims/method.js";
import { proveChain, repairChain } from "../src/certify-chain.js";
import { chainOf } from "../src/feed-forward.js";
import { lipschitzBound, productBound } from "../src/index.js";
import { type CheckedFeedForward, checkNetwork } from "../src/network.js";
import { productParts } from "../src/product-bound.js";
import { ProgrammeSession } from "../src/programme-session.js";

const depth = 6;
const network = perceptron(deterministicLayers(new Array<number>(depth + 1).fill(4)), activation("maxmin"));
const checked = checkNetwork(network) as CheckedFeedForward;

/** The value and how often others might have had their turn before it. */
function counted<T>(parts: Parts<T>): { value: T; turns: number } {
  for (let turns = 0; ; turns++) {
    const { done, value } = parts.next();
    if (done) return { value, turns };
  }
}

describe("what comes beside the programme", () => {
  it("lets others have their turn before every layer of a repair and of a proof", async () => {
    const { certificate } = await lipschitzBound(network, { multipliers: "diag" });
    if (certificate === undefined) throw new Error("no certificate");
    const chain = chainOf(checked);
    const { rho: _, ...raw } = certificate;
    const repaired = counted(repairChain(chain, raw, { shift: 1e-6, room: 1e-6 }));
    expect(repaired.turns).toBe(depth - 1);
    expect(repaired.value?.rho).toBeGreaterThan(0);
    const proof = counted(proveChain(chain, certificate, 1e-6));
    expect(proof.turns).toBe(depth - 1);
    expect(proof.value.inequalities).toHaveLength(depth);
  });

  it("lets others have their turn after the norm of every layer", () => {
    const { value, turns } = counted(productParts(checked, "l2"));
    expect(turns).toBe(depth);
    expect(value).toBe(productBound(network));
    expect(inOneGo(productParts(checked, "l2"))).toBe(value);
  });

  it("is given up when the signal fires, and nothing more is begun", async () => {
    const controller = new AbortController();
    const session = new ProgrammeSession("lipschitzBound", { signal: controller.signal });
    let parts = 0;
    function* endless(): Parts<never> {
      for (;;) {
        if (++parts === 3) controller.abort();
        yield;
      }
    }
    await expect(session.working(endless())).resolves.toBeUndefined();
    expect(session.status).toBe("aborted");
    await expect(session.working(endless())).resolves.toBeUndefined();
    expect(parts).toBe(3);
  });

  it("leaves the product bound, which is proved, where the signal fired before there was a proof", async () => {
    const { value, certified, source, status } = await lipschitzBound(network, { signal: AbortSignal.abort() });
    expect({ value, certified, source, status }).toEqual({
      value: productBound(network),
      certified: true,
      source: "product",
      status: "aborted",
    });
  });
});
