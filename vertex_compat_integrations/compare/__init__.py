"""Several models on the same prompts, side by side: what they answer, how fast, for how much, and how surely.

`plan` says what is asked, `contender` makes the models, `measure` asks them, `report` draws the sums, `page`
shows them. Statistics, prices and checks are pure; only `measure` sends anything.
"""
