export { type Action, type ActionOptions, define, type Handler, type Outcome } from "./action.js";
export { Application, type ApplicationOptions, RunningServer, type ServeOptions, type SidecarConfiguration, type StartOptions } from "./application.js";
export { ActionCancelled, ActionError, InputError, StatusCode } from "./errors.js";
export { RawJson } from "./json.js";
export type { EmbedderOptions, EvaluatorOptions, KindOptions, LabelledOptions, ModelOptions, PromptOptions } from "./kinds.js";
export { type ActionRunContext, currentRun } from "./run-context.js";
export type { JsonSchema, Read, Schema, StandardSchema, Written } from "./schema.js";
export { version } from "./version.js";
