"""An MCP server for `langchain_mcp_adapters.py`: its tools return text, an image, and a link."""

import base64

from mcp.server.fastmcp import FastMCP, Image
from mcp.types import ResourceLink

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

server = FastMCP("weather", log_level="ERROR")


@server.tool()
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"It rains in {city}."


@server.tool()
def get_map() -> Image:
    """A map of the rain."""
    return Image(data=base64.b64decode(PIXEL), format="png")


@server.tool()
def get_page() -> ResourceLink:
    """Where the report lies."""
    return ResourceLink(type="resource_link", uri="file:///weather.html", name="weather")


if __name__ == "__main__":
    server.run()
