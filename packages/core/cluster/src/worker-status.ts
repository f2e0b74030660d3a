/** How a worker is. */
export interface WorkerStatus {
  /** Its name: one place for a job, a thread of a machine. */
  readonly id: string;
  /** The machine. */
  readonly host: string;
  /** `lost`: not heard of for three seconds. */
  readonly state: "idle" | "busy" | "lost";
  /** The job that it runs. */
  readonly job?: string;
  /** Jobs that it has done. */
  readonly done: number;
  /** Jobs that failed there. */
  readonly failed: number;
  /** Seconds since it was last heard of; 0 for threads of this process. */
  readonly heartbeat: number;
  /** The version of each job that it knows. */
  readonly versions: Readonly<Record<string, string>>;
}
