// Calls an application over real gRPC, as the sidecar does.
import { ChannelCredentials, type ClientReadableStream, credentials, Metadata, Server, ServerCredentials } from "@grpc/grpc-js";
import type { Application } from "genkit-sidecar";
import {
  type Action,
  type ActionError,
  ActionServiceClient,
  RunActionRequest,
  type RunActionResponse,
} from "../src/generated/genkit/sidecar/v1/action_service.js";

const large = { "grpc.max_receive_message_length": 100 << 20, "grpc.max_send_message_length": 100 << 20 };

/** The updates that a run sent. */
export class Outcome {
  readonly states: string[] = [];
  readonly rawChunks: string[] = [];
  result?: { resultJson?: Buffer | undefined };
  error?: ActionError;

  take({ update }: RunActionResponse): void {
    if (update?.$case === "chunkJson") this.rawChunks.push(update.value.toString());
    else if (update?.$case === "state") this.states.push(update.value.traceId);
    else if (update?.$case === "result") this.result = update.value;
    else if (update?.$case === "error") this.error = update.value;
  }

  get chunks(): unknown[] {
    return this.rawChunks.map((chunk) => JSON.parse(chunk));
  }

  get raw(): string | undefined {
    if (!this.result) throw new Error(`the run failed: ${this.error?.code} ${this.error?.message}`);
    return this.result.resultJson?.toString();
  }

  get value(): any {
    return JSON.parse(this.raw!);
  }
}

type Members = Partial<RunActionRequest> & { raw?: string | Buffer; metadata?: Record<string, string> };

export function request(key: string, input?: unknown, { raw, metadata: _, ...members }: Members = {}): RunActionRequest {
  const json = raw ?? (input === undefined ? undefined : JSON.stringify(input));
  return RunActionRequest.create({ key, stream: true, inputJson: json === undefined ? undefined : Buffer.from(json as string), ...members });
}

/** Calls an application's methods. */
export class Caller {
  readonly client: ActionServiceClient;

  constructor(address: string, channel: ChannelCredentials = credentials.createInsecure()) {
    this.client = new ActionServiceClient(address, channel, large);
  }

  async unary(method: "getRuntimeInfo" | "listActions" | "listValues" | "configure", message: any): Promise<any> {
    return new Promise((resolve, reject) =>
      (this.client[method] as any)(message, (error: Error | null, response: any) => (error ? reject(error) : resolve(response))),
    );
  }

  async listed(): Promise<Record<string, Action>> {
    const { actions } = await this.unary("listActions", {});
    return Object.fromEntries(actions.map((action: Action) => [action.key, action]));
  }

  start(key: string, input?: unknown, members: Members = {}): ClientReadableStream<RunActionResponse> {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(members.metadata ?? {})) metadata.set(name, value);
    return this.client.runAction(request(key, input, members), metadata);
  }

  async run(key: string, input?: unknown, members?: Members): Promise<Outcome> {
    const outcome = new Outcome();
    for await (const update of this.start(key, input, members)) outcome.take(update);
    return outcome;
  }

  async bidi(key: string, chunks: string[], members?: Members): Promise<Outcome> {
    const call = this.client.runBidiAction();
    call.write({ request: { $case: "start", value: request(key, undefined, members) } });
    for (const chunk of chunks) call.write({ request: { $case: "chunkJson", value: Buffer.from(chunk) } });
    call.end();
    const outcome = new Outcome();
    for await (const update of call) outcome.take(update);
    return outcome;
  }
}

/** Serves the application, passes its caller to a function, and stops it. */
export async function calling(application: Application, use: (caller: Caller) => Promise<void>): Promise<void> {
  const server = await application.start("127.0.0.1:0");
  const caller = new Caller(server.address);
  try {
    await use(caller);
  } finally {
    caller.client.close();
    await server.stop();
  }
}

/** Starts a server to which the application was added. Returns its address. */
export async function bind(server: Server, using = ServerCredentials.createInsecure()): Promise<string> {
  return new Promise((resolve, reject) => server.bindAsync("localhost:0", using, (error, port) => (error ? reject(error) : resolve(`localhost:${port}`))));
}
