"""The MCP server that mcp_tools.py starts: two tools, through standard input and output."""

from mcp.server.fastmcp import FastMCP

server = FastMCP("weather", log_level="WARNING")


@server.tool()
def get_weather(city: str) -> str:
    """The current weather in a city."""
    return f"It rains in {city}."


@server.tool()
def get_local_time(city: str) -> str:
    """The local time in a city."""
    return f"It is 14:05 in {city}."


if __name__ == "__main__":
    server.run()
