import { type handleServerStreamingCall, type handleUnaryCall, type ServiceDefinition, status } from "@grpc/grpc-js";
import { ActionServiceService, ListValuesRequest } from "./generated/genkit/sidecar/v1/action_service.js";

const services = ["", ActionServiceService.listActions.path.split("/")[1]!];
const [serving, notServing, serviceUnknown] = [1, 2, 3].map((status) => Buffer.from([8, status])) as [Buffer, Buffer, Buffer]; // HealthCheckResponse, encoded

interface HealthCheckRequest {
  service: string;
}

const method = (name: string, responseStream: boolean) => ({
  path: `/grpc.health.v1.Health/${name}`,
  requestStream: false,
  responseStream,
  requestSerialize: (request: HealthCheckRequest) => Buffer.from(ListValuesRequest.encode({ type: request.service }).finish()),
  requestDeserialize: (bytes: Buffer): HealthCheckRequest => ({ service: ListValuesRequest.decode(bytes).type }), // the same form: string field 1
  responseSerialize: (bytes: Buffer) => bytes,
  responseDeserialize: (bytes: Buffer) => bytes,
});

/** `grpc.health.v1.Health`, without the package that has it. */
export const HealthService = { check: method("Check", false), watch: method("Watch", true) } satisfies ServiceDefinition;

/** Says SERVING of the server and of its ActionService until it is told to stop. */
export class Health {
  readonly #stopping = new AbortController();

  /** From now on: NOT_SERVING. Watches end. */
  stop(): void {
    this.#stopping.abort();
  }

  /** What to add to a server as `HealthService`. */
  handlers(): { check: handleUnaryCall<HealthCheckRequest, Buffer>; watch: handleServerStreamingCall<HealthCheckRequest, Buffer> } {
    const stopping = this.#stopping.signal;
    return {
      check({ request: { service } }, reply) {
        if (!services.includes(service)) reply({ code: status.NOT_FOUND, details: `there is no service ${service}` });
        else reply(null, stopping.aborted ? notServing : serving);
      },
      watch(call) {
        const known = services.includes(call.request.service);
        const end = () => {
          call.write(known ? notServing : serviceUnknown);
          call.end();
        };
        if (stopping.aborted) return end();
        call.write(known ? serving : serviceUnknown);
        stopping.addEventListener("abort", end);
        call.on("cancelled", () => stopping.removeEventListener("abort", end));
      },
    };
  }
}
