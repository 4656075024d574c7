"""The built-in model, which answers requests without a scripted answer."""
