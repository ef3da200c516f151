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

/** What the sidecar says of itself. An endpoint that it does not have is empty. */
export interface SidecarConfiguration {
  readonly otlpGrpcEndpoint: string;
  readonly otlpHttpEndpoint: string;
  readonly sidecarVersion: string;
  readonly maxMessageBytes: number;
  readonly features: readonly string[];
}

export interface ApplicationOptions {
  /** Environments that the application is meant for; none stand for `dev`. */
  environments?: string[];
  /** Finds an action by a key that is not listed. */
  resolve?: (key: string) => Action | undefined;
  /** Told what the sidecar says of itself, after each of its connections. */
  onConfigure?: (configuration: SidecarConfiguration) => void;
}

export interface StartOptions {
  /** TLS, from `ServerCredentials.createSsl`; none for plain text. */
  credentials?: ServerCredentials;
  /** Interceptors of grpc-js. */
  interceptors?: ServerOptions["interceptors"];
  /** Channel options, such as `grpc.max_receive_message_length`, which is 100 MiB. */
  options?: Partial<ChannelOptions>;
}

export interface ServeOptions extends StartOptions {
  /** How long active runs may go on after a signal, in milliseconds; 2000. */
  grace?: number;
}

const maxMessageBytes = 100 << 20; // gRPC's own limit is 4 MiB; Genkit's manager closes at 100

type KindHandler<I = any> = (input: I, context: ActionRunContext) => Outcome<unknown>;

/** The actions that Genkit's tools see. */
export class Application {
  /** What `ListValues` answers by type, such as `{ defaultModel: { defaultModel: { name: "echo" } } }`. */
  readonly values: Record<string, Record<string, unknown>> = {};
  readonly #actions = new Map<string, Action>();

  /** @param name Name of the application in the Dev UI. */
  constructor(
    readonly name = "",
    private readonly options: ApplicationOptions = {},
  ) {}

  /** Makes an action of any type out of a function `(input, context)`. */
  action<I extends Schema, O extends Schema, N extends Schema, const B extends boolean = false>(
    type: string,
    name: string,
    options: ActionOptions<I, O, N, B>,
    handler: Handler<I, O, N, B>,
  ): Action {
    return this.add(define(type, name, options, handler));
  }

  /** A flow. */
  flow<I extends Schema, O extends Schema, N extends Schema, const B extends boolean = false>(
    name: string,
    options: ActionOptions<I, O, N, B>,
    handler: Handler<I, O, N, B>,
  ): Action {
    return this.action("flow", name, options, handler);
  }

  /** A tool. */
  tool<I extends Schema, O extends Schema, N extends Schema, const B extends boolean = false>(
    name: string,
    options: ActionOptions<I, O, N, B>,
    handler: Handler<I, O, N, B>,
  ): Action {
    return this.action("tool", name, { ...options, metadata: { ...options.metadata, type: "tool" } }, handler);
  }

  /** A model: takes Genkit's GenerateRequest, returns its GenerateResponse, sends GenerateResponseChunks. */
  model(name: string, options: ModelOptions, handler: KindHandler): Action {
    return this.#kind("model", name, { description: options.label, ...options }, metadataOf.model(name, options), handler);
  }

  /** A prompt: takes its variables, returns Genkit's GenerateRequest, `{ messages: […] }`. */
  prompt<I extends Schema>(name: string, options: PromptOptions<I>, handler: KindHandler<Read<I>>): Action {
    return this.#kind("prompt", name, options, metadataOf.prompt(name, options), handler);
  }

  /** An embedder: takes `{ input: [Document], options }`, returns `{ embeddings: [{ embedding: [number] }] }`. */
  embedder(name: string, options: EmbedderOptions, handler: KindHandler): Action {
    return this.#kind("embedder", name, options, metadataOf.embedder(name, options), handler);
  }

  /** A retriever: takes `{ query: Document, options }`, returns `{ documents: [Document] }`. */
  retriever(name: string, options: LabelledOptions, handler: KindHandler): Action {
    return this.#kind("retriever", name, options, metadataOf.labelled("retriever", name, options), handler);
  }

  /** An indexer: takes `{ documents: [Document], options }`, returns nothing. */
  indexer(name: string, options: LabelledOptions, handler: KindHandler): Action {
    return this.#kind("indexer", name, options, metadataOf.labelled("indexer", name, options), handler);
  }

  /** A reranker: takes `{ query, documents, options }`, returns documents with `metadata.score`. */
  reranker(name: string, options: LabelledOptions, handler: KindHandler): Action {
    return this.#kind("reranker", name, options, metadataOf.labelled("reranker", name, options), handler);
  }

  /**
   * An evaluator: takes one test case, `{ testCaseId, input, output, context, reference }`, returns its score or scores.
   * A score is `{ score, status: "PASS" | "FAIL" | "UNKNOWN", details: { reasoning } }`; of several, each has an `id`.
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
   * Lists an action from now on, in the place of one with the same key.
   *
   * @throws TypeError where its metadata or a schema given by hand is not JSON.
   */
  add(action: Action): Action {
    try {
      listed(action); // for one that cannot be listed would fail the listing of all
    } catch (error) {
      throw new TypeError(`${action.key}: ${(error as Error).message}`, { cause: error });
    }
    this.#actions.set(action.key, action);
    return action;
  }

  /** Lists and runs the action no more. Runs that have started go on. */
  remove(key: string): void {
    this.#actions.delete(key);
  }

  /** The actions that are listed. */
  get actions(): Iterable<Action> {
    return this.#actions.values();
  }

  /** Finds a listed action, or one that `resolve` knows. */
  find(key: string): Action | undefined {
    return this.#actions.get(key) ?? this.options.resolve?.(key);
  }

  /**
   * Serves until SIGINT or SIGTERM, then lets active runs go on for `grace` milliseconds. A second signal ends them at once.
   *
   * @param address `host:port` or `unix:/path`; without, the variable GENKIT_SIDECAR_LISTEN, else 127.0.0.1:50051.
   * @throws Error where it cannot listen there.
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

  /** Starts to serve. Takes what `serve` takes; port 0 chooses one. */
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
      throw new Error(`cannot listen on ${asked}: ${reason}. GENKIT_SIDECAR_LISTEN or the argument of serve names another address`, { cause: error });
    }
    return new RunningServer(server, health, asked.startsWith("unix:") ? asked : `${asked.slice(0, asked.lastIndexOf(":"))}:${port}`);
  }

  /** Adds `ActionService` to a server, beside its other services. Health and the limit of received messages are the server's own. */
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
        const requests = call.iterator({ destroyOnReturn: false }); // the end of the input is not the end of the call
        const chunks = async function* (): AsyncGenerator<Uint8Array> {
          for await (const { request } of requests) if (request?.$case === "chunkJson") yield request.value;
        };
        requests.next().then(
          ({ value }) => {
            if (value?.request?.$case === "start") void run(find, value.request.value, chunks(), call);
            else call.emit("error", { code: status.INVALID_ARGUMENT, details: "the first message must be start, and only that" });
          },
          () => {}, // the call is over
        );
      }) satisfies ActionServiceServer["runBidiAction"],
    };
    server.addService(ActionServiceService, service);
  }
}

/** A server that `Application.start` started. */
export class RunningServer {
  /** Done when the server has stopped. */
  readonly stopped: Promise<void>;
  #stopped!: () => void;

  /** @param address Where it listens, with the port that was chosen. */
  constructor(
    private readonly server: Server,
    private readonly health: Health,
    readonly address: string,
  ) {
    this.stopped = new Promise((resolve) => (this.#stopped = resolve));
  }

  /** Takes no more calls, lets active ones go on for `grace` milliseconds, then cancels them. */
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
