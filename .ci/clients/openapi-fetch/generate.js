// The types for openapi-fetch. Files are Blobs, as the documentation of openapi-typescript shows it.
import { writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const [, , document, output] = process.argv;
const BLOB = ts.factory.createTypeReferenceNode(ts.factory.createIdentifier("Blob"));
const types = await openapiTS(new URL(`file://${document}`), {
  transform: (schema) => (schema.format === "binary" ? BLOB : undefined),
});
writeFileSync(output, astToString(types));
