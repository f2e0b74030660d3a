import { FormatError, jit, tensor, ValueError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { GradientNormRecorder, gradientNorms } from "../src/index.js";

const gradients = {
  w: tensor([
    [3, 0],
    [0, -4],
  ]),
  b: tensor([-12]),
};

describe("recorded norms", () => {
  it("are over all leaves together", () => {
    const recorder = new GradientNormRecorder();
    recorder.record(gradients);
    recorder.record({ w: tensor([1, 1, 1, 1]) });
    expect([...recorder.l1()]).toEqual([19, 4]);
    expect([...recorder.l2()]).toEqual([13, 2]);
    expect(recorder.length).toBe(2);
  });

  it("keep their digits over a million float32 values", () => {
    const recorder = new GradientNormRecorder();
    recorder.record(tensor(new Float32Array(1e6).fill(0.1)));
    expect(recorder.l1()[0] / 1e5).toBeCloseTo(Math.fround(0.1) / 0.1, 9);
  });

  it("come out of a compiled step as two numbers", async () => {
    const { l1, l2 } = await jit(gradientNorms)(gradients);
    expect([l1.item(), l2.item()]).toEqual([19, 13]);
  });

  it("survive CSV with all digits", () => {
    const recorder = new GradientNormRecorder();
    for (const l2 of [1 / 3, Math.PI * 1e-20, 12345.678]) recorder.add({ l1: l2 * 7, l2 });
    const read = GradientNormRecorder.fromCSV(recorder.toCSV());
    expect([...read.l2()]).toEqual([...recorder.l2()]);
    expect([...read.l1()]).toEqual([...recorder.l1()]);
  });

  it("are read from the second column of a logger's export, rows without a number left out", () => {
    const text = 'Step,"run 1 - gnorm"\n0,1.5\n1,\n2,NaN\n3,2e-1\n';
    const read = GradientNormRecorder.fromCSV(text);
    expect([...read.l2()]).toEqual([1.5, 0.2]);
    expect(() => read.l1()).toThrow(ValueError);
    expect([...GradientNormRecorder.fromCSV("norm\n3\n4\n").l2()]).toEqual([3, 4]);
  });

  it("say in which line a file is wrong", () => {
    expect(() => GradientNormRecorder.fromCSV("step,norm\n0,1\n1,oops\n")).toThrow(FormatError);
    expect(() => GradientNormRecorder.fromCSV("step,norm\n0,1\n1,oops\n")).toThrow(/line 3.*"oops"/);
    expect(() => GradientNormRecorder.fromCSV("")).toThrow(FormatError);
    expect(() => GradientNormRecorder.fromCSV("a,b\n1\n")).toThrow(/line 2/);
  });
});
