"""`autograder messages`: the catalogues of translations, brought up to date with what they translate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.faults import CommandFault
from autograder.language import LANGUAGES, TRANSLATIONS, _

if TYPE_CHECKING:
    from autograder.translation.extract import Text

EXISTING = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command("messages")
@click.option("--language", type=click.Choice(LANGUAGES[1:]), default="fr", show_default=True, help="To translate to.")
@click.option("--framework", is_flag=True, help="The framework's own catalogues instead of the course's.")
@click.option("--check", is_flag=True, help="Write nothing; fail where something is untranslated or out of date.")
@click.option("--course", type=EXISTING, default=Path("."), help="The course's folder (default: here or above).")
def command(language: str, framework: bool, check: bool, course: Path) -> None:
    """Collect every text there is to translate, and list those that have no translation yet.

    Writes LANGUAGE/LC_MESSAGES/*.po into the course's folder translations. Translations that are there stay;
    those of texts that are gone are dropped. Fill in the empty ones in the .po files, then run this again.
    """
    from autograder.translation.catalogues import content, make, po_file, problems, read

    folder, catalogues = _framework() if framework else _course(course)
    stale, listed = [], []
    before = {name: read(po_file(folder, language, name)) for name in catalogues}
    # A text may move from one exercise or one room to another: its translation goes along.
    everywhere = {message: text for known in before.values() for message, text in known.items()}
    for name, texts in catalogues.items():
        known = everywhere | before[name]
        file = po_file(folder, language, name)
        new = content(make(name, language, texts, known))
        if not file.is_file() or file.read_bytes() != new:
            stale.append(file)
            if not check:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(new)
                click.echo(_("wrote {path}").format(path=file))
        listed += list(problems(name, texts, known))
    for problem in listed:
        reason = f" ({problem.reason})" if problem.reason else ""
        click.echo(f"{problem.catalogue}: {problem.message!r}{reason}")
    total = sum(len({text.message for text in texts}) for texts in catalogues.values())
    click.echo(
        _("{language}: {translated} of {total} texts are translated.").format(
            language=language, translated=total - len(listed), total=total
        )
    )
    if check and (stale or listed):
        raise CommandFault(_("translations are out of date or missing; run `autograder messages` and fill in the rest"))


def _framework() -> tuple[Path, dict[str, list[Text]]]:
    import autograder
    from autograder.translation.extract import click_texts, framework

    package = Path(autograder.__file__).parent
    return package / "locale", {"autograder": list(framework(package)), "click": list(click_texts())}


def _course(course: Path) -> tuple[Path, dict[str, list[Text]]]:
    from autograder.course import CONFIG_NAME, find_course, load_config
    from autograder.translation.extract import course_texts

    config = load_config(find_course(course) / CONFIG_NAME)
    return config.root / TRANSLATIONS, course_texts(config)
