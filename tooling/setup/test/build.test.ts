import { expect, it } from "vitest";
import { readRepository } from "../../checks/repository.mjs";
import { selected } from "../../suite/stages/build.mjs";
import { build, root, SetupError } from "../setup.mjs";

it("names what is no package, rather than building nothing", () => {
  expect(() => build(["lipsdp", "lipsdq"])).toThrow(SetupError);
  expect(() => build(["lipsdq"])).toThrow(/no package lipsdq to build/);
});

it("builds for a selection what its tests import of the repository, and nothing else that they import", () => {
  const stsl = readRepository(root).packages.filter(({ slug }) => slug === "stsl");
  const names = selected(stsl);
  expect(names).toEqual(expect.arrayContaining(["@offprint/stsl", "@offprint/language", "@offprint/commands"]));
  // Types of Node, and the bench, which runs from its sources.
  for (const name of ["@types/node", "@offprint/bench"]) {
    expect(Object.keys(stsl[0]!.manifest.devDependencies)).toContain(name);
    expect(names).not.toContain(name);
  }
});
