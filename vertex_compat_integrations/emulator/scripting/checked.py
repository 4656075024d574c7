"""Arguments of helpers are checked where they are called: a wrong one would only show as an odd answer later."""

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
    """The helper; a call with an argument of a wrong type or out of range raises ValueError, which names it."""

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
            raise ValueError(f"{helper.__name__}(…) cannot be called so: {reasons}.") from None

    return check


def _name(place: int | str, names: list[str]) -> str:
    return place if isinstance(place, str) else names[place] if place < len(names) else f"argument {place + 1}"
