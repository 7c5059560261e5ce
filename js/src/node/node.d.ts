// What is used of Node. `@types/node` would make Node's globals known to every file of this package.
declare module "node:fs/promises" {
  export interface FileStats {
    readonly mtimeMs: number;
    readonly size: number;
    readonly ino: number;
    isDirectory(): boolean;
  }
  export interface FileHandle {
    stat(): Promise<FileStats>;
    readFile(): Promise<Uint8Array<ArrayBuffer>>;
    writeFile(data: string): Promise<void>;
    sync(): Promise<void>;
    close(): Promise<void>;
  }
  export function open(path: string, flags: "r" | "wx"): Promise<FileHandle>;
  export function stat(path: string): Promise<FileStats>;
  export function readFile(path: string, encoding: "utf8"): Promise<string>;
  export function readdir(path: string): Promise<string[]>;
  export function mkdir(path: string, options: { recursive: true }): Promise<unknown>;
  export function rename(from: string, to: string): Promise<void>;
  export function rm(path: string, options: { force: true }): Promise<void>;
}
declare module "node:path" {
  export function join(...parts: string[]): string;
}
declare module "node:url" {
  export function fileURLToPath(url: string | { readonly href: string }): string;
}
