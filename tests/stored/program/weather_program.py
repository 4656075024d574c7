"""A user's program: pickles of today hold the names of its classes and functions, as a user's own pickles do."""

from enum import Enum

from pydantic import BaseModel

TOKEN = "fake-token-of-the-program"


class Weather(BaseModel):
    """The weather of a city."""

    city: str
    celsius: int


class Sky(Enum):
    """What the sky is like."""

    CLEAR = "clear"
    CLOUDY = "cloudy"


def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"21 degrees in {city}."


def fetch_token() -> str:
    """The program's own way to get a token."""
    return TOKEN
