// Compiles values as literals of a published TypeScript type, so that a field
// which the type does not have, or has with another type, is an error.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const options = { strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, skipLibCheck: true, types: [] };

// What the types are in is read once.
const host = ts.createCompilerHost(options);
const read = host.getSourceFile;
const files = new Map();
host.getSourceFile = (name, ...rest) => {
  if (!name.includes('node_modules') || name.includes('.literals-')) return read(name, ...rest);
  if (!files.has(name)) files.set(name, read(name, ...rest));
  return files.get(name);
};

/** Writes a value as TypeScript. Flags are sums, which an enum does not have. */
const literal = (value) => JSON.stringify(value).replaceAll(/(?<!\\)"flags":(\d+)/g, '"flags":$1 as number');

/** Compiles literals of {name, type, value}; types are exports of a module. */
export function compile(module, literals, report) {
  if (literals.length === 0) return;
  const unique = [...new Map(literals.map((l) => [l.type + JSON.stringify(l.value), l])).values()];
  const dir = mkdtempSync(join(import.meta.dirname, '..', 'node_modules', '.literals-'));
  try {
    const file = join(dir, 'literals.ts');
    const lines = [`import type * as published from '${module}';`];
    for (const [n, l] of unique.entries()) lines.push(`export const v${n}: published.${l.type} = ${literal(l.value)};`);
    writeFileSync(file, lines.join('\n'));
    const program = ts.createProgram([file], options, host);
    for (const problem of ts.getPreEmitDiagnostics(program)) {
      const line = problem.file ? problem.file.getLineAndCharacterOfPosition(problem.start).line - 1 : -1;
      const literal = unique[line];
      report.bad(`${literal?.name ?? module} as ${literal?.type}`, ts.flattenDiagnosticMessageText(problem.messageText, ' '), literal?.value);
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
}
