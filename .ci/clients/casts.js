// Fails if a story evades the types of its client: with a cast, `any`, `!` or a comment to the compiler.
import { readFileSync } from "node:fs";
import ts from "typescript";

const found = [];
for (const name of process.argv.slice(2)) {
  const source = ts.createSourceFile(name, readFileSync(name, "utf8"), ts.ScriptTarget.Latest, true);
  const visit = (node) => {
    const isCast = ts.isAsExpression(node) && node.type.getText() !== "const";
    const isEvasion = ts.isTypeAssertionExpression(node) || ts.isNonNullExpression(node);
    if (isCast || isEvasion || node.kind === ts.SyntaxKind.AnyKeyword) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      found.push(`${name}:${line + 1}: ${node.getText()}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  if (source.text.includes("@ts-")) found.push(`${name}: @ts-`);
}
if (found.length) {
  console.error(found.join("\n"));
  process.exit(1);
}
