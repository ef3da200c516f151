"""A flow and an evaluator of it, for `genkit eval:flow`: on grpcio and the stubs of the Python example.

  /flow/square        squares the number `of`; refuses anything else before it starts
  /evaluator/is_even  scores whether the output of each sample is even
"""

import concurrent.futures
import json
import os
import pathlib
import signal
import sys

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python/examples/stubs"))
from genkit.sidecar.v1 import action_service_pb2 as pb, action_service_pb2_grpc as stubs  # noqa: E402


def square(input):
    if type(input.get("of")) is not int:
        raise ValueError('"of" must be an integer')
    return input["of"] ** 2


def is_even(input):
    return [{"testCaseId": sample["testCaseId"], "evaluation": {"score": sample["output"] % 2 == 0}}
            for sample in input["dataset"]]


ACTIONS = {
    "/flow/square": (square, {}),
    "/evaluator/is_even": (is_even, {"evaluator": {
        "evaluatorDisplayName": "Is even", "evaluatorDefinition": "Whether it is even", "evaluatorIsBilled": False}}),
}


class ActionService(stubs.ActionServiceServicer):
    def ListActions(self, request, context):
        return pb.ListActionsResponse(actions=[
            pb.Action(key=key, name=action.__name__, metadata_json=json.dumps(metadata).encode())
            for key, (action, metadata) in ACTIONS.items()])

    def RunAction(self, request, context):
        action, _ = ACTIONS[request.key]
        try:
            result = action(json.loads(request.input_json))
        except ValueError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        yield pb.RunActionResponse(result=pb.ActionResult(result_json=json.dumps(result).encode()))


server = grpc.server(concurrent.futures.ThreadPoolExecutor(), options=[("grpc.so_reuseport", 0)])
stubs.add_ActionServiceServicer_to_server(ActionService(), server)
server.add_insecure_port(os.environ["GENKIT_SIDECAR_LISTEN"])
server.start()
signal.signal(signal.SIGTERM, lambda *_: server.stop(grace=None))
server.wait_for_termination()
