/** Whoever hovers over a name of ours reads what it is: every exported name and every option has a doc comment. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../support/worker.mjs";

const ts = createRequire(import.meta.url)("typescript");
const { exports } = JSON.parse(readFileSync(join(ROOT, "js/package.json"), "utf8"));
const typings = [...new Set(Object.values(exports).map(({ types }) => types?.default).filter(Boolean))].map((path) => join(ROOT, "js", path));

const program = ts.createProgram(typings, { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, types: [], skipLibCheck: true });
const checker = program.getTypeChecker();
const OURS = join(ROOT, "js", "dist");

const isDocumented = (symbol) => symbol.getDocumentationComment(checker).length > 0;
const isOurs = (symbol) => symbol.declarations?.some((declaration) => declaration.getSourceFile().fileName.startsWith(OURS)) ?? false;

/** What can be set: each option says what it does and what its default is. */
function optionsOf(symbol) {
  return symbol.name.endsWith("Options") ? [...(symbol.members?.values() ?? [])].filter(({ flags }) => flags & ts.SymbolFlags.Property) : [];
}

for (const path of typings) {
  const name = path.slice(join(OURS, "types").length + 1);

  test(`every exported name and option of ${name} has a doc comment`, () => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(path));
    const symbols = checker.getExportsOfModule(module).map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol));
    assert.ok(symbols.length > 0);
    const bare = symbols.filter((symbol) => isOurs(symbol) && !isDocumented(symbol)).map((symbol) => symbol.name);
    const options = symbols.filter(isOurs).flatMap((symbol) => optionsOf(symbol).filter((option) => !isDocumented(option)).map((option) => `${symbol.name}.${option.name}`));
    assert.deepEqual([...bare, ...options], []);
  });
}
