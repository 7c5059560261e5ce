/*
 * Timers of the request that sets them. Convex's queries and the global scope of a Worker have none, or functions
 * that throw: what is said here of "no timers" covers both.
 */

/** The longest time that a timer takes, about 25 days: one that is set to more goes off at once. */
export const LONGEST_MS = 0x7fff_ffff;

/** Waits; resolves with false, at once, where there are no timers. */
export async function sleep(ms: number): Promise<boolean> {
  try {
    await new Promise<void>((resolve) => setTimeout(resolve, ms));
    return true;
  } catch {
    return false;
  }
}

/** Does work again and again until the function that it returns is called; nothing where there are no timers. */
export function every(ms: number, work: () => void): () => void {
  try {
    const timer = setInterval(work, ms);
    return () => clearInterval(timer);
  } catch {
    return () => {};
  }
}

/** What comes of work; after so many milliseconds what `late` throws. Without timers it is waited for. */
export async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  let stop = (): void => {};
  const ended = new Promise<never>((_, reject) => {
    try {
      const timer = setTimeout(() => reject(late()), ms);
      stop = () => clearTimeout(timer);
    } catch {
      // Whoever gave the work has to end it.
    }
  });
  try {
    return await Promise.race([work, ended]);
  } finally {
    stop();
  }
}
