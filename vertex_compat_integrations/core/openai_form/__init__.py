"""Conversion between the format of programs for OpenAI and that of Vertex AI: requests, answers, errors.

Pure except for `http_client`, which the stock SDK's clients use for sending; the proxy uses the rest.
"""
