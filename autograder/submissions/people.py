"""Who everybody is: platforms' names, addresses and numbers to the names that results know students by.

Name spaces never mix. What means two people, or two things that mean one, give nobody anything: the teacher says
whose it is.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from autograder.course.roster import OWN, Claim, Person, Roster, fold, name_key, turned
from autograder.language import _
from autograder.submissions.layout import Delivery, Identity
from autograder.submissions.names import bad_folder, readable
from autograder.submissions.shown import shown

_ALIKE = 0.8  # how alike two names are at least that may mean one person
_SHORTEST = 3  # letters of a name that may stand in the name of a file


def owned(deliveries: Sequence[Delivery], roster: Roster | None, groups: Roster | None) -> list[Delivery]:
    """The deliveries of a download, with whose each is.

    Args:
        deliveries: what it holds.
        roster: everybody in the course; without it a student is whoever a platform names.
        groups: who works with whom: the roster, or a table of its own.
    """
    found = [_owned(delivery, roster, groups) for delivery in deliveries]
    if roster is None:
        return _told_apart(found)
    if not any(one.students or one.possible for one in found):
        # Nothing is of anybody on the roster: then it may be a whole class that was not understood.
        return [replace(one, possible=tuple(person.id for person in roster.people)) for one in found]
    return _without_doubles(found)


def _owned(delivery: Delivery, roster: Roster | None, groups: Roster | None) -> Delivery:
    who = delivery.who
    members = groups.members(who.group or who.doubted_group) if groups is not None else []
    others = _outside(who, members, groups)
    if members and (others or who.doubted_group):
        reason = _("this may be of the group {group} or of {listing}: name and number do not tell").format(
            group=shown(who.group or who.doubted_group), listing=", ".join(p.name or p.id for p in others) or "?"
        )
        return delivery.nobodys("contradiction", reason, (*members, *others))
    if who.group and members:
        note = _("Handed in by the group {group}: {names}.").format(
            group=shown(who.group), names=", ".join(person.name or person.id for person in members)
        )
        students = tuple(person.id for person in members)
        return replace(delivery, notes=(*delivery.notes, note), students=students)
    if who.unknown:
        return _unknown(delivery, who.unknown, roster)
    if who.group and not who.claims:
        reason = _("{group} is nobody on the roster, and none of its groups; a column `group` has them")
        reason = reason.format(group=shown(who.group))
        return _unknown(delivery, reason, groups)
    label = readable(who.student)
    if roster is None:
        reason = bad_folder(label)
        return _unknown(delivery, reason, None) if reason else replace(delivery, students=(label,))
    return _on_roster(delivery, roster)


def _outside(who: Identity, members: Sequence[Person], groups: Roster | None) -> list[Person]:
    """Whoever a group's delivery names, and is none of its members."""
    if groups is None or not (who.claims or who.doubted_group):
        return []
    named = [person for claim in (*who.claims, Claim(who.name, ("name",))) for person in groups.known(claim)]
    return named if who.doubted_group else [person for person in named if person not in members]


def _on_roster(delivery: Delivery, roster: Roster) -> Delivery:
    who = delivery.who
    people = roster.find(*who.claims)
    # A name that a teacher chose says nothing more than the claim that it is.
    own = len(who.claims) == 1 and len(who.claims[0].spaces) > 1
    named = roster.known(Claim(who.name, ("name",))) if who.name and not own else []
    if not people and not named:
        return _unknown(delivery, _("{name} is not on the roster").format(name=shown(who.name or who.student)), roster)
    reason = _("{name} may be any of these on the roster: {listing}")
    if len(people) == 1:
        (person,) = people
        address = "" if own else _foreign(who, person)
        if not address and (person in named or (not named and (own or not who.name or _alike(who, person)))):
            return replace(delivery, students=(person.id,))
        reason = _("{number} is {person} on the roster, and {name} is not their name")
        if address:
            named, reason = [], _("{number} is {person} on the roster, and {address} is not their address")
    elif not people and len(named) == 1:
        if not _another(who, named[0]):
            return replace(delivery, students=(named[0].id,))
        reason = _("{name} has another number on the roster than {number}")
    found = [*people, *named]
    reason = reason.format(
        name=shown(who.name or who.student), number=", ".join(shown(claim.text) for claim in who.claims) or "?",
        person=found[0].name or found[0].id, address=shown(_foreign(who, found[0])),
        listing=", ".join(dict.fromkeys(person.id for person in found)),
    )  # fmt: skip
    return delivery.nobodys("contradiction", reason, found)


def _alike(who: Identity, person: Person) -> bool:
    """Whether a platform's name may be this person's: a part of it in common, or nearly the same letters."""
    own = f"{person.first} {person.last} {person.name}"
    if not own.strip() or set(name_key(who.name).split()) & set(name_key(own).split()):
        return True
    squeezed = fold(who.name)
    names = (fold(person.last + person.first), fold(person.first + person.last), *map(fold, turned(person.name)))
    parts = (part for part in (fold(person.first), fold(person.last)) if len(part) >= _SHORTEST)
    return any(part in squeezed for part in parts) or any(
        difflib.SequenceMatcher(None, squeezed, name).ratio() >= _ALIKE for name in names if name
    )


def _foreign(who: Identity, person: Person) -> str:
    """An address that is not this person's: some platforms let people write their own number and name."""
    addresses = (claim.text for claim in who.claims if claim.spaces == ("email",))
    return next((text for text in addresses if person.email and fold(text) != fold(person.email)), "")


def _another(who: Identity, person: Person) -> bool:
    """Whether a number says that this is somebody else of the same name. Moodle's change with every assignment."""
    return any(
        person.known_as.get(claim.spaces[0]) and claim.text not in person.known_as[claim.spaces[0]]
        for claim in who.claims
        if claim.spaces in (("canvas",), ("anonymous",))
    )


def _unknown(delivery: Delivery, reason: str, roster: Roster | None) -> Delivery:
    """Nobody's. Whoever may be meant must not be missing for it: who is called nearly like that, and where no name is
    given everybody of whom the roster does not say what the platform does."""
    who = delivery.who
    own = who.name or who.student or (delivery.parts[0].path.stem if delivery.parts else "")
    text = fold(own)
    meant = [text for text in (own, *_redecoded(own)) if text]
    possible = {p.id: p for text in meant for p in roster.known(Claim(text, OWN))} if roster is not None else {}
    for person in roster.people if roster is not None else ():
        names = {text for text in person.identities if len(text) >= _SHORTEST} | {fold(person.last)} - {""}
        if _may_be(who, person) or (
            len(text) >= _SHORTEST
            and any(
                (len(name) >= _SHORTEST and name in text) or difflib.SequenceMatcher(None, name, text).ratio() >= _ALIKE
                for name in names
            )
        ):
            possible[person.id] = person
    return delivery.nobodys("person_unknown", reason, possible.values())


def _redecoded(name: str) -> list[str]:
    """A name in a zip of an old program's, whose letters were taken for those of DOS."""
    found = []
    for encoding in ("cp1252", "cp850"):
        with suppress(UnicodeError):
            found.append(name.encode("cp437").decode(encoding))
    return found


def _may_be(who: Identity, person: Person) -> bool:
    """Whether nothing tells that an unknown group or number is not this person's."""
    if who.group and not who.claims:
        return not person.group
    # Moodle's numbers change with every assignment: one that nobody has may be anybody's.
    spaces = {claim.spaces[0] for claim in who.claims} if not who.name else set()
    numbers = {text.lstrip("0") for text in person.identities if text.isdigit()}
    if any(claim.text.isdigit() and claim.text.lstrip("0") in numbers for claim in who.claims):
        return True  # spreadsheets take the zeros before a number away
    return "moodle" in spaces or any(not person.known_as.get(space) for space in spaces - {"id", "email"})


def _without_doubles(found: Sequence[Delivery]) -> list[Delivery]:
    """Two of a platform's numbers in one download are two people: one name for both gives neither anything."""
    numbers: dict[tuple[str, ...], set[str]] = {}
    for one in found:
        numbers.setdefault(one.students, set()).add(_number(one))
    told = []
    for one in found:
        own = numbers[one.students] - {""}
        if len(own) > 1 and len(one.students) == 1 and _number(one):
            reason = _("{numbers} are two people on the platform, and both are {student} on the roster").format(
                numbers=", ".join(sorted(own)), student=one.students[0]
            )
            one = replace(one.nobodys("contradiction", reason), possible=one.students)
        told.append(one)
    return told


def _told_apart(found: Sequence[Delivery]) -> list[Delivery]:
    """Without a roster: several of one name in a download are several students, called after their numbers, too."""
    same: dict[str, set[tuple[str, ...]]] = {}
    for one in found:
        for student in one.students:
            same.setdefault(student.casefold(), set()).add(_key(one))
    told = []
    for one in found:
        student = one.students[0] if len(one.students) == 1 else ""
        count = len(same.get(student.casefold(), ()))
        other = next((t for t in _key(one) if t and readable(t).casefold() != student.casefold()), "")
        longer = f"{student}_{other.replace('/', '_')}"
        if count > 1 and other and not bad_folder(longer):
            doubt = _("{count} students are called {name}; a number tells them apart. A roster would name them.")
            one = replace(one, students=(longer,), doubt=doubt.format(count=count, name=shown(student)))
        told.append(one)
    return told


def _number(delivery: Delivery) -> str:
    """A platform's number; of people who are no more than a name to it, what each handed in tells them apart."""
    own = delivery.who.number or delivery.who.claims or not delivery.parts
    return delivery.who.number if own else delivery.parts[0].path.name


def _key(delivery: Delivery) -> tuple[str, ...]:
    return (*(claim.text for claim in delivery.who.claims), _number(delivery), delivery.who.name)
