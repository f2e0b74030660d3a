// Trains the networks that ship, whatever comes out, and writes them into assets/. From the package's folder:
// node --conditions=@offprint/source --import ../../../tooling/typescript/register.mjs claims/make-network.mjs [box | white | rough] [seed]
import { writeFile } from "node:fs/promises";
import { saveParameters } from "@offprint/nn";
import { assetAddress } from "#assets";
import { trainByRecipe } from "./recipe.ts";
import { trainOn } from "./training-vectors.ts";

const [name = "box", seed = "0"] = process.argv.slice(2);
const params = name === "box" ? await trainByRecipe(seed) : await trainOn(name, seed);
await writeFile(assetAddress(`${name}-32.safetensors`), saveParameters(params));
