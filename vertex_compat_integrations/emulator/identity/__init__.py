"""The identity server: tokens as Google issues them."""
