"""
`rookery convert`: a ResourceGroup of kro before v0.2 as the ResourceGraphDefinition that it would be today.

The file belongs to a person: comments, order, quotes and all other documents stay. ruamel.yaml edits the documents that are
converted; the rest of the text is copied. What comes out is read again and must say what the conversion meant, or nothing is
written.
"""

from __future__ import annotations

from krm_fn.command import EXIT_OK, EXIT_REFUSED, UsageError
from krm_fn.command.arguments import FLAG, parse_arguments, wants_color
from krm_fn.command.round_trip import round_trip
from krm_fn.program.definition import RGD_GROUP, RGD_KIND
from krm_fn.program.resource_group import GONE, OLD_KIND, RESOURCE_NAMES, SPEC_NAMES, is_resource_group, with_schema
from krm_fn.read.sources import STDIN, read_sources
from krm_fn.read.yaml import parse_documents
from krm_fn.report.diagnostic import ERROR, INFO, Diagnostic, RenderError, Subject
from krm_fn.report.text import render_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, BinaryIO, TextIO

    from krm_fn.read.yaml import Document, Source

USAGE = """\
usage: rookery convert PATH... [options]

Prints the ResourceGroups of kro before v0.2 that are found under the paths as ResourceGraphDefinitions.
PATH is a file, a directory (*.yaml, *.yml, *.json below it; .krmignore is honoured) or - for stdin.

      --write    change the files instead; their comments and all other documents stay

exit code: 0 converted, 1 nothing to convert or not readable (nothing is written), 2 usage
"""


def convert(
    words: Sequence[str], stdin: BinaryIO, stdout: BinaryIO, stderr: TextIO, environment: Mapping[str, str]
) -> int:
    """Read, convert, print or write; see USAGE."""
    arguments = parse_arguments(words, {"write": FLAG, "help": FLAG}, {"h": "help"})
    if "help" in arguments.flags:
        stdout.write(USAGE.encode())
        return EXIT_OK
    if not arguments.operands:
        raise UsageError("convert needs a PATH: a file, a directory, or - for stdin")
    write = "write" in arguments.flags
    if write and STDIN in arguments.operands:
        raise UsageError("--write changes files, and - is none")
    notes: list[Diagnostic] = []
    try:
        old = [
            document for document in read_sources(arguments.operands, stdin.read) if is_resource_group(document.value)
        ]
        if not old:
            message = "there is no ResourceGroup of kro among the input"
            raise RenderError([Diagnostic("nothing-to-convert", message, help="ResourceGraphDefinitions need none")])
        converted = [(document, _converted(document, notes)) for document in old]
    except RenderError as error:
        notes = error.diagnostics
    if notes:
        stderr.write(render_text(notes, color=wants_color(stderr, environment)))
    if any(note.severity == ERROR for note in notes):
        return EXIT_REFUSED
    if write:
        for name, text in _files(converted):
            replace_file(name, text)
            stdout.write(f"{name}: converted\n".encode())
    else:
        stdout.write("---\n".join(text for _, text in converted).encode())
    stdout.flush()
    return EXIT_OK


# -- one document -----------------------------------------------------------------------------------------------------


def _converted(document: Document, notes: list[Diagnostic]) -> str:
    """The text of a document as a ResourceGraphDefinition. What is left out is noted. Errors: RenderError."""
    from io import StringIO

    from ruamel.yaml.error import YAMLError

    meant = document.value
    _modernise(meant, document, notes)
    # Since kro v0.1 only the kind has another name: then nothing else of the text is touched.
    text = f"\n{document.text()}".replace(f"\nkind: {OLD_KIND}", f"\nkind: {RGD_KIND}", 1)[1:]
    if _says(text, meant, document):
        return text
    yaml = round_trip(document.text())
    out = StringIO()
    try:
        edited = yaml.load(document.text())
        _modernise(edited, document, [])
        yaml.dump(edited, out)
    except (YAMLError, RecursionError):
        pass
    if _says(out.getvalue(), meant, document):
        return out.getvalue()
    message = "this ResourceGroup cannot be rewritten without changing what it says"
    advice = "rename its parts by hand: docs/convert.md lists them"
    raise RenderError([Diagnostic("not-convertible", message, position=document.locate(()), help=advice)])


def _says(text: str, meant: Any, document: Document) -> bool:
    """Whether *text* is one document and means just that."""
    try:
        return [again.value for again in parse_documents(text, document.source.name)] == [meant]
    except RenderError:
        return False


def _modernise(group: Any, document: Document, notes: list[Diagnostic]) -> None:
    """Change a ResourceGroup, plain or with comments, in place."""
    group["apiVersion"] = f"{RGD_GROUP}/v1alpha1"
    group["kind"] = RGD_KIND
    spec = group.get("spec")
    if not isinstance(spec, dict):
        return
    _rename(spec, SPEC_NAMES)
    schema = spec.get("schema")
    if isinstance(schema, dict):
        _rename(schema, {}, {name: spec.pop(name) for name in ("apiVersion", "kind") if name in spec})
    for field, path in GONE.items():
        owner = spec if len(path) == 1 else schema
        if isinstance(owner, dict) and field in owner:
            del owner[field]
            message = f"{field} is left out: kro has no such field any more"
            notes.append(
                Diagnostic(
                    "field-left-out",
                    message,
                    severity=INFO,
                    position=document.locate((*path, field), key=True),
                    subject=_subject(document),
                )
            )
    resources = spec.get("resources")
    resources = [each for each in resources if isinstance(each, dict)] if isinstance(resources, list) else []
    for resource in resources:
        _rename(resource, RESOURCE_NAMES)
    ids = {resource["id"] for resource in resources if isinstance(resource.get("id"), str)}
    for part in (spec.get("schema"), *resources):
        _name_the_instance(part, ids)


def _rename(mapping: Any, names: Mapping[str, str], first: Mapping[str, Any] | None = None) -> None:
    """Rename keys where they stand, and put *first* before them; a name that is there already is left alone."""
    comments = getattr(getattr(mapping, "ca", None), "items", {})
    entries = list(mapping.items())
    for key in [key for key, _ in entries]:
        del mapping[key]
    kept = dict(comments)
    comments.clear()
    present = {key for key, _ in entries}
    for key, value in (*(first or {}).items(), *entries):
        new = names.get(key, key)
        new = key if new in present else new
        mapping[new] = value
        if key in kept:
            comments[new] = kept[key]


def _name_the_instance(value: Any, ids: set[str]) -> None:
    """Write `${spec.x}` as `${schema.spec.x}` in every text below *value*; a text keeps how it is quoted."""
    rest = [value]
    while rest:
        part = rest.pop()
        entries = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        for key, child in list(entries):
            if isinstance(child, str):
                written = with_schema(str(child), ids)
                if written != child:
                    part[key] = type(child)(written)
            else:
                rest.append(child)


def _subject(document: Document) -> Subject:
    metadata = document.value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else ""
    return Subject(f"{RGD_GROUP}/v1alpha1", RGD_KIND, str(name or ""))


# -- files ------------------------------------------------------------------------------------------------------------


def _files(converted: Sequence[tuple[Document, str]]) -> list[tuple[str, str]]:
    """Each file that holds a converted document, with its new text."""
    sources: dict[str, tuple[Source, list[tuple[Document, str]]]] = {}
    for document, text in converted:
        sources.setdefault(document.source.name, (document.source, []))[1].append((document, text))
    files: list[tuple[str, str]] = []
    for name, (source, parts) in sources.items():
        text = source.text
        for document, new in sorted(parts, key=lambda part: -part[0].start):
            text = text[: document.start] + new + text[document.end :]
        files.append((name, text))
    return files


def replace_file(name: str, text: str) -> None:
    """Write a file that exists, whole or not at all; it keeps its mode, and a link stays one."""
    import os
    import tempfile

    place = os.path.realpath(name)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(place), prefix=".rookery-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(temporary, os.stat(place).st_mode & 0o777)
        os.replace(temporary, place)
    except BaseException:
        os.unlink(temporary)
        raise
