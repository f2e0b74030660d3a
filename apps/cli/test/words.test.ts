import { describe, expect, it } from "vitest";
import { usageOf } from "../src/commands/info.js";
import { describeError } from "../src/failure.js";
import { progressBar, shorten, Terminal } from "../src/terminal.js";

describe("usageOf", () => {
  it("is the first code block of the section on usage", () => {
    expect(
      usageOf("# x\n\n## Install\n\n```sh\nnpm i\n```\n\n## How to use it\n\ntext\n\n```ts\na();\nb();\n```\n"),
    ).toBe("a();\nb();");
    expect(usageOf("# x\n\n## Usage\n\nno code\n\n## Options\n\n```ts\na();\n```\n")).toBeUndefined();
    expect(usageOf("")).toBeUndefined();
  });
});

describe("describeError", () => {
  it("tells what the user can mend from what nobody expected", () => {
    const missing = Object.assign(new Error("ENOENT: no such file"), { code: "ENOENT", path: "a.csv" });
    expect(describeError(missing)).toEqual({ message: "a.csv: there is no such file or folder.", exitCode: 2 });
    const format = Object.assign(new Error("a.npz: truncated at byte 12"), { name: "FormatError" });
    expect(describeError(format)).toEqual({ message: "a.npz: truncated at byte 12", exitCode: 2 });
    expect(describeError(new TypeError("oops"))).toMatchObject({
      message: expect.stringContaining("unexpected error"),
      exitCode: 1,
    });
  });
});

describe("Terminal", () => {
  function recorded(isTTY: boolean) {
    const written: string[] = [];
    const stream = { isTTY, columns: 60, write: (text: string) => written.push(text) };
    return { written, terminal: new Terminal(stream, stream, {}) };
  }

  it("draws a progress bar no wider than the terminal, and takes it away before a line", () => {
    const { written, terminal } = recorded(true);
    terminal.progress(0.5, "diffgrad stability: epoch 3 of 10, seed 4, learning rate 0.1", 0);
    terminal.print("done");
    const start = "\r\u001b[2K";
    expect(written[0]!.startsWith(`${start}[#######-------]  50 % diffgrad`)).toBe(true);
    expect(written[0]!.length - start.length).toBe(59);
    expect(written.slice(1)).toEqual(["\r\u001b[2K", "done\n"]);
  });

  it("redraws at most about every 60 ms", () => {
    const { written, terminal } = recorded(true);
    for (let time = 0; time < 600; time++) terminal.progress(time / 600, "x", time);
    expect(written).toHaveLength(10);
  });

  it("draws no bar where there is no terminal", () => {
    const { written, terminal } = recorded(false);
    terminal.progress(0.5, "x");
    terminal.note("line");
    expect(written).toEqual(["line\n"]);
  });

  it("colours on a terminal only, and not against NO_COLOR", () => {
    const stream = { isTTY: true, write: () => {} };
    expect(new Terminal(stream, stream, {}).colour).toBe(true);
    expect(new Terminal(stream, stream, { NO_COLOR: "1" }).colour).toBe(false);
    expect(recorded(false).terminal.colour).toBe(false);
  });

  it("cuts texts at the width and keeps short ones", () => {
    expect(shorten("abcdef", 4)).toBe("abc…");
    expect(shorten("abc", 4)).toBe("abc");
    expect(progressBar(2, "", 30)).toContain("100 %");
  });
});
