/** How the program ends, as its help says. */
export const EXIT = { ok: 0, differs: 1, usage: 2, input: 3, output: 4, fault: 70 } as const;

/** What ends the program with a message for the person who called it. */
export class Failure extends Error {
  readonly exitCode: number;

  constructor(kind: "usage" | "input" | "output", message: string, options?: { cause: unknown }) {
    super(message, options);
    this.exitCode = EXIT[kind];
  }
}

/** Why the operating system refused, without the call and the path that Node puts around it. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^[A-Z]+: (.*?)(?:, \w+(?: '.*)?)?$/s.exec(message)?.[1] ?? message;
}
