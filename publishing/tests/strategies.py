"""Hypothesis strategies for documents, made from the types themselves, so that a new field is tested unasked."""

from collections.abc import Callable, Iterator
from enum import Enum
from functools import partial
from operator import ne
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st

from publishing.documents import Document, Value, normal_text
from publishing.kinds import kinds

GOLDEN = Path(__file__).parent / "golden"

words = st.text(max_size=12).map(normal_text)
numbers = st.integers(min_value=0, max_value=2**31 - 1)


def of_type(annotation: Any) -> st.SearchStrategy[Any]:
    """Values of one of the types that a document may hold. Raises TypeError for any other."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return of_type(arguments[0])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, UnionType):
        either: st.SearchStrategy[Any] = st.one_of([of_type(argument) for argument in arguments])
        return either
    if origin is tuple and arguments[1:] == (...,):
        return st.lists(of_type(arguments[0]), max_size=3).map(tuple)
    if annotation is type(None):
        return st.none()
    if annotation is str:
        return words
    if annotation is bool:
        return st.booleans()
    if annotation is int:
        return numbers
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return st.sampled_from(list(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Value):
        return of_model(annotation)
    raise TypeError(f"a document may not hold {annotation}")


def of_model(model: type[Value]) -> st.SearchStrategy[Any]:
    """Values of a document type, every field drawn."""
    fields = {
        field.alias or name: of_type(field.annotation) if (field.alias or name) != "schema" else st.just(model.SCHEMA)  # type: ignore[attr-defined]
        for name, field in model.model_fields.items()
    }
    return st.fixed_dictionaries(fields).map(lambda data: model(**data))


def has_a_choice(annotation: Any) -> bool:
    """Whether the type has more than one value: the kind of a document has not."""
    return not (get_origin(annotation) is Literal and len(get_args(annotation)) == 1)


def mutations(value: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Iterator[tuple[str, Any]]:
    """Yield (path, value with a single change) for every field of a value and of the values in it.

    In a tuple, every part is changed, left out, repeated and exchanged with the next.
    """
    for name, field in type(value).model_fields.items():
        old = getattr(value, name)

        def changed(new: Any, name: str = name) -> Any:
            return value.model_copy(update={name: new})

        if has_a_choice(field.annotation):
            yield name, changed(draw(of_type(field.annotation).filter(partial(ne, old))))
        if isinstance(old, Value):
            yield from ((f"{name}.{path}", changed(new)) for path, new in mutations(old, draw))
        if isinstance(old, tuple):
            for path, new in _tuple_mutations(old, draw):
                yield f"{name}{path}", changed(new)


def _tuple_mutations(
    old: tuple[Any, ...], draw: Callable[[st.SearchStrategy[Any]], Any]
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for index, part in enumerate(old):
        before, after = old[:index], old[index + 1 :]
        yield f"[{index}] left out", before + after
        yield f"[{index}] twice", (*before, part, part, *after)
        if after and after[0] != part:
            yield f"[{index}] exchanged", (*before, after[0], part, *after[1:])
        if isinstance(part, Value):
            for path, new in mutations(part, draw):
                yield f"[{index}].{path}", (*before, new, *after)


def golden(kind: str) -> Document:
    """A document of the kind that has every field."""
    return kinds[kind].document.read(next(iter(sorted(GOLDEN.glob(f"{kind}-*.json")))).read_text())
