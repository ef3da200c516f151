import { type handleServerStreamingCall, type handleUnaryCall, type ServiceDefinition, status } from "@grpc/grpc-js";
import { ActionServiceService, ListValuesRequest } from "./generated/genkit/sidecar/v1/action_service.js";

const services = ["", ActionServiceService.listActions.path.split("/")[1]!];
const [serving, notServing, serviceUnknown] = [1, 2, 3].map((status) => Buffer.from([8, status])) as [Buffer, Buffer, Buffer]; // encoded HealthCheckResponse messages

interface HealthCheckRequest {
  service: string;
}

const method = (name: string, responseStream: boolean) => ({
  path: `/grpc.health.v1.Health/${name}`,
  requestStream: false,
  responseStream,
  requestSerialize: (request: HealthCheckRequest) => Buffer.from(ListValuesRequest.encode({ type: request.service }).finish()),
  requestDeserialize: (bytes: Buffer): HealthCheckRequest => ({ service: ListValuesRequest.decode(bytes).type }), // the same encoding: a string in field 1
  responseSerialize: (bytes: Buffer) => bytes,
  responseDeserialize: (bytes: Buffer) => bytes,
});

/** The `grpc.health.v1.Health` service. Implemented here because grpc-health-check is a separate package. */
export const HealthService = { check: method("Check", false), watch: method("Watch", true) } satisfies ServiceDefinition;

/** Reports SERVING for the server and its ActionService until `stop` is called. */
export class Health {
  readonly #stopping = new AbortController();

  /** Reports NOT_SERVING from now on and ends all watches. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Returns the implementation of `HealthService`. */
  handlers(): { check: handleUnaryCall<HealthCheckRequest, Buffer>; watch: handleServerStreamingCall<HealthCheckRequest, Buffer> } {
    const stopping = this.#stopping.signal;
    return {
      check({ request: { service } }, reply) {
        if (!services.includes(service)) reply({ code: status.NOT_FOUND, details: `unknown service ${service}` });
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
