import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { writeNpy } from "@offprint/data";
import { saveFile } from "@offprint/data/node";
import { activation, fromOnnx, linear, toOnnx } from "@offprint/networks";
import { tensor } from "@offprint/tensor-core";
import { temporaryFolder } from "@offprint/testing";
import { expect, it } from "vitest";
import { sineNetwork } from "../claims/sine-networks.js";
import { commands } from "../cli/index.js";
import { boxAround, localLipschitz } from "../src/index.js";

const folder = temporaryFolder("bound locally");

it("bounds an .onnx file around a point of a file", async () => {
  const bytes = toOnnx(sineNetwork([6, 10, 10, 3]), { dtype: "float64" });
  const [model, point, output] = ["model.onnx", "x.npy", "bounds.json"].map((name) => join(folder, name));
  writeFileSync(model, bytes);
  const x = Array.from({ length: 6 }, (_, j) => Math.sin(j + 1));
  await saveFile(point, writeNpy(tensor(x, { dtype: "float64" })));
  const words = [model, "--point", point, "--eps", "0.05", "--rows", "0,1", "--max", "0.95", "--output", output];
  const { code, out } = await runWords(commands, "bound-locally", words);
  expect(code).toBe(0);
  expect(out).toContain("(certified)");
  const written = JSON.parse(readFileSync(output, "utf8"));
  const direct = await localLipschitz(fromOnnx(bytes), boxAround(x, 0.05, { max: 0.95 }), { outputs: [0, 1] });
  expect([written.value, written.domains, written.status]).toEqual([direct.value, direct.domains, direct.status]);
});

it("says that nothing is left to split where the gap stays open", async () => {
  // Both are at their larger slope for no input, x > 1/2 and x < -1/2, but each of them for one.
  const slopes = {
    layers: [linear([[1], [-1]], [-0.5, -0.5]), activation("leakyRelu", { slope: 0.2 }), linear([[1, -1]])],
  };
  const [model, point] = ["leaky.onnx", "zero.txt"].map((name) => join(folder, name));
  writeFileSync(model, toOnnx(slopes));
  writeFileSync(point, "0");
  const of = (...words: string[]) =>
    runWords(commands, "bound-locally", [model, "--point", point, "--eps", "1", ...words]);
  expect(await of()).toMatchObject({
    out: expect.stringContaining("nothing left to split"),
    err: expect.stringContaining("--exact"),
  });
  expect((await of("--exact")).out).toMatch(/gap +0\.0\d %\n.*converged/);
});

it("prints bounds that are bounds, of whatever size", async () => {
  const [model, point, output] = ["sized.onnx", "one.txt", "sized.json"].map((name) => join(folder, name));
  writeFileSync(point, "0.5");
  for (const slope of [12345621, 1.00000049e200, 9.9999996, 3.3333333e-8]) {
    const layers = [linear(tensor([[1]], { dtype: "float64" })), activation("relu")];
    const last = linear(tensor([[slope]], { dtype: "float64" }));
    writeFileSync(model, toOnnx({ layers: [...layers, last] }, { dtype: "float64" }));
    const { out } = await runWords(commands, "bound-locally", [
      ...[model, "--point", point, "--eps", "0.1", "--output", output],
    ]);
    const [most, least] = [/L <= +(\S+)/, /L >= +(\S+)/].map((pattern) => Number(pattern.exec(out)?.[1]));
    const { value, lowerBound } = JSON.parse(readFileSync(output, "utf8"));
    expect(most).toBeGreaterThanOrEqual(value);
    expect(least).toBeLessThanOrEqual(lowerBound);
    expect(most / least).toBeLessThan(1 + 3e-6);
  }
});

it("bounds it between two inputs, too, and asks for one place or the other", async () => {
  const [model, lower, upper] = ["model.onnx", "lower.txt", "upper.txt"].map((name) => join(folder, name));
  const bytes = toOnnx(sineNetwork([6, 10, 10, 3]), { dtype: "float64" });
  writeFileSync(model, bytes);
  const ends = [-0.1, 0.2].map((by) => Array.from({ length: 6 }, (_, j) => Math.sin(j) + by));
  writeFileSync(lower, ends[0].join(" "));
  writeFileSync(upper, ends[1].join("\n"));
  const output = join(folder, "box.json");
  const of = (...words: string[]) => runWords(commands, "bound-locally", [model, "--max-domains", "0", ...words]);
  const { code, out } = await of("--lower", lower, "--upper", upper, "--output", output);
  expect([code, out]).toEqual([0, expect.stringContaining("a box of 6 inputs")]);
  const direct = await localLipschitz(fromOnnx(bytes), { lower: ends[0], upper: ends[1] }, { maxDomains: 0 });
  expect(JSON.parse(readFileSync(output, "utf8")).value).toBe(direct.value);
  expect((await of()).err).toContain("--point and --eps, or --lower and --upper");
  expect((await of("--lower", lower, "--eps", "1")).code).toBe(2);
  expect((await of("--lower", upper, "--upper", lower)).err).toContain("above --upper");
  expect((await of("--lower", lower, "--upper", upper, "--rows", "0,3")).err).toContain(
    "--rows has 3; the network's outputs are 0 to 2",
  );
  expect((await of("--lower", lower, "--upper", upper, "--min", "0")).err).toContain("--min and --max are for --point");
});

it("reads weights that lie in a file beside the model, and names that file where it is missing", async () => {
  const fixture = new URL("../../../core/networks/test/fixtures/external-data.json", import.meta.url);
  const { model, data } = JSON.parse(readFileSync(fixture, "utf8"));
  const [bytes, weights] = [model, data].map((text) => Buffer.from(text, "base64"));
  const [path, beside, point, output] = ["beside.onnx", "model.onnx.data", "four.txt", "beside.json"].map((name) =>
    join(folder, name),
  );
  writeFileSync(path, bytes);
  writeFileSync(point, "0.1 0.2 0.3 0.4");
  const words = [path, "--point", point, "--eps", "0.5", "--output", output];
  const missing = await runWords(commands, "bound-locally", words);
  expect([missing.code, missing.err]).toEqual([2, expect.stringContaining('"model.onnx.data", which is not there')]);
  writeFileSync(beside, weights);
  expect((await runWords(commands, "bound-locally", words)).code).toBe(0);
  const network = fromOnnx(bytes, { externalData: { "model.onnx.data": weights } });
  const { value } = await localLipschitz(network, boxAround([0.1, 0.2, 0.3, 0.4], 0.5));
  expect(JSON.parse(readFileSync(output, "utf8")).value).toBe(value);
  writeFileSync(beside, weights.subarray(0, 100));
  expect((await runWords(commands, "bound-locally", words)).err).toContain("truncated");
});

it("a point that is none is refused in one line", async () => {
  const [model, point] = ["model.onnx", "x.txt"].map((name) => join(folder, name));
  writeFileSync(point, "0.1, two");
  const { code, err } = await runWords(commands, "bound-locally", [model, "--point", point, "--eps", "0.1"]);
  expect(code).toBe(2);
  expect(err).toContain('the word "two"');
});

it("names the option whose values do not fit", async () => {
  const [model, short, right, nan] = ["fits.onnx", "short.txt", "right.txt", "nan.npy"].map((name) =>
    join(folder, name),
  );
  writeFileSync(model, toOnnx(sineNetwork([6, 10, 10, 3])));
  writeFileSync(short, "1 2 3");
  writeFileSync(right, "1 2 3 4 5 6");
  await saveFile(nan, writeNpy(tensor([0, Number.NaN, 0, 0, 0, 0], { dtype: "float64" })));
  const refused = async (...words: string[]) => {
    const { code, err } = await runWords(commands, "bound-locally", [model, ...words]);
    expect(code).toBe(2);
    return err;
  };
  expect(await refused("--point", short, "--eps", "0.1")).toContain("--point has 3 values and the network 6 inputs");
  expect(await refused("--lower", right, "--upper", short)).toContain("--upper has 3 values and the network 6 inputs");
  expect(await refused("--point", right, "--eps", "1", "--max", "4")).toContain(
    "--min and --max leave nothing of coordinate 5: --point is 6, --eps 1",
  );
  expect(await refused("--point", nan, "--eps", "1")).toContain("nan.npy: the input has the value NaN at 1");
});

it("goes on after an interruption to the same bounds", async () => {
  const [model, lower, upper] = ["net.onnx", "from.txt", "to.txt"].map((name) => join(folder, name));
  writeFileSync(model, toOnnx(sineNetwork([6, 10, 10, 3]), { dtype: "float64" }));
  writeFileSync(lower, "-0.3 -0.3 -0.3 -0.3 -0.3 -0.3");
  writeFileSync(upper, "0.4 0.4 0.4 0.4 0.4 0.4");
  const words = [model, "--lower", lower, "--upper", upper, "--max-domains", 8];
  const [whole, parts] = await runInTwo(commands, "bound-locally", words, {
    output: join(folder, "resumed.json"),
    state: join(folder, "state.json"),
  });
  expect(parts).toEqual(whole);
});
