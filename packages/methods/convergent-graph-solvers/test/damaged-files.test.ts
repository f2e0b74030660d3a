import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runWords } from "@offprint/commands/testing";
import { mutations } from "@offprint/fuzz";
import { temporaryFolder } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";

const folder = temporaryFolder("damaged graphs");
const put = (name: string, content: string | Uint8Array) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
/** A command's end is its result or one line; what nobody foresaw is called unexpected. */
const foreseen = ({ code, err }: { code: number; err: string }, what: string) => {
  if (code !== 2 || err.includes("unexpected") || err.length < 30) expect([what, code, err]).toEqual([what, 0, ""]);
};
const text = new TextDecoder();

describe("solve-pore-network", () => {
  const whole = {
    pores: "name,pressure\na,1\nb,\nc,\nd,0\n",
    throats: "pore1,pore2,conductance\n0,1,2\n1,2,2\n2,3,2\n",
  };
  const solve = (files: typeof whole) =>
    runWords(commands, "solve-pore-network", {
      pores: put("pores.csv", files.pores),
      throats: put("throats.csv", files.throats),
    });

  it.each(["pores", "throats"] as const)("ends in one line for damaged %s", async (name) => {
    for (const bytes of mutations(new TextEncoder().encode(whole[name]), name, 80)) {
      const damaged = text.decode(bytes);
      foreseen(await solve({ ...whole, [name]: damaged }), damaged);
    }
  });

  const said = (throats: string, pores = whole.pores) =>
    solve({ pores, throats: `pore1,pore2,conductance\n${throats}\n` });

  it.each([
    ["a throat from a pore to itself", "0,1,2\n1,1,5\n1,2,2\n2,3,2", 2 / 3],
    ["two throats in the place of one", "0,1,1\n0,1,1\n1,2,2\n2,3,2", 2 / 3],
    ["an inlet and an outlet that nothing links", "0,1,2\n2,3,2", 0],
    ["conductances near the largest number", "0,1,1e308\n1,2,1e308\n2,3,1e308", 1e308 / 3],
  ])("solves %s", async (_, throats, flow) => {
    const { code, out } = await said(throats);
    expect(code).toBe(0);
    expect(Number(/flow in +(\S+)/.exec(out)?.[1]) / (flow || 1)).toBeCloseTo(flow === 0 ? 0 : 1, 12);
  });

  it("gives the permeability of pressures whose difference is larger than all numbers", async () => {
    const { out } = await said("0,1,2\n1,2,2\n2,3,2", "pressure\n1e308\nNaN\nNaN\n-1e308\n");
    expect(Number(/permeability +(\S+)/.exec(out)?.[1])).toBeCloseTo(2 / 3, 12);
  });

  it.each([
    ["a negative conductance", "0,1,-2\n1,2,2\n2,3,2", undefined, /conductance of throat 0 is -2; it must be > 0/],
    ["none", "0,1,0\n1,2,2\n2,3,2", undefined, /conductance of throat 0 is 0/],
    ["an infinite one", "0,1,Infinity\n1,2,2\n2,3,2", undefined, /conductance of throat 0 is Infinity/],
    ["a pore that nothing reaches", "0,1,2\n1,3,2", undefined, /no throats link pore 2 with a held pressure/],
    ["a pore that is not there", "0,1,2\n1,1e18,2", undefined, /throat 1 ends at pore 1000000000000000000/],
    ["no pressure at all", "0,1,2", "pressure\nNaN\nNaN\n", /no pressure is held; hold an inlet and an outlet/],
    [
      "an infinite pressure",
      "0,1,2",
      "pressure\nInfinity\n0\n",
      /pore 0 is held at Infinity; pressures must be finite/,
    ],
  ])("refuses %s", async (_, throats, pores, message) => {
    expect(await said(throats, pores)).toMatchObject({ code: 2, err: expect.stringMatching(message) });
  });
});

describe("classify-graphs", () => {
  /** Rings and stars of three or four nodes. */
  const whole = (() => {
    const lines = { A: [] as string[], graph_indicator: [] as string[], graph_labels: [] as string[] };
    let first = 1;
    for (let g = 0; g < 6; g++) {
      const nodes = 3 + (g % 2);
      for (let i = 0; i < nodes; i++) {
        lines.graph_indicator.push(String(g + 1));
        const next = g % 2 === 0 ? first + ((i + 1) % nodes) : first;
        lines.A.push(`${first + i}, ${next}`, `${next}, ${first + i}`);
      }
      lines.graph_labels.push(g % 2 === 0 ? "1" : "-1");
      first += nodes;
    }
    return Object.fromEntries(Object.entries(lines).map(([part, rows]) => [part, rows.join("\n")]));
  })();
  const classify = (files: typeof whole) => {
    mkdirSync(join(folder, "SET"), { recursive: true });
    for (const [part, content] of Object.entries(files)) put(`SET/SET_${part}.txt`, content);
    const small = { folds: 2, steps: 1, batchSize: 2, hidden: 2, heads: 1, device: "host" };
    return runWords(commands, "classify-graphs", { graphs: join(folder, "SET"), ...small });
  };

  it.each(Object.keys(whole))("ends in one line for damaged %s", async (name) => {
    for (const bytes of mutations(new TextEncoder().encode(whole[name]), name, 6)) {
      const damaged = text.decode(bytes);
      foreseen(await classify({ ...whole, [name]: damaged }), damaged);
    }
  });
  it.each<[string, Record<string, string>]>([
    ["no edges", { A: "" }],
    ["edges from nodes to themselves", { A: "1, 1\n2, 2" }],
    ["an edge twice", { A: "1, 2\n1, 2\n2, 1" }],
    ["a graph without nodes", { A: "1, 2", graph_labels: `${whole["graph_labels"]}\n1` }],
  ])("takes %s", async (_, files) => {
    expect(await classify({ ...whole, ...files })).toMatchObject({ code: 0, err: "" });
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ["a node beyond the last", { A: "1, 99999999999999999999" }, /nodes 1 and 1\d+ are not in one graph \(line 1\)/],
    ["the node 0", { A: "0, 1" }, /nodes 0 and 1 are not in one graph/],
    ["an edge between two graphs", { A: "1, 4" }, /nodes 1 and 4 are not in one graph/],
    ["half a node", { A: "1.5, 2" }, /"1.5" is no integer/],
    ["fewer labels than graphs", { graph_labels: "1\n-1" }, /node 8 is in graph 3 of 2/],
  ])("refuses %s", async (_, files, message) => {
    expect(await classify({ ...whole, ...files })).toMatchObject({ code: 2, err: expect.stringMatching(message) });
  });
});
