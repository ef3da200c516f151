"""Schemas derived from types, values read as types, and the errors for values that do not match."""

from __future__ import annotations

import enum
import json
import typing
import unittest
from collections.abc import AsyncIterator, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NotRequired, Optional, Required, TypedDict, Union

from genkit_sidecar import ActionRunContext, Application, InputError, RawJson, Result, SyncActionRunContext
from genkit_sidecar.json_value import to_json
from genkit_sidecar.schema import DRAFT_07, reader_of

try:
    import pydantic
except ImportError:
    pydantic = None


class Color(enum.Enum):
    RED = "red"
    GREEN = "green"


class Unlistable(enum.Enum):
    ONE = object()


@dataclass
class Item:
    sku: str
    price: float = 0


@dataclass
class Order:
    id: int
    items: list[Item]
    from_: Optional[str] = None
    labels: dict[str, str] = field(default_factory=dict)
    color: Color = Color.RED
    note: Annotated[str, "For the driver."] = ""


@dataclass
class Tree:
    value: int
    children: list[Tree] = field(default_factory=list)


class Point(TypedDict, total=False):
    x: int


class Started(TypedDict):
    event: Literal["started"]
    id: str


class Counted(TypedDict):
    event: Literal["counted"]
    count: int


Event = Union[Started, Counted]

EVENTS = {
    "anyOf": [
        {
            "type": "object",
            "properties": {"event": {"const": "started"}, "id": {"type": "string"}},
            "required": ["event", "id"],
        },
        {
            "type": "object",
            "properties": {"event": {"const": "counted"}, "count": {"type": "integer"}},
            "required": ["event", "count"],
        },
    ],
    "$schema": DRAFT_07,
}


class Place(Point, total=False):
    name: Required[str]


class Route(TypedDict):
    start: str
    end: NotRequired[str]


@dataclass
class Circle:
    kind: Literal["circle"]
    radius: float


@dataclass
class Square:
    kind: Literal["square"]
    side: float

    def __post_init__(self) -> None:
        if self.side < 0:
            raise ValueError("a side is not negative")


UserId = typing.NewType("UserId", int)


class SchemaOfTypes(unittest.TestCase):
    def test_a_dataclass_is_an_object_of_its_fields(self) -> None:
        self.assertEqual(
            reader_of(Order).json_schema,
            {
                "type": "object",
                "properties": {
                    "id": {"type": "integer"},
                    "items": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {"sku": {"type": "string"}, "price": {"type": "number"}},
                            "required": ["sku"],
                        },
                    },
                    "from": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                    "color": {"enum": ["red", "green"]},
                    "note": {"type": "string", "description": "For the driver."},
                },
                "required": ["id", "items"],
                "$schema": DRAFT_07,
            },
        )

    def test_a_type_that_has_itself_as_a_member_is_defined_once(self) -> None:
        schema = reader_of(Tree).json_schema
        self.assertEqual(schema["$ref"], "#/definitions/Tree")
        self.assertEqual(schema["definitions"]["Tree"]["properties"]["children"]["items"], {"$ref": "#/definitions/Tree"})
        tree = reader_of(Tree).read(b'{"value":1,"children":[{"value":2}]}')
        self.assertEqual(tree, Tree(1, [Tree(2)]))

    def test_values_of_types_are_read_and_written(self) -> None:
        raw = b'{"id":1.0,"items":[{"sku":"a","price":2,"unknown":true}],"from":"b","color":"green"}'
        order = reader_of(Order).read(raw)
        self.assertEqual(order, Order(1, [Item("a", 2.0)], "b", color=Color.GREEN))
        self.assertEqual(
            to_json(order),
            b'{"id":1,"items":[{"sku":"a","price":2.0}],"from":"b","labels":{},"color":"green","note":""}',
        )

    def test_a_mismatch_names_the_member(self) -> None:
        for raw, message in {
            b'{"items":[]}': '"id" must be given: an integer',
            b'{"id":"1","items":[]}': '"id" must be an integer',
            b'{"id":true,"items":[]}': '"id" must be an integer',
            b'{"id":1.5,"items":[]}': '"id" must be an integer',
            b'{"id":1e400,"items":[]}': '"id" must be an integer',
            b'{"id":1,"items":{}}': '"items" must be an array',
            b'{"id":1,"items":[{"sku":"a"},{"sku":2}]}': '"items[1].sku" must be a string',
            b'{"id":1,"items":[{}]}': '"items[0].sku" must be given: a string',
            b'{"id":1,"items":[1]}': '"items[0]" must be an object with "sku"',
            b'{"id":1,"items":[],"from":1}': '"from" must be a string or null',
            b'{"id":1,"items":[],"labels":{"a":1}}': '"labels.a" must be a string',
            b'{"id":1,"items":[],"color":"blue"}': "\"color\" must be one of 'red', 'green'",
            b"[]": 'the input must be an object with "id", "items"',
            b"{": "the input is not valid JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
            b"\xef\xbb\xbf{}": "the input is not valid JSON: Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)",
            '{"id":1}'.encode("utf-16-le"): 'the input is not valid JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)',
            b"NaN": "the input is not valid JSON: NaN is not a JSON value",
            b"[" * 100_000: "the input is nested too deeply for Python's json module",
            None: 'the input is missing; it must be an object with "id", "items"',
        }.items():
            with self.subTest(raw=raw[:40] if raw else raw):
                with self.assertRaises(InputError) as raised:
                    reader_of(Order).read(raw)
                self.assertEqual(raised.exception.message, message)

    def test_json_types(self) -> None:
        for source, raw, value in [
            (Any, b'{"a":[null]}', {"a": [None]}),
            (int, b"9007199254740993", 9007199254740993),
            (tuple[int, str], b'[1,"a"]', (1, "a")),
            (Sequence[int], b"[1]", [1]),
            (Union[int, str], b'"a"', "a"),
            (Literal["a", 1], b"1", 1),
            (Point, b"{}", {}),
            (RawJson, b"-0", b"-0"),
            (Optional[int], None, None),
            (Optional[int], b"null", None),
            (Annotated[Optional[int], "A number."], None, None),
            (type(None), None, None),
            (Union[Circle, Square], b'{"kind":"square","side":1}', Square("square", 1)),
            (UserId, b"7", 7),
            (dict, b"{}", {}),
        ]:
            with self.subTest(source):
                self.assertEqual(reader_of(source).read(raw), value)

    def test_required_members_of_a_typed_dict_are_listed(self) -> None:
        self.assertEqual(reader_of(Place).json_schema["required"], ["name"])
        self.assertEqual(reader_of(Route).json_schema["required"], ["start"])
        self.assertEqual(reader_of(Route).read(b'{"start":"a"}'), {"start": "a"})
        with self.assertRaisesRegex(InputError, '"name" must be given: a string'):
            reader_of(Place).read(b'{"x":1}')

    def test_a_union_mismatch_names_each_similar_type(self) -> None:
        for raw, message in {
            b'{"kind":"oval"}': "\"kind\" must be 'circle', or \"kind\" must be 'square'",
            b'{"kind":"square"}': "\"kind\" must be 'circle', or \"side\" must be given: a number",
            b"5": 'the input must be an object with "kind", "radius" or an object with "kind", "side"',
        }.items():
            with self.subTest(raw), self.assertRaises(InputError) as raised:
                reader_of(Union[Circle, Square]).read(raw)
            self.assertEqual(raised.exception.message, message)

    def test_a_value_error_of_a_class_is_an_input_error(self) -> None:
        with self.assertRaisesRegex(InputError, '^"\\[0\\]": a side is not negative$'):
            reader_of(list[Square]).read(b'[{"kind":"square","side":-1}]')

    def test_a_value_nested_too_deeply_is_an_input_error(self) -> None:
        depth = 400  # the json module accepts this depth, but the reader does not
        with self.assertRaisesRegex(InputError, "the input is nested too deeply for Python$"):
            reader_of(Tree).read(b'{"value":1,"children":[' * depth + b"]}" * depth)

    def test_an_unresolvable_type_is_named_at_definition(self) -> None:
        @dataclass
        class Inner:
            x: int

        @dataclass
        class Outer:
            inner: Inner

        with self.assertRaisesRegex(TypeError, "a member of Outer .*Inner.*"):
            reader_of(Outer)

    def test_true_is_not_one(self) -> None:
        with self.assertRaisesRegex(InputError, "the input must be 1"):
            reader_of(Literal[1]).read(b"true")

    def test_an_unsupported_type_is_refused_at_definition(self) -> None:
        with self.assertRaisesRegex(TypeError, "^/flow/bad: .*bytes"):

            @Application().flow()
            def bad(input: bytes) -> None: ...

    def test_a_handler_with_other_parameters_is_refused(self) -> None:
        with self.assertRaisesRegex(TypeError, r"^/flow/bad: a handler must take \(input, context\)"):

            @Application().flow()
            async def bad(context: ActionRunContext, input: int) -> None: ...

        for other in (lambda self: 1, lambda a, b, c: 1, lambda *, needed: 1, self.several):
            with self.subTest(other), self.assertRaisesRegex(TypeError, r"^/flow/bad: a handler must take \(input, context\)"):
                Application().flow("bad")(other)

    def test_the_run_context_must_match_the_kind_of_handler(self) -> None:
        async def asynchronous(context: SyncActionRunContext) -> None: ...

        def blocking(context: ActionRunContext) -> None: ...

        for handler in (asynchronous, blocking):
            with self.subTest(handler), self.assertRaisesRegex(TypeError, "ActionRunContext.*SyncActionRunContext"):
                Application().flow()(handler)

    @staticmethod
    def several(left: int, right: int) -> int:
        return left + right

    def test_metadata_without_json_is_refused_at_definition(self) -> None:
        for options in ({"metadata": {"a": float("nan")}}, {"input_schema": {"default": object()}}, {"output_schema": Unlistable}):
            application = Application()
            with self.subTest(options), self.assertRaisesRegex(TypeError, "^/flow/bad: "):
                application.flow("bad", **options)(lambda: None)
            self.assertEqual(list(application.actions), [])

    def test_a_decorator_without_parentheses_is_refused(self) -> None:
        with self.assertRaisesRegex(TypeError, r"write @application.flow\(\)"):

            @Application().flow
            def bad() -> None: ...

    def test_a_lone_surrogate_is_written_as_its_escape(self) -> None:
        self.assertEqual(to_json("\ud800é"), b'"\\ud800\\u00e9"')


class SchemaOfChunks(unittest.TestCase):
    def test_the_annotated_type_of_chunks_is_listed(self) -> None:
        application = Application()

        @application.flow()
        async def asynchronous() -> AsyncIterator[Union[Event, Result]]:
            yield Started(event="started", id="a")
            yield Result(1)

        @application.flow()
        def blocking() -> Iterator[Event]:
            yield Counted(event="counted", count=1)

        @application.flow()
        def returning() -> Generator[Event, None, int]:
            yield Counted(event="counted", count=1)
            return 1

        @application.flow(stream_schema=Event, metadata={"owner": "tests", "streamSchema": {}})
        async def sending(context: ActionRunContext) -> int:
            return 1

        listed = {action.name: action.listed() for action in application.actions}
        for name, action in listed.items():
            with self.subTest(name):
                self.assertEqual(json.loads(action.metadata_json)["streamSchema"], EVENTS)
        self.assertEqual(json.loads(listed["sending"].metadata_json)["owner"], "tests")
        self.assertEqual(json.loads(listed["returning"].output_schema_json), {"type": "integer", "$schema": DRAFT_07})
        self.assertFalse(listed["asynchronous"].HasField("output_schema_json"))

    def test_chunks_without_a_type_list_no_schema(self) -> None:
        application = Application()

        @application.flow()
        async def only_a_result() -> AsyncIterator[Result]:
            yield Result(1)

        @application.flow()
        async def anything() -> AsyncIterator[Any]:
            yield 1

        @application.flow()
        def unannotated():
            yield 1

        @application.flow()
        def results() -> Iterable[int]:  # the function is not a generator, so this is its result
            return [1]

        for action in application.actions:
            with self.subTest(action.name):
                self.assertFalse(action.listed().HasField("metadata_json"))

    def test_an_unsupported_chunk_type_is_refused_at_definition(self) -> None:
        with self.assertRaisesRegex(TypeError, "^/flow/bad: .*bytes"):

            @Application().flow()
            def bad() -> Iterator[bytes]:
                yield b""


@unittest.skipUnless(pydantic, "pydantic is not installed")
class SchemaOfPydanticModels(unittest.TestCase):
    def setUp(self) -> None:
        class Line(pydantic.BaseModel):
            price: float = pydantic.Field(gt=0)

        class Invoice(pydantic.BaseModel):
            name: str = pydantic.Field(min_length=1, alias="displayName")
            lines: typing.List[Line] = []

        Invoice.update_forward_refs(Line=Line) if hasattr(Invoice, "update_forward_refs") else None
        self.invoice = Invoice

    def test_the_model_gives_the_schema(self) -> None:
        schema = reader_of(self.invoice).json_schema
        self.assertEqual(schema["required"], ["displayName"])
        self.assertEqual(schema["properties"]["lines"]["items"], {"$ref": "#/definitions/Line"})
        self.assertIn("Line", schema["definitions"])

    def test_a_model_within_another_type_finds_its_definitions(self) -> None:
        schema = reader_of(typing.List[self.invoice]).json_schema
        self.assertNotIn("definitions", schema["items"])
        self.assertIn("Line", schema["definitions"])

    def test_a_model_can_be_part_of_a_union(self) -> None:
        optional = reader_of(Optional[self.invoice])
        self.assertIsNone(optional.read(b"null"))
        with self.assertRaisesRegex(InputError, '^the input must be an object with "displayName" or null$'):
            optional.read(b"5")
        self.assertEqual(reader_of(Union[self.invoice, str]).read(b'"a"'), "a")

    def test_the_model_is_read_and_written(self) -> None:
        invoice = reader_of(self.invoice).read(b'{"displayName":"Ada","lines":[{"price":1}]}')
        self.assertEqual(invoice.lines[0].price, 1)
        self.assertEqual(to_json({"invoice": invoice}), b'{"invoice":{"displayName":"Ada","lines":[{"price":1.0}]}}')

    def test_a_validation_error_names_the_member(self) -> None:
        for raw, message in {
            b'{"displayName":"Ada","lines":[{"price":0}]}': '^"lines\\[0\\].price": ',
            b"{}": '^"displayName": ',
            b"5": '^the input must be an object with "displayName"$',
        }.items():
            with self.subTest(raw), self.assertRaisesRegex(InputError, message):
                reader_of(self.invoice).read(raw)


if __name__ == "__main__":
    unittest.main()
