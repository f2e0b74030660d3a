import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type GivenWords, runWords } from "@offprint/commands/testing";
import { readCsv, readSafetensors, writeSafetensors } from "@offprint/data";
import { latentOde, saveLatentOde } from "@offprint/ode/latent";
import { random, tensor } from "@offprint/tensor-core";
import { temporaryFolder } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";

const folder = temporaryFolder("series commands");
const at = (name: string) => join(folder, name);
const file = (name: string, content: string | Uint8Array) => {
  writeFileSync(at(name), content);
  return at(name);
};

/** Decays from a level of each series' own, seen at some times only. */
const rows = (random.rng(3).uniform([24, 8, 2]).toArray() as number[][][]).flatMap((times, i) =>
  times.map(([a, b], k) => {
    const level = 60 + 2 * i;
    const pulse = level * Math.exp(-0.2 * k);
    return `p${i},${3 * k},${a! < 0.7 ? pulse : ""},${b! < 0.7 ? 36 + pulse / 50 : ""}`;
  }),
);
const table = file("patients.csv", ["patient,hour,pulse,temperature", ...rows].join("\n"));
const small = { latent: 3, memory: 8, hidden: "6", batchSize: 12, steps: 240, learningRate: 0.03 };
const given = { table, id: "patient", ...small };

const called = async (name: string, words: GivenWords) => {
  const { code, out, err } = await runWords(commands, name, words);
  expect([code, err]).toEqual([0, ""]);
  return out;
};
const figure = (out: string, label: string) => Number((out.match(new RegExp(`${label}\\s+(\\S+)`)) ?? [])[1]);

describe("fit-series and predict-series", () => {
  const model = at("any name");

  it("learn a latent ODE that is nearer to what was set aside than means are, and use it on other series", async () => {
    const out = await called("fit-series", { ...given, output: model });
    expect(out).toMatch(/24 series, 8 times, 2 quantities/);
    expect(figure(out, "at what was set aside")).toBeLessThan(0.7 * figure(out, "mean of each quantity"));

    const course = (t: number) => 80 * Math.exp(-t / 15);
    const lines = [0, 3, 6, 9, 12, 15, 18, 21].map((t, k) => `${t},${k % 2 ? "" : course(t)},${36 + course(t) / 50}`);
    const other = file("other.csv", ["time,pulse,temperature", ...lines].join("\n"));
    const [filled, words] = [at("filled.csv"), { model, table: other, times: "0,3,6,9.5,24", draws: 30 }];
    await called("predict-series", { ...words, output: filled });
    const predicted = readCsv(readFileSync(filled, "utf8"));
    expect(predicted.names).toEqual([...["time", "pulse", "pulse deviation", "temperature", "temperature deviation"]]);
    expect(Array.from(predicted.column("time").values as Float64Array)).toEqual([0, 3, 6, 9.5, 24]);
    const pulse = Array.from(predicted.column("pulse").values as Float64Array);
    [0, 3, 6, 9.5, 24].forEach((t, k) => expect(Math.abs(pulse[k]! - course(t))).toBeLessThan(12));
    const spread = Array.from(predicted.column("pulse deviation").values as Float64Array);
    // At the least the deviation about the course: a twentieth of the range, which is about 80.
    spread.forEach((value) => expect(value).toBeGreaterThan(3));
    expect(await called("predict-series", words)).toBe(readFileSync(filled, "utf8"));
  });

  it("predict at the times of the table, one row for each series and time", async () => {
    const out = await called("predict-series", { model, table, id: "patient" });
    const predicted = readCsv(out);
    expect([predicted.rows, predicted.names]).toEqual([24 * 8, ["patient", "hour", "pulse", "temperature"]]);
    expect(predicted.column("patient").values[8]).toBe("p1");
  });

  it("say which option asks for what cannot be solved", async () => {
    const words = { model, table, id: "patient" };
    const far = await runWords(commands, "predict-series", { ...words, times: "1e300" });
    expect([far.code, far.err]).toEqual([
      2,
      expect.stringMatching(
        /--times: .* up to 1e\+300 in 4096 steps; the table has times from 0 to 21: give times nearer/,
      ),
    ]);
    for (const name of ["predict-series", "fit-series"]) {
      const fine = await runWords(commands, name, { ...(name === "fit-series" ? given : words), tolerance: "1e-300" });
      expect(fine.err).toMatch(/--tolerance must be a number of at least 1e-14 and below 1, got "1e-300"/);
    }
  });

  it("learn from a folder of clinical records", async () => {
    const records = at("set-a");
    mkdirSync(records, { recursive: true });
    for (const [id, first] of [
      [11, 80],
      [12, 90],
      [13, 100],
    ] as const) {
      const seen = [0, 5, 20].map((hour) => `${String(hour).padStart(2, "0")}:10,HR,${first - hour}`);
      file(`set-a/${id}.txt`, ["Time,Parameter,Value", `00:00,RecordID,${id}`, "00:00,Age,54", ...seen, ""].join("\n"));
    }
    const output = at("records.safetensors");
    const words = { table: records, columns: "HR", ...small, batchSize: 3, steps: 3, output };
    expect(await called("fit-series", words)).toMatch(/3 series, 49 times, 1 quantities/);
    const predicted = readCsv(await called("predict-series", { model: output, table: records, times: "0,48" }));
    expect([predicted.names, predicted.rows]).toEqual([["RecordID", "Hour", "HR"], 6]);
  });

  it("are interrupted with their state kept, and go on to the same model", async () => {
    const [state, rest, whole] = ["state.json", "rest.safetensors", "whole.safetensors"].map(at);
    const words = { ...given, steps: 6, state };
    const first = await runWords(commands, "fit-series", words, { signal: AbortSignal.abort() });
    expect([first.code, first.err]).toEqual([130, expect.stringContaining("The run is kept in")]);
    await runWords(commands, "fit-series", { ...words, resume: true, output: rest });
    await called("fit-series", { ...words, state: undefined, output: whole });
    expect(readFileSync(rest!)).toEqual(readFileSync(whole!));
  });

  it("say in one line what is wrong", async () => {
    const wrong = async (name: string, words: GivenWords) => {
      const { code, err } = await runWords(commands, name, words);
      expect(code).toBe(2);
      return err;
    };
    const refused = (content: string, words: object = {}) =>
      wrong("fit-series", { table: file("wrong.csv", content), ...words });
    expect(await refused("who,t,x\na,0,1\na,1,2\nb,0,1\n", { time: "t" })).toMatch(/do not grow at row 3; .*--id/);
    expect(await refused("t,x\n0,1\n1,2\n", { id: "who" })).toMatch(/wrong.csv: .*no column who/);
    expect(await refused("t,x\n0,a\n1,b\n")).toMatch(/column x holds texts/);
    expect(await refused("t,x\n1,2\n")).toMatch(/one time/);
    expect(await refused("t,x\n0,1\n1,2\n", { columns: "x,t" })).toMatch(/"t" is the column of times/);
    expect(await refused("t,x\n0,1\n1,2\n", { hide: 0.999999 })).toMatch(/smaller --hide/);
    expect(await wrong("fit-series", { table: folder })).toMatch(/has no file such as 132539.txt/);
    expect(await wrong("fit-series", { table: folder, id: "who" })).toMatch(/leave --id and --time out/);

    const predict = (bytes: Uint8Array, words: object = {}) =>
      wrong("predict-series", { model: file("wrong.safetensors", bytes), table, id: "patient", ...words });
    expect(await predict(writeSafetensors({ x: tensor([1]) }))).toMatch(/not marked "offprint latent-ode 1"/);
    expect(await predict(new Uint8Array(7))).toMatch(/wrong.safetensors/);
    const kept = new Uint8Array(readFileSync(model));
    expect(await predict(kept, { table: at("other.csv"), id: undefined, times: "-1,2" })).toMatch(/-1/);
    expect(await predict(kept, { table: file("less.csv", "time,pulse\n0,80\n"), id: undefined })).toMatch(
      /no column temperature/,
    );
  });

  it("refuse a model whose description or numbers are none, and a single draw", async () => {
    const { tensors, metadata } = readSafetensors(new Uint8Array(readFileSync(model)));
    const said = JSON.parse(metadata.description!);
    const lying = async (lie: object, held = tensors) => {
      const description = JSON.stringify({ ...said, ...lie });
      const path = file("lying.model", writeSafetensors(held, { metadata: { ...metadata, description } }));
      const { code, err } = await runWords(commands, "predict-series", { model: path, table, id: "patient" });
      expect(code).toBe(2);
      return err;
    };
    const { about } = said;
    const [least, most] = about.ranges;
    for (const lie of [undefined, null, { ...about, ranges: [most, least] }, { ...about, quantum: -1 }]) {
      expect(await lying({ about: lie })).toMatch(/lying\.model: .*does not say what its quantities are/);
    }
    const [name] = Object.keys(tensors) as [string];
    expect(await lying({}, { ...tensors, [name]: tensors[name]!.mul(Number.NaN) })).toMatch(
      /lying\.model: a parameter/,
    );
    const single = await runWords(commands, "predict-series", { model, table, id: "patient", draws: 1 });
    expect(single.err).toMatch(/--draws is 1, which has no deviation/);
  });

  it("refuse a model that does not say what its quantities are", async () => {
    const options = { features: 1, latent: 2, state: 2, gate: 2, rate: [2] };
    const params = latentOde(options).init(random.rng(0));
    const unnamed = file("unnamed.safetensors", saveLatentOde({ options, params }));
    const { code, err } = await runWords(commands, "predict-series", { model: unnamed, table, id: "patient" });
    expect([code, err]).toEqual([2, expect.stringContaining("does not say what its quantities are")]);
  });
});
