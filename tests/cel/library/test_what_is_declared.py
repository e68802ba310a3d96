"""The records, the table that finds them, and the page that shows them say the same."""

import importlib
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest

from krm_fn.cel.library import document, index
from krm_fn.cel.library.conditions import RUNTIME
from tests.cel.running import run

PAGE = Path(__file__).parents[3] / "docs" / "functions.md"
RECORDS = [
    (module, record)
    for module in index.MODULES
    for record in importlib.import_module(f"krm_fn.cel.library.{module}").OVERLOADS
]


def shape(record):
    return f"{'m' if record.member else 'f'}{len(record.params)}"


def test_the_table_names_exactly_what_the_records_declare():
    declared: dict[str, dict[str, set]] = {}
    for module, record in RECORDS:
        declared.setdefault(record.name, {}).setdefault(module, set()).add(shape(record))
    found = {
        name: {module: set(shapes) for module, shapes in index._entries(name)}  # the table itself
        for name in index.names()
    }
    assert found == declared


@pytest.mark.parametrize(
    ("record", "example"),
    [
        pytest.param(record, example, id=f"{record.id}-{number}")
        for _, record in RECORDS
        for number, example in enumerate(record.examples, 1)
    ],
)
def test_every_example_is_true(record, example):
    assert record.name.rpartition(".")[2] in example
    assert run(example, runtime=RUNTIME) is True


def test_every_overload_says_what_it_does_and_every_function_shows_an_example():
    assert [record.id for _, record in RECORDS if not record.doc] == []
    shown = {record.name for _, record in RECORDS if record.examples}
    assert set(index.names()) - shown == set()


def test_ids_are_unique():
    ids = [record.id for _, record in RECORDS]
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("name", index.names())
def test_modules_that_share_a_name_never_take_the_same_arguments(name):
    """So asking them one after the other is the same as asking all at once."""
    by_module: dict[str, set] = {}
    for record, module in document.overloads_by_module(name):
        by_module.setdefault(module, set()).add((shape(record), *(p.partition("(")[0] for p in record.params[:1])))
    for one, other in combinations(by_module.values(), 2):
        assert not one & other


def test_the_page_is_what_the_records_generate():
    assert PAGE.read_text(encoding="utf-8") == document.page()


def loaded_by(code):
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; before = set(sys.modules); {code}; print(*sorted(set(sys.modules) - before))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_the_index_alone_imports_nothing():
    """Cold start is a promise: only what an expression calls is loaded."""
    loaded = loaded_by("import krm_fn.cel; before = set(sys.modules); import krm_fn.cel.library.index")
    assert loaded == {"krm_fn.cel.library", "krm_fn.cel.library.index"}


def test_the_engine_imports_itself_alone():
    """So it is there in a few milliseconds: `re` with what it needs would take twice as long as all of this."""
    ran = "to_json(compile_(parse('[1, 2].filter(i, i > 1).map(i, string(i))[0] + \\'a\\'.upperAscii()'))({}))"
    loaded = loaded_by(f"from krm_fn.cel import *; {ran}")
    assert {name for name in loaded if not name.startswith("krm_fn")} == {"__future__"}


@pytest.mark.parametrize(
    ("call", "module"),
    [
        pytest.param("find('startsWith', True, 2)('abc', 'a')", "strings", id="startsWith"),
        pytest.param("find('string', False, 1)(1)", "standard", id="string of an int needs no timestamps or addresses"),
        pytest.param("find('indexOf', True, 2)('abc', 'a')", "strings", id="indexOf of a string needs no lists"),
    ],
)
def test_a_call_loads_only_the_module_that_serves_it(call, module):
    loaded = loaded_by(f"from krm_fn.cel.library.index import find; {call}")
    subjects = {f"krm_fn.cel.library.{name}" for name in index.MODULES}
    assert loaded & subjects == {f"krm_fn.cel.library.{module}"}
    assert "re2" not in loaded
    assert "datetime" not in loaded


@pytest.mark.parametrize(
    ("name", "member", "declared"),
    [
        ("size", None, True),
        ("size", True, True),
        ("size", False, True),
        ("sign", True, False),
        ("sign", False, True),
        ("charAt", False, False),
        ("lists.range", False, True),
        ("lists.range", True, False),
        ("math.greatest", None, False),
        ("deepMerge", None, False),
    ],
)
def test_is_declared(name, member, declared):
    assert index.is_declared(name, member) is declared


def test_find_asks_for_form_and_number_of_arguments():
    assert index.find("size", True, 1) is not None
    assert index.find("size", True, 2) is None
    assert index.find("charAt", False, 2) is None
    assert index.find("no.such", False, 0) is None


def test_overloads_come_in_the_order_in_which_they_are_tried():
    assert [o.id for o in index.overloads("indexOf")] == [
        "string_index_of_string",
        "string_index_of_string_int",
        "list_a_index_of_int",
    ]
    assert index.overloads("no.such") == ()


@pytest.mark.parametrize(
    "name", ["deepMerge", "math.greatest", "sets.contains", "format.dns1123Label", "regex.replace"]
)
def test_a_function_that_kro_lacks_has_a_hint(name):
    assert not index.is_declared(name)
    assert index.hint(name)


def test_a_name_that_nobody_knows_has_no_hint():
    assert index.hint("frobnicate") == ""
