// Reads YAML documents from stdin and writes {documents, problems} as one JSON line: the documents, and where they violate the
// Kubernetes API's types. Uses the TypeScript compiler, because only it refuses unknown fields as well as wrong and missing ones.
const fs = require("node:fs");
const path = require("node:path");
const ts = require("typescript");
const yaml = require("js-yaml");

const documents = yaml.loadAll(fs.readFileSync(0, "utf8")).filter((document) => document !== null);
const problems = [];

const source = documents.map(({ apiVersion, kind }, index) => {
  const model = `kubernetes-models/${apiVersion}/${kind}`;
  if (!fs.existsSync(path.join(__dirname, "node_modules", `${model}.d.ts`))) {
    problems.push(`${kind}: ${apiVersion} has no such kind`);
    return "";
  }
  return `import { I${kind} as T${index} } from "${model}"; const d${index}: T${index} = ${JSON.stringify(documents[index])};`;
}).join("\n");

const options = {
  strict: true, noEmit: true, skipLibCheck: true, types: [],
  module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, target: ts.ScriptTarget.ES2022,
};
const file = path.join(__dirname, "manifests.ts");
const host = ts.createCompilerHost(options);
const { fileExists, getSourceFile } = host;
host.fileExists = (name) => name === file || fileExists(name);
host.getSourceFile = (name, target) => name === file ? ts.createSourceFile(name, source, target) : getSourceFile(name, target);

const program = ts.createProgram([file], options, host);
for (const diagnostic of ts.getPreEmitDiagnostics(program)) {
  const line = diagnostic.file?.getLineAndCharacterOfPosition(diagnostic.start).line;
  const { kind, metadata } = documents[line] ?? {};
  problems.push(`${kind} ${metadata?.name}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, " ")}`);
}

console.log(JSON.stringify({ documents, problems }));
