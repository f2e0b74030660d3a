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

  it("says in one line what is wrong with a file", async () => {
    const pores = await file("bad.csv", "held\n1\n0\n");
    const throats = await file("one.csv", "pore1,pore2,conductance\n0,1,2\n");
    const { code, err } = await runWords(commands, "solve-pore-network", ["--pores", pores, "--throats", throats]);
    expect(code).toBe(2);
    expect(err).toMatch(/no column of numbers "pressure"; it has held/);
  });
});
