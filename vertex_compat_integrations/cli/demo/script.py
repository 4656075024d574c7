"""The questions, the tools, and the expected results."""

import struct
import zlib
from typing import Any

from pydantic import BaseModel, Field

QUESTIONS = (
    "What is the weather in Paris and Oslo?",
    "And what is the local time in Oslo?",
    "Claim the weather in Tokyo first, then the local time there.",
)
"""Two parallel calls, one call, and two calls one after the other."""

MORE_QUESTIONS = (
    "What is the weather in Cairo and Lima?",
    "And what is the local time in Lima?",
)
"""For LlamaIndex's agent: two parallel calls, and one that needs the earlier turn."""

EXTRACTION = 'Extract the booking: guest "Ada Lovelace" stays in the city of London for 3 nights, with breakfast.'
REPORT = 'What is the weather in Lisbon? Report it, with this advice: "bring a jacket".'
IMAGE = "What does this picture show?"
CAPITAL_QUESTION = "What is the capital of France?"
CAPITAL = "Paris"
LIBRARY_QUESTION = "In which year and city was the son of the foreigner from Bremen born?"

_WEATHER = {
    "Paris": ("rain", 17),
    "Oslo": ("snow", -2),
    "Tokyo": ("sun", 24),
    "Lisbon": ("wind", 21),
    "Cairo": ("sun", 33),
    "Lima": ("fog", 19),
}
_HOURS = {"Paris": 14, "Oslo": 14, "Tokyo": 22, "Lisbon": 13, "Cairo": 15, "Lima": 8}


def get_weather(city: str) -> dict[str, Any]:
    """The current weather in a city."""
    weather, degrees = _WEATHER.get(city, ("clouds", 18))
    return {"city": city, "weather": weather, "degrees": degrees}


def get_local_time(city: str) -> dict[str, Any]:
    """The local time in a city."""
    return {"city": city, "local_time": f"{_HOURS.get(city, 12)}:05"}


class Booking(BaseModel):
    """A hotel booking."""

    guest: str = Field(description="The guest's full name")
    city: str
    nights: int


class WeatherReport(BaseModel):
    """A report on a city's weather."""

    city: str
    weather: str
    degrees: int
    advice: str = Field(description="Advice for a walk")


class Birth(BaseModel):
    """Year and city of a birth."""

    year: int
    city: str


EXPECTED_BOOKING = Booking(guest="Ada Lovelace", city="London", nights=3)
EXPECTED_BIRTH = Birth(year=1632, city="York")

LIBRARY = {
    "Robinson Crusoe (Daniel Defoe)": (
        "I was born in the year 1632, in the city of York, of a good family, though not of that country, my father "
        "being a foreigner of Bremen, who settled first at Hull. He got a good estate by merchandise, and leaving off "
        "his trade, lived afterwards at York, from whence he had married my mother, whose relations were named "
        "Robinson, a very good family in that country, and from whom I was called Robinson Kreutznaer."
    ),
    "Twenty Thousand Leagues under the Sea (Jules Verne)": (
        "The year 1866 was signalised by a remarkable incident, a mysterious and puzzling phenomenon, which doubtless "
        "no one has yet forgotten. Not to mention rumours which agitated the maritime population and excited the "
        "public mind, even in the interior of continents, seafaring men were particularly excited."
    ),
    "Moby-Dick (Herman Melville)": (
        "Call me Ishmael. Some years ago—never mind how long precisely—having little or no money in my purse, and "
        "nothing particular to interest me on shore, I thought I would sail about a little and see the watery part of "
        "the world. It is a way I have of driving off the spleen and regulating the circulation."
    ),
    "Around the World in Eighty Days (Jules Verne)": (
        "Mr. Phileas Fogg lived, in 1872, at No. 7, Saville Row, Burlington Gardens, the house in which Sheridan died "
        "in 1814. He was one of the most noticeable members of the Reform Club, though he seemed always to avoid "
        "attracting attention."
    ),
}
"""Title → beginning of the novel, from an edition of the nineteenth century or before: in the public domain."""


def red_square() -> bytes:
    """Return a PNG of a red square."""
    side = 32
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pixels = zlib.compress((b"\x00" + b"\xff\x00\x00" * side) * side)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    )
