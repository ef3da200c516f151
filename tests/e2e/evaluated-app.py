"""An application with a flow and an evaluator of it, which finds an output good if it is there.

Usage: evaluated-app.py, with the stubs of the Python example. Serves where GENKIT_SIDECAR_LISTEN says.
"""

import concurrent.futures
import json
import os
import pathlib
import sys

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python/examples/stubs"))
from genkit.sidecar.v1 import action_service_pb2 as pb, action_service_pb2_grpc as stubs  # noqa: E402

METADATA = {"evaluator": {"evaluatorIsBilled": False, "evaluatorDisplayName": "There", "evaluatorDefinition": "Whether there is an output"}}


def shout(text):
    return text.upper()


def evaluate(request):
    return [{"testCaseId": row["testCaseId"], "evaluation": {"score": "output" in row}} for row in request["dataset"]]


ACTIONS = {"/flow/shout": shout, "/evaluator/there": evaluate}


class Evaluated(stubs.ActionServiceServicer):
    def ListActions(self, request, context):
        return pb.ListActionsResponse(actions=[
            pb.Action(key="/flow/shout", name="shout"),
            pb.Action(key="/evaluator/there", name="there", metadata_json=json.dumps(METADATA).encode()),
        ])

    def RunAction(self, request, context):
        # Indented, as many serializers write by default.
        result = json.dumps(ACTIONS[request.key](json.loads(request.input_json)), indent=2)
        yield pb.RunActionResponse(result=pb.ActionResult(result_json=result.encode()))


server = grpc.server(concurrent.futures.ThreadPoolExecutor(), options=[("grpc.so_reuseport", 0)])
stubs.add_ActionServiceServicer_to_server(Evaluated(), server)
server.add_insecure_port(os.environ["GENKIT_SIDECAR_LISTEN"])
server.start()
server.wait_for_termination()
