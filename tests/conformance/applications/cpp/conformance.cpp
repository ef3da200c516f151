// Serves the catalogue of the conformance kit in C++ with generated stubs, gRPC's synchronous API and a JSON library.
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <nlohmann/json.hpp>
#include "genkit/sidecar/v1/action_service.grpc.pb.h"

namespace pb = genkit::sidecar::v1;
using grpc::ServerContext, grpc::ServerReaderWriter, grpc::ServerWriter, grpc::Status, grpc::StatusCode, nlohmann::json;

const json catalogue = json::parse(std::ifstream(CATALOGUE), nullptr, /*allow_exceptions=*/true, /*ignore_comments=*/true);
std::mutex mutex; // guards the state that runs share:
std::condition_variable changed;
std::map<std::string, int> cancelled, arrived; // runs by the id in their input
json actions;                                  // from the catalogue and added ones, by key

// A run of either RPC, because their responses have the same members. gRPC turns exceptions other than Status into UNKNOWN.
template <class Response> Status run(const ServerContext& call, const pb::RunActionRequest& start, auto& stream, const auto& read) try {
    const auto write = [&](const auto& fill) {
        Response update;
        if (fill(update); !stream.Write(update)) throw Status::CANCELLED;
    };
    const auto send = [&](const std::string& chunk) { write([&](auto& update) { update.set_chunk_json(chunk); }); };
    const auto end = [&](const std::string& result, bool is_set = true) {
        write([&](auto& update) { is_set ? update.mutable_result()->set_result_json(result) : void(update.mutable_result()); });
        return Status::OK;
    };
    const auto wait = [&](const auto& until, const json& result) {
        for (std::unique_lock lock(mutex); !changed.wait_for(lock, std::chrono::milliseconds(10), until);)
            if (call.IsCancelled()) throw Status::CANCELLED; // the synchronous API reports it only when polled
        return end(result.dump());
    };
    const auto change = [](const auto& what) { std::lock_guard lock(mutex); what(); changed.notify_all(); };
    const auto padded = [](int index, size_t bytes) { return json{{"index", index}, {"padding", std::string(bytes, 'x')}}.dump(); };
    const auto is = [&](const std::string& key) { return start.key() == key; };
    if (std::lock_guard lock(mutex); !actions.contains(start.key())) return {StatusCode::NOT_FOUND, "there is no action " + start.key()};
    // Actions that take bytes or no input.
    if (is("/flow/echo")) return end(start.input_json(), start.has_input_json());
    if (is("/flow/echo-init")) return end(start.init_json(), start.has_init_json());
    if (is("/flow/echo-context")) return end(start.context_json(), start.has_context_json());
    if (is("/flow/echo-chunk")) return send(start.input_json()), end("", false);
    if (is("/flow/nothing")) return end("", false);
    if (is("/flow/null")) return end("null");
    if (is("/flow/folder/deep/ünïcode name") || is("/flow/hidden")) return end("\"found\"");
    if (is("/model/conformance/model")) return end(R"({"message":{"role":"model","content":[{"text":"ok"}]},"finishReason":"stop"})");
    if (is("/flow/throw")) throw std::runtime_error("thrown as asked");
    if (is("/flow/state")) write([](auto& update) { update.mutable_state()->set_trace_id("0af7651916cd43dd8448eb211c80319c"); });
    if (is("/flow/state")) return send("\"after state\""), end("\"done\"");
    if (is("/flow/inspect")) {
        json seen{{"key", start.key()}, {"stream", start.stream()}, {"telemetryLabels", json::object()}, {"metadata", json::object()}};
        for (const auto& [name, value] : start.telemetry_labels()) seen["telemetryLabels"][name] = value;
        for (const auto* name : {"traceparent", "tracestate", "baggage", "x-conformance"})
            if (const auto found = call.client_metadata().find(name); found != call.client_metadata().end())
                seen["metadata"][name] = std::string(found->second.begin(), found->second.end());
        if (start.has_input_json()) seen["input"] = json::parse(start.input_json());
        if (start.has_init_json()) seen["init"] = json::parse(start.init_json());
        if (start.has_context_json()) seen["context"] = json::parse(start.context_json());
        return end(seen.dump());
    }
    std::string chunk;
    if (is("/flow/first")) return read(chunk) ? end(chunk) : Status(StatusCode::FAILED_PRECONDITION, "the input ended without a chunk");
    if (is("/flow/echo-chunks") || is("/flow/collect")) {
        const bool echoes = is("/flow/echo-chunks");
        size_t chunks = 0, bytes = 0;
        if (echoes && start.has_init_json()) send(start.init_json());
        for (; read(chunk); chunks++, bytes += chunk.size()) if (echoes) send(chunk);
        return end((echoes ? json{{"chunks", chunks}} : json{{"chunks", chunks}, {"bytes", bytes}}).dump());
    }
    // Actions that take an object.
    json in = json::parse(is("/flow/fail-on-input") && read(chunk) ? chunk : start.input_json(), nullptr, /*allow_exceptions=*/false);
    if (is("/flow/greet") && !(in.is_object() && in["name"].is_string())) return {StatusCode::INVALID_ARGUMENT, "name must be a string"};
    if (is("/flow/greet")) return end(json{{"greeting", "Hello, " + std::string(in["name"]) + "!"}}.dump());
    for (int i = 0; is("/flow/count") && i < in["to"]; i++) send(padded(i, in.value("bytes", 0)));
    if (is("/flow/count")) return end(json{{"sent", in["to"]}}.dump());
    if (start.key().starts_with("/flow/fail")) {
        for (int i = 0; i < in.value("chunks", 0); i++) send(json{{"index", i}}.dump());
        if (is("/flow/fail-error")) write([&](auto& update) {
            update.mutable_error()->set_code(in["code"]);
            update.mutable_error()->set_message(std::string(in["message"]));
            update.mutable_error()->set_stack(in.value("stack", ""));
            if (in.contains("details")) update.mutable_error()->set_details_json(in["details"].dump());
        });
        return {in["code"].get<StatusCode>(), in["message"]};
    }
    if (is("/flow/wait") || is("/flow/wait-for-input") || is("/flow/endless")) {
        const std::string id = in["id"];
        const std::shared_ptr<void> at_end(nullptr, [&](void*) { change([&] { cancelled[id]++; }); }); // they end only by cancellation
        for (int i = 0; is("/flow/endless"); i++) send(padded(i, 1024));
        send(json{{"waiting", id}}.dump());
        for (int taken = 1; is("/flow/wait-for-input") && read(chunk); taken++) send(json{{"taken", taken}}.dump());
        return wait([] { return false; }, {});
    }
    if (is("/flow/await-cancelled")) return wait([&] { return cancelled[in["id"]]; }, {{"cancelled", in["id"]}});
    if (is("/flow/meet")) change([&] { arrived[in["id"]]++; });
    if (is("/flow/meet")) return wait([&] { return arrived[in["id"]] >= in["parties"]; }, {{"met", in["parties"]}});
    if (is("/flow/add-action")) change([&] { actions["/flow/" + std::string(in["name"])] = {{"name", in["name"]}}; });
    if (is("/flow/remove-action")) change([&] { actions.erase("/flow/" + std::string(in["name"])); });
    if (is("/flow/add-action") || is("/flow/remove-action")) return end("null");
    return end(start.input_json(), start.has_input_json()); // an added action
} catch (const Status& status) { return status; }

class ActionService final : public pb::ActionService::Service {
    Status Configure(ServerContext*, const pb::ConfigureRequest*, pb::ConfigureResponse*) override { return Status::OK; }
    Status GetRuntimeInfo(ServerContext*, const pb::GetRuntimeInfoRequest*, pb::GetRuntimeInfoResponse* info) override {
        info->set_name("conformance"), info->set_genkit_version("cpp/0.1.0"), info->add_environments("dev");
        return Status::OK;
    }
    Status ListValues(ServerContext*, const pb::ListValuesRequest* request, pb::ListValuesResponse* response) override {
        response->set_values_json(catalogue["values"].value(request->type(), json::object()).dump());
        return Status::OK;
    }
    Status ListActions(ServerContext*, const pb::ListActionsRequest*, pb::ListActionsResponse* response) override {
        std::lock_guard lock(mutex);
        for (const auto& [key, action] : actions.items()) {
            if (!action.value("listed", true)) continue;
            auto& listed = *response->add_actions();
            listed.set_key(key), listed.set_name(std::string(action["name"]));
            if (action.contains("description")) listed.set_description(std::string(action["description"]));
            if (action.contains("inputSchema")) listed.set_input_schema_json(action["inputSchema"].dump());
            if (action.contains("outputSchema")) listed.set_output_schema_json(action["outputSchema"].dump());
            if (action.contains("metadata")) listed.set_metadata_json(action["metadata"].dump());
        }
        return Status::OK;
    }
    Status RunAction(ServerContext* call, const pb::RunActionRequest* start, ServerWriter<pb::RunActionResponse>* stream) override {
        bool is_unread = start->has_input_json(); // the only chunk
        const auto read = [&](std::string& chunk) { return chunk = start->input_json(), std::exchange(is_unread, false); };
        return run<pb::RunActionResponse>(*call, *start, *stream, read);
    }
    Status RunBidiAction(ServerContext* call, ServerReaderWriter<pb::RunBidiActionResponse, pb::RunBidiActionRequest>* stream) override {
        pb::RunBidiActionRequest first, next;
        if (!stream->Read(&first) || !first.has_start()) return {StatusCode::INVALID_ARGUMENT, "the first message must be start"};
        const auto read = [&](std::string& chunk) { return stream->Read(&next) && (chunk = next.chunk_json(), true); };
        return run<pb::RunBidiActionResponse>(*call, first.start(), *stream, read);
    }
};

int main() {
    for (const auto& action : catalogue["actions"]) actions[std::string(action["key"])] = action;
    const auto* address = std::getenv("GENKIT_SIDECAR_LISTEN");
    grpc::EnableDefaultHealthCheckService(true);
    ActionService service;
    const auto server = grpc::ServerBuilder().AddListeningPort(address ? address : "127.0.0.1:50051", grpc::InsecureServerCredentials())
        .AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0).SetMaxReceiveMessageSize(48 << 20).RegisterService(&service).BuildAndStart();
    if (!server) return 1; // gRPC has logged the reason
    server->GetHealthCheckService()->SetServingStatus(pb::ActionService::service_full_name(), true);
    server->Wait(); // until SIGTERM ends the process
}
