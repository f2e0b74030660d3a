import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Installation } from "./installation.js";

let offprint: Installation;

beforeAll(async () => {
  offprint = await Installation.create(["bowl"]);
});

afterAll(() => offprint.remove());

describe("without @offprint/onnx-runtime", () => {
  it("doctor says what is installed, and that the host runs", async () => {
    const { code, out } = await offprint.run(["doctor"]);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`node\\s+${process.versions.node.replaceAll(".", "\\.")}\n`));
    expect(out).toMatch(/compiler\s+works: WebAssembly with vectors\n/);
    expect(out).toMatch(/offprint\s+7\.8\.9\n/);
    expect(out).toMatch(/@offprint\/onnx-runtime\s+not installed \(npm install @offprint\/onnx-runtime\)/);
    expect(out).toMatch(/@offprint\/bowl\s+1\.2\.3, 2 claims/);
    expect(out).toMatch(/host\s+runs, first result after/);
  });
});

describe("with @offprint/onnx-runtime", () => {
  beforeAll(() => offprint.install("onnx-runtime"));
  afterAll(() => offprint.uninstall("onnx-runtime"));

  it("reproduce uses the device, and says which", async () => {
    const cwd = offprint.folder();
    const { code, err } = await offprint.run(["reproduce", "bowl", "--threads", "2", "--json", "r.json"], cwd);
    expect(code).toBe(0);
    expect(err).not.toContain("onnx-runtime");
    const { runs, environment } = JSON.parse(readFileSync(join(cwd, "r.json"), "utf8"));
    expect(runs[0].device).toBe("cpu");
    expect(environment.facts.Device).toBe("cpu (fixture runtime with 2 threads), 2 threads");
    expect(environment.facts.Packages).toContain("@offprint/onnx-runtime 9.9.9");
  });

  it("a device that cannot be had is one line and exit code 2", async () => {
    const { code, err } = await offprint.run(["reproduce", "bowl", "--device", "dml"]);
    expect([code, err]).toEqual([2, "offprint: device dml: dml needs another system.\n"]);
  });

  it("bench compares devices", async () => {
    const { code, out } = await offprint.run(["bench", "bowl", "--device", "host,cpu", "--rounds", "1"]);
    expect(code).toBe(0);
    expect(out).toMatch(/claim\s+host\s+cpu\s+cpu : host\n/);
    const twice = await offprint.run(["bench", "bowl", "--device", "cpu,auto"]);
    expect([twice.code, twice.err]).toEqual([2, "offprint: --device names cpu, cpu: give each once.\n"]);
  });

  it("bench also takes the fastest of both; reproduce does not choose by the clock", async () => {
    const { code, out } = await offprint.run(["bench", "bowl", "--device", "cpu,fastest", "--rounds", "1"]);
    expect(code).toBe(0);
    expect(out).toMatch(/claim\s+cpu\s+host or cpu/);
    const refused = await offprint.run(["reproduce", "bowl", "--device", "fastest"]);
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/fastest.*auto, host, cpu/s);
  });

  it("doctor shows the devices that really run, and survives those that crash", async () => {
    const { code, out } = await offprint.run(["doctor"]);
    expect(code).toBe(0);
    expect(out).toMatch(/@offprint\/onnx-runtime\s+9\.9\.9/);
    expect(out).toMatch(/cpu\s+runs, first result after/);
    expect(out).toMatch(/webgpu\s+does not run: computes 1, 2, 3 squared as 1, 2, 3/);
    expect(out).toMatch(/cuda\s+does not run: the process ended with SIGKILL/);
  });
});
