"""
`docs/errors/` has one page for each diagnostic, and what stands there is what happens.

A page is run from top to bottom in a folder of its own: a `yaml` block is a file, whose path is in the comment on its first line; a
`sh` block is run; a `console` block is a command and what it says on stderr, and with `--format` on stdout, to the letter; a `yaml`
block that begins with `results:` is what a ResourceList ends with; a `diff` block corrects a file. The first command must give the
diagnostic, and after the last block the last command must succeed without it.

After a change of wording `pytest tests/test_errors.py --force-regen` writes what Rookery says now into the pages, and the index.
"""

from __future__ import annotations

import ast
import gc
import io
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path

import pytest

from krm_fn.cel import errors as cel_errors
from krm_fn.command import EXIT_OK, EXIT_REFUSED, run
from krm_fn.report.catalogue import GROUPS, MEANINGS
from tests.hosts.programs import tool

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "errors"
INDEX = PAGES / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

SHOWN_ALONE = {
    "second-opinion-differs": "no difference between the two engines is known that could be shown",
    **dict.fromkeys(
        ("cluster-forbidden", "cluster-refused", "cluster-failed"), "tests/hosts/test_observe.py has a cluster"
    ),
    "status-sync-missing": "the tests need what it misses",
}
"""Pages whose example cannot be run, and why."""
NEEDS_KUSTOMIZE = ("kustomize-failed", "kustomize-outside")
ADVICE_ALONE = ("held", "removed", "ready-by-argocd", "ready-by-kstatus", "cluster-unreachable", "cluster-config")
"""Notes on what is as it should be, and what only a cluster could put right: there is nothing to correct."""
VARIES = {
    "timeout": (re.compile(r"while [^;]*;"), "while …;"),
    "revision-not-found": (re.compile(r"repository \S*$", re.MULTILINE), "repository …"),
    "no-repository": (re.compile(r"has no revisions: .*"), "has no revisions: …"),
}
"""What depends on the machine."""

# -- the catalogue and the source -------------------------------------------------------------------------------------

NO_CODES = {
    *("every-edge", "post-install", "post-upgrade", "never-started", "waiting-marker"),
    *("bad-argument", "bad-conversion", "budget-exceeded", "division-by-zero", "index-out-of-bounds", "no-such-key"),
    *("no-such-overload", "date-time", "int-or-string", "utf-8", "utf-16", "utf-16-le"),
    *(
        "argo-cd",
        "argocd-cm",
        "cat-file",
        "every-edge",
        "flux-system",
        "never-started",
        "rookery-api",
        "kube-system",
        "ls-tree",
        "observed-state",
        "rev-parse",
        "non-breaking",
        "not-compared",
        "render-config",
        "status-sync",
    ),
}
"""Words of the source that have the form of a code."""
_WORD = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


@cache
def words_of_the_source() -> dict[str, str]:
    """
    What may be a code, with a place where it stands.

    That is whatever a function takes for its parameter `code`, and every other word with a hyphen that is no option.
    """
    files = [path for path in sorted((ROOT / "krm_fn").rglob("*.py")) if path.name != "catalogue.py"]
    trees = {path: ast.parse(path.read_text()) for path in files}
    options = {word for path in files for word in re.findall(r"--([a-z-]+)", path.read_text())}
    takers = {name: place for tree in trees.values() for name, place in _takers(tree)}
    found: dict[str, str] = {}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            literals = [node] if isinstance(node, ast.Constant) else []
            is_code = isinstance(node, ast.Call)
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                given = node.args[takers[name] : takers[name] + 1] if name in takers else []
                literals = [argument for argument in given if isinstance(argument, ast.Constant)]
            for literal in literals:
                word = literal.value
                if not isinstance(word, str) or not _WORD.fullmatch(word):
                    continue
                if is_code or ("-" in word and word not in options and not word.startswith("x-")):
                    found.setdefault(word, f"{path.relative_to(ROOT)}:{literal.lineno}")
    return found


def _takers(tree: ast.Module) -> list[tuple[str, int]]:
    """The functions and classes that have a parameter `code`, and which it is."""
    found = []
    for node in ast.walk(tree):
        for function in node.body if isinstance(node, ast.Module | ast.ClassDef) else ():
            if isinstance(function, ast.FunctionDef):
                names = [argument.arg for argument in function.args.args if argument.arg != "self"]
                is_init = function.name == "__init__"
                name = node.name if is_init and isinstance(node, ast.ClassDef) else function.name
                if "code" in names:
                    found.append((name, names.index("code")))
    return found


def test_every_code_of_the_source_is_in_the_catalogue() -> None:
    missing = {word: place for word, place in words_of_the_source().items() if word not in {*MEANINGS, *NO_CODES}}
    assert not missing, (
        "these look like codes of diagnostics: give each a line in krm_fn/report/catalogue.py, or add it to NO_CODES:\n"
        + "\n".join(f"  {place}: {word}" for word, place in missing.items())
    )


def test_what_the_api_server_would_say_of_a_template_is_in_the_catalogue() -> None:
    """`schema.server_checks` makes `template-…` of the codes that `schema.complaints` has for instances."""
    said = {word for word, place in words_of_the_source().items() if place.startswith("krm_fn/schema/complaints.py")}
    of_instances = {word for word in said if word.startswith("instance-")} - {"instance-unknown-field"}
    assert {word.replace("instance-", "template-") for word in of_instances} <= set(MEANINGS)


def test_every_kind_of_evaluation_error_is_in_the_catalogue() -> None:
    kinds = {value for name, value in vars(cel_errors).items() if name.isupper() and isinstance(value, str)}
    # Pending kinds are `missing-field`; names and functions are checked before anything is evaluated.
    faults = {f"cel-{kind}" for kind in kinds - cel_errors.PENDING_KINDS - {cel_errors.UNDECLARED}}
    assert faults <= set(MEANINGS)


# -- the pages and the catalogue --------------------------------------------------------------------------------------

SKELETON = """\
# {code}

{title}

What it means, in a sentence or two, if that needs more words.

```yaml
# rgd.yaml
apiVersion: kro.run/v1alpha1
…
```

```console
$ rookery validate rgd.yaml
```

What to do.

```diff
-  the line that is wrong
+  the line that is right
```
"""


def title(code: str) -> str:
    return MEANINGS[code][0].upper() + MEANINGS[code][1:] + "."


@pytest.mark.parametrize("code", MEANINGS)
def test_every_diagnostic_has_a_page(code: str) -> None:
    page = PAGES / f"{code}.md"
    assert page.exists(), (
        f"write docs/errors/{code}.md like this, and let --force-regen fill in what the command says:\n\n"
        + SKELETON.format(code=code, title=title(code))
    )
    assert page.read_text().startswith(f"# {code}\n\n{title(code)}"), f"the page begins with\n# {code}\n\n{title(code)}"


def test_every_page_has_a_diagnostic() -> None:
    assert {path.stem for path in PAGES.iterdir()} - {"README"} <= set(MEANINGS)


def test_links_lead_somewhere() -> None:
    for page in (*PAGES.iterdir(), ROOT / "docs" / "diagnostics.md"):
        for target in re.findall(r"\]\((?!https://)([^)]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def index() -> str:
    """The list of all diagnostics, made from the catalogue."""
    head = INDEX.read_text().partition("\n## ")[0]
    tables = [
        f"\n## {group}\n\n| name | what it means |\n|---|---|\n"
        + "".join(f"| [{code}]({code}.md) | {meaning} |\n" for code, meaning in meanings.items())
        for group, meanings in GROUPS.items()
    ]
    return head + "".join(tables)


def test_the_index_is_the_catalogue(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("force_regen"):
        INDEX.write_text(index())
    assert INDEX.read_text() == index(), "--force-regen writes it"


# -- running a page ---------------------------------------------------------------------------------------------------


class Page:
    """A page on its way: `text` is what it should be."""

    def __init__(self, path: Path, place: Path, environment: dict[str, str]) -> None:
        self.code = path.stem
        self.place = place
        self.environment = environment
        self.text = path.read_text()
        self.command = ""
        self.said: list[str] = []
        self.exits: list[int] = []
        self.printed = ""

    def follow(self) -> None:
        """Run every block, and put what is said now in the place of what was said."""
        self.text = BLOCK.sub(lambda match: f"```{match[1]}\n{self._block(match[1], match[2])}```", self.text)

    def _block(self, language: str, text: str) -> str:
        if language == "console":
            lines = text.replace("\\\n", "\\\0").split("\n")
            self.command = lines[0].removeprefix("$ ").replace("\\\0", " ")
            self.run()
            return f"{lines[0]}\n{self.said[-1]}".replace("\\\0", "\\\n")
        if language == "sh":
            subprocess.run(["bash", "-euc", text], cwd=self.place, check=True)
        elif language == "diff":
            self._correct(text)
        elif text.startswith("results:\n"):
            return self.printed[self.printed.index("results:\n") :]
        else:
            path = self.place / re.match(r"# (\S+)\n", text)[1]  # type: ignore[index]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return text

    def run(self) -> None:
        """The command of the last `console` block; what it says goes to `said`."""
        words = shlex.split(self.command)
        environment = dict(self.environment)
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            environment[name] = value
        given = b""
        if "<" in words:
            at = words.index("<")
            given = (self.place / words[at + 1]).read_bytes()
            del words[at : at + 2]
        assert words.pop(0) == "rookery"
        out, err = io.BytesIO(), io.StringIO()
        gc.disable()  # as the process does: a deadline that passes inside the collector's call-backs is lost
        try:
            self.exits.append(run(words, io.BytesIO(given), out, err, environment))
        finally:
            gc.enable()
        self.printed = out.getvalue().decode()
        pattern, varying = VARIES.get(self.code, (re.compile(r"(?!)"), ""))
        self.said.append(pattern.sub(varying, err.getvalue()) + (self.printed if "--format" in words else ""))

    def _correct(self, text: str) -> None:
        """Replace the lines with a minus by those with a plus, in the one file that has them."""
        old = "".join(f"{line[1:]}\n" for line in text.splitlines() if line[0] in "- ")
        new = "".join(f"{line[1:]}\n" for line in text.splitlines() if line[0] in "+ ")
        files = [path for path in self.place.rglob("*") if path.is_file() and old in path.read_text()]
        assert len(files) == 1, f"the lines to correct stand in {len(files)} files"
        assert files[0].read_text().count(old) == 1, "the lines to correct stand there more than once"
        files[0].write_text(files[0].read_text().replace(old, new))


def follow(path: Path, place: Path, environment: dict[str, str], request: pytest.FixtureRequest) -> Page:
    page = Page(path, place, environment)
    page.follow()
    if request.config.getoption("force_regen"):
        path.write_text(page.text)
    assert page.text == path.read_text(), "Rookery says something else; --force-regen writes it into the page"
    return page


def hold(code: str, place: Path, environment: dict[str, str], request: pytest.FixtureRequest) -> None:
    """Follow the page of a diagnostic, which must be there at first and gone at last."""
    page = follow(PAGES / f"{code}.md", place, environment, request)
    first = page.said[0] if f"[{code}]" in page.said[0] else page.text.partition("results:\n")[2]
    assert f"[{code}]" in first or f"code: {code}\n" in first, "the first command does not give the diagnostic"
    assert page.exits[0] == (EXIT_REFUSED if f"error[{code}]" in first or "severity: error" in first else EXIT_OK)
    if code in ADVICE_ALONE:
        return
    page.run()
    last = page.said[-1] + page.printed.rpartition("\nresults:\n")[2]
    assert f"[{code}]" not in last, "the diagnostic is still there after the correction"
    assert f"code: {code}\n" not in last, "the diagnostic is still there after the correction"
    assert page.exits[-1] == EXIT_OK, page.said[-1]


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # a deadline may pass before a file's `with`
@pytest.mark.parametrize("code", [code for code in MEANINGS if code not in SHOWN_ALONE and code not in NEEDS_KUSTOMIZE])
def test_a_page_is_what_happens(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    hold(code, tmp_path, {}, request)


def test_the_page_about_diagnostics_is_what_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    follow(ROOT / "docs" / "diagnostics.md", tmp_path, {}, request)


@pytest.mark.hosts
@pytest.mark.parametrize("code", NEEDS_KUSTOMIZE)
def test_a_page_about_kustomize_is_what_happens(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    hold(code, tmp_path, {"PATH": str(Path(tool("kustomize")).parent)}, request)
