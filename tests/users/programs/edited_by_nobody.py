"""Knows OpenAI only, and is run as it is: `vertex-compat run --map gpt-4o=google/gemini-3.5-flash -- python …`."""

from openai import OpenAI

completion = OpenAI().chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hello"}])
print(completion.choices[0].message.content)
