"""OpenTelemetry: spans and metrics of a call, and the form of messages in them."""
