"""Checks the arguments of helpers when they are called; otherwise a wrong one would show up later as an odd answer."""

import inspect
from collections.abc import Callable
from functools import cache, wraps
from typing import Annotated, ParamSpec, TypeVar

from pydantic import Field, ValidationError, validate_call

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

Status = Annotated[int, Field(ge=200, le=599)]
ErrorStatus = Annotated[int, Field(ge=400, le=599)]
RedirectStatus = Annotated[int, Field(ge=300, le=399)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Score = Annotated[float, Field(ge=0, le=1)]


def checked(helper: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Wrap a helper so that an argument of a wrong type or out of range raises a ValueError that names it."""

    @cache
    def validated() -> Callable[Parameters, Result]:
        return validate_call(config={"strict": True, "arbitrary_types_allowed": True})(helper)

    @wraps(helper)
    def check(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return validated()(*args, **kwargs)
        except ValidationError as error:
            names = list(inspect.signature(helper).parameters)
            reasons = "; ".join(f"{_name(each['loc'][0], names)}: {each['msg']}" for each in error.errors())
            raise ValueError(f"{helper.__name__}(…) has invalid arguments: {reasons}.") from None

    return check


def _name(place: int | str, names: list[str]) -> str:
    return place if isinstance(place, str) else names[place] if place < len(names) else f"argument {place + 1}"
