import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runWords } from "@offprint/commands/testing";
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
  });
});
