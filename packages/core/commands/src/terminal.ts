import { displayWidth, formatSeconds } from "@offprint/claims";
import { requireObject } from "@offprint/tensor-core";

/** What is written to, as far as it matters here. */
export interface Stream {
  /** Writes a text. */
  write(text: string): unknown;
  /** Whether it is a terminal. */
  readonly isTTY?: boolean;
  /** Width of the terminal. */
  readonly columns?: number;
}

const clearLine = "\r\u001b[2K";
/** Shortest time between two states of the progress bar, in milliseconds. */
const refresh = 60;

/** Results go to standard output, progress and messages to standard error. */
export class Terminal {
  private readonly out: Stream;
  private readonly err: Stream;
  private readonly rest = new Rest();
  private barShown = false;
  private lastBar = Number.NEGATIVE_INFINITY;
  /** Columns of the terminal; in a pipe those of the environment, or 100. */
  readonly width: number;
  /** Whether to colour results. */
  readonly colour: boolean;

  constructor(out: Stream, err: Stream, environment: NodeJS.ProcessEnv = {}) {
    requireObject("Terminal", "out", out, "a Stream");
    requireObject("Terminal", "err", err, "a Stream");
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

  /** Shows a progress bar in the last line; without a terminal to move in, nothing. */
  progress(fraction: number, label: string, now: number = performance.now()): void {
    if (!this.err.isTTY) return;
    const left = this.rest.after(fraction, now);
    if (now - this.lastBar < refresh && this.barShown) return;
    this.lastBar = now;
    this.barShown = true;
    this.err.write(clearLine + progressBar(fraction, label, (this.err.columns ?? 80) - 1, left));
  }

  /** Takes the progress bar away. */
  clearBar(): void {
    if (this.barShown) this.err.write(clearLine);
    this.barShown = false;
  }
}

/** How long work will still take, from how far it got since it was first seen. */
export class Rest {
  private first: { readonly fraction: number; readonly at: number } | undefined;

  /**
   * Seconds that are left, or nothing while too little is known: less than two seconds or a hundredth of the work.
   *
   * @param now in milliseconds
   */
  after(fraction: number, now: number): number | undefined {
    // Another piece of work has begun.
    if (this.first === undefined || fraction < this.first.fraction) this.first = { fraction, at: now };
    const [done, seconds] = [fraction - this.first.fraction, (now - this.first.at) / 1000];
    if (seconds < 2 || done < 0.01) return undefined;
    return (seconds / done) * (1 - fraction);
  }
}

/** `[#####-----]  50 %, 12 s left  diffgrad: stability` in at most `width` columns. */
export function progressBar(fraction: number, label: string, width: number, left?: number): string {
  const cells = Math.max(5, Math.min(24, Math.floor(width / 4)));
  const part = Math.min(1, Math.max(0, fraction));
  const full = Math.round(part * cells);
  const percent = String(Math.floor(part * 100)).padStart(3);
  const remaining = left === undefined ? "" : `, ${formatSeconds(Math.max(1, Math.round(left)))} left`;
  return shorten(`[${"#".repeat(full)}${"-".repeat(cells - full)}] ${percent} %${remaining} ${label}`, width);
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
