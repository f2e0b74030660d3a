import { random, tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  decisionSample,
  delaunayEdges,
  greedyPolicy,
  permeability,
  policyAccuracy,
  policyIteration,
  poreSample,
  randomDecisionGraph,
  randomPoreNetwork,
  solvePoreNetwork,
  throatConductance,
  valueIteration,
} from "../src/index.js";

describe("Delaunay edges", () => {
  it("are those whose ends lie on an empty circle", () => {
    const points = random.rng("delaunay").uniform([14, 2], { dtype: "float64" }).data() as Float64Array;
    const found = new Set(delaunayEdges(points, 2).map((edge) => edge.join()));
    const at = (i: number): [number, number] => [points[2 * i], points[2 * i + 1]];
    const expected = new Set<string>();
    for (let a = 0; a < 14; a++)
      for (let b = a + 1; b < 14; b++)
        for (let c = b + 1; c < 14; c++) {
          const { x, y, r } = circle(at(a), at(b), at(c));
          const empty = Array.from({ length: 14 }, (_, i) => i).every(
            (i) => [a, b, c].includes(i) || Math.hypot(at(i)[0] - x, at(i)[1] - y) > r,
          );
          if (empty)
            for (const edge of [
              [a, b],
              [b, c],
              [a, c],
            ])
              expected.add(edge.join());
        }
    expect(found).toEqual(expected);
  });

  it("of n points in space satisfy Euler's formula on the hull of a simplex", () => {
    expect(delaunayEdges([0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0.2, 0.21, 0.22], 3)).toHaveLength(10);
    expect(() => delaunayEdges([0, 0, 1, 1], 2)).toThrow(/at least 3/);
  });
});

describe("pore networks", () => {
  it("obey the maximum principle, and as much flows in as out", () => {
    for (const dimension of [2, 3] as const) {
      const network = randomPoreNetwork({ pores: 60, dimension, rng: random.rng(`pores ${dimension}`) });
      const { pressures, inflow, outflow, flows } = solvePoreNetwork(network);
      expect(Math.min(...pressures)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...pressures)).toBeLessThanOrEqual(1);
      expect(Math.abs(inflow - outflow)).toBeLessThan(1e-12 * Math.max(1, inflow));
      const balance = new Float64Array(60);
      network.throats.forEach(([i, j], t) => {
        balance[i] -= flows[t];
        balance[j] += flows[t];
      });
      Array.from(network.held).forEach((p, i) => {
        if (Number.isNaN(p)) expect(Math.abs(balance[i])).toBeLessThan(1e-12);
      });
    }
  });

  it("in a row have the permeability of resistances in series", () => {
    const conductances = [2, 0.5, 1];
    const chain = {
      pores: 4,
      throats: [
        [0, 1],
        [1, 2],
        [2, 3],
      ] as const,
      conductances,
      held: [5, Number.NaN, Number.NaN, 1],
    }; // prettier-ignore
    const series = 1 / (1 / 2 + 1 / 0.5 + 1);
    expect(permeability(chain, { length: 3, area: 2, viscosity: 0.1 })).toBeCloseTo((series * 0.1 * 3) / 2, 14);
    expect(solvePoreNetwork(chain).inflow).toBeCloseTo(4 * series, 13);
    expect(throatConductance(2, 3, 0.5)).toBeCloseTo((Math.PI * 16) / 12, 14);
  });

  it("become graphs with both directions of every throat", () => {
    const network = randomPoreNetwork({ pores: 20, rng: random.rng("sample") });
    const { graph, nodes, edges, targets } = poreSample(network, network.features);
    expect(graph.edges).toBe(2 * network.throats.length);
    expect([nodes, edges, targets].map((t) => (t as { shape: number[] }).shape)).toEqual([
      [20, 2],
      [graph.edges, 3],
      [20, 1],
    ]); // prettier-ignore
  });

  it("throats from 1e-300 to 1e300 are solved where nothing is lost, and refused where it is", () => {
    const chain = (...conductances: number[]) => ({
      pores: 3,
      throats: [
        [0, 1],
        [1, 2],
      ] as [number, number][],
      conductances,
      held: [1, Number.NaN, 0],
    });
    // Two chains side by side, a wide one and a narrow one: the narrow one's matrix is no part of rounding.
    const beside = {
      pores: 4,
      throats: [
        [0, 1],
        [1, 2],
        [0, 3],
        [3, 2],
      ] as [number, number][],
      conductances: [1e300, 1e300, 1e-300, 3e-300],
      held: [1, Number.NaN, 0, Number.NaN],
    };
    const { pressures, flows, inflow } = solvePoreNetwork(beside);
    expect(Array.from(pressures)).toEqual([1, 0.5, 0, expect.closeTo(0.25, 14)]);
    expect(flows[2] / 1e-300).toBeCloseTo(0.75, 12);
    expect(inflow).toBe(5e299);
    expect(solvePoreNetwork(chain(1e-300, 1e-300)).inflow / 1e-300).toBeCloseTo(0.5, 12);
    for (const order of [chain(1e300, 1e-300), chain(1e-300, 1e300)]) {
      expect(() => solvePoreNetwork(order)).toThrow(/conductances from 1e-300 to 1e\+300 are too far apart/);
    }
    expect(solvePoreNetwork(chain(1e5, 1e-4)).inflow).toBeCloseTo(1e-4, 9);
  });

  it("are solved in any unit, with outlets below zero, and with pores held by the hundred thousand", () => {
    const network = randomPoreNetwork({ pores: 20, rng: random.rng("units") });
    const plain = solvePoreNetwork(network);
    for (const [wide, high] of [
      [2 ** 900, 2 ** 110],
      [2 ** -900, 2 ** -110],
      [2 ** -40, 2 ** 30],
    ]) {
      const conductances = Float64Array.from(network.conductances, (k) => k * wide);
      const { pressures, flows } = solvePoreNetwork({
        ...network,
        conductances,
        held: Float64Array.from(network.held, (p) => p * high),
      });
      expect([pressures, flows]).toEqual([
        plain.pressures.map((p) => p * high),
        plain.flows.map((q) => q * wide * high),
      ]);
    }
    const pulled = { ...network, held: Float64Array.from(network.held, (p) => p - 1) };
    const { nodes, targets } = poreSample(pulled, network.features);
    const shifted = Array.from(plain.pressures, (p) => p - 1);
    expectClose(targets, tensor(shifted, { shape: [20, 1], dtype: "float64" }), 1e-12);
    expect(tensor(nodes).slice([null, 1]).min().item()).toBe(-1);
    const held = new Float64Array(3e5).fill(1);
    held[held.length - 1] = 0;
    const wide = { pores: held.length, throats: [[0, held.length - 1]] as const, conductances: [2], held };
    expect(solvePoreNetwork(wide).inflow).toBe(2);
  });

  it("that have no answer are refused", () => {
    const chain = {
      pores: 4,
      throats: [
        [0, 1],
        [1, 2],
      ] as [number, number][],
      conductances: [1, 1],
      held: [1, Number.NaN, 0, Number.NaN],
    };
    expect(() => solvePoreNetwork(chain)).toThrow(/no throats link pore 3/);
    const whole = { ...chain, pores: 3, held: [1, Number.NaN, 0] };
    expect(() => solvePoreNetwork({ ...whole, held: [1, Number.NaN, 1] })).toThrow(/hold an inlet and an outlet/);
    expect(() => solvePoreNetwork({ ...whole, conductances: [1, 0] })).toThrow(/conductance of throat 1 is 0/);
    expect(() =>
      solvePoreNetwork({
        ...whole,
        throats: [
          [0, 1],
          [1, 7],
        ],
      }),
    ).toThrow(/ends at pore 7/);
    expect(() => solvePoreNetwork({ ...whole, held: [1] })).toThrow(/do not fit/);
    expect(() => throatConductance(1, 0)).toThrow(/length is 0/);
    const ladder = { pores: 4, throats: [...chain.throats, [2, 3] as const], held: [1, Number.NaN, Number.NaN, 0] };
    expect(() => solvePoreNetwork({ ...ladder, conductances: [1e-200, 1e200, 1] })).toThrow(
      /from 1e-200 to 1e\+200 are too far/,
    );
  });
});

describe("decision graphs", () => {
  const decisions = randomDecisionGraph({ states: 40, actions: 3, rng: random.rng("decisions") });

  it("have values that satisfy Bellman's equation, by either iteration", () => {
    const values = valueIteration(decisions);
    const { graph, rewards } = decisions;
    for (let i = 0; i < 40; i++) {
      const { indptr, edges, neighbours } = graph.incoming;
      const options = Array.from({ length: indptr[i + 1] - indptr[i] }, (_, k) => indptr[i] + k);
      const best = Math.max(...options.map((p) => rewards[edges[p]] + 0.9 * values[neighbours[p]]));
      expect(Math.abs(values[i] - best)).toBeLessThan(1e-9);
    }
    expectClose(Array.from(policyIteration(decisions)), Array.from(values), 1e-9);
  });

  it("have values in any unit of the rewards, unless these are not finite or overflow", () => {
    const [values, half] = [policyIteration(decisions), valueIteration(decisions).map((v) => v / 2)];
    for (const unit of [2 ** 600, 2 ** 30, 2 ** -40]) {
      const scaled = { ...decisions, rewards: decisions.rewards.map((r) => r * unit) };
      expect(policyIteration(scaled)).toEqual(values.map((v) => v * unit));
      if (unit > 1)
        expectClose(
          Array.from(valueIteration(scaled), (v) => v / unit),
          Array.from(values),
          1e-9,
        );
      expect(
        policyAccuracy(
          scaled,
          values.map((v) => v * unit),
        ),
      ).toBe(1);
      expect(
        policyAccuracy(
          scaled,
          half.map((v, i) => (i % 2 === 0 ? v : -v) * unit),
        ),
      ).toBeLessThan(1);
    }
    for (const [reward, message] of [
      [Number.NaN, /the reward of edge 3 is NaN/],
      [Number.POSITIVE_INFINITY, /the reward of edge 3 is Infinity/],
      [1e308, /overflow; scale the rewards/],
    ] as const) {
      const spoilt = { ...decisions, rewards: decisions.rewards.map((r, e) => (e === 3 ? reward : r)) };
      expect(() => valueIteration(spoilt)).toThrow(message);
      expect(() => policyIteration(spoilt)).toThrow(message);
    }
  });

  it("have a policy that true values find", () => {
    expect(policyAccuracy(decisions, valueIteration(decisions))).toBe(1);
    expect(policyAccuracy(decisions, new Float64Array(40))).toBeLessThan(1);
    expect(greedyPolicy(decisions, new Float64Array(40))).toHaveLength(40);
    expect(
      decisionSample(decisions)
        .graph.degree("in")
        .every((d) => d === 3),
    ).toBe(true);
    expect(() => randomDecisionGraph({ states: 5, actions: 1, discount: 1, rng: random.rng(0) })).toThrow(
      /discount is 1/,
    );
  });
});

function circle([ax, ay]: [number, number], [bx, by]: [number, number], [cx, cy]: [number, number]) {
  const d = 2 * (ax * (by - cy) + bx * (cy - ay) + cx * (ay - by));
  const [a, b, c] = [ax * ax + ay * ay, bx * bx + by * by, cx * cx + cy * cy];
  const x = (a * (by - cy) + b * (cy - ay) + c * (ay - by)) / d;
  const y = (a * (cx - bx) + b * (ax - cx) + c * (bx - ax)) / d;
  return { x, y, r: Math.hypot(ax - x, ay - y) };
}
