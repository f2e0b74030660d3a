import { mkdirSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { temporaryFolder } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";

const folder = temporaryFolder("solve-pore-network");

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

describe("solve-pore-network", () => {
  it("writes pressures and reports the permeability", async () => {
    const pores = await file("pores.csv", "name,pressure\na,1\nb,\nc,0\n");
    const throats = await file("throats.csv", "pore1,pore2,conductance\n0,1,2\n1,2,2\n");
    const output = join(folder, "out.csv");
    const words = ["--pores", pores, "--throats", throats, "--length", "3", "--area", "2", "--output", output];
    const { code, out } = await runWords(commands, "solve-pore-network", words);
    expect(code).toBe(0);
    expect(out).toMatch(/permeability +1\.5/);
    expect(await readFile(output, "utf8")).toBe("pore,pressure\n0,1\n1,0.5\n2,0\n");
    const { err } = await runWords(commands, "solve-pore-network", [...words, "--inlet", "left"]);
    expect(err).toMatch(/--inlet would do nothing/);
  });

  it("takes a network of OpenPNM, and one of Statoil", async () => {
    const rows = [
      "throat.conns[0],throat.conns[1],throat.hydraulic_conductance,pore.coords[0],pore.coords[1],pore.coords[2],pore.left,pore.right",
      "0,1,2,0,0,0,True,False",
      "1,2,2,1,1,0,False,False",
      ",,,3,0,2,False,True",
    ];
    const openPnm = await file("net.csv", `${rows.join("\n")}\n`);
    const output = join(folder, "openpnm.csv");
    const words = ["--openpnm", openPnm, "--inlet", "left", "--outlet", "right", "--output", output];
    const { code, out } = await runWords(commands, "solve-pore-network", words);
    expect(code).toBe(0);
    expect(out).toMatch(/permeability +1\.5/);
    expect(await readFile(output, "utf8")).toBe("pore,pressure\n0,1\n1,0.5\n2,0\n");

    const link1 = await file("rock_link1.dat", "2\n1 -1 1 1 0.0625 1\n2 1 0 1 0.0625 1\n");
    await file("rock_link2.dat", "1 -1 1 0 0 1 0 0\n2 1 0 0 0 1 0 0\n");
    await file("rock_node1.dat", "1 2 1 1\n1 1 0.5 0.5 2 -1 0 1 1 1 2\n");
    await file("rock_node2.dat", "1 1 1 0.0625 0\n");
    const rock = await runWords(commands, "solve-pore-network", ["--statoil", link1]);
    expect(rock.out).toMatch(/permeability +0\.5623/);
    const both = await runWords(commands, "solve-pore-network", ["--statoil", link1, "--openpnm", openPnm]);
    expect([both.code, both.err]).toEqual([2, expect.stringMatching(/give one network/)]);
  });

  it("says in one line what is wrong with a file", async () => {
    const pores = await file("bad.csv", "held\n1\n0\n");
    const throats = await file("one.csv", "pore1,pore2,conductance\n0,1,2\n");
    const { code, err } = await runWords(commands, "solve-pore-network", ["--pores", pores, "--throats", throats]);
    expect(code).toBe(2);
    expect(err).toMatch(/no column of numbers "pressure"; it has held/);
    const alone = await file("alone.csv", "pressure\n1\n\n0\n");
    const two = await file("two.csv", "pore1,pore2,conductance\n0,1,2\n1,2,2\n");
    const empty = await runWords(commands, "solve-pore-network", ["--pores", alone, "--throats", two]);
    expect([empty.code, empty.err]).toEqual([2, expect.stringMatching(/line 3 is empty.*write NaN/)]);
    await writeFile(alone, "pressure\n1\nNaN\n0\n");
    expect((await runWords(commands, "solve-pore-network", ["--pores", alone, "--throats", two])).code).toBe(0);
  });
});

describe("classify-graphs", () => {
  /** Rings with a chord and trees, twelve of each; kinds of nodes are the same in both. */
  function rings(name: string): string {
    const lines = { A: [] as string[], graph_indicator: [] as string[], graph_labels: [] as string[] };
    let first = 1;
    for (let g = 0; g < 24; g++) {
      const nodes = 5 + (g % 4);
      const ring = g % 2 === 0;
      const links = Array.from({ length: nodes - 1 }, (_, i) => (ring ? [i, i + 1] : [0, i + 1]));
      if (ring) links.push([nodes - 1, 0]);
      for (const [a, b] of links) lines.A.push(`${first + a}, ${first + b}`, `${first + b}, ${first + a}`);
      for (let i = 0; i < nodes; i++) lines.graph_indicator.push(String(g + 1));
      lines.graph_labels.push(ring ? "1" : "-1");
      first += nodes;
    }
    const place = join(folder, name);
    mkdirSync(place, { recursive: true });
    for (const [part, text] of Object.entries(lines))
      writeFileSync(join(place, `${name}_${part}.txt`), text.join("\n"));
    return place;
  }

  it("judges every graph once, by a model that has not seen it", async () => {
    const output = join(folder, "classes.csv");
    const words = ["--graphs", rings("RINGS"), "--output", output];
    const small = "--folds 2 --steps 60 --batch-size 16 --hidden 8 --heads 4 --learning-rate 0.01 --device host".split(
      " ",
    );
    const { code, out, err } = await runWords(commands, "classify-graphs", [...words, ...small]);
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(out).toMatch(/RINGS: 24 graphs, 2 classes, 2 features of a node, 1 of an edge/);
    expect(Number(/folds right +([0-9.]+)/.exec(out)?.[1])).toBeGreaterThan(90);
    const [head, ...rows] = (await readFile(output, "utf8")).trim().split("\n");
    expect(head).toBe("graph,class,predicted,probability -1,probability 1");
    expect(rows.map((row) => row.split(",")[1])).toEqual(
      Array.from({ length: 24 }, (_, g) => (g % 2 === 0 ? "1" : "-1")),
    );
  });

  it("goes on after an interruption, within a fold and between two, to the same predictions", async () => {
    const words = { graphs: rings("RINGS"), folds: 2, steps: 4, batchSize: 8, hidden: 4, heads: 2, device: "host" };
    for (const interruptAt of [0.2, 0.5]) {
      const settings = { output: join(folder, "resumed.csv"), state: join(folder, "state.json"), interruptAt };
      const [whole, parts] = await runInTwo(commands, "classify-graphs", words, settings);
      expect(parts).toEqual(whole);
    }
  });

  it("says what is wrong with a folder", async () => {
    const words = (...more: string[]) => runWords(commands, "classify-graphs", more);
    const missing = await words("--graphs", folder);
    expect([missing.code, missing.err]).toEqual([2, expect.stringMatching(/holds no data set/)]);
    const nameless = await words("--graphs", rings("RINGS"), "--set", "");
    expect([nameless.code, nameless.err]).toEqual([2, expect.stringMatching(/--set is ""; give the NAME of a set/)]);
    const many = await words("--graphs", rings("RINGS"), "--folds", "30");
    expect([many.code, many.err]).toEqual([2, expect.stringMatching(/24 graphs; give at most as many --folds/)]);
  });
});
