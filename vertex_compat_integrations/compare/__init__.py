"""Several models on the same prompts, side by side: what they answer, how fast, for how much, and how surely.

`plan` reads what is asked, `asking` makes the models, asks them and measures each answer, `figures` computes what the
answers come to, and `page` shows it. Only `asking.measure` sends requests.
"""
