"""IPython's lines made Python where IPython is not installed: a student's `check` then reads with this.

It gives what `IPython.core.inputtransformer2` gives; a test compares them on some hundred cells. Linear in the text,
which is neither compiled nor parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import dedent

# Comments, strings (those over one line end where they are closed, others at the line's end), what goes on in the next
# line, operators with an `=` in them, names, and any other sign.
_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
    |(?P<string>(?:\b[rRbBuUfFtT]{1,2})?
        (?:\"{3}(?:\\.|[^\\])*?(?:\"{3}|\Z)|'{3}(?:\\.|[^\\])*?(?:'{3}|\Z)
        |"(?:\\(?:.|\n)|[^"\\\n])*"?|'(?:\\(?:.|\n)|[^'\\\n])*'?))
    |(?P<joined>\\\n)
    |(?P<end>\n)
    |(?P<blank>[^\S\n]+)
    |(?P<sign>(?:\*\*|//|<<|>>|[-+*/%&|^@<>=!:])=|\w+|.)""",
    re.VERBOSE | re.DOTALL,
)
_HELP = re.compile(r"(%{0,2}(?!\d)[\w*]+(\.(?!\d)[\w*]+|\[-?[0-9]+\])*)(\?\??)$")
_DOCTEST = re.compile(r"^\s*(?:>>>|\.\.\.)[ \t]?")
_PROMPT = re.compile(r"^(?:(?:(?:\[nav\]|\[ins\])? )?In \[\d+\]: |\s*\.{3,}: ?)")
_ESCAPES = "!?%,;/"


def as_python(source: str) -> str:
    """The text of a cell with IPython's lines made Python; lines keep their numbers."""
    lines = _without_prompts(dedent(source).split("\n"))
    if lines and lines[0].startswith("%%") and not re.match(r"%%\w+\?", lines[0]):
        name, _blank, rest = lines[0][2:].rstrip().partition(" ")
        body = "".join(f"{line}\n" for line in lines[1:])
        return f"get_ipython().run_cell_magic({name!r}, {rest!r}, {body!r})\n"
    text = "\n".join(lines)
    made: list[str] = []
    at = 0
    while at < len(text):
        end, replaced = _statement(text, at)
        made.append(text[at:end] if replaced is None else replaced + "\n" * text.count("\n", at, end))
        at = end
    return "".join(made)


def _statement(text: str, start: int) -> tuple[int, str | None]:
    """Where the statement that begins here ends, and what IPython makes of it where it is IPython's."""
    first = re.compile(r"[^\S\n]*").match(text, start)
    begin = first.end() if first else start
    if text[begin : begin + 1] in tuple(_ESCAPES):
        line, end = _continued(text, begin)
        helped = _help(line)
        made = helped if helped is not None else _escaped(line)
        if made is not None:
            return end, text[start:begin] + made
    depth, assigned, last = 0, -1, ""
    position = begin
    for kind, sign, position in _tokens(text, begin):
        if kind == "end":
            if depth <= 0:
                break
        elif kind == "sign":
            if assigned == -1 and depth == 0 and sign == "=":
                assigned = position
            depth = depth + 1 if sign in "([{" else max(0, depth - 1) if sign in ")]}" else depth
        if kind in ("sign", "string", "comment"):
            last = sign
    if last == "?":
        made = _help(text[begin:position].rstrip())
        if made is not None:
            return position, text[start:begin] + made
    if assigned >= 0:
        value = re.compile(r"(?:[^\S\n]|\\\n)*(?=%[^\S\n]*[^\W\d]|!)").match(text, assigned)
        if value:
            line, end = _continued(text, value.end())
            name, _blank, rest = line[1:].partition(" ")
            call = f"run_line_magic({name!r}, {rest!r})" if line[0] == "%" else f"getoutput({line[1:]!r})"
            return end, f"{text[start : value.end()]}get_ipython().{call}"
    return position, None


def _tokens(text: str, start: int) -> Iterator[tuple[str, str, int]]:
    while start < len(text) and (match := _TOKEN.match(text, start)):
        start = match.end()
        yield match.lastgroup or "", match[0], start


def _continued(text: str, begin: int) -> tuple[str, int]:
    """A line of IPython's with those that a backslash joins to it, as one; and where it ends."""
    parts: list[str] = []
    while True:
        end = text.find("\n", begin)
        end = len(text) if end < 0 else end
        part = text[begin:end]
        begin = min(end + 1, len(text))
        if not part.endswith("\\") or end == len(text):
            return " ".join([*parts, part.rstrip()]), begin
        parts.append(part[:-1])


def _escaped(line: str) -> str | None:
    sign = line[:2] if line[:2] in ("!!", "??") else line[:1]
    content = line[len(sign) :]
    name, _blank, rest = content.partition(" ")
    match sign:
        case "!":
            return f"get_ipython().system({content!r})"
        case "!!":
            return f"get_ipython().getoutput({content!r})"
        case "%":
            return f"get_ipython().run_line_magic({name!r}, {rest!r})"
        case "?" | "??":
            return _help_call(content, sign) if content else "get_ipython().show_usage()"
        case ",":
            return '{}("{}")'.format(name, '", "'.join(rest.split()))
        case ";":
            return f'{name}("{rest}")'
    return f"{name}({', '.join(rest.split())})" if name else None


def _help(content: str) -> str | None:
    found = _HELP.search(content)
    return _help_call(found[1], found[3]) if found else None


def _help_call(target: str, sign: str) -> str:
    method = "pinfo2" if sign == "??" else "psearch" if "*" in target else "pinfo"
    return f"get_ipython().run_line_magic({method!r}, {target!r})"


def _without_prompts(lines: list[str]) -> list[str]:
    inside = _in_strings(lines)
    if any(not within and line.lstrip().startswith(">>>") for line, within in zip(lines, inside, strict=True)):
        bare = [line if within else _DOCTEST.sub("", line) for line, within in zip(lines, inside, strict=True)]
        return dedent("\n".join(bare)).split("\n") if not any(inside) else bare
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if any(_PROMPT.match(line) for line in lines[first : first + 2]):
        return [_PROMPT.sub("", line) for line in lines]
    return lines


def _in_strings(lines: list[str]) -> list[bool]:
    """Of each line whether it begins inside a text of several lines that was not written behind a prompt."""
    inside = [False] * len(lines)
    number = 0
    for kind, token, _end in _tokens("\n".join(lines), 0):
        breaks = token.count("\n")
        if kind == "string" and not _DOCTEST.match(lines[number]):
            inside[number + 1 : number + breaks + 1] = [True] * breaks
        number += breaks
    return inside
