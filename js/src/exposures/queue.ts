/** Items that wait, the oldest first; of too many the oldest are lost. */
export class Queue<T> {
  readonly #most: number;
  readonly #items: T[] = [];
  /** How many were lost since this was last set to 0. */
  lost = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get length(): number {
    return this.#items.length;
  }

  forEach(work: (item: T) => void): void {
    this.#items.forEach(work);
  }

  add(item: T): void {
    this.#items.push(item);
    this.#trim();
  }

  take(count: number): T[] {
    return this.#items.splice(0, count);
  }

  putBack(items: readonly T[]): void {
    this.#items.unshift(...items);
    this.#trim();
  }

  #trim(): void {
    const over = this.#items.length - this.#most;
    if (over <= 0) return;
    this.#items.splice(0, over);
    this.lost += over;
  }
}
