"""Which overload serves a call: by the exact types of what arrives, and of lists the first element's."""

import pytest

from krm_fn.cel.errors import NO_SUCH_OVERLOAD, EvaluationError
from krm_fn.cel.library.index import find
from krm_fn.cel.values import NONE, OMIT, KeyedMap, OpenList, OpenMap, Optional, TypeValue, Uint
from tests.cel.running import error_of, run


def call(name, member, arity):
    function = find(name, member, arity)
    assert function is not None
    return function


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(True, "true", id="a bool is no int"),
        pytest.param(1, "1", id="int"),
        pytest.param(Uint(1), "1", id="uint"),
        pytest.param(1.0, "1", id="double"),
        pytest.param("1", "1", id="string"),
        pytest.param(b"1", "1", id="bytes"),
    ],
)
def test_string_takes_each_scalar_for_what_it_is(value, text):
    assert call("string", False, 1)(value) == text


@pytest.mark.parametrize("value", [None, [], {}, NONE, OMIT, TypeValue("int")], ids=repr)
def test_string_takes_nothing_else(value):
    with pytest.raises(EvaluationError) as caught:
        call("string", False, 1)(value)
    assert caught.value.kind == NO_SUCH_OVERLOAD
    assert not caught.value.is_pending


def test_the_message_names_the_call_and_the_types():
    assert str(error_of("x.sum()", x=["a"])) == "sum(list(string)): no such overload"
    assert str(error_of("x.charAt(y)", x="a", y=1.5)) == "charAt(string, double): no such overload"


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        pytest.param("x.sum()", "sum", id="the first element decides"),
        pytest.param("x.join()", "join", id="also where later ones would suit"),
    ],
)
def test_a_list_is_judged_by_its_first_element(expression, kind):
    assert error_of(expression, x=[None, "a"]).kind == NO_SUCH_OVERLOAD
    assert kind in str(error_of(expression, x=[None, "a"]))


def test_one_place_serves_lists_of_several_types_in_turn():
    """The table of choices is keyed by Python types: what depends on elements is asked each time."""
    assert [run("x.sum()", x=x) for x in ([1, 2], [1.5], [Uint(1)], [])] == [3, 1.5, Uint(1), 0]
    assert error_of("x.sum()", x=["a"]).kind == NO_SUCH_OVERLOAD
    assert run("x.sum()", x=[1]) == 1


def test_the_empty_list_suits_every_list():
    assert run("[].sum()") == 0
    assert run("[].isSorted()") is True
    assert run("[].join(',')") == ""


def test_flatten_and_sort_do_not_ask_for_elements():
    """cel-go switches its guard off there: through dyn a flat list may be flattened."""
    assert run("dyn([1, 2]).flatten()") == [1, 2]
    assert error_of("dyn([null]).sort()").kind != NO_SUCH_OVERLOAD


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null_type"),
        (True, "bool"),
        (1, "int"),
        (Uint(1), "uint"),
        (1.0, "double"),
        ("", "string"),
        (b"", "bytes"),
        ([], "list"),
        (OpenList([], "a"), "list"),
        ({}, "map"),
        (OpenMap({}, "a"), "map"),
        (KeyedMap(), "map"),
        (Optional(1), "optional_type"),
        (TypeValue("int"), "type"),
        (OMIT, "kro.omit"),
    ],
    ids=repr,
)
def test_type_names_what_every_value_is(value, name):
    assert call("type", False, 1)(value) == TypeValue(name)


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("timestamp(0)", "google.protobuf.Timestamp"),
        ('duration("1s")', "google.protobuf.Duration"),
        ('quantity("1")', "kubernetes.Quantity"),
        ('url("/")', "kubernetes.URL"),
        ('ip("::1")', "net.IP"),
        ('cidr("::/0")', "net.CIDR"),
        ('semver("1.0.0")', "kubernetes.Semver"),
    ],
)
def test_opaque_types_have_the_names_that_kubernetes_gives_them(expression, name):
    assert run(f"type({expression})") == TypeValue(name)
