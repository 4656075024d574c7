"""A long conversation with many tools, in each framework's words."""

from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

ARGUMENTS = {
    "customer": "c1",
    "items": [{"sku": "a", "quantity": 2, "price": 1.5, "tags": ["x"]}],
    "ship_to": {"street": "Main 1", "city": "Paris"},
}
RESULT = '{"ok": true, "eta": "2 days"}' * 5
SYSTEM = "You are a helpful agent. " * 20


class Point(BaseModel):
    """A point."""

    latitude: float = Field(description="latitude")
    longitude: float = Field(description="longitude")


class Address(BaseModel):
    """Postal address."""

    street: str = Field(description="street and number")
    city: str
    zip: str | None = None
    place: Point | None = None


class Item(BaseModel):
    """One order line."""

    sku: str = Field(description="stock keeping unit")
    quantity: int = Field(1, ge=1, le=100)
    price: float
    tags: list[str] = []


def tools(count: int = 20) -> list[type[BaseModel]]:
    """Tools with nested arguments."""
    return [
        create_model(
            f"tool_{number}",
            __doc__=f"Tool number {number}: does something useful with orders and addresses.",
            customer=(str, Field(description="customer id")),
            items=(list[Item], Field(description="order lines")),
            ship_to=(Address, Field(description="destination")),
            bill_to=(Address | None, None),
            mode=(Literal["fast", "cheap", "green"], "fast"),
            weights=(dict[str, float], Field(default_factory=dict, description="weights")),
        )
        for number in range(count)
    ]


def _turns(length: int) -> list[tuple[str, int]]:
    kinds = ("user", "call", "result")
    return [(kinds[number % 3], number // 3) for number in range(length - 2)]


def langchain_history(length: int = 50) -> list[Any]:
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

    def message(kind: str, number: int) -> Any:
        name, call_id = f"tool_{number % 20}", f"call_{number}"
        match kind:
            case "user":
                return HumanMessage(f"please process order {number} " * 10)
            case "call":
                return AIMessage(content="", tool_calls=[{"name": name, "args": ARGUMENTS, "id": call_id}])
            case _:
                return ToolMessage(content=RESULT, tool_call_id=call_id, name=name)

    turns = [message(*turn) for turn in _turns(length)]
    return [SystemMessage(SYSTEM), *turns, HumanMessage("and now?")]


def llama_index_history(length: int = 50) -> list[Any]:
    from llama_index.core.base.llms.types import ToolCallBlock
    from llama_index.core.llms import ChatMessage

    def message(kind: str, number: int) -> Any:
        name, call_id = f"tool_{number % 20}", f"call_{number}"
        match kind:
            case "user":
                return ChatMessage(role="user", content=f"please process order {number} " * 10)
            case "call":
                block = ToolCallBlock(tool_call_id=call_id, tool_name=name, tool_kwargs=ARGUMENTS)
                return ChatMessage(role="assistant", blocks=[block])
            case _:
                named = {"tool_call_id": call_id, "name": name}
                return ChatMessage(role="tool", content=RESULT, additional_kwargs=named)

    turns = [message(*turn) for turn in _turns(length)]
    return [ChatMessage(role="system", content=SYSTEM), *turns, ChatMessage(role="user", content="and now?")]
