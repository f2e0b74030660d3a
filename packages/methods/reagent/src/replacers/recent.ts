/** What was found for a key, for the newest keys. */
export class Recent<V> {
  private readonly known = new Map<string, V>();

  /** @param most keys that are kept */
  constructor(private readonly most: number) {}

  /** What was found, or undefined. */
  get(key: string): V | undefined {
    return this.known.get(key);
  }

  /** Keeps what was found; the oldest key goes where there are too many. */
  set(key: string, value: V): V {
    this.known.set(key, value);
    if (this.known.size > this.most) this.known.delete(this.known.keys().next().value as string);
    return value;
  }
}
