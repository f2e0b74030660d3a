import { fuzzReader } from "@offprint/fuzz";
import { random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  holdPressures,
  type PoreGeometry,
  permeability,
  poreSample,
  randomPoreNetwork,
  readOpenPnm,
  readStatoil,
  type StatoilFiles,
  sampleExtent,
  solvePoreNetwork,
  throatFeatures,
} from "../src/index.js";

const bytes = (text: string) => new TextEncoder().encode(text);
const format = (message: RegExp) =>
  expect.objectContaining({ name: "FormatError", message: expect.stringMatching(message) });

/** Three pores in a row, a fourth that nothing reaches, two throats: as `network_to_csv` writes them, throats' rows first. */
const openPnm = [
  "throat.conns[0],throat.conns[1],throat.hydraulic_conductance,throat.diameter,throat.length," +
    "pore.coords[0],pore.coords[1],pore.coords[2],pore.diameter,pore.left,pore.right",
  "0,1,2,0.2,0.5,0,0,0,0.5,True,False",
  "1,2,0.5,0.4,0.5,1,1,0,0.5,False,False",
  "3,3,1,0.1,0.1,2,0,3,0.5,False,True",
  ",,,,,5,0,0,0.5,False,False",
  "",
].join("\n");

/** Two pores between the reservoirs, in a row; circles of shape factor 1/(4 pi). */
const circle = 1 / (4 * Math.PI);
const statoil: StatoilFiles = {
  link1: `3\n 1 -1 1 1.0 ${circle} 1.5\n 2 1 2 2.0 ${circle} 5\n 3 2 0 1.0 ${circle} 1\n`,
  link2: " 1 -1 1 0.0 0.5 1.0 0 0\n 2 1 2 1.0 2.0 2.0 0 0\n 3 2 0 0.0 0.0 1.0 0 0\n",
  node1: "2 10 4 5\n 1 2 2 2 2 -1 2 1 0 1 2\n 2 8 2 2 2 1 0 0 1 2 3\n",
  node2: ` 1 1 3 ${circle} 0\n 2 1 1 ${Math.sqrt(3) / 36} 0\n`,
};

describe("readOpenPnm", () => {
  const network = readOpenPnm(openPnm);

  it("reads links, places, conductances and sets of pores", () => {
    expect(network).toMatchObject({ pores: 4, labels: { left: [0], right: [2] }, extent: [5, 1, 3] });
    expect(network.throats.map((pair) => [...pair])).toEqual([
      [0, 1],
      [1, 2],
      [3, 3],
    ]);
    expect([...network.conductances]).toEqual([2, 0.5, 1]);
    expect([...network.radii]).toEqual([0.1, 0.2, 0.05]);
    expect([...network.positions.slice(3, 9)]).toEqual([1, 1, 0, 2, 0, 3]);
  });

  it("gives a network that can be solved, without what nothing reaches", () => {
    const held = holdPressures(network, "left", "right");
    expect([held.pores, [...held.poreOf], [...held.throatOf]]).toEqual([3, [0, 1, 2], [0, 1]]);
    const flow = solvePoreNetwork(held);
    expect(flow.inflow).toBeCloseTo(1 / (1 / 2 + 1 / 0.5), 14);
    const sample = sampleExtent(network, "left", "right");
    expect(sample).toEqual({ length: 3, area: 5 });
    expect(permeability(held, sample, flow)).toBe(permeability(held, sample));
    expect(throatFeatures(network, held)).toHaveLength(2);
    expect(poreSample(held, throatFeatures(network, held)).graph.edges).toBe(4);
  });

  it("takes radii and lengths where there are no conductances, and those of pores where there are no throats'", () => {
    const without = (...names: string[]) => {
      const rows = openPnm.split("\n").map((line) => line.split(","));
      const kept = rows[0].map((name) => !names.includes(name));
      return rows.map((row) => row.filter((_, k) => kept[k]).join(",")).join("\n");
    };
    const loop = (text: string) => text.replace(/^3,3,/m, "0,2,");
    const ofThroats = readOpenPnm(loop(without("throat.hydraulic_conductance")));
    expect(ofThroats.conductances[0]).toBeCloseTo((Math.PI * 0.1 ** 4) / (8 * 0.5), 15);
    const ofPores = readOpenPnm(loop(without("throat.hydraulic_conductance", "throat.diameter", "throat.length")));
    expect(ofPores.lengths[0]).toBeCloseTo(Math.SQRT2 - 0.5, 15);
    expect(ofPores.conductances[0]).toBeCloseTo((Math.PI * 0.25 ** 4) / (8 * (Math.SQRT2 - 0.5)), 15);
    expect(() => readOpenPnm(without("throat.hydraulic_conductance", "throat.diameter", "pore.diameter"))).toThrow(
      format(/nor what it follows from/),
    );
    expect(() => readOpenPnm(without("throat.hydraulic_conductance", "throat.diameter", "throat.length"))).toThrow(
      format(/throat 2 has radius 0.25 and length -0.5/),
    );
  });

  it("knows properties by the ends of their names, as project_to_csv puts names of objects between", () => {
    const named = readOpenPnm(openPnm.replaceAll("pore.", "pore.net_01.").replaceAll("throat.", "throat.net_01."));
    expect(named).toEqual(network);
  });

  it("says what is wrong with a table", () => {
    expect(() => readOpenPnm("a,b\n1,2\n")).toThrow(format(/no column "pore.coords\[0\]"/));
    expect(() => readOpenPnm(openPnm.replace("1,2,0.5", "1,9,0.5"))).toThrow(format(/throat 1 ends at pore 9/));
    expect(() => readOpenPnm(openPnm.replace("1,2,0.5", "1,,0.5"))).toThrow(format(/conns\[1\] is NaN in row 2/));
    expect(() => readOpenPnm(openPnm.replace("0,1,2,", "0,1,-2,"))).toThrow(format(/conductance is -2 in row 1/));
    expect(() => readOpenPnm(openPnm.replace("1,1,0,0.5", ",1,0,0.5"))).toThrow(
      format(/coords\[0\] is missing in row 2 and there in row 3/),
    );
  });
});

describe("readStatoil", () => {
  const network = readStatoil(statoil);

  it("puts reservoirs, pores and throats in series", () => {
    expect(network).toMatchObject({ pores: 4, labels: { inlet: [2], outlet: [3] }, extent: [10, 4, 5] });
    expect(network.throats.map((pair) => [...pair])).toEqual([
      [2, 0],
      [0, 1],
      [1, 3],
    ]);
    const round = (r: number) => (Math.PI * r ** 4) / 8;
    // An equilateral triangle of inscribed radius 1: area 3 sqrt(3), conductivity 3 A^2 G / 5.
    const triangle = (3 * (3 * Math.sqrt(3)) ** 2 * (Math.sqrt(3) / 36)) / 5;
    expect(network.conductances[0]).toBeCloseTo(1 / (1 / round(1) + 0.5 / round(3)), 13);
    expect(network.conductances[1]).toBeCloseTo(1 / (1 / round(3) + 2 / round(2) + 2 / triangle), 13);
    expect(network.conductances[2]).toBeCloseTo(round(1), 13);
    const held = holdPressures(network, "inlet", "outlet");
    const resistance = network.conductances.reduce((total, k) => total + 1 / k, 0);
    expect(solvePoreNetwork(held).inflow).toBeCloseTo(1 / resistance, 13);
    expect(sampleExtent(network, "inlet", "outlet")).toEqual({ length: 10, area: 20 });
  });

  it("says which line of which file is wrong", () => {
    const refused = (files: Partial<StatoilFiles>, message: RegExp) =>
      expect(() => readStatoil({ ...statoil, ...files })).toThrow(format(message));
    refused({ link1: statoil.link1.replace("3\n", "4\n") }, /link1: 4 rows are announced, and there are 3/);
    refused({ link1: statoil.link1.replace("2 1 2", "2 1 7") }, /link1: there is no pore 7 \(line 3\)/);
    refused({ link1: statoil.link1.replace("2 1 2", "2 2 1") }, /link2: throat 2 has other ends than in link1/);
    refused({ link2: statoil.link2.replace("1.0 2.0 2.0", "1.0 2.0 0") }, /link2: length is 0; it must be > 0/);
    refused({ link2: statoil.link2.split("\n").slice(1).join("\n") }, /link2: 2 rows where 3 are expected/);
    refused({ node1: "2 10 4\n" }, /node1: 3 numbers; 4 at least are read \(line 1\)/);
    refused({ node2: statoil.node2.replace(" 2 1", " 3 1") }, /node2: number 3 where 2 is expected/);
    refused({ node2: "" }, /node2: the file is empty/);
    refused({ node2: "1 1 x 1\n" }, /"x" is no number/);
  });
});

describe("damaged files give typed errors and no huge allocation", () => {
  it("of OpenPNM", () => fuzzReader({ name: "OpenPNM", read: readOpenPnm, file: bytes(openPnm) }));

  it.each(Object.keys(statoil) as (keyof StatoilFiles)[])("of Statoil: %s", (name) => {
    const read = (damaged: Uint8Array) => readStatoil({ ...statoil, [name]: new TextDecoder().decode(damaged) });
    fuzzReader({ name, read, file: bytes(statoil[name]) });
  });
});

describe("holdPressures", () => {
  it("refuses sets that are none", () => {
    const network = readOpenPnm(openPnm);
    expect(() => holdPressures(network, "top", "right")).toThrow(/no set "top"; there are left, right/);
    expect(() => holdPressures(network, "left", "left")).toThrow(/in "left" and in "left"/);
    const empty: PoreGeometry = { ...network, labels: { left: [] } };
    expect(() => holdPressures(empty, "left", "right")).toThrow(/no pore is in the set "left"; the file names no sets/);
    const bare = { ...network, radii: network.radii.map(() => Number.NaN) };
    expect(() => throatFeatures(bare, holdPressures(network, "left", "right"))).toThrow(/no radii or lengths/);
  });

  it("leaves a network whole through which everything flows", () => {
    const { pores, throats, conductances, held } = randomPoreNetwork({ pores: 40, rng: random.rng("held") });
    const all = Array.from({ length: pores }, (_, i) => i);
    const positions = new Float64Array(3 * pores);
    const nothing = new Float64Array(throats.length);
    const labels = { in: all.filter((i) => held[i] === 1), out: all.filter((i) => held[i] === 0) };
    const geometry: PoreGeometry = {
      ...{ pores, throats, conductances: Float64Array.from(conductances), positions, labels },
      ...{ radii: nothing, lengths: nothing, extent: [1, 1, 1] },
    };
    expect(solvePoreNetwork(holdPressures(geometry, "in", "out"))).toEqual(
      solvePoreNetwork({ pores, throats, conductances, held }),
    );
  });
});
