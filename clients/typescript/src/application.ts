import { type ChannelOptions, Server, type ServerOptions, ServerCredentials, type ServiceDefinition, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { prepare, protect } from "./address.js";
import { type Action, type ActionOptions, define, type Handler, listed, type Outcome } from "./action.js";
import { ActionServiceService, type ActionServiceServer, type ConfigureRequest } from "./generated/genkit/sidecar/v1/action_service.js";
import { Health, HealthService } from "./health.js";
import { toJson } from "./json.js";
import {
  type EmbedderOptions,
  type EvaluatorOptions,
  forEachTestCase,
  type LabelledOptions,
  metadataOf,
  type ModelOptions,
  type PromptOptions,
  schemaOf,
} from "./kinds.js";
import { run } from "./run.js";
import type { ActionRunContext } from "./run-context.js";
import type { Read, Schema } from "./schema.js";
import { version } from "./version.js";

/** Configuration that the sidecar sends to the application (`ConfigureRequest`). */
export interface SidecarConfiguration {
  /** Address of the sidecar's OTLP receiver over gRPC, such as `http://127.0.0.1:4317`. Empty if it has none. */
  readonly otlpGrpcEndpoint: string;
  /** Address of the sidecar's OTLP receiver over HTTP, such as `http://127.0.0.1:4318`. Empty if it has none. */
  readonly otlpHttpEndpoint: string;
  /** Version of the sidecar, such as `0.1.0`. */
  readonly sidecarVersion: string;
  /** Largest gRPC message that the sidecar accepts or sends, in bytes. */
  readonly maxMessageBytes: number;
  /** Features beyond version 1 of the contract that the sidecar supports. */
  readonly features: readonly string[];
}

/** Options of an application. */
export interface ApplicationOptions {
  /** Environments that the application is meant for. Default: `dev`. */
  environments?: string[];
  /** Returns the action for a key that is not listed. */
  resolve?: (key: string) => Action | undefined;
  /** Called with the sidecar's configuration after each connection of the sidecar and on each change. */
  onConfigure?: (configuration: SidecarConfiguration) => void;
}

/** Options of the gRPC server. */
export interface StartOptions {
  /** TLS credentials from `ServerCredentials.createSsl`. Default: plain text. */
  credentials?: ServerCredentials;
  /** Server interceptors of grpc-js. */
  interceptors?: ServerOptions["interceptors"];
  /** gRPC channel options. `grpc.max_receive_message_length` is 100 MiB unless given, in bytes. */
  options?: Partial<ChannelOptions>;
}

/** Options of `Application.serve`. */
export interface ServeOptions extends StartOptions {
  /** Time that active runs may continue after a signal, in milliseconds. Default: 2000. */
  grace?: number;
}

const maxMessageBytes = 100 << 20; // gRPC's default is 4 MiB; Genkit's manager closes connections with messages above 100 MiB

type KindHandler<I = any> = (input: I, context: ActionRunContext) => Outcome<unknown>;

/** Defines the actions of an application and serves them to genkit-sidecar. */
export class Application {
  /** Values that `ListValues` returns, by type and name, such as `{ defaultModel: { defaultModel: { name: "echo" } } }`. */
  readonly values: Record<string, Record<string, unknown>> = {};
  readonly #actions = new Map<string, Action>();

  /**
   * @param name Name of the application in the Dev UI.
   * @param options Environments and callbacks.
   */
  constructor(
    readonly name = "",
    private readonly options: ApplicationOptions = {},
  ) {}

  /**
   * Defines an action of any type.
   *
   * @param type Genkit's action type, such as `custom`. Must not contain slashes.
   * @param name Name of the action. May contain slashes.
   * @param options Schemas, description and metadata.
   * @param handler The function to run. Takes `(input, context)`.
   * @throws TypeError if the type contains a slash, the name is missing, or a schema has no JSON Schema.
   */
  action<I extends Schema, O extends Schema, N extends Schema, const B extends boolean = false>(
    type: string,
    name: string,
    options: ActionOptions<I, O, N, B>,
    handler: Handler<I, O, N, B>,
  ): Action {
    return this.add(define(type, name, options, handler));
  }

  /** Defines a flow. Takes the options of `action`. */
  flow<I extends Schema, O extends Schema, N extends Schema, const B extends boolean = false>(
    name: string,
    options: ActionOptions<I, O, N, B>,
    handler: Handler<I, O, N, B>,
  ): Action {
    return this.action("flow", name, options, handler);
  }

  /** Defines a tool. Takes the options of `action`. */
  tool<I extends Schema, O extends Schema, N extends Schema, const B extends boolean = false>(
    name: string,
    options: ActionOptions<I, O, N, B>,
    handler: Handler<I, O, N, B>,
  ): Action {
    return this.action("tool", name, { ...options, metadata: { ...options.metadata, type: "tool" } }, handler);
  }

  /** Defines a model. The handler takes Genkit's `GenerateRequest` and returns its `GenerateResponse`. A chunk is a `GenerateResponseChunk`. */
  model(name: string, options: ModelOptions, handler: KindHandler): Action {
    return this.#kind("model", name, { description: options.label, ...options }, metadataOf.model(name, options), handler);
  }

  /** Defines a prompt. The handler takes the prompt's variables and returns Genkit's `GenerateRequest`, `{ messages: […] }`. */
  prompt<I extends Schema>(name: string, options: PromptOptions<I>, handler: KindHandler<Read<I>>): Action {
    return this.#kind("prompt", name, options, metadataOf.prompt(name, options), handler);
  }

  /** Defines an embedder. The handler takes `{ input: [Document], options }` and returns `{ embeddings: [{ embedding: [number] }] }`. */
  embedder(name: string, options: EmbedderOptions, handler: KindHandler): Action {
    return this.#kind("embedder", name, options, metadataOf.embedder(name, options), handler);
  }

  /** Defines a retriever. The handler takes `{ query: Document, options }` and returns `{ documents: [Document] }`. */
  retriever(name: string, options: LabelledOptions, handler: KindHandler): Action {
    return this.#kind("retriever", name, options, metadataOf.labelled("retriever", name, options), handler);
  }

  /** Defines an indexer. The handler takes `{ documents: [Document], options }` and returns nothing. */
  indexer(name: string, options: LabelledOptions, handler: KindHandler): Action {
    return this.#kind("indexer", name, options, metadataOf.labelled("indexer", name, options), handler);
  }

  /** Defines a reranker. The handler takes `{ query, documents, options }` and returns documents with a `metadata.score`. */
  reranker(name: string, options: LabelledOptions, handler: KindHandler): Action {
    return this.#kind("reranker", name, options, metadataOf.labelled("reranker", name, options), handler);
  }

  /**
   * Defines an evaluator. The handler scores one test case and is called for each test case of a dataset.
   * A test case is `{ testCaseId, input, output, context, reference }`. A score is
   * `{ score, status: "PASS" | "FAIL" | "UNKNOWN", details: { reasoning } }`. The handler returns one score, or an array of
   * scores that each have an `id`. If it throws, only that test case fails.
   */
  evaluator(name: string, options: EvaluatorOptions, handler: (testCase: any, context: ActionRunContext) => unknown): Action {
    const described = { description: options.definition, ...options };
    return this.#kind("evaluator", name, described, metadataOf.evaluator(name, options), handler as KindHandler, forEachTestCase);
  }

  #kind(
    type: string,
    name: string,
    { description, metadata, inputSchema }: { description?: string; metadata?: Record<string, unknown>; inputSchema?: Schema },
    known: Record<string, unknown>,
    handler: KindHandler,
    made = (action: Action) => action,
  ): Action {
    const action = define(type, name, { description, inputSchema, metadata: { ...metadata, ...known } }, handler);
    const listedInput = schemaOf(type, "input") ?? action.listedInput;
    return this.add({ ...made(action), listedInput, listedOutput: schemaOf(type, "output") });
  }

  /**
   * Adds an action. It replaces an action with the same key.
   *
   * @throws TypeError if the metadata or a schema has no JSON representation.
   */
  add(action: Action): Action {
    try {
      listed(action); // one action that cannot be listed would fail every ListActions call
    } catch (error) {
      throw new TypeError(`${action.key}: ${(error as Error).message}`, { cause: error });
    }
    this.#actions.set(action.key, action);
    return action;
  }

  /** Removes the action with the given key. Active runs continue. */
  remove(key: string): void {
    this.#actions.delete(key);
  }

  /** The listed actions. */
  get actions(): Iterable<Action> {
    return this.#actions.values();
  }

  /** Returns the listed action with the given key, else the action that `resolve` returns. */
  find(key: string): Action | undefined {
    return this.#actions.get(key) ?? this.options.resolve?.(key);
  }

  /**
   * Serves until SIGINT or SIGTERM. Active runs may then continue for `grace` milliseconds. A second signal cancels them at once.
   *
   * @param address `host:port` or `unix:/path`. Default: the environment variable GENKIT_SIDECAR_LISTEN, else 127.0.0.1:50051.
   * @throws Error if the server cannot listen on the address.
   */
  async serve(address?: string, { grace = 2000, ...options }: ServeOptions = {}): Promise<void> {
    const server = await this.start(address, options);
    console.error(`${this.name || "The application"} listens on ${server.address}`);
    await new Promise<void>((stopped) => {
      let asked = false;
      const stop = () => {
        void server.stop(asked ? 0 : grace).then(stopped);
        asked = true;
      };
      for (const signal of ["SIGINT", "SIGTERM"] as const) {
        process.on(signal, stop);
        void server.stopped.then(() => process.off(signal, stop));
      }
    });
  }

  /**
   * Starts serving.
   *
   * @param address As for `serve`. Port 0 selects a free port.
   * @throws Error if the server cannot listen on the address.
   */
  async start(address?: string, { credentials, interceptors, options }: StartOptions = {}): Promise<RunningServer> {
    const asked = address || process.env["GENKIT_SIDECAR_LISTEN"] || "127.0.0.1:50051";
    const server = new Server({ "grpc.max_receive_message_length": maxMessageBytes, ...options, ...(interceptors && { interceptors }) });
    const health = new Health();
    this.addTo(server);
    server.addService(HealthService, health.handlers());
    let port: number;
    try {
      await prepare(asked);
      port = await new Promise<number>((resolve, reject) => {
        server.bindAsync(asked, credentials ?? ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port)));
      });
      await protect(asked);
    } catch (error) {
      const reason = (error as Error).message;
      throw new Error(`cannot listen on ${asked}: ${reason}. Set GENKIT_SIDECAR_LISTEN, or pass another address to serve`, { cause: error });
    }
    return new RunningServer(server, health, asked.startsWith("unix:") ? asked : `${asked.slice(0, asked.lastIndexOf(":"))}:${port}`);
  }

  /** Adds `ActionService` to a server that may have other services. The server keeps its own health service and message size limits. */
  addTo(server: { addService(service: ServiceDefinition, implementation: UntypedServiceImplementation): void }): void {
    const find = (key: string) => this.find(key);
    const service: Omit<ActionServiceServer, keyof UntypedServiceImplementation> & UntypedServiceImplementation = {
      getRuntimeInfo: ((_call, reply) =>
        reply(null, {
          name: this.name,
          genkitVersion: `typescript/${version}`,
          environments: this.options.environments ?? [],
          features: [],
        })) satisfies ActionServiceServer["getRuntimeInfo"],
      listActions: ((_call, reply) => reply(null, { actions: [...this.actions].map(listed) })) satisfies ActionServiceServer["listActions"],
      listValues: (({ request }, reply) => {
        const values = Object.hasOwn(this.values, request.type) ? this.values[request.type] : undefined;
        reply(null, { valuesJson: values ? toJson(values) : Buffer.alloc(0) });
      }) satisfies ActionServiceServer["listValues"],
      configure: (({ request }: { request: ConfigureRequest }, reply) => {
        this.options.onConfigure?.(request);
        reply(null, {});
      }) satisfies ActionServiceServer["configure"],
      runAction: ((call) => void run(find, call.request, undefined, call)) satisfies ActionServiceServer["runAction"],
      runBidiAction: ((call) => {
        const requests = call.iterator({ destroyOnReturn: false }); // a handler may stop reading input without ending the call
        const chunks = async function* (): AsyncGenerator<Uint8Array> {
          for await (const { request } of requests) if (request?.$case === "chunkJson") yield request.value;
        };
        requests.next().then(
          ({ value }) => {
            if (value?.request?.$case === "start") void run(find, value.request.value, chunks(), call);
            else call.emit("error", { code: status.INVALID_ARGUMENT, details: "the first message must be start" });
          },
          () => {}, // the call has ended
        );
      }) satisfies ActionServiceServer["runBidiAction"],
    };
    server.addService(ActionServiceService, service);
  }
}

/** A server that `Application.start` has started. */
export class RunningServer {
  /** Resolves when the server has stopped. */
  readonly stopped: Promise<void>;
  #stopped!: () => void;

  /** @param address Address that the server listens on, with the port that was selected. */
  constructor(
    private readonly server: Server,
    private readonly health: Health,
    readonly address: string,
  ) {
    this.stopped = new Promise((resolve) => (this.#stopped = resolve));
  }

  /** Stops accepting calls, lets active calls continue for `grace` milliseconds, and then cancels them. */
  async stop(grace = 0): Promise<void> {
    this.health.stop();
    const timer = setTimeout(() => this.server.forceShutdown(), grace);
    this.server.tryShutdown(() => {
      clearTimeout(timer);
      this.#stopped();
    });
    await this.stopped;
  }
}
