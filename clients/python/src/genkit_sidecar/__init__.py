"""Exposes an application's functions to Genkit's CLI and Dev UI through genkit-sidecar."""

from ._version import __version__
from .action import Action, define
from .application import Application, RunningServer, SidecarConfiguration
from .errors import ActionCancelled, ActionError, InputError, StatusCode
from .json_value import ABSENT, RawJson
from .result import Result
from .run_context import ActionRun, ActionRunContext, SyncActionRunContext, current_run

__all__ = [
    "ABSENT",
    "Action",
    "ActionCancelled",
    "ActionError",
    "ActionRun",
    "ActionRunContext",
    "Application",
    "InputError",
    "RawJson",
    "Result",
    "RunningServer",
    "SidecarConfiguration",
    "StatusCode",
    "SyncActionRunContext",
    "__version__",
    "current_run",
    "define",
]
