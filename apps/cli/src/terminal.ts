import { displayWidth } from "@offprint/claims";

/** What is written to, as far as it matters here. */
export interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const clearLine = "\r\u001b[2K";
/** Shortest time between two states of the progress bar, in milliseconds. */
const refresh = 60;

/** Results go to standard output, progress and messages to standard error. */
export class Terminal {
  private readonly out: Stream;
  private readonly err: Stream;
  private barShown = false;
  private lastBar = Number.NEGATIVE_INFINITY;
  readonly width: number;
  readonly colour: boolean;

  constructor(out: Stream, err: Stream, environment: NodeJS.ProcessEnv = {}) {
    this.out = out;
    this.err = err;
    const columns = Number(environment["COLUMNS"]);
    this.width = out.columns ?? (columns > 0 ? columns : 100);
    this.colour = out.isTTY === true && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
  }

  /** A result. */
  print(text = ""): void {
    this.clearBar();
    this.out.write(`${text}\n`);
  }

  /** A message that is not a result. */
  note(text: string): void {
    this.clearBar();
    this.err.write(`${text}\n`);
  }

  /** Text as it is, for commander. */
  raw(text: string, stream: "out" | "err"): void {
    this.clearBar();
    this[stream].write(text);
  }

  /** Shows a progress bar in the last line; without a terminal to move in, nothing. */
  progress(fraction: number, label: string, now: number = performance.now()): void {
    if (!this.err.isTTY || (now - this.lastBar < refresh && this.barShown)) return;
    this.lastBar = now;
    this.barShown = true;
    this.err.write(clearLine + progressBar(fraction, label, (this.err.columns ?? 80) - 1));
  }

  /** Takes the progress bar away. */
  clearBar(): void {
    if (this.barShown) this.err.write(clearLine);
    this.barShown = false;
  }
}

/** `[#####-----]  50 % diffgrad: stability` in at most `width` columns. */
export function progressBar(fraction: number, label: string, width: number): string {
  const cells = Math.max(5, Math.min(24, Math.floor(width / 4)));
  const part = Math.min(1, Math.max(0, fraction));
  const full = Math.round(part * cells);
  const percent = String(Math.floor(part * 100)).padStart(3);
  const bar = `[${"#".repeat(full)}${"-".repeat(cells - full)}] ${percent} %`;
  return shorten(`${bar} ${label}`, width);
}

/** Cuts a text off with an ellipsis when it is wider than `width`. */
export function shorten(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = "";
  for (const character of text) {
    if (displayWidth(kept + character) > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}
