// hey-api takes one body of each operation, JSON if there is one. Where files are taken, the form is the fuller one.
import { defineConfig } from "@hey-api/openapi-ts";

export default defineConfig({
  input: "../../docs/openapi.json",
  output: "generated/hey-api",
  plugins: ["@hey-api/client-fetch", "@hey-api/typescript", "@hey-api/sdk"],
  parser: {
    patch: {
      operations: (method, path, { requestBody }) => {
        if (requestBody?.content?.["multipart/form-data"]) delete requestBody.content["application/json"];
      },
    },
  },
});
