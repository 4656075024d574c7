// A program for Node.js that knows the npm package `openai` only; it writes the history by itself, as many do.
const OpenAI = require("openai").default;

const TOOLS = [{
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather in a city.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
}];
const client = new OpenAI({ maxRetries: 0 });
const asked = (messages) => ({ model: process.env.MODEL, messages, tools: TOOLS });

async function plain(messages) {
  const { message } = (await client.chat.completions.create(asked(messages))).choices[0];
  return [message.content, message.tool_calls ?? []];
}

async function streamed(messages) {
  let text = "";
  const calls = [];
  for await (const chunk of await client.chat.completions.create({ ...asked(messages), stream: true })) {
    const delta = chunk.choices[0].delta;
    text += delta.content ?? "";
    for (const piece of delta.tool_calls ?? []) {
      calls[piece.index] ??= { id: piece.id, function: { name: piece.function.name, arguments: "" } };
      calls[piece.index].function.arguments += piece.function.arguments ?? "";
    }
  }
  return [text, calls];
}

async function runTool(call) {
  await new Promise((resolve) => setTimeout(resolve, 1000 * Number(process.env.TOOL_SECONDS)));
  return { role: "tool", tool_call_id: call.id, content: `It rains. (${call.function.arguments})` };
}

async function converse(question, messages) {
  messages.push({ role: "user", content: question });
  for (const ask of [plain, streamed, plain, streamed]) {
    const [text, calls] = await ask(messages);
    if (!calls.length) {
      messages.push({ role: "assistant", content: text });
      return text;
    }
    const own = calls.map(({ id, function: { name, arguments: text } }) => (
      { id, type: "function", function: { name, arguments: text } }));
    messages.push({ role: "assistant", content: null, tool_calls: own });
    for (const call of own) messages.push(await runTool(call));
  }
}

(async () => {
  const messages = [];
  for (const question of ["What is the weather in Paris and Oslo?", "And in Rome?"]) {
    console.log(await converse(question, messages));
  }
})().catch((error) => {
  console.error(error.status, error.message);
  process.exit(3);
});
