"""Quantities, URLs, addresses, networks, versions: the rows were compared with Kubernetes' and Go's own libraries."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.cel.errors import BAD_ARGUMENT, BAD_CONVERSION, NO_SUCH_OVERLOAD, EvaluationError
from krm_fn.cel.library.addresses import CIDR, IP, parse_cidr, parse_ip
from krm_fn.cel.library.conditions import RUNTIME, Condition, conditions_of
from krm_fn.cel.library.index import find
from krm_fn.cel.library.quantity import Quantity, parse_quantity
from krm_fn.cel.library.semver import Semver, parse_semver
from krm_fn.cel.library.urls import URL, parse_url
from krm_fn.cel.values import OpenList, OpenMap, Unknown
from tests.cel.running import error_of, run


@pytest.mark.parametrize(
    ("text", "written", "is_integer"),
    [
        ("1", "1", True),
        ("+1", "+1", True),
        ("1.5", "1500m", False),
        ("1.0", "1", False),
        ("1000m", "1", False),
        ("1024Ki", "1Mi", True),
        ("1Pi", "1Pi", False),
        ("1.3Gi", "1395864371200m", False),
        ("0.5Gi", "512Mi", False),
        ("1e19", "10e18", False),
        ("12E6", "12E6", True),
        ("0.0000000001", "1n", False),
        ("-0.0000000001", "-1n", False),
        ("16Ei", "9223372036854775807", False),
        ("k", "0", True),
        ("-", "0", True),
        ("5.", "5.", True),
        ("1000000000000000000000", "1", False),
    ],
)
def test_a_quantity_is_kept_as_kubernetes_keeps_it(text, written, is_integer):
    assert str(parse_quantity(text)) == written
    assert run("quantity(x).isInteger()", x=text) is is_integer


@pytest.mark.parametrize("text", ["", " 1", "1 ", "1K", "1ki", "1i", "1Ee", "e", "1e", "1.2.3", "--1", "1e1.5", "1e3k", "1KiB", "NaN", "٣", "1_0", "Ei", ".Pi", "-.Ei"])  # fmt: skip
def test_what_is_no_quantity(text):
    assert error_of("quantity(x)", x=text).kind == BAD_CONVERSION
    assert run("isQuantity(x)", x=text) is False


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        ('quantity("1Ki").add(quantity("1024"))', "2Ki"),
        ('quantity("1Ki").add(quantity("1k"))', "2024"),
        ('quantity("1e-3").add(quantity("1"))', "1001e-3"),
        ('quantity("0").add(quantity("1Gi"))', "1Gi"),
        ('quantity("8Ei").add(quantity("9223372036854775807"))', "18446744073709551614"),
        ('quantity("1").sub(quantity("1.0"))', "0"),
        ('quantity("1k").add(-1)', "999"),
        ('quantity("0").sub(5)', "-5"),
    ],
)
def test_sums_are_written_in_the_style_of_the_first(expression, written):
    assert str(run(expression)) == written


@given(st.integers(-(10**15), 10**15), st.integers(-(10**15), 10**15))
def test_quantities_add_and_compare_like_numbers(a, b):
    first, second = parse_quantity(f"{a}m"), parse_quantity(f"{b}m")
    total = run("x.add(y)", x=first, y=second)
    assert total == parse_quantity(f"{a + b}m")
    assert hash(total) == hash(parse_quantity(f"{a + b}m"))
    assert run("x.compareTo(y)", x=first, y=second) == (a > b) - (a < b)
    assert run("x.sub(y).compareTo(z)", x=total, y=second, z=first) == 0


def test_a_result_may_stand_at_the_left_of_equals_alone():
    result = run('quantity("1").add(1)')
    assert result.cel_equals(parse_quantity("2"))
    with pytest.raises(EvaluationError) as caught:
        parse_quantity("2").cel_equals(result)
    assert caught.value.kind == NO_SUCH_OVERLOAD


def test_a_large_quantity_is_an_approximate_float():
    assert run("quantity('1e30').asApproximateFloat()") == 1e30
    assert run("quantity('1e900').asApproximateFloat()") == float("inf")
    assert error_of("quantity('1.0').asInteger()").kind == BAD_CONVERSION


URLS = [
    ("https://example.com", ("https", "example.com", "example.com", "", "")),
    ("HTTPS://Example.COM/A", ("https", "Example.COM", "Example.COM", "", "/A")),
    ("http://u:p%40@h:80/a b", ("http", "h:80", "h", "80", "/a%20b")),
    ("https://[fe80::1%25eth0]:1/", ("https", "[fe80::1%eth0]:1", "fe80::1%eth0", "1", "/")),
    ("https://h:/", ("https", "h:", "h", "", "/")),
    ("ftp://a:b:1/x", ("ftp", "a:b:1", "a:b", "1", "/x")),
    ("mailto:a@b.c", ("mailto", "", "", "", "")),
    ("unix:/x", ("unix", "", "", "", "/x")),
    ("//host/path", ("", "host", "host", "", "/path")),
    ("/a%2Fb", ("", "", "", "", "/a%2Fb")),
    ("https://h/%ff", ("https", "h", "h", "", "/%ff")),
    ("*", ("", "", "", "", "*")),
]


@pytest.mark.parametrize(("text", "parts"), URLS)
def test_a_url_has_the_parts_that_go_finds(text, parts):
    found = run("[u.getScheme(), u.getHost(), u.getHostname(), u.getPort(), u.getEscapedPath()]", u=parse_url(text))
    assert tuple(found) == parts


@pytest.mark.parametrize("text", ["", "path", "../x", "::", "1a://h", "https://h/%zz", "https://ho st/", "https://a:b/", "https://[::1", "https://[1.2.3.4]/", "https://x[::1]/", "https://h#f", "https://h/\tx", "https://h%41/", "https://u^@h/", "https://h/x#%zz", "https://h:1:2/", "https://[::1%25]/", "a/b:c"])  # fmt: skip
def test_what_is_no_absolute_url(text):
    assert error_of("url(x)", x=text).kind == BAD_CONVERSION


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("?a=1&a=2&b", {"a": ["1", "2"], "b": [""]}),
        ("?q=a+b%20c", {"q": ["a b c"]}),
        ("?a=1;b=2", {}),
        ("?%zz=1&b=%z&=x", {"": ["x"]}),
        ("?", {}),
        ("", {}),
        ("?" + "a=1&" * 10_001, {}),
    ],
)
def test_a_query_leaves_out_what_it_cannot_read(query, values):
    assert run("url(x).getQuery()", x="https://h/" + query) == values


@pytest.mark.parametrize("text", ["https://h?", "https://h/a/../b?x#f", "a+b.c-d://h", "//u:@h/x", "x:y?z", "https://h/ü#ä b", "unix:/x", "https:///x"])  # fmt: skip
def test_a_url_written_again_is_the_same_url(text):
    assert parse_url(str(parse_url(text))) == parse_url(text)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("0.0.0.0", {"isUnspecified"}),
        ("::", {"isUnspecified"}),
        ("127.1.2.3", {"isLoopback"}),
        ("::1", {"isLoopback"}),
        ("224.0.0.5", {"isLinkLocalMulticast"}),
        ("ff12::1", {"isLinkLocalMulticast"}),
        ("ff05::1", set()),
        ("239.1.1.1", set()),
        ("169.254.0.1", {"isLinkLocalUnicast"}),
        ("febf::1", {"isLinkLocalUnicast"}),
        ("255.255.255.255", set()),
        ("10.0.0.1", {"isGlobalUnicast"}),
        ("fc00::1", {"isGlobalUnicast"}),
    ],
)
def test_an_address_is_of_a_kind(text, kinds):
    asked = ("isUnspecified", "isLoopback", "isLinkLocalMulticast", "isLinkLocalUnicast", "isGlobalUnicast")
    assert {name for name in asked if run(f"x.{name}()", x=parse_ip(text))} == kinds


@pytest.mark.parametrize("text", ["", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.4/8", "::ffff:1.2.3.4", "fe80::1%eth0", "1::2::3", "12345::", " ::1", "localhost", "1.2.3.4%a"])  # fmt: skip
def test_what_is_no_address(text):
    assert error_of("ip(x)", x=text).kind == BAD_CONVERSION
    assert run("isIP(x)", x=text) is False
    assert error_of("ip.isCanonical(x)", x=text).kind == BAD_CONVERSION


@pytest.mark.parametrize("text", ["", "x", "10.0.0.0", "10.0.0.0/", "/8", "10.0.0.0/33", "::/129", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/-1", "10.0/8", "10.0.0.0/8/8", "::ffff:1.2.3.0/120", "fe80::1%a/64", "10.0.0.0/٨"])  # fmt: skip
def test_what_is_no_network(text):
    assert error_of("cidr(x)", x=text).kind == BAD_CONVERSION
    assert run("isCIDR(x)", x=text) is False


@given(st.integers(0, (1 << 32) - 1), st.integers(0, 32))
def test_a_network_holds_its_own_first_and_last_address(number, prefix):
    network = CIDR(IP(4, number, ".".join(map(str, number.to_bytes(4, "big")))), prefix)
    masked = run("x.masked()", x=network)
    assert run("x.containsIP(y)", x=network, y=masked.ip)
    assert run("x.containsCIDR(y)", x=network, y=masked)
    assert run("x.containsCIDR(y)", x=masked, y=network)
    assert parse_cidr(str(masked)) == masked


def test_the_families_do_not_mix():
    assert run('cidr("::/0").containsIP("1.2.3.4")') is False
    assert run('cidr("0.0.0.0/0").containsCIDR("::/0")') is False
    assert error_of('cidr("::/0").containsIP("x")').kind == BAD_ARGUMENT


ORDERED = [
    "1.0.0-0",
    "1.0.0-1",
    "1.0.0-2",
    "1.0.0-10",
    "1.0.0--",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0",
    "1.0.1",
    "1.2.0",
    "1.10.0",
    "2.0.0",
]


@pytest.mark.parametrize(("lower", "upper"), list(pairwise(ORDERED)))
def test_versions_in_ascending_order(lower, upper):
    given = {"x": parse_semver(lower), "y": parse_semver(upper)}
    assert run("[x.compareTo(y), y.compareTo(x), x.compareTo(x)]", **given) == [-1, 1, 0]
    assert run("x.isLessThan(y) && y.isGreaterThan(x) && !y.isLessThan(x)", **given) is True


@pytest.mark.parametrize("text", ["", "1", "1.2", "v1.2.3", "1.2.3.4", "01.2.3", "1.02.3", "1.2.03", "1.2.x", "1.2.3-", "1.2.3+", "1.2.3-01", "1.2.3-a_b", "1.2.3-a..b", "1.2.3+a..b", "18446744073709551616.0.0", "\u0661.2.3"])  # fmt: skip
def test_what_is_no_version(text):
    assert error_of("semver(x)", x=text).kind == BAD_CONVERSION
    assert run("isSemver(x)", x=text) is False


def test_a_build_is_not_compared_and_large_numbers_wrap():
    assert parse_semver("1.2.3+a") == parse_semver("1.2.3+b")
    assert hash(parse_semver("1.2.3+a")) == hash(parse_semver("1.2.3"))
    assert run('semver("18446744073709551615.0.0").major()') == -1


@pytest.mark.parametrize(
    "value",
    [parse_quantity("1"), parse_url("/"), parse_ip("::1"), parse_cidr("::/0"), parse_semver("1.0.0"), Condition({})],
    ids=lambda value: type(value).__name__,
)
def test_an_opaque_value_equals_only_its_own_type(value):
    assert value == value
    assert value != 1
    assert value.cel_equals(value)
    assert hash(value) == hash(value)
    with pytest.raises(EvaluationError) as caught:
        value.cel_equals(1)
    assert caught.value.kind == NO_SUCH_OVERLOAD


def test_the_classes_name_their_types():
    names = [cls.cel_type for cls in (Quantity, URL, IP, CIDR, Semver, Condition)]
    assert names == [
        "kubernetes.Quantity",
        "kubernetes.URL",
        "net.IP",
        "net.CIDR",
        "kubernetes.Semver",
        "kro.run.Condition",
    ]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        pytest.param({"type": "", "status": "True"}, BAD_ARGUMENT, id="no type"),
        pytest.param({"type": "A", "status": "true"}, BAD_ARGUMENT, id="status"),
        pytest.param({"type": "A", "status": "True", "reason": None}, BAD_ARGUMENT, id="reason"),
        pytest.param({"type": True, "status": "True"}, BAD_ARGUMENT, id="type is a bool"),
    ],
)
def test_a_condition_needs_texts(fields, kind):
    new_condition = find("newCondition", True, 2)
    assert new_condition is not None
    with pytest.raises(EvaluationError) as caught:
        new_condition(RUNTIME, fields)
    assert caught.value.kind == kind


CONDITIONS = [{"type": "Ready", "status": "True"}, {"type": "Bad", "status": 1}]


@pytest.mark.parametrize(
    ("owner", "wanted", "status"),
    [
        ({"status": {"conditions": CONDITIONS}}, "Ready", "True"),
        ({"status": {"conditions": CONDITIONS}}, "Bad", ""),
        ({"status": {"conditions": CONDITIONS}}, "Nope", ""),
        ({"status": {}}, "Ready", ""),
        ({}, "Ready", ""),
    ],
)
def test_a_condition_that_is_not_there_is_empty(owner, wanted, status):
    assert run("runtime.condition(x, t).status", runtime=RUNTIME, x=owner, t=wanted) == status


@pytest.mark.parametrize(
    "owner",
    [[], "x", None, {"status": None}, {"status": {"conditions": {}}}, {"status": {"conditions": ["x", CONDITIONS[0]]}}],
    ids=repr,
)
def test_conditions_of_another_shape_are_errors(owner):
    assert error_of("runtime.condition(x, 'Ready')", runtime=RUNTIME, x=owner).kind == BAD_ARGUMENT


@pytest.mark.parametrize(
    ("owner", "paths"),
    [
        (OpenMap({}, "d"), ("d.status.conditions.status",)),
        ({"status": OpenMap({}, "d.status")}, ("d.status.conditions.status",)),
        ({"status": {"conditions": [Unknown("d.x"), CONDITIONS[0]]}}, ("d.x.status",)),
        ({"status": {"conditions": [OpenMap({"type": "Ready"}, "d.c")]}}, ("d.c.status",)),
    ],
)
def test_conditions_that_only_a_cluster_has_are_unknown(owner, paths):
    found = run("runtime.condition(x, 'Ready').status", runtime=RUNTIME, x=owner)
    assert isinstance(found, Unknown)
    assert found.paths == paths


ONE = 'runtime.newCondition({type: "A", status: "True"})'


@pytest.mark.parametrize(
    ("expression", "types"),
    [
        pytest.param(ONE, ["A"], id="condition"),
        pytest.param(f"[{ONE}, runtime.condition({{}}, 'B')]", ["A", ""], id="list"),
        pytest.param("[]", [], id="none"),
        pytest.param("dyn(1)", BAD_ARGUMENT, id="number"),
        pytest.param("dyn(null)", BAD_ARGUMENT, id="null"),
        pytest.param(f"[{ONE}, dyn(1)]", BAD_ARGUMENT, id="list with something else"),
        pytest.param(f"[[{ONE}]]", BAD_ARGUMENT, id="list in a list"),
        pytest.param(f"{{'a': {ONE}}}", BAD_ARGUMENT, id="map"),
    ],
)
def test_what_status_conditions_takes(expression, types):
    value = run(expression, runtime=RUNTIME)
    if types == BAD_ARGUMENT:
        with pytest.raises(EvaluationError) as caught:
            conditions_of(value)
        assert caught.value.kind == BAD_ARGUMENT
    else:
        found = conditions_of(value)
        assert isinstance(found, list)
        assert [condition.cel_fields["type"] for condition in found] == types


@pytest.mark.parametrize(
    "value", [Unknown("d.x"), [Unknown("d.x")], OpenList([], "d.x")], ids=["whole", "inside", "open"]
)
def test_conditions_that_are_unknown_stay_so(value):
    found = conditions_of(value)
    assert isinstance(found, Unknown)
    assert found.paths == ("d.x",)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('random.seededString(17, "seed")', "qakd42wvqakd42wvq"),
        ('random.seededInt(-9223372036854775808, 9223372036854775807, "seed")', -7371732509874106166),
        ('random.seededInt(0, 1, "a")', 0),
        ('hash.fnv64a("")', bytes.fromhex("cbf29ce484222325")),
        ('base64.encode(hash.sha256("a"))', "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs="),
    ],
)
def test_seeded_values_are_kros(expression, value):
    assert run(expression) == value


@pytest.mark.parametrize(
    "expression", ['random.seededString(0, "a")', 'random.seededInt(1, 1, "a")', 'random.seededInt(2, 1, "a")']
)
def test_seeded_values_need_room(expression):
    assert error_of(expression).kind == BAD_ARGUMENT
