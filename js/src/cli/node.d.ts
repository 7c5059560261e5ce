// What the program uses of Node. `@types/node` would make Node's globals known to every file of this package.
declare module "node:buffer" {
  export const Buffer: {
    from(bytes: ArrayBuffer, start: number, length: number): { toString(encoding: "base64"): string };
    concat(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer>;
  };
}
declare module "node:fs" {
  export function readFileSync(path: string): Uint8Array<ArrayBuffer>;
  export function readFileSync(path: string | URL, encoding: "utf8"): string;
  export function writeFileSync(path: string, data: string | Uint8Array): void;
  export function realpathSync(path: string): string;
  export function renameSync(from: string, to: string): void;
  export function statSync(path: string, options: { throwIfNoEntry: false }): { isFile(): boolean } | undefined;
  export function rmSync(path: string, options: { force: boolean }): void;
}
declare module "node:process" {
  interface Stream {
    write(text: string): boolean;
    on(event: "error", listener: (error: Error) => void): void;
  }
  const process: {
    readonly argv: readonly string[];
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly pid: number;
    readonly stdin: AsyncIterable<Uint8Array>;
    readonly stdout: Stream;
    readonly stderr: Stream;
    exitCode: number | undefined;
  };
  export default process;
}
declare module "node:util" {
  type Option = { type: "boolean" | "string"; short?: string; multiple?: boolean };
  type ValueOf<O extends Option> = O["multiple"] extends true
    ? string[]
    : O["type"] extends "string" ? string : boolean;
  export function parseArgs<const O extends Record<string, Option>>(config: {
    args: readonly string[];
    options: O;
    allowPositionals: boolean;
  }): { values: { [K in keyof O]?: ValueOf<O[K]> }; positionals: string[] };
}
