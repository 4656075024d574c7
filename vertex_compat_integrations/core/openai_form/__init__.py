"""What programs for OpenAI write and read → what Vertex AI does, and back: requests, answers, errors.

Pure but for `http_client`, which the stock SDK's clients send through; the proxy uses the rest.
"""
