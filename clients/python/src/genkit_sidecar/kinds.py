"""Metadata and schemas of Genkit's action types."""

from __future__ import annotations

import dataclasses
import functools
import importlib.resources
import json
import logging
from typing import Any, Mapping

from .action import Action
from .errors import ActionCancelled, InputError
from .json_value import RawJson, to_json
from .run_context import ActionRun, SyncActionRunContext
from .schema import ANYTHING, DRAFT_07, reader_of

_log = logging.getLogger("genkit_sidecar")


@functools.cache
def _kinds() -> dict[str, Any]:
    kinds: dict[str, Any] = json.loads(importlib.resources.files(__package__).joinpath("kinds.json").read_text("utf-8"))
    return kinds


def schema_of(kind: str, direction: str) -> Mapping[str, Any] | None:
    """Returns Genkit's schema for the `input` or `output` of an action type, or None if the type has no fixed schema."""
    schema = _kinds().get(kind, {}).get(direction)
    return schema and {**schema, "definitions": _kinds()["definitions"], "$schema": DRAFT_07}


def model(label: str, versions: Any, supports: Any, stage: str | None, config_schema: Any) -> dict[str, Any]:
    return {"model": _given(label=label, customOptions=_schema(config_schema), versions=versions, supports=supports, stage=stage)}


def prompt(name: str, model: str | None, config: Any, input_schema: Any, input_default: Any, tools: Any) -> dict[str, Any]:
    input = _given(schema=input_schema, default=input_default)
    return {"type": "prompt", "prompt": _given(name=name, model=model, config=config, input=input or None, tools=list(tools))}


def embedder(info: Mapping[str, Any], config_schema: Any) -> dict[str, Any]:
    return {"type": "embedder", "info": dict(info), "embedder": _given(customOptions=_schema(config_schema))}


def labelled(kind: str, label: str, config_schema: Any) -> dict[str, Any]:
    """Returns the metadata of a retriever, an indexer or a reranker."""
    return {"type": kind, "info": {"label": label}, kind: _given(customOptions=_schema(config_schema))}


def evaluator(display_name: str, definition: str, is_billed: bool) -> dict[str, Any]:
    return {
        "type": "evaluator",
        "evaluatorIsBilled": is_billed,  # the CLI reads it here, while Genkit's own runtimes only list it below
        "evaluator": {"evaluatorDisplayName": display_name, "evaluatorDefinition": definition, "evaluatorIsBilled": is_billed},
    }


def for_each_test_case(action: Action) -> Action:
    """Turns an action that scores one test case into one that scores a dataset. A failed test case does not fail the others."""

    def arguments(test_case: Any, context: ActionRun) -> list[Any]:
        read = action.input_reader.read(RawJson(to_json(test_case)), "the test case")
        return [*([read] if action.takes_input else []), *([context] if action.takes_context else [])]

    async def evaluate(request: Any, context: ActionRun) -> list[Any]:
        scored = []
        for index, test_case in enumerate(_dataset(request)):
            try:
                scored.append(_scored(index, test_case, await action.handler(*arguments(test_case, context))))
            except Exception as error:
                scored.append(_unscored(index, test_case, error))
        return scored

    def evaluate_blocking(request: Any, context: SyncActionRunContext) -> list[Any]:
        scored = []
        for index, test_case in enumerate(_dataset(request)):
            if context.cancelled.is_set():
                raise ActionCancelled(f"the run of {context.key} was cancelled")
            try:
                scored.append(_scored(index, test_case, action.handler(*arguments(test_case, context))))
            except ActionCancelled:
                raise
            except Exception as error:
                scored.append(_unscored(index, test_case, error))
        return scored

    return dataclasses.replace(
        action,
        handler=evaluate if action.is_async else evaluate_blocking,
        takes_input=True,
        takes_context=True,
        has_result=True,
        input_reader=ANYTHING,
    )


def _dataset(request: Any) -> list[Any]:
    dataset = request.get("dataset") if isinstance(request, dict) else None
    if not isinstance(dataset, list) or not all(isinstance(test_case, dict) for test_case in dataset):
        raise InputError('"dataset" must be an array of objects')
    return dataset


def _scored(index: int, test_case: dict[str, Any], evaluation: Any) -> dict[str, Any]:
    scored = _given(sampleIndex=index, testCaseId=test_case.get("testCaseId"), evaluation=evaluation)
    to_json(scored)  # a score without JSON representation fails this test case and not the dataset
    return scored


def _unscored(index: int, test_case: dict[str, Any], error: Exception) -> dict[str, Any]:
    name = test_case.get("testCaseId")
    _log.error("The evaluation of test case %s failed.", name, exc_info=error)
    return _scored(index, test_case, {"error": f"Evaluation of test case {name} failed: {error}"})


def _schema(source: Any) -> Mapping[str, Any] | None:
    return None if source is None else reader_of(source).json_schema


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
